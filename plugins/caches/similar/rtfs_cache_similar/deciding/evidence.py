"""What is known of one partition: how often an entry would be served, how often that was wrong, what was spent.

The bound. Look-ups come one by one; s is the estimate of P(same answer) for the nearest entry that passes the gates.
For
each threshold tau of a fixed grid, q(tau) is the share of look-ups with s >= tau, and r(tau) the share of wrong answers
among those. Serving above tau gives L(tau) = q(tau) r(tau) wrong answers per look-up: the rate of *all* look-ups that
`false_hits` limits.

- q needs no judging: it is counted.
- r is learnt from explored look-ups. Whether one is explored is decided by a draw, with one probability for all s above
  a floor, so the explored ones above tau are a fair sample of those that would be served; each has the weight 1.
  (Exploring by another probability per look-up would need weights 1 / probability; thresholds below the floor learn
  nothing meanwhile.) s is computed before the answer is judged, by weights that were fitted before.
- `bounds.betting` makes of them an upper bound that holds at all times together, so it may be looked at after each
answer.
- Thresholds are tried from the strictest down, and the first that fails ends it (fixed sequence, as "Learn then Test",
  Angelopoulos et al. 2021, does for risks that grow as one serves more): a wrong step needs the first threshold that is
  too low to pass its own test, which it does with probability delta at most, so 40 thresholds cost no more than one.
  Few look-ups lie above the strictest, so a second sequence starts in the middle; each of the two has delta / 2.
- The ledger. What is served is charged its bound r; never more is spent than `false_hits` times the look-ups so far. So
  the expected number of wrong answers stays below that even while q moves, as it does when a cache fills.

What it rests on: r(tau) is about the same tomorrow. Exploration never ends, so where it grows, the bound follows; what
people say was wrong counts at once. With a prior the bound may come from the prior's judged pairs, as long as the
partition's own do not contradict it: that rests on requests like those of the prior.

Sources: vCache (Schroeder et al. 2025, arXiv:2502.03771) explores per entry until its threshold is sure enough;
conformal risk control (Angelopoulos et al. 2022, arXiv:2208.02814) and risk-controlling prediction sets (Bates et al.
2021) bound such rates for fixed samples. The ledger over all look-ups and the bets on explored ones are this module's
own.
"""

from __future__ import annotations

from collections import OrderedDict

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.deciding.bounds import betting
from rtfs_cache_similar.deciding.features import Vector
from rtfs_cache_similar.deciding.model import Model, by_similarity, fitted
from rtfs_cache_similar.deciding.prior import GRID, Prior

DELTA = 0.05
_DELTA_LIVE = 0.01
"""Of it, what a partition's own evidence may err beside a prior's, which has the rest."""
FITS = (100, 200, 400, 800, 1_600, 3_200, 6_400)
"""Numbers of judged look-ups after which the model is fitted again."""
ROWS = 6_400
_MIDDLE = int(np.searchsorted(GRID, 0.8))
_PENDING = 1_024
_LONGEST = 20_000.0
"""Look-ups of the ledger, after which what is old counts half: what was saved long ago is not spent at once."""
_PRIOR_LOOKS = 10_000.0
_FEW = 100.0
_RENEWED = 50
_SPREAD = 500.0
_PULL = 20.0
"""How strongly a partition's own model is held at its prior's."""


@attrs.frozen(slots=True, eq=False)
class Asked:
    """A look-up whose answer may be judged yet."""

    level: int
    """Thresholds that its score passes."""
    floor: int
    """The first threshold for which it is a fair sample."""
    features: Vector
    charged: float = 0.0


@attrs.define(slots=True, eq=False)
class Evidence:
    """The state of one partition."""

    prior: Prior | None = None
    model: Model | None = None
    looked: int = 0
    served: int = 0
    explored: int = 0
    same: int = 0
    other: int = 0
    fits: int = 0
    contradicted: bool = False
    since: float = 0.0
    passed: Vector = attrs.field(factory=lambda: np.zeros(len(GRID)))
    judged: Vector = attrs.field(factory=lambda: np.zeros(len(GRID)))
    wrong: Vector = attrs.field(factory=lambda: np.zeros(len(GRID)))
    ledger_looks: float = 0.0
    spent: float = 0.0
    rows: list[Vector] = attrs.field(factory=list)
    labels: list[float] = attrs.field(factory=list)
    asked: OrderedDict[tuple[str, str], Asked] = attrs.field(factory=OrderedDict)
    waiting: int = 0
    """Answers that were right since the bounds were made."""
    bounds: Vector | None = None
    """The upper bounds of r, by threshold; None when something was learnt since."""

    def scorer(self) -> Model:
        """Return the model in force."""
        return self.model or (self.prior.model if self.prior else _UNFITTED)

    def counts(self) -> bool:
        """Tell whether scores mean something: there is a fitted model, or a prior."""
        return self.model is not None or self.prior is not None

    def look(self) -> None:
        """Count a look-up."""
        self.looked += 1
        self.since += 1.0
        self.ledger_looks += 1.0
        if self.ledger_looks > _LONGEST:
            self.ledger_looks, self.spent = self.ledger_looks / 2.0, self.spent / 2.0
            self.since, self.passed = self.since / 2.0, self.passed / 2.0

    def shares(self) -> Vector:
        """Return q, by threshold."""
        if self.prior is None:
            return self.passed / max(self.since, 1.0)
        return (self.prior.shares * _PRIOR_LOOKS + self.passed) / (_PRIOR_LOOKS + self.since)

    def rates(self) -> Vector:
        """Return the upper bounds of r, by threshold."""
        if self.bounds is None:
            self.bounds, self.waiting = self._rates(), 0
        return self.bounds

    def _rates(self) -> Vector:
        if self.prior is None or self.contradicted:
            return betting(self.wrong, self.judged, DELTA / 2.0)
        of_prior = self.prior.bounds
        least = 1.0 - betting(self.judged - self.wrong, self.judged, _DELTA_LIVE)
        if bool((least > of_prior).any()):
            self.contradicted = True
            return betting(self.wrong, self.judged, DELTA / 2.0)
        return np.minimum(of_prior, betting(self.wrong, self.judged, _DELTA_LIVE))

    def threshold(self, allowed: float) -> int | None:
        """Return the place of the lowest threshold above which a bound holds; None where none does."""
        if not self.counts() or (self.prior is None and self.since < _FEW):
            return None
        saved = 0.0 if self.prior else max(0.0, allowed * self.ledger_looks - self.spent)
        target = allowed + saved / max(self.ledger_looks, _SPREAD)
        holds = self.shares() * self.rates() <= target
        if self.prior is not None and not self.contradicted:
            return _down(holds, len(GRID) - 1)
        found = [place for place in (_down(holds, len(GRID) - 1), _down(holds, _MIDDLE)) if place is not None]
        return min(found, default=None)

    def remember(self, key: tuple[str, str], asked: Asked) -> None:
        """Keep a look-up until it is judged; the oldest is forgotten."""
        self.asked[key] = asked
        self.asked.move_to_end(key)
        while len(self.asked) > _PENDING:
            self.asked.popitem(last=False)

    def learn(self, asked: Asked, *, same: bool) -> None:
        """Learn from an explored look-up."""
        self.same, self.other = self.same + same, self.other + (not same)
        if self.counts():
            fair = slice(asked.floor, asked.level)
            self.judged[fair] += 1.0
            self.wrong[fair] += not same
            self.waiting += 1
            # A bound of before holds as well, so it is made anew when something was wrong, or after some more.
            if not same or self.waiting * _RENEWED > self.same + self.other:
                self.bounds = None
        self.rows.append(asked.features)
        self.labels.append(float(same))
        del self.rows[:-ROWS], self.labels[:-ROWS]
        if self.fits < len(FITS) and self.same + self.other >= FITS[self.fits]:
            self.fits += 1
            self._fit()

    def blame(self, asked: Asked | None) -> None:
        """Count a served answer that was wrong, which nobody drew: it can only raise the bound."""
        level = len(GRID) if asked is None else asked.level
        self.other += 1
        self.judged[:level] += 1.0
        self.wrong[:level] += 1.0
        self.spent += 1.0 - (0.0 if asked is None else asked.charged)
        self.bounds = None

    def _fit(self) -> None:
        unfitted = not self.counts()
        start = self.prior.model if self.prior else None
        self.model = fitted(np.stack(self.rows), np.asarray(self.labels), start, _PULL if start else 1.0)
        self.asked.clear()  # their scores are of the model before
        if unfitted:
            self.since, self.passed = 0.0, np.zeros(len(GRID))


def _down(holds: npt.NDArray[np.bool_], start: int) -> int | None:
    """Return the lowest threshold that is reached from a start while each one holds; None where the start fails."""
    failing = np.flatnonzero(~holds[: start + 1])
    place = int(failing[-1]) + 1 if len(failing) else 0
    return place if place <= start else None


_UNFITTED = by_similarity()
