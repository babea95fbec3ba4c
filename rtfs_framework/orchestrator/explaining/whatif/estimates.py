"""Off-policy estimates: what another policy would have had, from what the one at work did.

In: trials, each a call with its decisions: what was chosen and how likely that was, how likely the other policy would
choose what, and what came of it. Out: the mean of what the other policy would have had per trial, with an interval.

- *Inverse propensity*: what came of a choice counts as many times as the other policy is likelier to make it.
- *Doubly robust*, step by step: the mean of like trials, corrected by what really came; right where either the
  propensities or the means are. N. Jiang and L. Li, "Doubly Robust Off-policy Value Evaluation for Reinforcement
  Learning", ICML 2016; for one step M. Dudik, J. Langford and L. Li, "Doubly Robust Policy Evaluation and Learning",
  ICML 2011. The mean for a trial is of the *other* trials, so a trial never predicts itself.

An estimate speaks only of trials whose first choice the policy at work could have made, too ("overlap"); a choice whose
result needs no trial (a refused call costs nothing) is always known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import NormalDist

import attrs

_LEVEL = 0.95
_NOTHING: Mapping[str, float] = {}


@attrs.frozen(slots=True, kw_only=True)
class Step:
    """One decision of a trial."""

    action: str
    """What was chosen."""
    propensity: float = 1.0
    """How likely that was, above 0 and at most 1."""
    possible: frozenset[str] = frozenset()
    """What else could have been chosen."""
    wanted: Mapping[str, float]
    """How likely the other policy chooses what; sums to 1."""
    reward: float
    """What this step itself added."""


@attrs.frozen(slots=True, kw_only=True)
class Trial:
    """One call, as one quantity sees it."""

    context: str
    """What the means are taken over: the function."""
    steps: tuple[Step, ...]

    @property
    def total(self) -> float:
        """What came of it."""
        return sum(step.reward for step in self.steps)


@attrs.frozen(slots=True, kw_only=True)
class Interval:
    """A mean, and where the true one is in 95 of 100 times."""

    mean: float
    low: float
    high: float


@attrs.frozen(slots=True, kw_only=True)
class Estimate:
    """What is known of one quantity."""

    trials: int
    """All."""
    covered: int
    """Those that the estimate speaks of."""
    then: float
    """The mean of what came, over those."""
    robust: Interval | None
    """Doubly robust; None where nothing is covered."""
    inverse: Interval | None
    """Inverse propensity."""
    effective: float
    """As how many trials of the other policy itself the weighted ones count (Kish's effective sample size)."""


def estimate(
    trials: Sequence[Trial], known: Mapping[str, float] = _NOTHING, *, least: float | None = None,
    most: float | None = None,
) -> Estimate:  # fmt: skip
    """Return what the other policy would have had per trial.

    `known` are results that need no trial, by action; `least` and `most` bound what a mean can be.
    """
    covered = [trial for trial in trials if covers(trial, known)]
    model = _Model(trials, known)
    robust = [model.value(trial) for trial in covered]
    inverse = [_weighted(trial, known) for trial in covered]
    weights = [_weight(trial, known) for trial in covered]
    sure = all(share == 0.0 or action in known for trial in covered for action, share in trial.steps[0].wanted.items())

    def within(values: Sequence[float]) -> Interval:
        return _exactly(values) if sure else interval(values, least, most)

    return Estimate(
        trials=len(trials),
        covered=len(covered),
        then=sum(trial.total for trial in covered) / len(covered) if covered else 0.0,
        robust=within(robust) if covered else None,
        inverse=within(inverse) if covered else None,
        effective=_kish(weights) if any(weights) else 0.0,
    )


def covers(trial: Trial, known: Mapping[str, float] = _NOTHING) -> bool:
    """Tell whether the first choice of the other policy could have been made, or needs no trial."""
    step = trial.steps[0]
    return all(
        action == step.action or action in known or (step.propensity < 1.0 and action in step.possible)
        for action, share in step.wanted.items()
        if share > 0.0
    )


def interval(values: Sequence[float], least: float | None = None, most: float | None = None) -> Interval:
    """Return the mean of at least one value and its interval, within `least` and `most`.

    Weighted values are skewed: few of them may make up most of the spread, and then it is known badly. Student's t has
    as many degrees of freedom as values make it up (their squared deviations, counted as Kish counts weights). A share,
    which has both bounds, gets Wilson's interval for as many trials as would have that spread (E. L. Korn and
    B. I. Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive Counts", 1998): so
    what was never seen in few trials may still happen.
    """
    count = len(values)
    mean = sum(values) / count
    squares = [(value - mean) ** 2 for value in values]
    variance = sum(squares) / max(1, count - 1) / count
    quantile = _student(_kish(squares) - 1.0)
    if least is not None and most is not None:
        low, high = _share((mean - least) / (most - least), variance / (most - least) ** 2, count, quantile)
        low, high = least + low * (most - least), least + high * (most - least)
    else:
        half = quantile * sqrt(variance)
        low, high = mean - half, mean + half
    low = low if least is None else max(least, low)
    high = high if most is None else min(most, high)
    return Interval(mean=mean, low=min(low, mean), high=max(high, mean))


def _exactly(values: Sequence[float]) -> Interval:
    """Return the mean of values that are known, and not estimated."""
    mean = sum(values) / len(values)
    return Interval(mean=mean, low=mean, high=mean)


def _share(share: float, variance: float, count: int, quantile: float) -> tuple[float, float]:
    """Return Wilson's interval of a share for the number of trials that gives it this variance."""
    unseen = 0.5 / count
    inside = min(max(share, unseen), 1.0 - unseen)
    trials = inside * (1.0 - inside) / variance if variance > 0.0 else float(count)
    square = quantile * quantile / trials
    middle = (inside + square / 2.0) / (1.0 + square)
    half = sqrt(square) * sqrt(inside * (1.0 - inside) + square / 4.0) / (1.0 + square)
    return middle - half, middle + half


def _kish(weights: Sequence[float]) -> float:
    """Return as how many equal ones these weights count."""
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else float(len(weights))


_LEAST_FREEDOM = 3.0
"""Below, the expansion of Student's t is worth nothing."""


def _student(freedom: float) -> float:
    """Return the 97.5 % point of Student's t (the expansion 26.7.5 of Abramowitz and Stegun)."""
    z, v = NormalDist().inv_cdf((1.0 + _LEVEL) / 2.0), max(freedom, _LEAST_FREEDOM)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return z + first / v + second / v**2 + third / v**3


def _ratio(step: Step) -> float:
    return step.wanted.get(step.action, 0.0) / step.propensity


def _weight(trial: Trial, known: Mapping[str, float]) -> float:
    weight = 1.0
    for step in trial.steps:
        sure = sum(share for action, share in step.wanted.items() if action in known)
        weight *= sure + (0.0 if step.action in known else _ratio(step))
    return weight


def _weighted(trial: Trial, known: Mapping[str, float]) -> float:
    """Return what a trial says by inverse propensity."""
    value = 0.0
    for step in reversed(trial.steps):
        sure = sum(share * known[action] for action, share in step.wanted.items() if action in known)
        value = sure + (0.0 if step.action in known else _ratio(step) * (step.reward + value))
    return value


@attrs.define(slots=True)
class _Sum:
    count: int = 0
    total: float = 0.0


class _Model:
    """The mean of what came from a step on, by context and action, of all trials but the one that asks."""

    def __init__(self, trials: Iterable[Trial], known: Mapping[str, float]) -> None:
        self.known = known
        self.sums: defaultdict[tuple[str, ...], _Sum] = defaultdict(_Sum)
        for trial in trials:
            for keys, value in _facts(trial):
                for key in keys:
                    found = self.sums[key]
                    found.count += 1
                    found.total += value

    def value(self, trial: Trial) -> float:
        """Return what a trial says, doubly robust."""
        own: defaultdict[tuple[str, ...], _Sum] = defaultdict(_Sum)
        for keys, value in _facts(trial):
            for key in keys:
                own[key].count += 1
                own[key].total += value
        result = 0.0
        for place in range(len(trial.steps) - 1, -1, -1):
            step = trial.steps[place]
            direct = sum(
                share * self._mean(trial, place, action, own) for action, share in step.wanted.items() if share > 0.0
            )
            if step.action not in self.known:
                direct += _ratio(step) * (step.reward + result - self._mean(trial, place, step.action, own))
            result = direct
        return result

    def _mean(self, trial: Trial, place: int, action: str, own: Mapping[tuple[str, ...], _Sum]) -> float:
        if action in self.known:
            return self.known[action]
        for key in _keys(trial, place, action):
            found, mine = self.sums.get(key), own.get(key)
            count = (0 if found is None else found.count) - (0 if mine is None else mine.count)
            if count > 0 and found is not None:
                return (found.total - (0.0 if mine is None else mine.total)) / count
        return 0.0


def _keys(trial: Trial, place: int, action: str) -> tuple[tuple[str, ...], ...]:
    """Return where the mean of a choice stands: of this function, of any, of any choice."""
    stage = "first" if place == 0 else "later"
    return (stage, action, trial.context), (stage, action), (stage,)


def _facts(trial: Trial) -> Iterable[tuple[tuple[tuple[str, ...], ...], float]]:
    """Yield what each step of a trial adds to the means: what came from it on."""
    left = trial.total
    for place, step in enumerate(trial.steps):
        yield _keys(trial, place, step.action), left
        left -= step.reward
