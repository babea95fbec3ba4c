"""The engine: its base decides; among equal targets the less busy of two takes the call; and it proposes what to warm.

Balancing is the power of two choices: of two targets drawn at random, the one with the least expected wait. That keeps
the longest queue near log log n where one random choice gives log n / log log n (Azar, Broder, Karlin, Upfal: Balanced
Allocations, 1994; Mitzenmacher: The Power of Two Choices in Randomized Load Balancing, 2001), and, unlike always taking
the least busy, it does not send all calls of many hosts to the same target. Of a group of two both are compared, and
nothing is drawn, so such plans are kept.

Predictions are counts of first order of what is asked after what, and the load of each hour of the day (`memory`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from rtfs_engine_predictive.memory import after, empty, likely_by_hour, likely_next, target_key
from rtfs_engine_predictive.settings import PredictiveSettings
from rtfs_framework.api import (
    CallContext,
    DelegationPlan,
    EngineSettings,
    ExecTarget,
    LocalModel,
    RemoteModel,
    show_target,
)
from rtfs_framework.api.learning import Outcome, State, Warm, WarmContext

_UNTIMED = 1.0
"""Seconds that a call is taken to last where nobody has timed it."""


class PredictiveEngine:
    """Balances, learns and proposes."""

    __slots__ = ("_base", "_groups", "_own")

    def __init__(self, settings: EngineSettings) -> None:
        self._own: PredictiveSettings = settings.own or PredictiveSettings()
        self._base = next(iter(settings.children.get("base", ())), None)
        groups = [tuple(dict.fromkeys(settings.targets[text] for text in group)) for group in self._own.equal]
        self._groups = {target: group for group in groups for target in group}

    def claims(self) -> Iterable[str]:
        """Return nothing of its own: the host adds what the base claims."""
        return ()

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the base's plan, its target exchanged for a less busy one of its group."""
        plan = None if self._base is None else self._base.decide(context)
        group = None if plan is None else self._groups.get(plan.target)
        if plan is None or group is None:
            return plan
        tried = {each.target for each in context.attempts}
        known = {each.target for each in context.candidates}
        able = [each for each in group if each in known and each not in tried and context.health(each).passes]
        if len(able) < 2:
            return plan if not able else _moved(plan, able[0], "the only one of its group that is well")
        first, second = able if len(able) == 2 else _two(able, context)
        waits = {each: _wait(each, context) for each in (first, second)}
        target = first if waits[first] <= waits[second] else second
        if plan.target in waits and waits[plan.target] <= waits[target]:
            return plan
        return _moved(plan, target, "the less busy of " + " and ".join(map(show_target, waits)))

    def initial(self) -> State:
        """Return the state before anything was learned."""
        return empty()

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return the state after one more outcome."""
        return after(state, outcome, self._own.horizon)

    def propose(self, state: State, context: WarmContext) -> Iterable[Warm]:
        """Return the models that are likely asked within the horizon, the likeliest first."""
        return sorted(self._proposals(state, context), key=lambda each: -each.worth)

    def _proposals(self, state: State, context: WarmContext) -> Iterator[Warm]:
        last = context.recent[-1] if context.recent else ""
        for candidate in context.candidates:
            target = candidate.target
            if isinstance(target, LocalModel | RemoteModel):
                key = target_key(target)
                by_hour = likely_by_hour(state, key, context.hour, self._own.horizon)
                worth = max(by_hour, likely_next(state, last, key, context.near))
                if worth >= self._own.least:
                    yield Warm(what="model", target=target, worth=worth)


def _two(able: list[ExecTarget], context: CallContext) -> tuple[ExecTarget, ExecTarget]:
    """Return two different targets, drawn."""
    first = int(context.draw("first") * len(able))
    second = int(context.draw("second") * (len(able) - 1))
    return able[first], able[second + (second >= first)]


def _wait(target: ExecTarget, context: CallContext) -> float:
    """Return about how many seconds a call would take there: those that are under way are before it."""
    timed = context.latency(target)
    return (context.load(target) + 1) * (_UNTIMED if timed is None else timed.p50)


def _moved(plan: DelegationPlan, target: ExecTarget, why: str) -> DelegationPlan:
    if target == plan.target:
        return plan
    reasoning = f"{plan.reasoning}; {show_target(target)} instead: {why}"
    hedge = None if plan.hedge is None or plan.hedge.target == target else plan.hedge
    return attrs.evolve(plan, target=target, reasoning=reasoning, hedge=hedge)
