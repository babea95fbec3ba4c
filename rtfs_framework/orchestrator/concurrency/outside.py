"""Calls of plugins' code that waits: each in a task or thread of its own, which ends or is left behind at its deadline.

In: a part of a plugin, its time, what to call. Out: what came of it. Whatever the plugin does with cancellation (it may
ignore it, swallow it, or cancel itself), the caller goes on at the deadline; and whatever it raises is its own fault:
only Ctrl-C of the user passes. What was left behind is told, counted, and bounded: a part with too many calls left
behind is not called until some of them end.

One thing cannot be helped from here: an asynchronous method that blocks holds its event loop, and all that run there
wait with it. It is told when it is over; if it is not over in time, the loop is given up with all that wait there
(`loops.HeldError`) and another one takes its place.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import attrs

from rtfs_framework.orchestrator.concurrency.deadlines import OverdueError
from rtfs_framework.orchestrator.concurrency.threads import Crew
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.interrupts import by_statement, by_user

T = TypeVar("T")

Told = Callable[[Part, "BaseException | str", str, str], None]
"""The part, what is wrong, in which piece of its code, and what the host did."""

_owners: WeakKeyDictionary[asyncio.Task[Any], Part] = WeakKeyDictionary()

GRACE = 0.5
"""Seconds that cancelled code has to clean up."""
MOST_LEFT = 64
"""Calls of one part that may be left behind in event loops."""
_HELD = 1.0
"""Seconds beyond a deadline after which code that answered all the same must have held its loop."""


@attrs.define(slots=True, eq=False)
class Outside:
    """One part of a plugin, as its host calls it; from any event loop."""

    part: Part
    told: Told
    most: int
    """Threads."""
    _crew: Crew | None = attrs.field(default=None, init=False)
    _left: set[asyncio.Task[Any]] = attrs.field(factory=set, init=False)

    @property
    def left(self) -> int:
        """Calls that nobody waits for any more and that have not ended."""
        return len(self._left) + (0 if self._crew is None else self._crew.left)

    async def call(self, doing: str, seconds: float, begin: Callable[[], Awaitable[T]], *, bounded: bool = True) -> T:
        """Await what `begin` gives, for so many seconds; when `bounded`, not if too many calls were left behind.

        Raises:
            OverdueError: They are over.
            PluginFault: The code raised what would end the whole tool, or too many calls were left behind.
        """
        if bounded and len(self._left) >= MOST_LEFT:
            raise PluginFault(self.part, doing, f"is not called: {len(self._left)} calls have not ended in their time")
        loop = asyncio.get_running_loop()
        started = loop.time()
        ending: list[bool] = []
        task = _started(loop, self._theirs(doing, begin, ending))
        try:
            if not task.done():
                await asyncio.wait((task,), timeout=seconds)
        except BaseException:
            await self._end(task, ending, doing)
            raise
        if not task.done():
            threads = 0 if self._crew is None else self._crew.left
            await self._end(task, ending, doing)
            if self._crew is not None and self._crew.left > threads:
                self._tell_left(doing)
            raise OverdueError
        if loop.time() - started > seconds + _HELD:
            self.told(self.part, f"held its event loop for {loop.time() - started:.1f} s", doing, "all waited for it")
        return _result(task)

    async def in_thread(self, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        """Return what a plain function returns, called in a thread.

        Raises:
            PluginFault: All threads were left behind with calls that do not end.
        """
        if self._crew is None:
            self._crew = Crew(self.part, self.most)
        if self._crew.left >= self._crew.most:
            raise PluginFault(
                self.part, doing, f"is not called: all its {self.most} threads hold calls that do not end"
            )
        return await self._crew.run(doing, function, *args)

    async def _theirs(self, doing: str, begin: Callable[[], Awaitable[T]], ending: list[bool]) -> T:
        """Await a plugin's code; what would end the tool becomes its fault."""
        own = asyncio.current_task()
        if own is not None:
            _owners[own] = self.part
        try:
            return await begin()
        except Exception:
            raise
        except asyncio.CancelledError:
            if ending:
                raise
            raise PluginFault(self.part, doing, "cancelled itself, though nobody had asked for it") from None
        except BaseException as error:
            if by_user(error) or (isinstance(error, GeneratorExit) and not by_statement(error)):
                raise  # Ctrl-C, or a coroutine that is closed at the end of its loop
            raise PluginFault(self.part, doing, error) from error

    async def _end(self, task: asyncio.Task[Any], ending: list[bool], doing: str) -> None:
        """Cancel a call and let it clean up; one that does not end is left behind."""
        from anyio import move_on_after

        ending.append(True)
        task.add_done_callback(_forget)
        task.cancel()
        with move_on_after(GRACE, shield=True):
            await asyncio.wait((task,), timeout=GRACE)
        if not task.done():
            self._leave(task)
            self._tell_left(doing)

    def _tell_left(self, doing: str) -> None:
        self.told(self.part, "did not end when its time was over", doing, "it was left behind")

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        # A loop that ends must neither wait for it (asyncio.run awaits all tasks that it knows) nor complain of it.
        asyncio.tasks._unregister_task(task)
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def _started(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Return a task that has begun, where Python can do that: what never waits is then done without a turn."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
    return loop.create_task(coroutine)


def _result(task: asyncio.Task[T]) -> T:
    """Return a task's result. Ctrl-C in it has left the loop by itself, and is not raised a second time."""
    if not task.cancelled() and isinstance(task.exception(), KeyboardInterrupt):
        raise asyncio.CancelledError
    return task.result()


def owner_of(task: asyncio.Task[Any] | None) -> Part | None:
    """Return whose code a task runs, None when it is no plugin's."""
    return None if task is None else _owners.get(task)


def _forget(task: asyncio.Task[Any]) -> None:
    """Ask a task for its exception, so that asyncio does not report it as forgotten."""
    if not task.cancelled():
        task.exception()
