"""How a thread that calls synchronously waits: in an event loop that it borrows for as long as its own run waits.

The run's own tasks (branches, records of a stream) advance there while the thread waits, and only then. What plug-ins
await runs elsewhere (`loops`).
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


@attrs.define(slots=True, eq=False)
class Lane:
    """A loop that one thread has borrowed: what it starts advances while it waits."""

    loop: asyncio.AbstractEventLoop

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Return a task; it advances while something is waited for."""
        return self.loop.create_task(coroutine)

    def wait(self, task: asyncio.Task[T]) -> T:
        """Wait for a task while the others advance."""
        try:
            return self.loop.run_until_complete(task)
        except BaseException:
            self.cancel([task])
            raise

    def cancel(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Cancel tasks and wait until they have cleaned up."""
        import asyncio

        left: list[asyncio.Task[Any]] = []
        for task in tasks:
            if not task.done():
                task.cancel()
                left.append(task)
            elif not task.cancelled():
                task.exception()  # asked for, so that asyncio does not report it as forgotten
        # What was waited for may have ended in the very turn that an interrupt ended: the loop is then still to stop
        # for it, which would end another wait. So that is done first.
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        # Who waits for a task that an interrupt ended in its own step is told in a turn of the loop: worker threads of
        # anyio end then, and a process would wait for them.
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True) if left else asyncio.sleep(0))

    def stopper(self, task: asyncio.Task[Any]) -> Callable[[], object]:
        """Return what cancels a task from any thread."""
        return lambda: self.loop.call_soon_threadsafe(task.cancel)


@attrs.define(slots=True, eq=False)
class Lanes:
    """The loops that threads borrow, kept for the next one."""

    _free: list[Lane] = attrs.field(factory=list, init=False)
    _closed: bool = attrs.field(default=False, init=False)

    def borrow(self) -> Lane:
        """Return a loop that nobody uses."""
        import asyncio

        try:
            return self._free.pop()
        except IndexError:
            return Lane(asyncio.new_event_loop())

    def give_back(self, lane: Lane) -> None:
        """Let the next thread have a loop; there is none any more when these were closed."""
        self._free.append(lane)
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close those that nobody uses, now and those that are given back later."""
        self._closed = True
        with suppress(IndexError):  # another thread may be giving one back
            while True:
                self._free.pop().loop.close()


def a_loop_runs_here() -> bool:
    """Tell whether an event loop is running in this thread, without importing one."""
    # Another thread may be importing it, and what is half imported lacks names: no loop runs by it yet.
    find = getattr(sys.modules.get("asyncio.events"), "get_running_loop", None)
    if find is None:
        return False
    try:
        find()
    except (RuntimeError, NameError):
        return False
    return True


def in_other_thread(function: Callable[[], T], stop: Callable[[], object], not_begun: Callable[[], object]) -> T:
    """Return what a function returns, called in a thread of its own.

    `stop` is called when the wait is interrupted, and the rest awaited; `not_begun` when there is no thread to be had.
    """
    from concurrent.futures import Future

    outcome: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome.set_result(context.run(function))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.set_exception(error)

    try:
        threading.Thread(target=work, name="rtfs run", daemon=True).start()
    except BaseException:
        not_begun()
        raise
    try:
        return outcome.result()
    except BaseException:
        if not outcome.done():
            stop()
            outcome.exception()
        raise
