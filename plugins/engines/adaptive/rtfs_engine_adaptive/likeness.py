"""What functions like this one have seen of a target: where a function's own outcomes are few, that comes first.

In: experiences of the nearest situations (`CallContext.experience`). Out: for each target what is expected of it, and
as how many outcomes that counts. A kernel regression (Nadaraya, On Estimating Regression, 1964; Watson, Smooth
Regression Analysis, 1964): outcomes of a situation count the more, the nearer it is. The function's own outcomes are
left out, for its cell knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log1p

import attrs

from rtfs_framework.api import Experience, PlanOutcomes, show_target

_MOST = 100.0
"""Outcomes of one situation that count: what was asked more often is not for that reason more alike."""


@attrs.frozen(slots=True, kw_only=True)
class Alike:
    """What is expected of one target by what is alike."""

    count: float
    """Outcomes, each as far as its situation is near."""
    success: float
    validity: float
    latency: float
    """The mean of log(1 + seconds)."""
    cost: float | None
    feedback: float | None
    rated: float
    """Ratings, each as far as its situation is near."""
    usual: float | None = None
    """What is said of answers there, whichever target gave them; None without any."""


@attrs.define(slots=True)
class _Sum:
    """A weighted mean as it is put together."""

    weight: float = 0.0
    total: float = 0.0

    def add(self, weight: float, value: float | None) -> None:
        if value is not None and weight > 0.0:
            self.weight, self.total = self.weight + weight, self.total + weight * value

    @property
    def mean(self) -> float | None:
        return self.total / self.weight if self.weight else None


def alike(found: Iterable[Experience], symbol: str, least: float, whole: float) -> Mapping[str, Alike]:
    """Return what is expected of each target, by its name.

    A situation as near as `least` counts nothing, one as near as `whole` wholly.
    """
    rows: dict[str, list[tuple[float, PlanOutcomes]]] = {}
    for each in found:
        near = min(1.0, (each.nearness - least) / (whole - least))
        if near > 0.0 and each.situation.symbol != symbol:
            for plan in each.plans:
                rows.setdefault(show_target(plan.target), []).append((near, plan))
    made = {target: _together(of) for target, of in rows.items()}
    usual = _Sum()
    for one in made.values():
        usual.add(one.rated, one.feedback)
    return {target: attrs.evolve(one, usual=usual.mean) for target, one in made.items()}


def _together(rows: Iterable[tuple[float, PlanOutcomes]]) -> Alike:
    success, validity, latency, cost, feedback = (_Sum() for _ in range(5))
    for near, plan in rows:
        scale = near * min(1.0, _MOST / plan.count) if plan.count else 0.0
        success.add(scale * plan.count, plan.successes / plan.count if plan.count else None)
        validity.add(scale * plan.answered, min(1.0, plan.successes / plan.answered) if plan.answered else None)
        latency.add(scale * plan.count, None if plan.seconds is None else log1p(plan.seconds))
        cost.add(scale * plan.count, plan.cost)
        feedback.add(near * min(plan.rated, _MOST), plan.feedback)
    return Alike(
        count=success.weight,
        success=success.mean or 0.0,
        validity=success.mean or 0.0 if validity.mean is None else validity.mean,
        latency=latency.mean or 0.0,
        cost=cost.mean,
        feedback=feedback.mean,
        rated=feedback.weight,
    )
