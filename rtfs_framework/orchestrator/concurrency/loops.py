"""An event loop in a thread of its own.

A session has at most two, each started by the first thing that needs it. `io` is where everything that plug-ins await
runs, for the whole life of a session, because connections belong to the loop that opened them; no program ever
computes there. `runs` is where programs compute that were started from event loops: so no program and no file, however
slow, holds up a loop of the caller's, and a greenlet stays in the thread that it was made in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import attrs
from typing_extensions import ParamSpec

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    Submission = tuple[Coroutine[Any, Any, Any], Future[Any]]

P = ParamSpec("P")
T = TypeVar("T")

_STACK = 16 << 20
"""Bytes of address space for the stack of a thread in which programs compute: some systems give far too few."""

_CLEAN_UP_SECONDS = 2.0
"""How long tasks may take to clean up after they were cancelled."""

_LOOK_SECONDS = 1.0
"""How often who waits for the loop looks whether it still turns."""

_CLOSING_PATIENCE = 1.0
"""Seconds without a turn after which a loop that is to be closed is left as it is."""


_FAIR_SECONDS, _BREATH_SECONDS = 0.005, 0.0001
_breath = threading.local()


def let_other_threads() -> None:
    """Let threads that wait for Python's lock have it, if this one has computed for some milliseconds.

    A thread that waits asks for the lock after 5 ms in which nobody let go of it. One that computes and touches a file
    now and then lets go more often, has it again before the other one is awake, and so is never asked.
    """
    if monotonic() - getattr(_breath, "taken", -inf) > _FAIR_SECONDS:
        sleep(_BREATH_SECONDS)
        _breath.taken = monotonic()


class HeldError(Exception):
    """The loop did not turn for too long: something in it blocks. What waited there is lost, and a new loop is there.

    `task` is the one that was running, if that could be seen.
    """

    def __init__(self, task: asyncio.Task[Any] | None) -> None:
        super().__init__("the event loop in which plug-ins are awaited was held")
        self.task = task


@attrs.define(slots=True, eq=False)
class LoopThread:
    """An event loop in a daemon thread: a process that ends without closing its session does not wait for it."""

    name: str
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)
    _thread: threading.Thread | None = attrs.field(default=None, init=False)
    _end: asyncio.Event = attrs.field(init=False)
    """Set in the loop when it is to end."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _asked: float | None = attrs.field(default=None, init=False)
    """When the loop was asked for a sign of life that it has not given yet."""
    _batches: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Submission]] = attrs.field(
        factory=WeakKeyDictionary, init=False
    )
    """What the running turn of each caller's loop has submitted so far."""

    @property
    def here(self) -> bool:
        """Tell whether this is its thread."""
        return self._thread is not None and self._thread.ident == threading.get_ident()

    @property
    def used(self) -> bool:
        """Tell whether it was ever needed."""
        return self._thread is not None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine in the loop, from a turn of another one.

        All that one turn submits is handed over together, at the turn's end. To wake a thread lets go of Python's lock,
        and if it computes it keeps that for 5 ms: a hundred times in one turn hold up the caller for half a second.
        """
        import asyncio
        from concurrent.futures import Future

        future: Future[T] = Future()
        try:
            loop, caller = self._started(), asyncio.get_running_loop()
            with self._lock:
                batch = self._batches.setdefault(caller, [])
            if not batch:
                caller.call_soon(_hand_over, batch, loop)
            batch.append((coroutine, future))
        except BaseException:
            coroutine.close()
            raise
        return future

    async def reach(self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **more: P.kwargs) -> T:
        """Await a coroutine function in the loop, from any other one.

        When this is cancelled, that is, and gets a moment to clean up; a plug-in that swallows its cancellation is left
        behind.
        """
        return await self.reach_within(inf, function, *args, **more)

    async def reach_within(
        self, patience: float, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **more: P.kwargs
    ) -> T:
        """Do the same; give up, and start a new loop, when this one does not turn for so many seconds.

        Raises:
            HeldError: It did not.
        """
        import asyncio

        if self.here:
            return await function(*args, **more)
        loop = self._started()
        there: list[asyncio.Task[Any]] = []
        given_up: list[bool] = []

        async def work() -> T:
            if given_up:  # cancelled in the turn that began it: there was no task yet that could be
                raise asyncio.CancelledError
            there.extend(task for task in (asyncio.current_task(),) if task is not None)
            return await function(*args, **more)

        begun = work()
        try:
            waited = asyncio.wrap_future(_submitted(begun, loop))
        except RuntimeError:  # it was given up and has ended, after it was taken
            begun.close()
            raise HeldError(None) from None
        try:
            while not waited.done():
                await asyncio.wait((waited,), timeout=_LOOK_SECONDS)
                if not waited.done():
                    self._check(loop, patience)
            return waited.result()
        except asyncio.CancelledError:
            if not waited.done():
                given_up.append(True)
                with suppress(RuntimeError):  # it was given up and has ended
                    loop.call_soon_threadsafe(lambda: [task.cancel() for task in there])
                await _left(waited)
            raise

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T | None:
        """Await a coroutine in the loop, from a thread; None when the loop does not turn."""
        from concurrent.futures import wait

        try:
            future = _submitted(coroutine, self._started())
        except BaseException:
            coroutine.close()
            raise
        while not wait((future,), _LOOK_SECONDS / 4).done:
            if self._silent() > _CLOSING_PATIENCE:
                return None
        return future.result()

    def close(self) -> None:
        """Cancel what still runs, give it a moment to clean up, and end the thread."""
        held = self._asked is not None and self._silent() > _CLOSING_PATIENCE
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(self._end.set)
            self._thread.join(0 if held else 2 * _CLEAN_UP_SECONDS)

    def _silent(self) -> float:
        """Return for how many seconds the loop has not turned, as far as that is known; ask it for a sign of life."""
        loop, asked, now = self._loop, self._asked, monotonic()
        if loop is None:
            return 0.0
        if asked is None:
            self._asked = now
            loop.call_soon_threadsafe(self._turned)
            return 0.0
        return now - asked

    def _turned(self) -> None:
        self._asked = None

    def _check(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        """Give a loop up that is held: the next one who needs it starts another."""
        import asyncio

        if self._loop is loop and self._silent() <= patience:
            return
        with self._lock:
            if self._loop is loop:
                self._loop, self._asked = None, None
                loop.call_soon_threadsafe(self._end.set)  # when it turns again it ends
        raise HeldError(asyncio.current_task(loop))

    def _started(self) -> asyncio.AbstractEventLoop:
        import asyncio

        with self._lock:
            if self._loop is None:
                loop, end = asyncio.new_event_loop(), asyncio.Event()
                try:
                    self._thread = _start(self.name, loop, end)
                except BaseException:  # the system has no thread to give: the next one who needs it tries again
                    loop.close()
                    raise
                self._loop, self._end = loop, end
            return self._loop


def _hand_over(batch: list[Submission], loop: asyncio.AbstractEventLoop) -> None:
    """Start what a turn submitted, with one wake of the loop."""
    taken = batch[:]
    batch.clear()
    try:
        loop.call_soon_threadsafe(_begin, taken, loop)
    except RuntimeError as error:  # it has ended since
        for coroutine, future in taken:
            coroutine.close()
            future.set_exception(error)


def _begin(taken: list[Submission], loop: asyncio.AbstractEventLoop) -> None:
    for coroutine, future in taken:
        loop.create_task(coroutine).add_done_callback(partial(_settle, future))


def _settle(future: Future[Any], task: asyncio.Task[Any]) -> None:
    if task.cancelled():
        future.cancel()
        future.set_running_or_notify_cancel()
    elif (error := task.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


def _submitted(coroutine: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> Future[T]:
    import asyncio

    return asyncio.run_coroutine_threadsafe(coroutine, loop)


async def _left(waited: asyncio.Future[Any]) -> None:
    """Give what was cancelled a moment to clean up."""
    import asyncio

    from anyio import move_on_after

    with move_on_after(_CLEAN_UP_SECONDS, shield=True):
        await asyncio.wait([waited])
    if waited.done() and not waited.cancelled():
        waited.exception()  # asked for, so that asyncio does not report it as forgotten


def _start(name: str, loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> threading.Thread:
    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=_serve, args=(loop, end), name=f"rtfs {name}", daemon=True)
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def _serve(loop: asyncio.AbstractEventLoop, end: asyncio.Event) -> None:
    """Run a loop until it is to end. A plug-in's SystemExit passes through here; its task has it, and the loop goes on.

    It runs one task all the time, as `asyncio.run` does: anyio keeps its worker threads for as long as that lives.
    """
    task = loop.create_task(_until(end))
    while not task.done():
        try:
            loop.run_until_complete(task)
        except BaseException:  # noqa: BLE001, S112, PERF203
            continue
    loop.close()


async def _until(end: asyncio.Event) -> None:
    """Wait for the end, then cancel every other task and wait a moment for them."""
    import asyncio

    await end.wait()
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_CLEAN_UP_SECONDS)
    await asyncio.get_running_loop().shutdown_asyncgens()
