"""The engine: a line of engines, of which the first is asked that has a target left for this call.

In: the context of a call. Out: the plan of the first engine in the line while its target is well; unchanged, so that
nothing differs from that engine alone. Where the target's breaker is open, or an attempt at it failed in a way that
rules it out for this call, the same engine is asked again without that target, then the next in the line.

Whether the latest target is asked again follows from the evidence (`FailureKind`): where it surely did nothing it is,
`retries` times, each after a back-off; where it may have done something only if it is idempotent; after a refusal, a
bad reply or one of low confidence never. The host judges all of this again: nothing here can loosen it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from rtfs_engine_resilient.settings import ResilientSettings
from rtfs_framework.api import (
    Attempt,
    CallContext,
    Candidate,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    FailureKind,
    Hedge,
    LocalModel,
    PlanSource,
    RemoteModel,
    compile_patterns,
    show_target,
)

NAME = "resilient"


class ResilientEngine:
    """Chooses by health, and by what was tried."""

    __slots__ = ("_line", "_ours", "_own")

    def __init__(self, settings: EngineSettings) -> None:
        below = settings.children
        self._own: ResilientSettings = settings.own or ResilientSettings()
        self._ours = compile_patterns(tuple(self._own.symbols)) if self._own.symbols else None
        self._line = tuple(each for key in ("primary", "escalate", "fallback") for each in below.get(key, ()))

    def claims(self) -> Iterable[str]:
        """Return the functions that its settings name; the host adds what the engines in the line claim."""
        return tuple(self._own.symbols)

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan of the first engine in the line whose target is well and was not ruled out."""
        if not self._line or (self._ours is not None and self._ours(context.symbol) is None):
            return None
        first = self._line[0].decide(context)
        attempts = context.attempts
        if not attempts and (first is None or (self._own.hedge is None and _why_ill(first.target, context) is None)):
            return first
        again = self._repeat(first, attempts, context) if attempts else None
        if again is not None:
            return again
        passed: dict[ExecTarget, str] = {}
        for plan in self._plans(first, context, passed):
            why = self._why_not(plan.target, attempts, context)
            if why is None:
                return self._made(plan, passed, attempts, context)
            passed[plan.target] = why
        return None if attempts else first  # the host says why it cannot be asked, and asks again

    def _repeat(
        self, first: DelegationPlan | None, attempts: tuple[Attempt, ...], context: CallContext
    ) -> DelegationPlan | None:
        """Return the plan to ask the latest target again, None where that is not allowed or not wanted."""
        target = attempts[-1].target
        of_it = [each for each in attempts if each.target == target]
        if len(of_it) > self._own.retries or not all(_repeatable(each, context) for each in of_it):
            return None
        doubled = min(self._own.backoff * 2.0 ** (len(of_it) - 1), self._own.backoff_most)
        delay = max(doubled * (0.5 + 0.5 * context.draw("back-off")), of_it[-1].retry_after or 0.0)
        if delay > self._own.backoff_most or _why_ill(target, context) is not None:
            return None
        harmless = "it did nothing" if of_it[-1].kind is FailureKind.SAFE else "asking it twice does no harm"
        why = f"{show_target(target)} again after {delay:.3g} s: {harmless}"
        if first is not None and first.target == target:
            return attrs.evolve(first, reasoning=f"{first.reasoning}; {why}", delay=delay)
        return DelegationPlan(target=target, reasoning=why, source=PlanSource.ENGINE, engine=NAME, delay=delay)

    def _plans(
        self, first: DelegationPlan | None, context: CallContext, passed: Mapping[ExecTarget, str]
    ) -> Iterator[DelegationPlan]:
        """Yield what the engines in the line choose, each again without what is passed over meanwhile.

        `first` is what the first of them chose already.
        """
        for place, engine in enumerate(self._line):
            plan = engine.decide(_without(context, passed)) if place or passed else first
            while plan is not None and plan.target not in passed:
                yield plan
                plan = engine.decide(_without(context, passed))

    @staticmethod
    def _why_not(target: ExecTarget, attempts: tuple[Attempt, ...], context: CallContext) -> str | None:
        """Return why a target is not asked now, None when it is."""
        for each in reversed(attempts):
            if each.target == target:
                return f"it was tried, and that was {each.kind.value}"
        return _why_ill(target, context)

    def _made(
        self,
        plan: DelegationPlan,
        passed: Mapping[ExecTarget, str],
        attempts: tuple[Attempt, ...],
        context: CallContext,
    ) -> DelegationPlan:
        """Return a plan as it is, or with the words and the hedge that it needs."""
        hedge = None
        if self._own.hedge is not None and _is_model(plan.target) and _is_idempotent(plan.target, context):
            hedge = self._hedge(plan, passed, attempts, context)
        if not passed and hedge is None:
            return plan
        why = "; ".join([plan.reasoning, *(f"not {show_target(target)}: {text}" for target, text in passed.items())])
        return attrs.evolve(plan, reasoning=why, hedge=hedge or plan.hedge)

    def _hedge(
        self,
        plan: DelegationPlan,
        passed: Mapping[ExecTarget, str],
        attempts: tuple[Attempt, ...],
        context: CallContext,
    ) -> Hedge | None:
        """Return the second request of a plan: to the next in the line that is well, idempotent and not tried yet."""
        after = self._own.hedge
        if after == "p95":
            known = context.latency(plan.target)
            seconds = None if known is None else known.p95
        else:
            seconds = None if after is None else after / 1000
        if seconds is None:
            return None
        beside = {**passed, plan.target: "it is asked first"}
        tried = {each.target for each in attempts}
        for other in self._plans(None, context, beside):
            target = other.target
            new = target not in tried and _is_model(target) and _is_idempotent(target, context)
            if new and _why_ill(target, context) is None:
                return Hedge(target=target, after=seconds, most=self._own.hedge_cost)
            beside[target] = "it cannot be a second request"
        return None


def _is_model(target: ExecTarget) -> bool:
    return isinstance(target, LocalModel | RemoteModel)


def _why_ill(target: ExecTarget, context: CallContext) -> str | None:
    """Return why nothing can be sent to a target now, None when it can."""
    if not _is_model(target):
        return None
    if _candidate(target, context) is None:
        return "it cannot be used here"
    health = context.health(target)
    return None if health.passes else f"its breaker is {health.value}"


def _candidate(target: ExecTarget, context: CallContext) -> Candidate | None:
    for each in context.candidates:
        if each.target == target:
            return each
    return None


def _repeatable(attempt: Attempt, context: CallContext) -> bool:
    """Tell whether an attempt is evidence that the same target may be asked again."""
    if attempt.kind is FailureKind.UNCERTAIN:
        return _is_idempotent(attempt.target, context)
    return attempt.kind is FailureKind.SAFE


def _is_idempotent(target: ExecTarget, context: CallContext) -> bool:
    found = _candidate(target, context)
    return found is not None and found.idempotent


def _without(context: CallContext, passed: Mapping[ExecTarget, str]) -> CallContext:
    if not passed:
        return context
    return context.only(each.target for each in context.candidates if each.target not in passed)
