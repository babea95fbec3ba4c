"""What is known of one partition: how often an entry would be served, how often that was wrong, what was spent.

The bound. Look-ups come one by one; s is the estimate of P(same answer) for the nearest entry that passes the gates.
For
each threshold tau of a fixed grid, q(tau) is the share of look-ups with s >= tau, and r(tau) the share of wrong answers
among those. Serving above tau gives L(tau) = q(tau) r(tau) wrong answers per look-up: the rate of *all* look-ups that
`false_hits` limits.

- q needs no judging: it is counted.
- r is learnt from explored look-ups. Whether one is explored is decided by a draw with a probability that is fixed
  before: one of `CHANCES`. It may be smaller where answers would be served, which exploring loses, than just below,
  where the model is asked anyway. s is computed before the answer is judged, by weights that were fitted before.
- Where a judge is named, what is served is drawn once more, with a probability of its own, and judged afterwards. That
  is one more bet on the same r: that a look-up was not explored says nothing of its answer.
- `bounds.betting` makes of them an upper bound that holds at all times together, so it may be looked at after each
  answer. An explored look-up that is never judged is taken out with those that it was drawn from.
- Thresholds are tried from the strictest down, and the first that fails ends it (fixed sequence, as "Learn then Test",
  Angelopoulos et al. 2021, does for risks that grow as one serves more): a wrong step needs the first threshold that is
  too low to pass its own test, which it does with probability delta at most, so 79 thresholds cost no more than one.
  The strictest pass without evidence as long as few look-ups lie above them: were all of those wrong, it would be few.
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

import json
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
_DELTA_AGAINST = 0.002
"""How often it may seem to contradict a prior that holds."""
FITS = (100, 200, 400, 800, 1_600, 3_200)
"""Numbers of judged look-ups after which the model is fitted again."""
ROWS = 3_200
_DIGITS = 6
CHANCES: Vector = np.array([1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625])
"""The probabilities with which a look-up may be explored."""
BY_CHANCE = (len(CHANCES), len(GRID))
_PENDING = 1_024
_LONGEST = 20_000.0
"""Look-ups of the ledger, after which what is old counts half: what was saved long ago is not spent at once."""
_PRIOR_LOOKS = 10_000.0
_FEW = 100.0
_RENEWED = 50
_SPREAD = 500.0
_PULL = 20.0
"""How strongly a partition's own model is held at its prior's."""
_CAREFUL = 30.0
"""How strongly a model from nothing is held at zero: it sees more features than it has judged look-ups at first."""


@attrs.frozen(slots=True, eq=False)
class Asked:
    """A look-up whose answer may be judged yet."""

    level: int
    """Thresholds that its score passes."""
    features: Vector
    chance: int = 0
    """The place in `CHANCES` of the probability with which it was explored."""
    served: bool = False
    judged: bool = False
    """Whether a draw said that it is judged after it was served."""


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
    contradicted: int = 0
    """The loosest thresholds, so many, at which what was judged contradicts the prior."""
    since: float = 0.0
    passed: Vector = attrs.field(factory=lambda: np.zeros(len(GRID)))
    drawn: Vector = attrs.field(factory=lambda: np.zeros(BY_CHANCE))
    """Look-ups about which a draw was made, by its probability and by threshold."""
    judged: Vector = attrs.field(factory=lambda: np.zeros(BY_CHANCE))
    wrong: Vector = attrs.field(factory=lambda: np.zeros(BY_CHANCE))
    ledger_looks: float = 0.0
    charged: Vector = attrs.field(factory=lambda: np.zeros(len(GRID)))
    """What was served, by the threshold at that time."""
    blamed: float = 0.0
    """What was served and is known to be wrong."""
    rows: list[Vector] = attrs.field(factory=list)
    labels: list[float] = attrs.field(factory=list)
    written: list[str] = attrs.field(factory=list)
    """The rows as JSON: all of them are written down often, and they never change."""
    asked: OrderedDict[tuple[str, str], Asked] = attrs.field(factory=OrderedDict)
    waiting: int = 0
    """Answers that were right since the bounds were made."""
    bounds: Vector | None = None
    """The upper bounds of r, by threshold; None when something was learnt since."""

    def scorer(self) -> Model:
        """Return the model in force."""
        return self.model or (self.prior.model if self.prior else _UNFITTED)

    def look(self) -> None:
        """Count a look-up."""
        self.looked += 1
        self.since += 1.0
        self.ledger_looks += 1.0
        if self.ledger_looks > _LONGEST:
            self.ledger_looks, self.charged = self.ledger_looks / 2.0, self.charged / 2.0
            self.blamed /= 2.0
            self.since, self.passed = self.since / 2.0, self.passed / 2.0

    def spent(self) -> float:
        """Return how many of the served answers may be wrong, by the bounds of now."""
        return float(self.charged @ self.rates()) + self.blamed

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
        if self.prior is None:
            return betting(self.wrong, self.drawn, DELTA, CHANCES)
        least = 1.0 - betting(self.judged - self.wrong, self.drawn, _DELTA_AGAINST, CHANCES)
        against = np.flatnonzero(least > self.prior.bounds)
        self.contradicted = max(self.contradicted, int(against[-1]) + 1 if len(against) else 0)
        own = betting(self.wrong, self.drawn, _DELTA_LIVE, CHANCES)
        return np.where(np.arange(len(GRID)) < self.contradicted, own, np.minimum(self.prior.bounds, own))

    def threshold(self, allowed: float) -> int | None:
        """Return the place of the lowest threshold above which a bound holds; None where none does."""
        if self.prior is None and self.since < _FEW:
            return None
        # One threshold for all serves most: with a prior it is known; from nothing, what was saved is spent later.
        saved = 0.0 if self.prior else max(0.0, allowed * self.ledger_looks - self.spent())
        target = allowed + saved / max(self.ledger_looks, _SPREAD)
        return _down(self.shares() * self.rates() <= target)

    def draws(self, level: int, chance: int, *, explored: bool) -> None:
        """Count a draw. What is explored counts when it is judged, and until then not even what it stands for."""
        self.drawn[chance, :level] += 1.0 - (1.0 / CHANCES[chance] if explored else 0.0)

    def remember(self, key: tuple[str, str], asked: Asked) -> None:
        """Keep a look-up until it is judged; the oldest is forgotten."""
        self.asked[key] = asked
        self.asked.move_to_end(key)
        while len(self.asked) > _PENDING:
            self.asked.popitem(last=False)

    def learn(self, asked: Asked, *, same: bool) -> None:
        """Learn from an explored look-up."""
        self.same, self.other = self.same + same, self.other + (not same)
        self.drawn[asked.chance, : asked.level] += 1.0 / CHANCES[asked.chance]
        self.judged[asked.chance, : asked.level] += 1.0
        self.wrong[asked.chance, : asked.level] += not same
        self.waiting += 1
        # A bound of before holds as well, so it is made anew when something was wrong, or after some more.
        if not same or self.waiting * _RENEWED > self.same + self.other:
            self.bounds = None
        self.rows.append(asked.features)
        self.labels.append(float(same))
        self.written.append(row_text(asked.features))
        del self.rows[:-ROWS], self.labels[:-ROWS], self.written[:-ROWS]
        if self.fits < len(FITS) and self.same + self.other >= FITS[self.fits]:
            self.fits += 1
            self._fit()

    def blame(self, asked: Asked | None) -> None:
        """Count a served answer that was wrong, which nobody drew: it can only raise the bound."""
        level = len(GRID) if asked is None else asked.level
        self.other += 1
        for counted in (self.drawn, self.judged, self.wrong):
            counted[0, :level] += 1.0
        self.blamed += 1.0
        self.bounds = None

    def _fit(self) -> None:
        if self.prior is not None:
            if self.contradicted < len(GRID) // 2:
                return  # what the prior knows is about the scores of its own model
            self.contradicted = len(GRID)
        first = self.prior is None and self.model is None
        start = self.prior.model if self.prior else None
        self.model = fitted(np.stack(self.rows), np.asarray(self.labels), start, _PULL if start else _CAREFUL)
        self.asked.clear()  # their scores are of the model before
        if first:  # until then scores only ordered: the same number was another probability
            self.since, self.passed, self.bounds = 0.0, np.zeros(len(GRID)), None
            self.drawn, self.judged, self.wrong = (np.zeros(BY_CHANCE) for _ in range(3))


def row_text(row: Vector) -> str:
    """Return features as JSON, rounded."""
    return json.dumps([round(each, _DIGITS) for each in row.tolist()], separators=(",", ":"), allow_nan=False)


def _down(holds: npt.NDArray[np.bool_]) -> int | None:
    """Return the lowest threshold that is reached from the strictest while each one holds; None where that fails."""
    failing = np.flatnonzero(~holds)
    place = int(failing[-1]) + 1 if len(failing) else 0
    return place if place < len(holds) else None


_UNFITTED = by_similarity()
