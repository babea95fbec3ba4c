"""What a day's decisions were worth, by what the world knows and no engine does; and intervals over many days.

What a model is worth at an hour is what `adaptive` would say if it knew the true expectations: the same function and
the same weights (`rtfs_engine_adaptive.worth`). The best model of an hour is, of those that are up, the one that is
worth most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev

import attrs

from benchmarks.delegation_day.hosted import Trace
from benchmarks.delegation_day.world import NAMES, Model, Phase, World, mean_log_seconds

WARM_UP = 2_000
"""Calls before decisions are judged."""
BACK_WITHIN = 500
"""Calls after a change in which decisions are not judged: so many it may take to find out."""
_WINDOW = 100
_NEAR, _BACK = 0.98, 0.95
NOON = 12.0
_ALONE = 22.0
_T = {1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 7: 2.365, 9: 2.262, 14: 2.145, 19: 2.093}
"""Student's t for 95 %, by degrees of freedom."""

Worths = Mapping[str, float]
Judge = Callable[[Phase], Worths]
"""From a part of the day to what each model that is up is worth in it."""


def judge_of(world: World) -> Judge:
    """Return what knows the worth of models.

    Raises:
        ImportError: `rtfs-engine-adaptive` is not installed.
    """
    from rtfs_engine_adaptive.settings import Weights
    from rtfs_engine_adaptive.worth import Expected, worths

    def expected(model: Model) -> Expected:
        return Expected(
            success=(1.0 - model.errors) * (1.0 - model.invalid),
            validity=1.0 - model.invalid,
            feedback=model.quality,
            cost=model.price * world.asked.mean_tokens / 1e6,
            latency=mean_log_seconds(model),
        )

    def judge(phase: Phase) -> Worths:
        found = worths([expected(model) for model in phase.models.values()], Weights(feedback=6.0))
        return {name: worth for name, worth in zip(phase.models, found, strict=True) if not phase.models[name].down}

    return judge


@attrs.frozen(slots=True, kw_only=True)
class Judged:
    """One day of one policy."""

    cost: float
    """US dollars a call."""
    quality: float
    """The share of calls whose answer was right."""
    failed: float
    failed_alone: float
    """The share of failed calls while only one model answers."""
    near: float
    """The share of decisions, after warm-up, within 2 % of the best expected worth."""
    back: float
    """Calls after noon until the last hundred decisions were worth 95 % of the best model."""
    slowest: float
    """Milliseconds of processor time of the slowest decision after the first hundred."""
    micros: float
    """Processor time of a whole call, in microseconds."""


def judged(trace: Trace, world: World, judge: Judge) -> Judged:
    """Return what a day's decisions were worth."""
    calls = len(trace.chosen)
    starts = [round(phase.start * calls) for phase in world.phases]
    ends = [*starts[1:], calls]
    alone = range(*_between(world, starts, ends, _ALONE))
    near = [
        worth >= _NEAR * best
        for phase, start, end in zip(world.phases, starts, ends, strict=True)
        for worth, best in _worth(trace, judge(phase), max(start + _settling(start, calls), _warm(calls)), end)
    ]
    return Judged(
        cost=fmean(trace.cost),
        quality=fmean(trace.right),
        failed=fmean(trace.failed),
        failed_alone=fmean(trace.failed[place] for place in alone) if alone else 0.0,
        near=fmean(near) if near else 0.0,
        back=_back(trace, world, judge, starts, ends),
        slowest=trace.slowest * 1e3,
        micros=trace.seconds / calls * 1e6,
    )


def _warm(calls: int) -> int:
    return min(WARM_UP, calls // 4)


def _settling(start: int, calls: int) -> int:
    return min(BACK_WITHIN, calls // 48) if start else 0


def _worth(trace: Trace, worths: Worths, start: int, end: int) -> list[tuple[float, float]]:
    """Return what each decision of a part of the day was worth, and what the best one was."""
    best = max(worths.values())
    return [(worths.get(NAMES[place], 0.0) if place >= 0 else 0.0, best) for place in trace.chosen[start:end]]


def _between(world: World, starts: Sequence[int], ends: Sequence[int], hour: float) -> tuple[int, int]:
    place = next(n for n, phase in enumerate(world.phases) if abs(phase.start * 24.0 - hour) < 1e-9)
    return starts[place], ends[place]


def _back(trace: Trace, world: World, judge: Judge, starts: Sequence[int], ends: Sequence[int]) -> float:
    start, end = _between(world, starts, ends, NOON)
    worths = judge(world.at(NOON / 24.0))
    found = _worth(trace, worths, start, end)
    for last in range(_WINDOW, len(found) + 1):
        window = found[last - _WINDOW : last]
        if sum(worth for worth, _ in window) >= _BACK * window[0][1] * _WINDOW:
            return float(last)
    return float(len(found))


@attrs.frozen(slots=True)
class Interval:
    """A mean over days, and how far the true one may be off (95 %)."""

    mean: float
    off: float
    worst: float
    """Of all days: the largest."""
    least: float

    def to_json(self) -> dict[str, float]:
        """Return JSON-ready data."""
        return attrs.asdict(self)


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of days, with its interval."""
    count = len(values)
    off = 0.0
    if count > 1:
        freedom = count - 1
        t = next((value for known, value in sorted(_T.items(), reverse=True) if known <= freedom), 12.71)
        off = t * stdev(values) / sqrt(count)
    return Interval(fmean(values), off, max(values), min(values))
