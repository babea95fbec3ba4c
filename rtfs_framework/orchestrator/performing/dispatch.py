"""What happens to a call that leaves the kernel: authorise, decide, look up, perform, write down.

In: a `HostCall` and the `RunScope` of the run that makes it. Out: an answer, or what to wait for. Every call is written
down exactly once, whatever becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from typing_extensions import assert_never

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.plans import PlanSource
from rtfs_framework.api.targets import (
    Ask,
    Capability,
    Deny,
    ExecTarget,
    L4CacheHit,
    LocalModel,
    LocalPure,
    RemoteModel,
    show_target,
)
from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import EMPTY_MAP
from rtfs_framework.orchestrator.boundary.answers import Answer, Counted, Locally, Throw, Waiting
from rtfs_framework.orchestrator.boundary.failures import (
    RefusedError,
    as_program_error,
    late,
    unknown_capability,
    unknown_target,
)
from rtfs_framework.orchestrator.boundary.hints import seconds_of_call
from rtfs_framework.orchestrator.concurrency.deadlines import pause
from rtfs_framework.orchestrator.concurrency.slots import Slots
from rtfs_framework.orchestrator.deciding.delegate import MOST_CONSULTATIONS, Delegator
from rtfs_framework.orchestrator.deciding.known import Undecided
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.deciding.security import violation as security_violation
from rtfs_framework.orchestrator.performing.again import Again
from rtfs_framework.orchestrator.performing.approvals.waiting import Approvals
from rtfs_framework.orchestrator.performing.capabilities import Capabilities
from rtfs_framework.orchestrator.performing.consulting import Consultations
from rtfs_framework.orchestrator.performing.hearing import ended
from rtfs_framework.orchestrator.performing.hedging import Hedging
from rtfs_framework.orchestrator.performing.here import answer_here, function_of
from rtfs_framework.orchestrator.performing.hinting import Hinting, at_work
from rtfs_framework.orchestrator.performing.models import Failed, Models, Pending
from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
from rtfs_framework.orchestrator.performing.redaction import redact
from rtfs_framework.orchestrator.performing.turns import finished, in_order, not_approved, once_written, tell_decided
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.records import Decision
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope
from rtfs_framework.orchestrator.recording.scope_parts import Failure

if TYPE_CHECKING:  # a host without labels has no use for them
    from rtfs_framework.orchestrator.deciding.labelling import Labelling
    from rtfs_framework.orchestrator.deciding.precedence import Precedence
    from rtfs_framework.orchestrator.learning.experienced import Experiences
    from rtfs_framework.orchestrator.performing.published import PublishedPrograms
    from rtfs_framework.orchestrator.recording.floating import Floating

_Elsewhere = LocalPure | LocalModel | RemoteModel | Capability | Deny | Ask
_CAPABILITY, _DELEGATED = CallKind.CAPABILITY, CallKind.DELEGATED


@attrs.frozen(slots=True, eq=False, kw_only=True)
class Dispatcher:
    """A host's answers, for all its runs."""

    delegator: Delegator
    pool: ProviderPool
    models: Models
    capabilities: Capabilities
    clock: Clock
    events: EventBus
    slots: Slots
    consultations: Consultations
    hedging: Hedging
    approvals: Approvals
    hinting: Hinting
    shelf: PublishedPrograms
    """Published programs that may run in place of a function's own body."""
    labelling: Labelling | None = None
    """Gives calls their marks; None where nothing carries any."""
    experiences: Experiences | None = None
    """Tells in which situation a call is made; None where nobody remembers that."""

    def answer(self, call: HostCall, scope: RunScope, again: Again | None = None) -> Answer | Waiting:
        """Return the answer to a call, or what to wait for; `again` is where it had begun before its process ended."""
        opened = OpenCall.of(call, scope, self.clock.monotonic())
        try:
            refused = None if scope.floating is None else self._labelled(opened, scope.floating)
            if refused is not None:
                answer = refused
            elif call.hints is not EMPTY_MAP and (wrong := self._hints(opened)) is not None:
                answer = self._throw(opened, wrong)
            elif call.kind is _CAPABILITY:
                name, plain = call.capability, scope.ordering is None and opened.hinted is None
                answer = self.capabilities.perform(opened, name) if plain else self._perform(opened, name)
            else:
                answer = self._decide(opened, again) if call.kind is _DELEGATED else self._own(opened)
        except BaseException as error:  # written down, whatever it is; and no plan stands on it
            opened.abandon(self.clock.monotonic(), error)
            raise
        if isinstance(answer, Waiting):
            waiting = answer
            return Waiting(lambda: self._finish(opened, waiting))
        if opened.lasting and opened.must_wait:
            made = answer
            return Waiting(lambda: once_written(opened, made))
        return answer

    def _hints(self, opened: OpenCall) -> ProgramError | None:
        """Put the execution hints around a call in force; return why it is not made with them."""
        if opened.call.kind is not _CAPABILITY and opened.call.kind is not _DELEGATED:
            return None

        def again(failed: Failure) -> Answer | Waiting:
            decision = opened.record.decision
            target = Capability(opened.call.capability) if decision is None else decision.plan.target
            return self._again(opened, target, failed)

        return self.hinting.open(opened, again, self.capabilities.security)

    async def _finish(self, opened: OpenCall, waiting: Waiting) -> Answer:
        """Await an answer; a call that is cancelled meanwhile is written down too, for it may have cost something."""
        try:
            answer = await waiting.finish()
        except BaseException as error:
            opened.abandon(self.clock.monotonic(), error)
            raise
        if opened.lasting:
            await opened.written()
        return answer

    def _labelled(self, opened: OpenCall, floating: Floating) -> Answer | Waiting | None:
        """Give a call its label; return its answer where the label does not let it go on as it is."""
        labelling = self.labelling
        wrong = None if labelling is None else labelling.enter(opened, floating)
        if wrong is not None:
            return self._throw(opened, wrong)
        if labelling is None or opened.record.labelled is None or opened.call.kind is not _CAPABILITY:
            return None
        name = opened.call.capability
        if name not in self.capabilities.entries:  # a name that a program made up may be what must not be seen
            opened.record.target = f"capability {opened.record.symbol}"
            return self._throw(opened, unknown_capability(name, sorted(self.capabilities.entries)))
        decision = labelling.of_capability(opened, name)
        if decision is None:
            return None
        wrong = None if opened.call.hints is EMPTY_MAP else self._hints(opened)
        return self._carry_out(opened, decision) if wrong is None else self._throw(opened, wrong)

    def _decider(self, opened: OpenCall) -> Delegator:
        return self.delegator if self.labelling is None else self.labelling.decider(opened)

    def relabel(self, opened: OpenCall) -> None:
        """Give a call that was answered before its label."""
        if self.labelling is not None and opened.scope.floating is not None:
            self.labelling.enter(opened, opened.scope.floating)

    def _decide(self, opened: OpenCall, again: Again | None = None) -> Answer | Waiting:
        decider = self.delegator if opened.record.labelled is None else self._decider(opened)
        if again is not None:
            return self._follow(opened, again.decision(decider.precedence, self.clock.now()))
        if self.experiences is not None:
            opened.record.situation = self.experiences.situation(opened.call, opened)
        decision = decider.decide(opened.call, opened)
        if decider.shadow is not None:
            opened.record.shadow = decider.beside(opened.call, opened)
        return self._follow(opened, decision)

    def _follow(self, opened: OpenCall, decision: Decision | Undecided) -> Answer | Waiting:
        """Carry a decision out, or ask the model that its engine wants to hear first."""
        if isinstance(decision, Undecided):
            asked = decision
            return Waiting(lambda: self._consult(opened, asked))
        if decision.plan.delay > 0:
            later = decision
            return Waiting(lambda: self._later(opened, later))
        return self._carry_out(opened, decision)

    async def _later(self, opened: OpenCall, decision: Decision) -> Answer:
        """Carry a decision out after its delay; a call whose time would be over then ends now."""
        delay = decision.plan.delay
        elapsed = self.clock.monotonic() - opened.started
        opened.record.decision = decision  # it was made, and its plan ends with the call if that is given up meanwhile
        if seconds_of_call(opened.call.hints) - elapsed <= delay:
            over = Failed(opened.failed or late(), FailureKind.FINAL, "the call's time would be over")
            return await finished(self._again(opened, decision.plan.target, over))
        await pause(delay)
        opened.since = self.clock.monotonic()
        return await finished(self._carry_out(opened, decision))

    def _own(self, opened: OpenCall) -> Answer | Waiting:
        if opened.scope.ordering is None:
            return answer_here(opened, self.events, self.clock)
        return in_order(opened.scope, lambda: answer_here(opened, self.events, self.clock))

    def _perform(self, opened: OpenCall, name: str) -> Answer | Waiting:
        def act() -> Answer | Waiting:
            hinted = at_work(opened)
            if hinted is None:
                return self.capabilities.perform(opened, name)
            return hinted.enter(opened, Capability(name), lambda: self.capabilities.perform(opened, name))

        if opened.scope.ordering is None or self.capabilities.order_independent(name):
            return act()
        return in_order(opened.scope, act)

    def _chosen(self, opened: OpenCall, target: Capability) -> Answer | Waiting:
        """Perform a capability with what its plan has taken out; nothing follows where that cannot be done."""
        try:
            redact(opened, self.models.redactor)
        except RefusedError as error:
            return self._throw(opened, as_program_error(error, f"capability '{target.id}'"))
        hinted = at_work(opened)
        if hinted is not None:
            hinted.choose(opened)
        return self._perform(opened, target.id)

    def _attempt(self, opened: OpenCall, decision: Decision, instance: ProviderInstance) -> Answer | Waiting:
        """Ask a model; where that gives no usable answer, decide again."""
        hinted = at_work(opened)
        if hinted is None:
            return self._ask(opened, decision, instance)
        hinted.choose(opened)
        return hinted.enter(opened, instance.target, lambda: self._ask(opened, decision, instance))

    def _ask(self, opened: OpenCall, decision: Decision, instance: ProviderInstance) -> Answer | Waiting:
        function = function_of(opened)
        opened.spent = Spent()
        try:
            second = self.hedging.second(opened, function, instance) if decision.plan.hedge is not None else None
            if second is not None:
                other = second
                return Waiting(lambda: self._hedged(opened, decision, instance, other))
            made = self.models.ask(opened, function, instance)
        except ProgramError as error:  # the arguments are wrong: no target may be asked
            return self._throw(opened, error)
        if isinstance(made, Failed):
            return self._again(opened, decision.plan.target, made)
        if isinstance(made, Pending):
            pending = made
            return Waiting(lambda: self._awaited(opened, decision, instance, pending))
        return made

    async def _awaited(
        self, opened: OpenCall, decision: Decision, instance: ProviderInstance, pending: Pending
    ) -> Answer:
        made = ended(opened, await pending.finish())
        if not isinstance(made, Failed):
            return made
        if await self.approvals.waits.renewed(opened, made):
            return await finished(self._ask(opened, decision, instance))
        return await finished(self._again(opened, decision.plan.target, made))

    async def _hedged(
        self, opened: OpenCall, decision: Decision, first: ProviderInstance, second: ProviderInstance
    ) -> Answer:
        """Ask two models; where neither gives a usable answer, decide again."""
        try:
            made = await self.hedging.ask(opened, function_of(opened), first, second)
        except ProgramError as error:
            return self._throw(opened, error)
        if not isinstance(made, Failed):
            return made
        target = (opened.record.decision or decision).plan.target
        if target == first.target and await self.approvals.waits.renewed(opened, made):  # it was refused at once, alone
            return await finished(self._ask(opened, decision, first))
        return await finished(self._again(opened, target, made))

    def _again(self, opened: OpenCall, target: ExecTarget, failed: Failure) -> Answer | Waiting:
        """Write an attempt down that gave no usable answer, and carry out what is decided then."""
        now, hinted = self.clock.monotonic(), at_work(opened)
        opened.tried(target, failed if hinted is None else hinted.judged(opened, failed, now), now)
        found = self._decider(opened).again(opened.call, opened, opened.answers)
        return self._follow(opened, found if hinted is None else hinted.followed(opened, found))

    def _carry_out(self, opened: OpenCall, decision: Decision) -> Answer | Waiting:
        opened.record.decision = decision
        if self.events.active:
            tell_decided(self.events, opened, decision.plan)
        if decision.exhausted == "error" and opened.failed is not None:
            return self._throw(opened, opened.failed)
        target = decision.plan.target
        if isinstance(target, L4CacheHit):
            made = self.shelf.answer(opened, decision, target, self.clock.monotonic())
            return self._again(opened, target, made) if isinstance(made, Failed) else made
        if opened.record.labelled is not None and isinstance(target, LocalModel | RemoteModel | Capability):
            from rtfs_framework.orchestrator.performing.label_check import keeps_back

            kept_back = keeps_back(self.labelling, opened, target)
            if kept_back is not None:
                return self._again(opened, target, kept_back)
        return self._at(opened, decision, target)

    def _at(self, opened: OpenCall, decision: Decision, target: _Elsewhere) -> Answer | Waiting:
        match target:
            case LocalPure():
                opened.close(self.clock.monotonic())
                return Locally()
            case LocalModel() | RemoteModel():
                instance = self.pool.get(target)
                if instance is None:
                    return self._throw(opened, unknown_target(f"{show_target(target)} is not configured"))
                if instance.entry.order_independent:
                    return self._attempt(opened, decision, instance)
                return in_order(opened.scope, lambda: self._attempt(opened, decision, instance))
            case Capability():
                return self._chosen(opened, target)
            case Deny(reason=reason):
                return self._throw(opened, self._refused(opened.record.symbol, reason, decision.plan.source))
            case Ask():
                asks = target
                return Waiting(lambda: self._approve(opened, decision, asks))
            case _ as never:
                assert_never(never)

    async def _approve(self, opened: OpenCall, decision: Decision, target: Ask) -> Answer:
        """Ask a person, unless one has said yes to this target for this call; then look at the rules again, and go on.

        The other guards are asked before, so that nobody says yes to what may not be, and again when it is sent. A yes
        is for one target, so there is no hedge.
        """
        then = target.then
        if then not in opened.approved and not self._is_refused(then):
            refused = await self._foreseen(opened, then)
            if refused is not None:
                return await finished(self._again(opened, then, refused))
            verdict = await self.approvals.ask(opened, target)
            opened.noted("approval", verdict.words)
            if not verdict.yes:
                return self._throw(
                    opened, not_approved(opened, target, verdict.words, self.capabilities.security.rules.level)
                )
            opened.approved = (*opened.approved, then)
        said = opened.record.decision or decision
        plan, note = self._reviewer(opened, then).review(attrs.evolve(said.plan, target=then, hedge=None))
        steps = said.steps if note is None else (*said.steps, ("security", note))
        return await finished(self._carry_out(opened, attrs.evolve(said, plan=plan, steps=steps)))

    def _reviewer(self, opened: OpenCall, target: ExecTarget) -> Precedence:
        """Return the rules that hold after a yes: it is one to the marks, too, where the policy lets people decide."""
        labelling = self.labelling
        if labelling is not None and labelling.marks.spec.forbidden == "ask" and target in opened.approved:
            return self.delegator.precedence
        return self._decider(opened).precedence

    def _is_refused(self, target: ExecTarget) -> bool:
        """Tell whether the rules refuse a capability, whatever a person says; the error that follows names the rule."""
        return isinstance(target, Capability) and self.capabilities.security.authorize_capability(target.id) is not None

    async def _foreseen(self, opened: OpenCall, target: ExecTarget) -> Failed | None:
        """Return why a model would not be asked now; nothing is held for it."""
        instance = self.pool.get(target) if isinstance(target, LocalModel | RemoteModel) else None
        if instance is None:
            return None
        function = function_of(opened)
        before, opened.approved = opened.approved, (*opened.approved, target)
        try:
            return await self.models.foresee(opened, function, instance)
        finally:
            opened.approved = before

    async def _consult(self, opened: OpenCall, asked: Undecided) -> Answer:
        """Ask the models that the engine wants to hear, then carry out what the engine concludes."""
        decided: Decision | Undecided = asked
        before = opened.consulted
        while isinstance(decided, Undecided):
            said = None  # all attempts of a call together may ask so often; what is too much is not answered
            if opened.consulted < MOST_CONSULTATIONS or not opened.attempts:
                said = await self.consultations.hear(opened, decided.question)
            opened.answers = {**opened.answers, decided.question: said}
            step = ("consult", f"{show_target(decided.question.target)}: {'answered' if said else 'no answer'}")
            decided = self._decider(opened).go_on(attrs.evolve(decided, steps=(*decided.steps, step)), said)
        opened.since = self.clock.monotonic()
        asked_here = opened.consulted - before
        return Counted(await finished(self._follow(opened, decided)), asked_here)

    def _refused(self, symbol: str, reason: str, source: PlanSource) -> ProgramError:
        if source is PlanSource.HINT:
            return unknown_target(reason)
        why, _, way_out = reason.partition("; ")
        refusal = Refusal(why, way_out or "ask whoever runs this host")
        return security_violation("call", symbol, self.capabilities.security.rules.level, refusal)

    def _throw(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self.clock.monotonic(), error=error)
        return Throw(error)
