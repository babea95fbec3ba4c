"""The days of one world, put together: what each policy cost and was worth, and whether the bounds were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from benchmarks.delegation_day.judged import BACK_WITHIN, Interval, Judged, interval

LEAST_SAVED, EQUAL = 0.20, 0.01
"""Quality counts as equal within this: what sampling and the feedback of one answer in twenty leave open."""
MOST_FAILED, LEAST_NEAR, MOST_MILLISECONDS = 0.01, 0.95, 10.0


@attrs.frozen(slots=True)
class Bound:
    """Something that must hold, and what was found."""

    name: str
    measured: Interval
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the mean keeps it."""
        return self.measured.mean >= self.bound if self.at_least else self.measured.mean <= self.bound

    def __str__(self) -> str:
        sign, of = (">=", "least") if self.at_least else ("<=", "most")
        extreme = self.measured.least if self.at_least else self.measured.worst
        number = f"{self.measured.mean:.4g} ± {self.measured.off:.2g} (at {of} {extreme:.4g})"
        return f"{'met   ' if self.met else 'MISSED'} {self.name}: {number}, {sign} {self.bound:g}"


@attrs.frozen(slots=True, kw_only=True)
class Found:
    """One world."""

    varied: str
    policies: Mapping[str, Mapping[str, Interval]]
    best_static: str
    """The cheapest static route of equal quality."""
    bounds: tuple[Bound, ...]

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "world": self.varied,
            "policies": {name: {key: each.to_json() for key, each in of.items()} for name, of in self.policies.items()},
            "best_static": self.best_static,
            "bounds": [{**attrs.asdict(each), "met": each.met} for each in self.bounds],
        }


def found(varied: str, rows: Mapping[str, Sequence[Judged]]) -> Found:
    """Return the days of one world, put together."""
    ours = rows["adaptive"]
    names = [field.name for field in attrs.fields(Judged)]
    policies = {
        name: {key: interval([getattr(each, key) for each in days]) for key in names} for name, days in rows.items()
    }
    quality = policies["adaptive"]["quality"].mean
    equal = {
        name: of["cost"].mean
        for name, of in policies.items()
        if name != "adaptive" and of["quality"].mean >= quality - EQUAL
    }
    best = min(equal, key=equal.__getitem__) if equal else "strong"
    bounds = [
        Bound("cheaper than always strong", _saved(ours, rows["strong"]), LEAST_SAVED, at_least=True),
        Bound("quality beside always strong", _better(ours, rows["strong"]), -EQUAL, at_least=True),
        Bound(f"cheaper than the best static route ({best})", _saved(ours, rows[best]), LEAST_SAVED, at_least=True),
        Bound("quality beside it", _better(ours, rows[best]), -EQUAL, at_least=True),
        Bound("calls until it is back after the drift", policies["adaptive"]["back"], BACK_WITHIN, at_least=False),
        Bound("failed with one model left", policies["adaptive"]["failed_alone"], MOST_FAILED, at_least=False),
        Bound("decisions within 2 % of the best", policies["adaptive"]["near"], LEAST_NEAR, at_least=True),
        Bound("ms of the slowest decision", policies["adaptive"]["slowest"], MOST_MILLISECONDS, at_least=False),
    ]
    return Found(varied=varied, policies=policies, best_static=best, bounds=tuple(bounds))


def _saved(ours: Sequence[Judged], theirs: Sequence[Judged]) -> Interval:
    """Return the share of the other policy's cost that is saved, day by day."""
    return interval([1.0 - one.cost / other.cost for one, other in zip(ours, theirs, strict=False)])


def _better(ours: Sequence[Judged], theirs: Sequence[Judged]) -> Interval:
    return interval([one.quality - other.quality for one, other in zip(ours, theirs, strict=False)])


def shown(world: Found) -> str:
    """Return one world as text."""
    head = f"{'policy':<10} {'$ / 1000':>9} {'right':>8} {'failed':>8} {'near best':>9} {'us / call':>9}"
    lines = [f"the day {world.varied}", head]
    for name, of in world.policies.items():
        lines.append(
            f"{name:<10} {of['cost'].mean * 1e3:>9.4f} {of['quality'].mean:>8.2%} {of['failed'].mean:>8.3%} "
            f"{of['near'].mean:>9.2%} {of['micros'].mean:>9.0f}"
        )
    return "\n".join([*lines, *map(str, world.bounds)])
