"""The engine: a contextual bandit over the targets that the engine below would use.

In: the context of a call, what was learned of its function (`CallContext.state`), and, while that is little, of those
like it (`CallContext.experience`, `likeness`). Out: the plan of the engine below for the target that is worth most, or
now and then for another one; unchanged where there is but one. The algorithm is
SquareCB (`choice`), over lines that are learned as outcomes come in and that notice change (`lines`, `cells`).

Which targets those are is asked of the engine below: again and again, each time without those it has named. Where that
reads nothing of a call it is the same for all calls of a function, and is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import is_
from typing import Any

from rtfs_engine_adaptive.cells import ALL, folded, name_of, note_of, vector
from rtfs_engine_adaptive.choice import NAME, Arm, Choice, choose
from rtfs_engine_adaptive.likeness import alike
from rtfs_engine_adaptive.settings import AdaptiveSettings
from rtfs_framework.api import (
    CallContext,
    Candidate,
    DelegationPlan,
    EngineSettings,
    Experience,
    LocalModel,
    Outcome,
    RemoteModel,
    State,
    show_target,
)

_DRAW = "explore"
_MOST_ARMS = 16
"""Targets that are chosen among."""
_MOST_KNOWN = 1_024
"""Functions of which something is remembered between decisions."""
_SIZES = 4
_LEAST_SIZE = 64
"""`CallContext.size` is 64, 256, 1,024 and so on."""
_NOTHING: Mapping[str, Any] = {}
_NONE: tuple[Experience, ...] = ()

__all__ = ["NAME", "AdaptiveEngine"]


class AdaptiveEngine:
    """Chooses by what it has learned."""

    __slots__ = ("_arms", "_base", "_choices", "_own")

    def __init__(self, settings: EngineSettings) -> None:
        below = settings.children.get("base", ())
        self._base = below[0] if below else None
        self._own: AdaptiveSettings = settings.own or AdaptiveSettings()
        self._arms: dict[str, tuple[Sequence[Candidate], tuple[Arm, ...]]] = {}
        self._choices: dict[tuple[str, str], tuple[tuple[Any, ...], Choice]] = {}

    def claims(self) -> Iterable[str]:
        """Return nothing: the host adds what the engine below claims."""
        return ()

    def initial(self) -> State:
        """Return nothing: nothing is known."""
        return {}

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return what is known after one more outcome."""
        return folded(state, outcome, self._own)

    def decide(self, context: CallContext) -> DelegationPlan | None:
        """Return the plan for the target that is worth most, or for one that is tried beside it."""
        base = self._base
        if base is None:
            return None
        before = context.noted
        first = base.decide(context)
        if first is None or not isinstance(first.target, LocalModel | RemoteModel):
            return first
        tried = bool(context.attempts)
        arms = self._of(context, first, free=not tried and context.noted == before)
        if len(arms) <= 1:
            return first
        return self._choice(context, arms, explore=not tried)

    def _choice(self, context: CallContext, arms: tuple[Arm, ...], *, explore: bool) -> DelegationPlan:
        features = self._own.features
        size = _band(context.size) if "size" in features else None
        time_class = context.time_class if "time_class" in features else None
        note, symbol = note_of(size, time_class), context.symbol
        cell = context.state(name_of(symbol, time_class))
        own, near = self._own, _NONE
        if own.experience and not (cell is not None and _is_settled(cell["arms"], arms, own.samples)):
            near = context.experience(own.experience)
        whole = None if not near and cell is not None and _knows(cell["arms"], arms) else context.state(ALL)
        key = symbol, note
        known = self._choices.get(key) if explore else None
        rests = cell, whole, arms, near
        if known is not None and all(map(is_, known[0], rests)):
            choice = known[1]
        else:
            like = alike(near, symbol, own.nearness, own.likeness) if near else _NOTHING
            x = vector(size, own)
            choice = choose(arms, cell or _NOTHING, whole or _NOTHING, x, own, note, explore=explore, near=like)
            if explore:
                _bounded(self._choices)[key] = rests, choice
        return choice.drawn(0.0 if choice.settled else context.draw(_DRAW))

    def _of(self, context: CallContext, first: DelegationPlan, *, free: bool) -> tuple[Arm, ...]:
        """Return the targets that the engine below would use, in its order.

        `free` says whether its first answer rested on nothing of the call.
        """
        known = self._arms.get(context.symbol)
        if free and known is not None and known[0] is context.candidates:
            return known[1]
        before = context.noted
        arms = tuple(self._asked(context, first))
        if free and context.noted == before:
            _bounded(self._arms)[context.symbol] = context.candidates, arms
        return arms

    def _asked(self, context: CallContext, first: DelegationPlan) -> Iterable[Arm]:
        left = {each.target: each for each in context.candidates}
        plan: DelegationPlan | None = first
        for _ in range(_MOST_ARMS):
            found = None if plan is None else left.pop(plan.target, None)
            if plan is None or found is None:
                return
            yield Arm(plan, found, show_target(plan.target))
            if not left or self._base is None:
                return
            plan = self._base.decide(context.only(left))


def _knows(known: Mapping[str, Any], arms: tuple[Arm, ...]) -> bool:
    for arm in arms:  # noqa: SIM110 - a loop takes half the time, and each decision asks
        if arm.name not in known:
            return False
    return True


def _is_settled(known: Mapping[str, Any], arms: tuple[Arm, ...], samples: int) -> bool:
    """Tell whether a function's own outcomes are enough."""
    for arm in arms:  # noqa: SIM110 - as above
        if arm.name not in known or known[arm.name]["success"]["n"] < samples:
            return False
    return True


def _band(size: int) -> int:
    """Return the number of a band of sizes, from 0."""
    number = 0
    while size > _LEAST_SIZE:
        size, number = size // _SIZES, number + 1
    return number


def _bounded(known: dict[Any, Any]) -> dict[Any, Any]:
    if len(known) >= _MOST_KNOWN:
        known.clear()
    return known
