"""Which target a call goes to: mostly the one that is worth most, sometimes another, with known probabilities.

SquareCB, inverse gap weighting over a regression (Foster and Rakhlin, Beyond UCB: Optimal and Efficient Contextual
Bandits with Regression Oracles, ICML 2020): another target's probability is 1 / (K + focus * gap), so what is nearly as
good is tried more than what is surely worse. All others together get at most the share that the settings allow, so the
propensities are exact, and what another policy would have cost can be estimated from the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_engine_adaptive.cells import threshold_of
from rtfs_engine_adaptive.likeness import Alike
from rtfs_engine_adaptive.lines import RIDGE, Line, expected
from rtfs_engine_adaptive.settings import AdaptiveSettings
from rtfs_engine_adaptive.trust import Share, believed
from rtfs_engine_adaptive.worth import Expected, worths
from rtfs_framework.api import DelegationPlan, PlanSource, Scored

if TYPE_CHECKING:
    from rtfs_framework.api import Candidate

NAME = "adaptive"
_SHRUNK = 5.0
"""As many ratings as what is usual counts like, beside what was said of answers of one target."""
_PER_RATING = 2.0
"""As many outcomes, at most, as one rating counts like where answers are rated: what nobody spoke of is to be tried."""
_NONE_ALIKE: Mapping[str, Alike] = {}
_UNKNOWN = 0.5
"""Feedback that is expected of a target of which nobody has said anything."""


@attrs.frozen(slots=True)
class Arm:
    """A target that the engine below would use, its plan for it, and what its owner says of it."""

    plan: DelegationPlan
    candidate: Candidate
    name: str
    """By which cells know it."""


@attrs.define(slots=True)
class Choice:
    """What may be chosen for the calls of one function, as long as nothing new was learned of it."""

    arms: Sequence[Arm]
    seen: Sequence[Expected]
    worths: Sequence[float]
    shares: Sequence[float]
    """The probability of each."""
    best: int
    note: str
    settled: bool = attrs.field(init=False)
    """Whether there is nothing to draw."""
    _plans: dict[int, DelegationPlan] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.settled = self.shares[self.best] >= 1.0

    def drawn(self, number: float) -> DelegationPlan:
        """Return the plan that a number in [0, 1) draws: the best one mostly, which the small numbers stand for."""
        found, most = self.best, self.shares[self.best]
        if number >= most:
            for each, share in enumerate(self.shares):
                if each != self.best and share > 0.0:
                    found, most = each, most + share
                    if number < most:
                        break
        plan = self._plans.get(found)
        if plan is None:
            plan = self._plans[found] = self._plan(found)
        return plan

    def _plan(self, number: int) -> DelegationPlan:
        what = "best of" if number == self.best else "tried beside the best of"
        worth, why = self.worths[number], _why(self.seen[number])
        others = (n for n in range(len(self.arms)) if n != number)
        return attrs.evolve(
            self.arms[number].plan,
            reasoning=f"{what} {len(self.arms)} targets, expected worth {worth:.3f}: {why}",
            source=PlanSource.ENGINE,
            engine=NAME,
            confidence=round(self.seen[number].success, 4),
            alternatives=tuple(
                Scored(self.arms[n].plan.target, round(self.worths[n], 4), _why(self.seen[n])) for n in others
            ),
            propensity=self.shares[number],
            note=self.note,
        )


def choose(
    arms: Sequence[Arm], cell: Mapping[str, Any], whole: Mapping[str, Any], x: Sequence[float],
    settings: AdaptiveSettings, note: str, *, explore: bool, near: Mapping[str, Alike] = _NONE_ALIKE,
) -> Choice:  # fmt: skip
    """Return what may be chosen for a call.

    Args:
        arms: In the order in which the engine below would use them.
        cell: What is known of the function.
        whole: What is known of all functions together: of targets that this function has not used.
        x: The features of the call.
        settings: Of the engine.
        note: What comes back with the outcome.
        explore: Whether another target than the best may be chosen.
        near: What functions like it have seen of targets, by name; it counts before `whole`, and beside `cell`.
    """
    known = [_known(arm, cell, whole, near, settings) for arm in arms]
    trust = believed(settings.trust, [tuple(of.shares()) for of in known])
    seen = [_expected(arm, of, x, settings.stated, sure) for arm, of, sure in zip(arms, known, trust, strict=True)]
    counts = [of.count(sure, float(settings.samples)) for of, sure in zip(known, trust, strict=True)]
    least = threshold_of(cell, settings.threshold)
    trusted = [n < settings.threshold.samples or each.success >= least for n, each in zip(counts, seen, strict=True)]
    found = worths(seen, settings.weights)
    if any(trusted):
        off = 1.0 + max(found) - min(found)  # whatever it costs, a target that is trusted is worth more
        found = [value if sure else value - off for value, sure in zip(found, trusted, strict=True)]
    best = max(range(len(arms)), key=lambda number: (found[number], -number))
    shares = [float(number == best) for number in range(len(arms))]
    if explore:
        shares = _shares(found, best, counts, cell, settings, checking=bool(near))
    return Choice(arms, seen, found, shares, best, note)


@attrs.frozen(slots=True)
class _Known:
    """What is known of a target: by the function's own outcomes, by all functions, and by what is alike."""

    lines: Mapping[str, Line] | None
    """Its own, else those of all functions."""
    usual: Mapping[str, Line]
    """Those of all functions."""
    own: float = 0.0
    """The function's own outcomes; those of all functions where it has none, and nothing is alike."""
    alike: Alike | None = None
    borrowed: float = 0.0
    """As how many outcomes what is alike counts, where it is believed."""

    def count(self, trust: float, samples: float) -> float:
        """Return as how many outcomes all of it counts: what is alike never makes a target known by itself."""
        return self.own + trust * min(self.borrowed, samples)

    def mixed(self, own: float, alike: float) -> float:
        """Return a quantity, of what the lines and what is alike say of it."""
        count = self.own + self.borrowed
        return (self.own * own + self.borrowed * alike) / count if count else own

    def shares(self) -> Iterator[Share]:
        """Yield what was seen, beside what was expected, as evidence for or against what is alike."""
        if self.alike is None or not self.own or self.lines is None:
            return
        heard = (
            ("success", self.alike.success, self.alike.count),
            ("feedback", self.alike.feedback, self.alike.rated),
        )
        for name, mean, count in heard:
            line, usual = self.lines[name], _UNKNOWN if name not in self.usual else self.usual[name]["t"][0]
            n = line["n"]
            if n and mean is not None:
                good = (n + RIDGE) * line["t"][0] - RIDGE * usual  # a line begins from what is usual, as so many
                yield Share(n, min(max(good, 0.0), n), mean, min(self.borrowed, count), usual)


def _known(
    arm: Arm, cell: Mapping[str, Any], whole: Mapping[str, Any], near: Mapping[str, Alike], settings: AdaptiveSettings
) -> _Known:
    own: Mapping[str, Line] | None = cell.get("arms", {}).get(arm.name)
    usual: Mapping[str, Line] | None = whole.get("arms", {}).get(arm.name)
    lines, other = own or usual, near.get(arm.name)
    if other is not None and other.count > 0.0:
        count = 0.0 if own is None else own["success"]["n"]
        heard = other.count if other.usual is None else _PER_RATING * other.rated
        return _Known(lines, usual or {}, count, other, min(float(settings.borrowed), other.count, heard))
    return _Known(lines, usual or {}, 0.0 if lines is None else lines["success"]["n"])


def _expected(arm: Arm, known: _Known, x: Sequence[float], counts: int, trust: float) -> Expected:
    """Return what is expected of a target; what its owner says of its quality counts like so many ratings.

    What is alike is one side of a mixture, and counts as far as it is believed; the other side knows nothing of it.
    """
    quality, lines, alike = arm.candidate.quality, known.lines, known.alike
    stated, prior = _UNKNOWN if quality is None else quality, 0.0 if quality is None else float(counts)
    alone = _by_lines(lines, x, stated, prior)
    if alike is None:
        return alone
    prior, value = _rated(quality, alike, counts, known.borrowed)
    own = _by_lines(lines if known.own else None, x, value, prior)
    cost = own.cost if alike.cost is None or own.cost is None else known.mixed(own.cost, alike.cost)
    cost = alike.cost if own.cost is None else cost
    return Expected(
        success=_between(alone.success, known.mixed(own.success, alike.success), trust),
        validity=_between(alone.validity, known.mixed(own.validity, alike.validity), trust),
        feedback=_between(alone.feedback, own.feedback, trust),
        cost=cost if alone.cost is None else alone.cost if cost is None else _between(alone.cost, cost, trust),
        latency=_between(alone.latency, known.mixed(own.latency, alike.latency), trust),
    )


def _between(alone: float, alike: float, trust: float) -> float:
    return alone + trust * (alike - alone)


def _rated(quality: float | None, alike: Alike, counts: int, borrowed: float) -> tuple[float, float]:
    """Return as how many ratings what is expected of answers counts before any was rated here, and its value.

    What was said of answers to functions like it is evidence beside what the owner says, or, where that is nothing,
    beside what was said of all targets there (`Alike.usual`), so that one bad rating condemns nobody. It makes what is
    expected better, not weightier: the function's own ratings count against it as they do without.
    """
    stated = 0.0 if quality is None else float(counts)
    said = quality if quality is not None else _UNKNOWN if alike.usual is None else alike.usual
    weight = stated + _SHRUNK
    rated = alike.rated if alike.feedback is not None else 0.0
    value = (weight * said + rated * (alike.feedback or 0.0)) / (weight + rated)
    return max(stated, min(borrowed, rated)), value


def _by_lines(lines: Mapping[str, Line] | None, x: Sequence[float], stated: float, prior: float) -> Expected:
    """Return what lines expect; `stated` is what is expected of answers unheard, and counts like `prior` ratings."""
    if lines is None:
        return Expected(success=1.0, validity=1.0, feedback=stated, cost=None, latency=0.0)
    at = {name: expected(line, x[: len(line["t"])]) for name, line in lines.items()}
    rated = lines["feedback"]["n"]
    sure = rated / (rated + prior) if rated else 0.0
    return Expected(
        success=_unit(at["success"]),
        validity=_unit(at["validity"]),
        feedback=sure * _unit(at["feedback"]) + (1.0 - sure) * stated,
        cost=max(0.0, at["cost"]) if lines["cost"]["n"] else None,
        latency=max(0.0, at["latency"]),
    )


def _shares(
    found: Sequence[float], best: int, counts: Sequence[float], cell: Mapping[str, Any], settings: AdaptiveSettings,
    *, checking: bool,
) -> list[float]:  # fmt: skip
    """Return the probability of each target.

    `checking` says that what is expected of them is from elsewhere: then all that is tried goes to those not known yet.
    """
    size = len(found)
    unknown = 1.0 if checking else 1.0 / size
    shares = [
        0.0
        if number == best
        else unknown
        if counts[number] < settings.samples
        else 1.0 / (size + settings.focus * (found[best] - value))
        for number, value in enumerate(found)
    ]
    learning = cell.get("doubt", 0) > 0 or min(counts) < settings.samples
    most, total = settings.learning if learning else settings.exploration, sum(shares)
    if total > most:
        shares = [share * most / total for share in shares]
    shares[best] = 1.0 - sum(shares)
    return shares


def _why(each: Expected) -> str:
    cost = "cost unknown" if each.cost is None else f"${each.cost:.3g}"
    return f"success {each.success:.2f}, valid {each.validity:.2f}, rated {each.feedback:.2f}, {cost}"


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
