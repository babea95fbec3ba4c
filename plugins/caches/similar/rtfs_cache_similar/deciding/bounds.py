"""Upper confidence bounds of a share, from how many of how many were wrong.

`betting`: anytime-valid, of a sample that is drawn with probabilities that may change. A look-up that may be served is
judged with probability p, which is fixed before the draw. If it is wrong with probability r or more, given all before
it, then it is judged and found wrong with probability p r or more. A gambler who bets that this share is rho * p r (a
stake for each rho in `_STAKES`) has a capital of

    K(r) = mean over rho of the product over p of  rho^k * ((1 - rho p r) / (1 - p r))^(n - k)

(n look-ups with probability p, of which k were judged and wrong), which is a non-negative supermartingale that starts
at 1: each factor has expectation at most 1. By Ville's inequality it ever reaches 1 / delta with probability delta at
most. So the r for which K(r) < 1 / delta hold the true share at all times together, however often one looks and
whenever one stops (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 2024; for
unequal probabilities Waudby-Smith et al., "Anytime-valid off-policy inference for contextual bandits", 2022). K grows
with r, so the bound is found by bisection.

`exact`: Clopper and Pearson (1934), for a number of answers that was fixed beforehand: those of a prior.
"""

from __future__ import annotations

from math import lgamma

import numpy as np

from rtfs_cache_similar.deciding.features import Vector

_STAKES = np.array([0.0, 0.2, 0.45, 0.55, 0.65, 0.75, 0.85])
_HALVINGS = 32
_CERTAIN = np.ones(1)


def betting(wrong: Vector, drawn: Vector, delta: float, chances: Vector = _CERTAIN) -> Vector:
    """Return the bounds, by place; 1 where nothing is judged.

    `wrong` and `drawn` are (probabilities, places): of the look-ups that were to be judged with each of `chances`.
    """
    low, high = np.zeros(wrong.shape[1]), np.ones(wrong.shape[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        lost = _capital(middle, wrong, drawn, chances) >= np.log(1.0 / delta)
        low, high = np.where(lost, low, middle), np.where(lost, middle, high)
    return high


def _capital(rate: Vector, wrong: Vector, drawn: Vector, chances: Vector) -> Vector:
    """Return the logarithm of K."""
    stakes, found = _STAKES[:, None], wrong.sum(axis=0)
    with np.errstate(divide="ignore"):
        total = np.where(found > 0, found * np.log(np.maximum(stakes, 1e-300)), 0.0)
    for chance, right in zip(chances, np.maximum(drawn - wrong, 0.0), strict=True):
        if right.any():
            share = chance * rate
            total = total + right * (np.log1p(-stakes * share) - np.log1p(-np.minimum(share, 1.0 - 1e-12)))
    most = total.max(axis=0)
    capital: Vector = most + np.log(np.exp(total - most).mean(axis=0))
    return capital


def exact(wrong: float, judged: int, delta: float) -> float:
    """Return the bound for one share of a fixed number: the r at which so few wrong ones have probability delta.

    Between two whole numbers of wrong ones (such as are worth another number of those that come alone) it is the line.
    """
    below = int(wrong)
    least = _exact(below, judged, delta)
    return least if below == wrong else least + (wrong - below) * (_exact(below + 1, judged, delta) - least)


def _exact(wrong: int, judged: int, delta: float) -> float:
    if judged <= 0 or wrong >= judged:
        return 1.0
    places = np.arange(wrong + 1)
    ways = np.array([lgamma(judged + 1) - lgamma(each + 1) - lgamma(judged - each + 1) for each in range(wrong + 1)])
    low, high = wrong / judged, 1.0
    for _ in range(_HALVINGS):
        rate = (low + high) / 2.0
        tail = ways + places * np.log(rate) + (judged - places) * np.log1p(-min(rate, 1.0 - 1e-12))
        low, high = (rate, high) if float(np.exp(tail).sum()) > delta else (low, rate)
    return high
