"""The tickets of one run: calls that are under way while their program goes on.

Each is a call like any other, in a scope of its own: decided, guarded, bought and written down under the ticket's id.
As many are under way as the host has slots; others wait for one, in order, or until somebody awaits them, who has a
slot and does nothing meanwhile. Whoever awaits a ticket has seen what its call was given: marks and lineage count then.
A body of the program's own is driven here when it is first awaited, in the order of whoever made it: branches that come
earlier than the one that first awaits it may await it, too, and it waits for none of them. What is under way when its
run fails is given up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.kernel.outcome import Complete, HostCall
from rtfs_framework.lang import records
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.values import Ticket
from rtfs_framework.orchestrator.boundary.answers import Answer, Counted, Locally, Reply, Waiting, reply
from rtfs_framework.orchestrator.concurrency.endings import ENDING, Ending
from rtfs_framework.orchestrator.concurrency.slots import Slots
from rtfs_framework.orchestrator.recording.run_scope import RunScope
from rtfs_framework.orchestrator.running.driver import Host, advance, drive

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.floating import Floating, Gathered

Ask = Callable[[HostCall, RunScope], "Answer | Waiting"]
HostOf = Callable[[RunScope], Host]
Work = Callable[[], Awaitable[None]]


@attrs.define(slots=True, eq=False)
class _Kept:
    """What the host keeps of a ticket."""

    scope: RunScope
    """Of its call; a body runs in that of whoever first awaits it."""
    gathered: Gathered | None = None
    """The marks that its answer has."""
    ask: Ask | None = None
    """Asks for the call as the host does for any, until that has begun."""
    slot: bool = False
    """Whether it has a slot of its own."""
    driven: bool = False
    """Whether its body was started."""
    broken: Exception | None = None
    """What is no answer, and ends the run."""
    done: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set when there is nothing to wait for: it is settled, or its body is to run."""


@attrs.define(slots=True, eq=False)
class Tickets:
    """Those of one run and its branches."""

    slots: Slots
    _queue: deque[Ticket] = attrs.field(factory=deque, init=False)
    """Those that wait for a slot, in order, and some that were started meanwhile."""
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set, init=False)
    _ending: Ending = attrs.field(factory=Ending, init=False)
    _loop: asyncio.AbstractEventLoop | None = attrs.field(default=None, init=False)
    """The loop in which it is told of free slots."""

    def begin(self, ticket: Ticket, scope: RunScope, ask: Ask) -> Answer | Waiting:
        """Take a call over; the program goes on as soon as it is under way, or waits for its turn."""
        kept = ticket.host = _own(scope)
        kept.ask = ask
        if self._queue or not self.slots.take():
            self._queue.append(ticket)
            return Waiting(self._wait_for_slots)
        kept.slot = True
        work = self._start(ticket)
        if kept.broken is not None:
            raise kept.broken
        return reply(None) if work is None else Waiting(lambda: self._go_on(work))

    def awaited(
        self, ticket: Ticket, scope: RunScope, host_of: HostOf, branch: tuple[int, ...] = ()
    ) -> Answer | Waiting:
        """Return what to resume the run with that awaits a ticket in a branch, or what to wait for."""
        kept = ticket.host
        if kept is None:
            kept = ticket.host = _own(scope)
            kept.done.set()
        work = None
        if ticket.run is not None and not kept.driven:
            work = self._run_body(ticket, scope, host_of, branch)
        elif kept.ask is not None:
            work = self._start(ticket)
        if work is not None:
            begun = work
            return Waiting(lambda: self._under_way(begun, kept, scope))
        if not kept.done.is_set():
            return Waiting(lambda: self._wait(kept, scope))
        _seen(kept, scope)
        return reply(None)

    # -- calls and bodies, as far as nothing must be waited for; what else is to do is handed back -------------------

    def _start(self, ticket: Ticket) -> Work | None:
        kept: _Kept = ticket.host
        ask, kept.ask = kept.ask, None
        if ask is None:
            return None
        try:
            answer = ask(ticket.call, kept.scope)
        except Exception as error:  # noqa: BLE001 - raised where it is begun or awaited
            kept.broken = error
            self._end(kept)
            return None
        except BaseException:
            self._end(kept)
            raise
        if not isinstance(answer, Waiting):
            self._answered(ticket, answer)
            return None
        finish = answer.finish

        async def finished() -> None:
            self._answered(ticket, await finish())

        return lambda: self._finish(kept, finished)

    def _answered(self, ticket: Ticket, answer: Answer) -> None:
        """Note what came of a call."""
        while isinstance(answer, Counted):
            ticket.calls += answer.calls
            answer = answer.answer
        if isinstance(answer, Reply):
            ticket.give(answer.value)
        elif isinstance(answer, Locally):
            ticket.at_home, ticket.instead = True, answer.instead
        else:
            error = answer.error
            if error.value.of_host is None:
                error.value = records.evolve(error.value, of_host=True)
            ticket.fail(error)
        self._end(ticket.host)

    def _run_body(self, ticket: Ticket, scope: RunScope, host_of: HostOf, branch: tuple[int, ...]) -> Work | None:
        kept: _Kept = ticket.host
        run = ticket.run
        kept.driven, kept.done = True, asyncio.Event()
        lineage = None if scope.lineage is None else scope.lineage.branch()
        if lineage is not None and kept.scope.lineage is not None:
            for each in kept.scope.lineage.sources:
                lineage.add(each)
        kept.scope = attrs.evolve(kept.scope, lineage=lineage)  # whoever else awaits it has seen what that counts
        ordering = None if scope.ordering is None else scope.ordering.around(_together(ticket.path[:-1], branch))
        floating = _branch(scope, kept, ordered=True)
        host = host_of(attrs.evolve(scope, floating=floating, lineage=lineage, ordering=ordering))
        try:
            state = advance(run, run.step(concurrent=True), host)
        except (ProgramError, LimitError):  # the kernel has noted it
            state = Complete(None)
        except BaseException:
            self._end(kept)
            run.close()
            raise
        if isinstance(state, Complete):
            self._end(kept)
            return None
        waiting = state

        async def driven() -> None:
            with suppress(ProgramError, LimitError):
                await drive(run, waiting, host)

        return lambda: self._finish(kept, driven)

    def _end(self, kept: _Kept) -> None:
        kept.done.set()
        if kept.slot:
            kept.slot = False
            self.slots.give()

    async def _finish(self, kept: _Kept, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            kept.broken = error
        finally:
            self._end(kept)

    # -- in a loop ---------------------------------------------------------------------------------------------------

    def _task(self, work: Work) -> None:
        async def working() -> None:
            ENDING.set(self._ending)
            await work()

        task = asyncio.get_running_loop().create_task(working())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _go_on(self, work: Work) -> Answer:
        """Let a call be under way; the program goes on once it has really begun."""
        self._task(work)
        await asyncio.sleep(0)
        return reply(None)

    async def _under_way(self, work: Work, kept: _Kept, scope: RunScope) -> Answer:
        """Do what others may wait for, too: it goes on when whoever began it is cancelled."""
        self._task(work)
        return await self._wait(kept, scope)

    async def _wait(self, kept: _Kept, scope: RunScope) -> Answer:
        await kept.done.wait()
        _seen(kept, scope)
        return reply(None)

    async def _wait_for_slots(self) -> Answer:
        """Start calls when slots are free, from now on."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self.slots.want(self._grow_soon)
            self._grow()
        return reply(None)

    def _grow_soon(self) -> None:  # told by whichever thread gives a slot back
        loop = self._loop
        with suppress(RuntimeError):  # the loop has just ended, and needs none
            if loop is not None:
                loop.call_soon_threadsafe(self._grow)

    def _grow(self) -> None:
        while self._queue and self._loop is not None:
            kept: _Kept = self._queue[0].host
            if kept.ask is None:
                self._queue.popleft()
            elif self.slots.take():
                kept.slot = True
                work = self._start(self._queue.popleft())
                if work is not None:
                    self._task(work)
            else:
                return
        self._enough()

    def _enough(self) -> None:
        if self._loop is not None:
            self._loop = None
            self.slots.enough(self._grow_soon)

    async def give_up(self, *, for_good: bool) -> None:
        """End what is still under way: its run is over, and perhaps nobody can go on with it."""
        self._ending.for_good = for_good
        self._queue.clear()
        self._enough()
        if self._tasks:
            import anyio

            with anyio.CancelScope(shield=True):
                tasks = tuple(self._tasks)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def _together(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return with how many numbers the ids of two branches begin alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _own(scope: RunScope) -> _Kept:
    """Return what is kept of a ticket: its call is made in a scope of its own, like that of a branch."""
    kept = _Kept(scope)
    lineage = None if scope.lineage is None else scope.lineage.entry()
    floating = _branch(scope, kept, ordered=False)
    kept.scope = attrs.evolve(scope, context=dict(scope.context), floating=floating, lineage=lineage)
    return kept


def _branch(scope: RunScope, kept: _Kept, *, ordered: bool) -> Floating | None:
    """Return the label of a call or body, which tells nobody of what it is given before somebody awaits it."""
    if scope.floating is None:
        return None
    from rtfs_framework.orchestrator.recording.floating import Gathered

    kept.gathered = kept.gathered or Gathered()
    return scope.floating.branch(kept.gathered, ordered=ordered)


def _seen(kept: _Kept, scope: RunScope) -> None:
    """Count for whoever awaits a ticket what its call was given."""
    if kept.broken is not None:
        raise kept.broken
    if scope.floating is not None and kept.gathered is not None:
        scope.floating.join(kept.gathered)
    if scope.lineage is not None and kept.scope.lineage is not None:
        for each in kept.scope.lineage.sources:
            scope.lineage.add(each)
