"""Where callers come in: any thread, any number of tasks of any event loops, and how each waits.

- A thread that calls synchronously computes its run itself; nothing starts until something must be awaited.
- A task's run is computed in the session's thread `runs`, in slices (`kernel.outcome.Paused`), so that its own loop
  is never held up and tasks take turns.
- What plug-ins await runs in the thread `io`, whoever asks.
- Synchronous calls inside a running loop are made in another thread while this one waits.

Ctrl-C raises KeyboardInterrupt where it happens; what was under way is cancelled and awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, TypeVar

import attrs
from typing_extensions import ParamSpec

from rtfs_framework.lang.errors import Cancelled, RtfsError
from rtfs_framework.orchestrator.concurrency.lanes import Lane, Lanes, a_loop_runs_here, in_other_thread
from rtfs_framework.orchestrator.concurrency.loops import LoopThread, let_other_threads
from rtfs_framework.orchestrator.running.uses import SessionClosedError, Use, Uses

if TYPE_CHECKING:
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")


@attrs.define(slots=True, eq=False)
class Portal:
    """Lets callers in, and waits for them."""

    io: LoopThread
    runs: LoopThread = attrs.field(factory=lambda: LoopThread("runs"))
    lanes: Lanes = attrs.field(factory=Lanes)
    uses: Uses = attrs.field(factory=Uses)

    def call(self, function: Callable[Concatenate[Use, P], T], *args: P.args, **more: P.kwargs) -> T:
        """Call a function as a use of the session, synchronously.

        Raises:
            SessionClosedError: The session was closed, before or meanwhile.
            RtfsError: Called in the thread where the session's plug-ins are awaited.
        """
        if a_loop_runs_here() and not self.io.here:
            use = self.uses.enter()
            return in_other_thread(
                lambda: self._call(use, lambda: function(use, *args, **more)), use.stop, lambda: self.uses.leave(use)
            )
        return self.call_here(function, *args, **more)

    def call_here(self, function: Callable[Concatenate[Use, P], T], *args: P.args, **more: P.kwargs) -> T:
        """Call a function as a use of the session, in this thread whatever runs here."""
        if self.io.here:
            raise RtfsError(
                "a plug-in that is asynchronous called its session synchronously, which would wait for itself; "
                "there, await session.run_async(...)"
            )
        use = self.uses.enter()
        return self._call(use, lambda: function(use, *args, **more))

    def _call(self, use: Use, function: Callable[[], T]) -> T:
        try:
            with use.inside():
                return function()
        except BaseException as error:
            _tell_stopped(use, error)
            raise
        finally:
            self.uses.leave(use)

    async def call_async(
        self, function: Callable[Concatenate[Use, P], Coroutine[Any, Any, T]], *args: P.args, **more: P.kwargs
    ) -> T:
        """Await a coroutine function as a use of the session, in the thread `runs`.

        When this is cancelled, it is cancelled there, and this waits until it has cleaned up.

        Raises:
            SessionClosedError: The session was closed, before or meanwhile.
        """
        use = self.uses.enter()
        try:
            future = self.runs.submit(self._work(use, lambda: function(use, *args, **more)))
        except BaseException:
            self.uses.leave(use)
            raise
        return await _ended(future, use)

    async def _work(self, use: Use, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        import asyncio

        loop, own = asyncio.get_running_loop(), asyncio.current_task()
        let_other_threads()
        try:
            with use.inside(), use.ended_by(lambda: loop.call_soon_threadsafe(own.cancel) if own else None):
                return await begin()
        finally:
            self.uses.leave(use)

    def run(self, coroutine: Coroutine[Any, Any, T], use: Use) -> T:
        """Run one coroutine to its end while this thread waits."""
        try:
            lane = self.borrow()
        except BaseException:
            coroutine.close()
            raise
        try:
            task = lane.start(coroutine)
            with use.ended_by(lane.stopper(task)):
                return lane.wait(task)
        finally:
            self.lanes.give_back(lane)

    def borrow(self) -> Lane:
        """Return a loop to wait in.

        Raises:
            RtfsError: Another loop is running in this thread.
        """
        if a_loop_runs_here():
            raise RtfsError(
                "a stream that must wait is read inside a running event loop; read it in a thread of its own, such as "
                "await asyncio.to_thread(list, stream), or await program.call_async(...) for every record"
            )
        return self.lanes.borrow()

    def close(self) -> None:
        """End the threads and the loops."""
        self.runs.close()
        self.io.close()
        self.lanes.close()


async def _ended(future: Future[T], use: Use) -> T:
    """Wait in this loop until a use has ended in another one, also when this is cancelled."""
    import asyncio

    waited = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waited)
    except asyncio.CancelledError as error:
        if waited.done():
            _tell_stopped(use, error)
            raise
        use.stop()
        await asyncio.wait([waited])
        if not waited.cancelled():
            waited.exception()  # asked for, so that asyncio does not report it as forgotten
        raise
    except Cancelled as error:
        _tell_stopped(use, error)
        raise


def _tell_stopped(use: Use, error: BaseException) -> None:
    """Say why a use that was stopped from outside has ended."""
    if use.stopped and (isinstance(error, Cancelled) or type(error).__name__ == "CancelledError"):
        raise SessionClosedError(
            "the session was closed while the run was under way",
            "wait for what runs, or let closing wait: session.close(wait=True)",
        ) from error
