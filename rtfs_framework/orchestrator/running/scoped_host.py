"""The host as one run sees it: its calls go to the dispatcher, its fan-outs are driven here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.maps import EMPTY_MAP
from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting
from rtfs_framework.orchestrator.boundary.hints import with_own_ids
from rtfs_framework.orchestrator.concurrency.program_lock import ProgramLock
from rtfs_framework.orchestrator.performing.dispatch import Dispatcher
from rtfs_framework.orchestrator.recording.run_scope import RunScope
from rtfs_framework.orchestrator.running.branch_order import Order
from rtfs_framework.orchestrator.running.fan_out import FanOut

if TYPE_CHECKING:
    from rtfs_framework.kernel.parallel import Branches
    from rtfs_framework.orchestrator.running.ahead import Ahead
    from rtfs_framework.orchestrator.running.tickets import Tickets


_MEMO, _MEMO_KEEP = CallKind.MEMO, CallKind.MEMO_KEEP
_CAPABILITY = CallKind.CAPABILITY
_TICKET, _AWAIT = CallKind.TICKET, CallKind.AWAIT


@attrs.frozen(slots=True, eq=False)
class ScopedHost:
    """The `HostInterface` of one run, or of one branch."""

    dispatcher: Dispatcher
    scope: RunScope
    lock: ProgramLock
    tickets: list[Tickets] = attrs.field(factory=list)
    """Those of the whole run, once it has made any."""
    ahead: list[Ahead] = attrs.field(factory=list)
    """What the run has fetched of its streams, once it has asked for any; empty in branches."""
    main: bool = False
    """Whether this is the run itself: no branch of it, no ticket."""

    def answer(self, call: HostCall) -> Answer | Waiting:
        """Return the answer to a call, or what to wait for; what is kept of a pure function is asked for by no call."""
        kind = call.kind
        if kind is _TICKET or kind is _AWAIT:
            return self._ticket(call)
        if kind is _MEMO or kind is _MEMO_KEEP:
            from rtfs_framework.orchestrator.remembering.memo import Memos

            return Memos(self.dispatcher.models.reuse).answer(call, self.scope)
        if call.hints is not EMPTY_MAP and self.dispatcher.capabilities.aliases:
            call = attrs.evolve(call, hints=with_own_ids(call.hints, self.dispatcher.capabilities.aliases))
        if kind is _CAPABILITY and (alias := self.dispatcher.capabilities.aliases.get(call.capability)) is not None:
            call = attrs.evolve(call, capability=alias)
        if kind is _CAPABILITY and self.main and not self.tickets and "stream." in call.capability:
            return self._streams().answer(call, self._through)
        if self.ahead:  # a handle may leave the run by any call
            return self.ahead[0].settled(lambda: self._through(call))
        return self._through(call)

    def _through(self, call: HostCall) -> Answer | Waiting:
        past = self.scope.past
        if past is not None:
            told: Answer | Waiting | None = past.answer(call, self.scope, self.dispatcher)
            if told is not None:
                return told
        return self.dispatcher.answer(call, self.scope)

    def _streams(self) -> Ahead:
        if not self.ahead:
            from rtfs_framework.orchestrator.running.ahead import Ahead

            self.ahead.append(Ahead(self.dispatcher, self.scope))
            self.scope.beside.append(self.ahead[0])
        return self.ahead[0]

    def _ticket(self, call: HostCall) -> Answer | Waiting:
        """Take a ticket over, or wait for one; what was fetched of streams goes back before."""
        if self.ahead:
            ahead = self.ahead.pop()
            self.scope.beside.remove(ahead)
            return ahead.settled(lambda: self._ticket(call))
        if not self.tickets:
            from rtfs_framework.orchestrator.running.tickets import Tickets

            self.tickets.append(Tickets(self.dispatcher.slots))
            self.scope.beside.append(self.tickets[0])
        ticket, tickets = call.args[0], self.tickets[0]
        if call.kind is _TICKET:
            return tickets.begin(ticket, self.scope, lambda asked, scope: self._within(scope).answer(asked))
        return tickets.awaited(ticket, self.scope, self._within, call.branch)

    def _within(self, scope: RunScope) -> ScopedHost:
        return ScopedHost(self.dispatcher, scope, self.lock, self.tickets)

    def fan_out(self, branches: Branches) -> Answer | Waiting:
        """Drive branches to their ends; return what to resume their run with."""
        if self.main and self.ahead:
            return self.ahead[0].settled(lambda: self._fan_out(branches))
        return self._fan_out(branches)

    def _fan_out(self, branches: Branches) -> Answer | Waiting:
        order = Order(self.scope, branches.ordered, branches.policy, len(branches.path) + 1)
        fan_out = FanOut(branches, self.dispatcher.slots, order, self.lock, self._within)
        return fan_out.begin() if self.scope.floating is None else _joined(order, fan_out)


def _joined(order: Order, fan_out: FanOut) -> Answer | Waiting:
    """Drive branches; whatever becomes of them, the run has seen what they were given."""
    try:
        answer = fan_out.begin()
    except BaseException:
        order.join()
        raise
    if not isinstance(answer, Waiting):
        order.join()
        return answer
    finish = answer.finish

    async def finished() -> Answer:
        try:
            return await finish()
        finally:
            order.join()

    return Waiting(finished)
