"""One kernel run's view of its host: its types, its context values, and where its calls are written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.attempts import Attempt, FailureKind
from rtfs_framework.api.caller import NO_METADATA, DelegationMetadata
from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.remote import NO_JOURNEY, Journey
from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.names import Lookup, no_names
from rtfs_framework.orchestrator.boundary.failures import LATE, code_of
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord, Spent, banded, draw, total_cost
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.telling import telling, told
from rtfs_framework.orchestrator.recording.records import CONSULTATION, CallRecord, OpenRecord, sealed
from rtfs_framework.orchestrator.recording.scope_parts import Beside, Failure, Ordering, PastAnswers

if TYPE_CHECKING:
    from rtfs_framework.lang.source import Source
    from rtfs_framework.orchestrator.boundary.conversing import Listener
    from rtfs_framework.orchestrator.recording.floating import Floating
    from rtfs_framework.orchestrator.recording.hinted import Hinted
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.recording.lineage import Lineage
    from rtfs_framework.orchestrator.recording.purse import Purse, Spending
    from rtfs_framework.orchestrator.recording.records import Decision

Sink = Callable[[CallRecord], None]

_TOLD = frozenset({"event", "context-set"})
"""Kinds of calls that are answered nothing, and are made again when a run is gone on with."""
NO_ANSWERS: Mapping[Any, str | None] = MappingProxyType({})

MOST_TOLD = 10_000
"""Characters of an answer that observers are told."""


@attrs.frozen(slots=True, eq=False)
class Calls:
    """The calls of one run that are over, and those of which the program has said what they were worth."""

    made: list[CallRecord]
    rated: set[tuple[Any, ...]] = attrs.field(factory=set)


@attrs.define(slots=True, eq=False)
class RunScope:
    """What the host knows of the run that asks."""

    sink: Sink
    """Told of every call that is over, at once."""
    chain: Chain | None = None
    """Told of calls that cost or change something before they are made."""
    lookup: Lookup = no_names
    context: dict[str, Any] = attrs.field(factory=dict)
    entry: int = 0
    record: int | None = None
    run: str = ""
    """The run's id."""
    tenant: str = ""
    """For whom the program runs; "" is nobody in particular."""
    seed: str = ""
    """The run's: its draws are made from it."""
    keep_digests: bool = True
    """Whether anybody reads the digests of arguments and replies (the causal chain does)."""
    keep_args: bool = False
    metadata: DelegationMetadata = NO_METADATA
    """What is said of calls from now on: by whoever runs the program, and by capabilities that it called."""
    floating: Floating | None = None
    """The marks of all that the run was given; None where nothing carries marks."""
    lineage: Lineage | None = None
    """The replies that the run was given so far; None where none are kept."""
    calls: Calls | None = None
    """The calls of the run so far; None where nobody may speak of them."""
    listener: Listener | None = None
    """Who is told the pieces of an answer to a conversation as they arrive; None for nobody."""
    purse: Purse | None = None
    """What whoever asked for the run lets it spend; None for no bound but the host's."""
    program: Source | None = None
    """The program's text, where it is one text."""
    journey: Journey = NO_JOURNEY
    """How the run came to this host."""
    past: PastAnswers | None = None
    """What its calls were answered in a process before; None for a run that is begun here."""
    beside: list[Beside] = attrs.field(factory=list)
    """What the run and its branches have under way while it goes on: it ends with the run."""
    unfit: Callable[[Any], str | None] | None = None
    """What else is wrong with an answer for whoever asked from Python; None where the declared type says it all."""
    ordering: Ordering | None = None
    """The place of the branch that asks, when branches may overlap only where order does not matter."""

    def telling(self) -> AbstractContextManager[None]:
        """See that what its calls did is on disk, as far as the configuration says, before it is told how it ended."""
        return telling(self.chain)

    async def told(self, value: Awaitable[Any]) -> Any:
        """Await the value of a run, and the same."""
        return await told(self.chain, value)


@attrs.define(slots=True, eq=False)
class OpenCall:
    """A call under way; `close` writes it down, once."""

    call: HostCall
    scope: RunScope
    started: float
    record: OpenRecord
    closed: bool = False
    lasting: bool = False
    """Whether its end must be on disk before its run goes on: it cost or changed something."""
    repeatable: bool = False
    """Whether it only did what may be done again: its end is forced to disk with whatever comes next (`forcing`)."""
    consulted: int = 0
    """Consultations that belong to it."""
    spent: Spent | None = None
    """What the attempt under way uses; None where nobody was asked."""
    answers: Mapping[Any, str | None] = NO_ANSWERS
    """What models have said to engines about it, by question."""
    failed: ProgramError | None = None
    """How the latest attempt ended: what the program sees if nothing else answers."""
    leg_of: OpenCall | None = None
    """The call, where this is one of its two requests at once."""
    most_tokens: int | None = None
    """How many tokens a reply may have, where the cost of a request is bounded."""
    reserved: Spending | None = None
    """What the request under way holds of its run's purse."""
    approved: tuple[ExecTarget, ...] = ()
    """The targets for which a person has said yes."""
    repaired: bool = False
    """Whether a model was told that its answer does not fit; once per call, its two requests at once together."""
    since: float = 0.0
    """When the attempt under way began, on the monotonic clock."""
    said: Mapping[str, Any] | None = None
    """What its answer says of later calls, as JSON-ready data, for whoever goes on with the run."""
    redacted: HostCall | None = None
    """The call as the attempt under way may send it, where its plan has something taken out."""
    hinted: Hinted | None = None
    """The execution hints in force, and what they have done so far; None where there are none."""
    sets_out: Callable[[], None] = lambda: None  # as its request is sent, or waits for an equal one; from any thread

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried for it, and gave no usable answer."""
        return tuple(each.attempt for each in self.record.attempts)

    @property
    def labels(self) -> Label:
        """The marks that its request carries."""
        return PUBLIC if self.record.labelled is None else self.record.labelled.label

    @property
    def signals(self) -> int:
        """How many changes of signals the journal has been told by now."""
        return 0 if self.scope.chain is None else self.scope.chain.journal.signals

    @property
    def sends(self) -> HostCall:
        """The call as it may be sent."""
        return self.call if self.redacted is None else self.redacted

    @property
    def lookup(self) -> Lookup:
        """What the program's names of types stand for."""
        return self.scope.lookup

    def draw(self, name: str) -> float:
        """Return a number in [0, 1) from the run's seed, the call's id, the number of the attempt, and a name."""
        return draw(self.scope.seed, self.record.order, len(self.record.attempts), name)

    def noted(self, who: str, what: str) -> None:
        """Write down what somebody did to the call on its way: a guard that redacted, a person who was asked."""
        decision = self.record.decision
        if decision is not None:
            self.record.decision = attrs.evolve(decision, steps=(*decision.steps, (who, what)))

    @property
    def was_repaired(self) -> bool:
        """Tell whether a model was told already that its answer does not fit."""
        return self.repaired if self.leg_of is None else self.leg_of.repaired

    def may_repair(self, most: int) -> bool:
        """Tell whether a model may be told that its answer does not fit, in a call of so many requests at most.

        Who is told yes does it: there is one per call.
        """
        call = self if self.leg_of is None else self.leg_of
        under_way = 1 if self.leg_of is None else 2
        made = sum(each.kind is not FailureKind.REFUSED for each in self.attempts)
        if call.repaired or made + under_way >= most:
            return False
        call.repaired = True
        return True

    def tried(self, target: ExecTarget, failed: Failure, now: float) -> None:
        """Write down an attempt that gave no usable answer; what the next one uses is counted apart."""
        record, spent, decision = self.record, self.spent or Spent(), self.record.decision
        seconds, self.since = max(0.0, now - self.since), now
        attempt = Attempt(
            target=target,
            kind=failed.kind,
            seconds=0.0 if failed.kind is FailureKind.REFUSED else banded(seconds),
            guard=failed.guard,
            reason=failed.reason,
            retry_after=failed.retry_after,
            elsewhere=failed.elsewhere,
            transform=() if decision is None else decision.plan.transform,
            aside=decision is not None and decision.aside,
        )
        if decision is not None and decision.settle is not None:
            decision.settle(False)
            record.decision = attrs.evolve(decision, settle=None)
        made = AttemptRecord(
            attempt=attempt,
            seconds=seconds,
            cost=spent.cost,
            input_tokens=spent.input_tokens,
            output_tokens=spent.output_tokens,
            decision=record.decision,
            signals=self.signals,
        )
        record.attempts = (*record.attempts, made)
        record.target, record.cache, record.reply_key, record.model, record.explanation = "", "", "", "", ""
        record.confidence, record.remote, record.similar = None, None, None
        self.spent = None
        if self.failed is None or _is_telling(failed):
            self.failed = failed.error

    @property
    def metadata(self) -> DelegationMetadata:
        """What its caller says of it."""
        return self.scope.metadata

    @classmethod
    def of(cls, call: HostCall, scope: RunScope, now: float) -> OpenCall:
        """Open a call."""
        name = call.capability if call.function is None else call.function.name
        record = OpenRecord(call.index, call.kind._value_, name, call.branch, call.place, scope.record)
        record.entry = scope.entry
        if call.function is not None and scope.chain is not None:
            record.signals = scope.chain.journal.signals
            if scope.metadata is not NO_METADATA or len(call.hints):
                record.said_around = True
        return cls(call, scope, now, record, since=now)

    def consultation(self, target: str, question: str, now: float) -> OpenCall:
        """Open a consultation: a call of its own, with usage and cost, that belongs to this call's id."""
        call, self.consulted = self.call, self.consulted + 1
        record = OpenRecord(call.index, CONSULTATION, self.record.symbol, call.branch, call.place, self.scope.record)
        record.entry, record.part, record.target = self.scope.entry, self.consulted, target
        record.labelled = self.record.labelled
        return OpenCall(attrs.evolve(call, args=(question,)), self.scope, now, record)

    def carries(self, marks: Label) -> None:
        """Count further marks as those of its request."""
        if marks - self.labels:
            from rtfs_framework.orchestrator.recording.floating import CallLabel

            labelled = self.record.labelled or CallLabel(PUBLIC)
            self.record.labelled = attrs.evolve(labelled, label=labelled.label | marks)

    def begin(self, *, repeatable: bool = False) -> bool:
        """Write down that the call is about to cost or change something; a `repeatable` one is free to be made again.

        Returns whether that is on disk; if not, await `written` before the call is made.

        Raises:
            JournalError: It cannot be written; the call must not be made.
        """
        chain = self.scope.chain
        if chain is None:
            return True
        self.repeatable = repeatable and (self.repeatable or not self.lasting)
        self.lasting = True
        self.digest_args()
        if not self.record.target and self.record.decision is not None:
            self.record.target = show_target(self.record.decision.plan.target)
        if self.leg_of is None:
            return chain.begin(self.record)
        self.leg_of.lasting = True
        return chain.begin(self.record, of=self.leg_of.record)

    def leg(self, decision: Decision) -> OpenCall:
        """Open one of two requests at once: what it uses and how it ends is told to nobody but who opens it."""
        record = copy(self.record)
        record.decision = attrs.evolve(decision, settle=None)
        scope = attrs.evolve(self.scope, sink=lambda _: None)
        made = OpenCall(self.call, scope, self.started, record, leg_of=self, since=self.since)
        made.answers, made.consulted, made.spent = self.answers, self.consulted, Spent()
        made.hinted = self.hinted
        return made

    def abandon(self, now: float, error: BaseException) -> None:
        """Write down a call that was stopped before it had an answer, or refused because it cannot be written down."""
        if self.closed:
            return
        self.record.stopped = True
        stopped = ProgramError("Cancelled", "Cancelled: the run was stopped")
        if isinstance(error, JournalError):
            stopped = ProgramError("JournalError", "JournalError: not made, because the journal cannot be written")
        with suppress(JournalError):
            self.close(now, error=stopped)

    @property
    def must_wait(self) -> bool:
        """Tell whether the run may not go on before `written`: the call is over, and its end is not on disk.

        Raises:
            JournalError: It cannot be written.
        """
        chain = self.scope.chain
        return self.lasting and chain is not None and not chain.journal.try_commit(force=not self.repeatable)

    async def written(self) -> None:
        """Wait until what was written down of the call is on disk.

        Raises:
            JournalError: It cannot be written.
        """
        if self.lasting and self.scope.chain is not None:
            await self.scope.chain.journal.written(force=not (self.closed and self.repeatable))

    def _count(self) -> None:
        """Sum up what all attempts used."""
        record = self.record
        parts: tuple[Spent | AttemptRecord, ...] = (*record.attempts, self.spent or Spent())
        record.cost = total_cost([each.cost for each in parts])
        record.input_tokens = sum(each.input_tokens for each in parts)
        record.output_tokens = sum(each.output_tokens for each in parts)

    def digest_args(self) -> str:
        """Return the digest of the arguments, computed once."""
        if not self.record.args_digest:
            self.record.args_digest = digest(*self.call.args)
        return self.record.args_digest

    def digest_sent(self) -> str:
        """Return the digest of the arguments as they may be sent."""
        return self.digest_args() if self.redacted is None else digest(*self.redacted.args)

    def close(
        self, now: float, reply: Any = None, *, answered: bool = False, error: ProgramError | None = None
    ) -> None:
        """Write the call down."""
        scope, record = self.scope, self.record
        self.closed = True
        if not record.target:
            record.target = record.kind if record.decision is None else show_target(record.decision.plan.target)
        if scope.keep_digests:
            self.digest_args()
            if answered:
                record.reply_digest = digest(reply)
        if scope.keep_args and (record.labelled is None or record.labelled.kept):
            record.args_text = write(self.call.args)
        seconds = now - self.started
        if seconds > 0:
            record.seconds = seconds
            if self.since > self.started:
                record.took = max(0.0, now - self.since)
        if self.spent is not None or record.attempts:
            self._count()
        decision = record.decision
        if decision is not None and decision.settle is not None:
            decision.settle(error is None)
            record.decision = attrs.evolve(decision, settle=None)  # records are kept, sent and compared
        if error is not None:
            record.error_kind, record.error, record.code = error.kind, error.message, code_of(error)
        if self.hinted is not None:
            self.hinted.ended(self, now, reply, answered=answered)
        if scope.floating is not None:
            scope.floating.answered(record, self.call.capability)
        self._hand_on(reply, error, over=answered or error is not None)
        scope.sink(sealed(record))

    def _hand_on(self, reply: Any, error: ProgramError | None, *, over: bool) -> None:
        """Tell observers, and the journal for whoever goes on with the run, what the program is answered."""
        chain, record = self.scope.chain, self.record
        if self.scope.keep_args and over and error is None and (record.labelled is None or record.labelled.answer_kept):
            record.answer_text = write(reply)[:MOST_TOLD]
        if chain is not None and over and record.kind not in _TOLD and not record.stopped:
            chain.answered(record, reply, None if error is None else error.value, self.said)


def _is_telling(failed: Failure) -> bool:
    """Tell whether a failure says more than the one before it: a model was asked, or a rule ends the call."""
    if failed.kind is FailureKind.FINAL:
        return bool(failed.guard) or code_of(failed.error) != LATE
    return failed.kind is not FailureKind.REFUSED
