"""Driving the branches of a fan-out at once: as far as nothing must be waited for here, then by tasks of an event loop.

Branches start in order, as many as there are slots, and never far ahead of the first that has not ended. When one
fails, no other starts, those after it are cancelled, and those before it go on: the first failure in order is what
the program sees.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.kernel.outcome import Complete, ExecutionOutcome, Paused
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Waiting
from rtfs_framework.orchestrator.concurrency.program_lock import ProgramLock
from rtfs_framework.orchestrator.concurrency.slots import Slots
from rtfs_framework.orchestrator.recording.run_scope import RunScope
from rtfs_framework.orchestrator.running.branch_order import Order
from rtfs_framework.orchestrator.running.driver import LATER, Host, advance, drive

if TYPE_CHECKING:
    import anyio
    from anyio.abc import TaskGroup

    from rtfs_framework.kernel.parallel import Branch, Branches

AHEAD = 1024
"""How far a branch may be ahead of the first that has not ended: what waits for its turn to count is bounded."""


@attrs.frozen(slots=True)
class _Under:
    """A branch under way that must wait, and the host as it sees it; none yet while it has asked for nothing."""

    branch: Branch
    host: Host | None
    state: Waiting


@attrs.define(slots=True, eq=False)
class FanOut:
    """One fan-out of a run; `begin` is its whole use."""

    branches: Branches
    slots: Slots
    order: Order
    lock: ProgramLock
    host_of: Callable[[RunScope], Host]
    _started: int = attrs.field(default=0, init=False)
    _extra: int = attrs.field(default=0, init=False)
    """Slots that were taken, besides that of the run that waits."""
    _scopes: dict[Branch, anyio.CancelScope] = attrs.field(factory=dict, init=False)
    """Of the tasks, by the branch that each is at."""
    _starting: bool = attrs.field(default=False, init=False)
    """Whether a branch that has asked for nothing lets others compute: none starts before its number is settled."""
    _group: TaskGroup | None = attrs.field(default=None, init=False)
    _room: anyio.Event | None = attrs.field(default=None, init=False)
    """Set when branches may start again."""
    _broken: Exception | None = attrs.field(default=None, init=False)
    _stopping: bool = attrs.field(default=False, init=False)

    def begin(self) -> Answer | Waiting:
        """Run branches one after the other until one must wait; return what to resume their run with."""
        under = self._next()
        if under is not None:
            first = under
            return Waiting(lambda: self._finish(first))
        return Reply(None)

    async def _finish(self, under: _Under) -> Answer:
        """Drive the branch that waits and all that follow, as many at once as there are slots."""
        import asyncio

        import anyio

        loop, growing = asyncio.get_running_loop(), set[asyncio.Task[None]]()

        async def grow_here() -> None:  # anyio starts tasks from tasks alone
            self._grow()

        def soon() -> None:
            if self._group is not None:
                growing.add(loop.create_task(grow_here()))

        def grow() -> None:  # told by whichever thread gives a slot back
            with suppress(RuntimeError):  # the loop has just ended, and needs none
                loop.call_soon_threadsafe(soon)

        try:
            async with anyio.create_task_group() as group:
                self._group = group
                self.slots.want(grow)
                group.start_soon(self._work, under)
        finally:
            self._group = None
            for each in growing:
                each.cancel()
            self.slots.enough(grow)
            self.slots.give(self._extra)
        if self._broken is not None:
            raise self._broken
        return Reply(None)

    @property
    def _exhausted(self) -> bool:
        """Tell whether no branch is left to start."""
        return self._started >= len(self.branches) or self.order.last is not None

    @property
    def _may_start(self) -> bool:
        return not self._exhausted and not self._starting and self._started - self.order.first < AHEAD

    def _grow(self) -> None:
        """Begin another task if there is something to do and a slot for it."""
        group = self._group
        if group is None or self._stopping or group.cancel_scope.cancel_called:
            return
        if self._may_start and self.slots.take():
            self._extra += 1
            group.start_soon(self._work, None)

    async def _work(self, under: _Under | None) -> None:
        """Drive branches, one after the other, until there are none left or one before them has failed."""
        import anyio

        try:
            self._grow()
            with anyio.CancelScope() as scope:
                while under is not None or not self._exhausted:
                    if under is not None:
                        under = await self._start(under, scope)
                    if under is not None and under.host is not None:
                        await self._drive(under.branch, under.state, under.host, scope)
                    async with self.lock:
                        under = self._next()
                    if under is None and not self._exhausted:
                        await self._until_room()
                        self._grow()
        except anyio.get_cancelled_exc_class():
            self._stopping = True
            raise
        except Exception as error:  # noqa: BLE001 - raised by `_finish`, not in a group
            self._broken = self._broken or error
            if self._group is not None:
                self._group.cancel_scope.cancel()
        finally:
            if self._extra:
                self._extra -= 1
                self.slots.give()

    def _next(self) -> _Under | None:
        """Start branches in order until one must wait; None when there is none to start now."""
        while self._may_start:
            branch = self.branches.start_next()
            if branch is None:
                return None
            under = self._step(branch, partial(branch.step, concurrent=True))
            if under is not None:
                return under
        return None

    def _step(self, branch: Branch, step: Callable[[], ExecutionOutcome]) -> _Under | None:
        """Go as far as nothing must be waited for; None when the branch has ended."""
        try:
            under = self._begin(branch, step)
        except (ProgramError, LimitError) as error:
            self._failed(branch, error)
        else:
            if under is not None:
                return under
        self._ended(branch.number)
        return None

    def _begin(self, branch: Branch, step: Callable[[], ExecutionOutcome]) -> _Under | None:
        first = branch.number
        try:
            outcome = step()
        finally:
            for number in range(first, branch.number):  # it went on through items that asked for nothing
                self._ended(number)
            self._started = branch.number + 1
        if isinstance(outcome, Complete):
            return None
        self._starting = isinstance(outcome, Paused) and not branch.settled
        if self._starting:
            return _Under(branch, None, LATER)
        host = self.host_of(self.order.scope(branch.number))
        state = advance(branch, outcome, host)
        return _Under(branch, host, state) if isinstance(state, Waiting) else None

    async def _start(self, under: _Under, scope: anyio.CancelScope) -> _Under | None:
        """Let a branch that has asked for nothing go on in slices, until it asks; None when it has ended."""
        found: _Under | None = under
        branch = under.branch
        self._scopes[branch] = scope
        try:
            while found is not None and found.host is None:
                await found.state.finish()
                async with self.lock:
                    found = self._step(branch, partial(branch.resume, None))
        except BaseException:
            with self.lock:
                branch.close()
            self._ended(branch.number)
            raise
        finally:
            del self._scopes[branch]
            self._starting = False
            self._make_room()
            self._grow()  # nobody could while it was starting
        return found

    async def _drive(self, branch: Branch, state: Waiting, host: Host, scope: anyio.CancelScope) -> None:
        """Drive a branch to its end, or until its task is cancelled because one before it failed."""
        self._scopes[branch] = scope
        try:
            await drive(branch, state, host)
        except (ProgramError, LimitError) as error:
            self._failed(branch, error)
        finally:
            del self._scopes[branch]
            self._ended(branch.number)

    def _failed(self, branch: Branch, error: ProgramError | LimitError) -> None:
        """Cancel the branches after one that failed; those before it go on."""
        number = branch.number
        self.branches.settle(branch, error=error)
        if self.order.last is None or number < self.order.last:
            self.order.last = number
        for later, scope in self._scopes.items():
            if later.number > number:
                scope.cancel()

    def _ended(self, number: int) -> None:
        self.order.ended(number)
        self._make_room()

    def _make_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set()

    async def _until_room(self) -> None:
        """Wait until a branch ends."""
        import anyio

        if self._room is None:
            self._room = anyio.Event()
        await self._room.wait()
