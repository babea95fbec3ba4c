"""How far what functions like it have seen is believed of a function, by the function's own outcomes so far.

A robust mixture prior (Schmidli and others, Robust Meta-Analytic-Predictive Priors in Clinical Trials with Historical
Control Information, Biometrics 2014): with probability `trust` a target does what it did for functions that are near,
else nothing is known of it but what all functions have seen. Own outcomes shift that probability by Bayes' rule: both
sides say how likely they were, as beta-binomial marginal likelihoods. That a target does otherwise casts doubt on what
is expected of all others, before they were tried; that it does as expected says nothing of them.

In: successes and ratings, per target, of the function and of what is alike. Out: a probability for each target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, lgamma

import attrs

_VAGUE = 2.0
"""As many outcomes as the side counts like that knows nothing of the function."""
_EDGE, _VAGUE_EDGE = 0.02, 0.1
"""No side expects a share nearer to 0 or 1: no outcome is impossible, and one rare failure decides nothing."""
_MOST = 30.0
"""Of the logarithm of the odds."""


@attrs.frozen(slots=True)
class Share:
    """What a function has seen of one share (of successes, of good ratings), and what was expected of it."""

    count: float
    """Its own outcomes."""
    good: float
    """Those of them that were good; a rating within 0 and 1 counts in part."""
    alike: float
    """What functions like it expect."""
    weight: float
    """As how many outcomes that counts."""
    usual: float
    """What is expected without them."""


def believed(prior: float, shares: Sequence[Iterable[Share]]) -> list[float]:
    """Return the probability that each target does what is expected of it, from the one before any outcome.

    `shares` has what was seen of each target. That one does as expected says nothing of another; that one does not
    casts doubt on all.
    """
    if not 0.0 < prior < 1.0:
        return [prior] * len(shares)
    for_each = [sum(map(_evidence, of)) for of in shares]
    total = sum(for_each)
    odds = [own + min(0.0, total - own) for own in for_each]
    return [1.0 / (1.0 + (1.0 - prior) / prior * exp(-min(max(each, -_MOST), _MOST))) for each in odds]


def _evidence(share: Share) -> float:
    """Return the logarithm of the Bayes factor for what is expected, against what is usual."""
    return _marginal(share, share.alike, share.weight, _EDGE) - _marginal(share, share.usual, _VAGUE, _VAGUE_EDGE)


def _marginal(share: Share, mean: float, weight: float, edge: float) -> float:
    """Return the logarithm of how likely outcomes are whose rate is beta-distributed, with a mean and a weight."""
    a = max(weight, _VAGUE) * min(max(mean, edge), 1.0 - edge)
    b = max(weight, _VAGUE) - a
    good, bad = share.good, share.count - share.good
    return lgamma(a + good) + lgamma(b + bad) - lgamma(a + b + share.count) - lgamma(a) - lgamma(b) + lgamma(a + b)
