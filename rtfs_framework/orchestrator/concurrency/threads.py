"""Worker threads for plugins that wait without being asynchronous, so many for each part of a plugin.

A call that is cancelled or late is left behind: its thread ends when the plugin's function returns, and until then it
counts, so a plugin that hangs cannot pile threads up, nor take those of others. They are daemons: a process does not
wait for them to end. What a thread's function raises is a fault of its plugin, whatever it is.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

import attrs

from rtfs_framework.registry.faults import Part, PluginFault, ask

T = TypeVar("T")

_IDLE_SECONDS = 10.0
"""How long a thread without work waits for some before it ends."""


class _State(Enum):
    """How far a call is; it changes under its crew's lock."""

    UNDER_WAY = 1
    FINISHED = 2
    LEFT = 3
    """Under way, and nobody waits for it any more."""


@attrs.define(slots=True, eq=False)
class _Job:
    """A call, and who waits for it."""

    context: Context
    call: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[tuple[Any, BaseException | None]]
    state: _State = _State.UNDER_WAY


@attrs.define(slots=True, eq=False)
class Crew:
    """The threads of one part; used from any event loop."""

    part: Part
    most: int
    busy: int = attrs.field(default=0, init=False)
    """Calls under way, those included that nobody waits for any more."""
    left: int = attrs.field(default=0, init=False)
    """Calls under way that nobody waits for any more."""
    _idle: list[SimpleQueue[_Job]] = attrs.field(factory=list, init=False)
    _wanting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = attrs.field(factory=deque, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    async def run(self, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        """Return what a function returns, called in one of the threads.

        Raises:
            PluginFault: It raised what is no ordinary exception.
        """
        loop = asyncio.get_running_loop()
        while not self._take():
            await self._room(loop)
        job = _Job(copy_context(), lambda: ask(self.part, doing, _ordinary, function, args), loop, loop.create_future())
        try:
            self._start(job)
        except BaseException:  # the system has no thread to give
            with self._lock:
                self.busy -= 1
            self._tell_next()
            raise
        try:
            value, error = await job.done
        except asyncio.CancelledError:
            with self._lock:
                if job.state is _State.UNDER_WAY:
                    job.state = _State.LEFT
                    self.left += 1
            raise
        if error is not None:
            raise error
        return value

    def _take(self) -> bool:
        with self._lock:
            free = self.busy < self.most
            self.busy += free
            return free

    async def _room(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until a thread is free; the next one then has to be quicker than others."""
        told: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self.busy < self.most:
                return
            self._wanting.append((loop, told))
        try:
            await told
        except asyncio.CancelledError:
            with self._lock:
                waited = (loop, told) in self._wanting
                if waited:
                    self._wanting.remove((loop, told))
            if not waited:  # it was told, or is about to be: another one has to be
                self._tell_next()
            raise

    def _start(self, job: _Job) -> None:
        with self._lock:
            queue = self._idle.pop() if self._idle else None
        if queue is not None:
            queue.put(job)
            return
        queue = SimpleQueue()
        queue.put(job)
        Thread(target=self._work, args=(queue,), name=f"rtfs {self.part.kind} {self.part.name}", daemon=True).start()

    def _work(self, queue: SimpleQueue[_Job]) -> None:
        while True:
            try:
                job = queue.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if queue in self._idle:
                        self._idle.remove(queue)
                        return
                continue  # a job is on its way
            outcome = _outcome(job)
            with self._lock:
                self.busy -= 1
                self.left -= job.state is _State.LEFT
                job.state = _State.FINISHED
                self._idle.append(queue)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                job.loop.call_soon_threadsafe(_settle, job.done, outcome)
            del job, outcome
            self._tell_next()

    def _tell_next(self) -> None:
        with self._lock:
            found = self._wanting.popleft() if self._wanting else None
        if found is not None:
            try:
                found[0].call_soon_threadsafe(_settle, found[1], None)
            except RuntimeError:
                self._tell_next()


def alone(part: Part, doing: str, function: Callable[[], Any]) -> Future[Any]:
    """Call a function in a thread of its own, besides all others; return what says when it is over, and what came."""
    over: Future[Any] = Future()

    def work() -> None:
        try:
            value, error = ask(part, doing, _ordinary, function, ())
        except PluginFault as fault:
            value, error = None, fault
        if error is None:
            over.set_result(value)
        else:
            over.set_exception(error)

    Thread(target=work, name=f"rtfs {part.kind} {part.name}", daemon=True).start()
    return over


def left_behind(name: str, function: Callable[[], T]) -> Future[T]:
    """Call a function of whoever uses the host, which may wait for a person; return what comes of it.

    Its thread is a daemon: nobody waits for it who stops to wait for what comes, and no process does.
    """
    over: Future[T] = Future()
    over.set_running_or_notify_cancel()  # who waits in an event loop may be cancelled; the call goes on
    context = copy_context()
    library = getattr(sys.modules.get("sniffio"), "current_async_library_cvar", None)
    if library is not None:
        context.run(library.set, None)  # no event loop of the caller's runs in the thread

    def work() -> None:
        try:
            value = context.run(function)
        except StopIteration as error:  # futures cannot hold one
            over.set_exception(RuntimeError(repr(error)))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            over.set_exception(error)
        else:
            over.set_result(value)

    Thread(target=work, name=name, daemon=True).start()
    return over


async def outcome_of(over: Future[Any], seconds: float) -> Any:
    """Wait until what runs alone is over, at most so many seconds; it goes on whatever becomes of this.

    Raises:
        TimeoutError: It is not.
    """
    waited = asyncio.wrap_future(over)
    waited.add_done_callback(lambda done: done.cancelled() or done.exception())
    done, _ = await asyncio.wait((waited,), timeout=seconds)
    if not done:
        raise TimeoutError
    return waited.result()


def _ordinary(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, BaseException | None]:
    """Call a function; ordinary exceptions are outcomes, the others the caller's business."""
    try:
        return function(*args), None
    except Exception as error:  # noqa: BLE001 - raised again where it is awaited
        return None, error


def _outcome(job: _Job) -> tuple[Any, BaseException | None]:
    try:
        found: tuple[Any, BaseException | None] = job.context.run(job.call)
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        return None, error
    return found


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
