"""Upper confidence bounds of a share, from how many of how many were wrong.

`betting`: anytime-valid. If every answer is wrong with probability r or more, given all before it, then a gambler who
bets that the share is rho * r (a stake for each rho in `_STAKES`) has a capital of

    K(r) = mean over rho of  rho^k * ((1 - rho r) / (1 - r))^(n - k)        (k wrong of n)

which is a non-negative supermartingale that starts at 1: each factor has expectation at most 1. By Ville's inequality
it ever reaches 1 / delta with probability delta at most. So the r for which K(r) < 1 / delta hold the true share at all
times together, however often one looks and whenever one stops (Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting", JRSS-B 2024). K grows with r, so the bound is found by bisection.

`exact`: Clopper and Pearson (1934), for a number of answers that was fixed beforehand: those of a prior.
"""

from __future__ import annotations

from math import lgamma

import numpy as np

from rtfs_cache_similar.deciding.features import Vector

_STAKES = np.concatenate([np.linspace(0.02, 0.98, 25), [0.0]])
_HALVINGS = 32


def betting(wrong: Vector, judged: Vector, delta: float) -> Vector:
    """Return the bounds, by place; 1 where nothing is judged."""
    low, high = np.zeros(len(wrong)), np.ones(len(wrong))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        lost = _capital(middle, wrong, judged) >= np.log(1.0 / delta)
        low, high = np.where(lost, low, middle), np.where(lost, middle, high)
    return high


def _capital(rate: Vector, wrong: Vector, judged: Vector) -> Vector:
    """Return the logarithm of K."""
    stakes = _STAKES[:, None]
    with np.errstate(divide="ignore"):
        hits = np.where(wrong > 0, wrong * np.log(np.maximum(stakes, 1e-300)), 0.0)
    grown = (judged - wrong) * (np.log1p(-stakes * rate) - np.log1p(-np.minimum(rate, 1.0 - 1e-12)))
    total = hits + grown
    most = total.max(axis=0)
    capital: Vector = most + np.log(np.exp(total - most).mean(axis=0))
    return capital


def exact(wrong: int, judged: int, delta: float) -> float:
    """Return the bound for one share of a fixed number: the r at which so few wrong ones have probability delta."""
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
