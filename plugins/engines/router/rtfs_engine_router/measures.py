"""How good a router is, by the definitions of RouteLLM (Ong et al. 2024, arXiv:2406.18665, section 2.2).

In: for each question what the router says of it (the higher, the rather it goes to the strong model), and whether each
model answered it correctly. The performance gap recovered at a share of strong calls is the quality there less that of
always-weak, over the quality of always-strong less that of always-weak. APGR is its mean over all shares from 0 to 1
(the whole area, not ten points of it), a random router has 0.5. CPT(x %) is the smallest share of strong calls that
recovers x % of the gap; a random router has x %.

Questions with equal scores count as drawn at random among them: the curve is a straight line there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Measured:
    """What a router does with questions whose outcomes are known."""

    questions: int
    weak: float
    """The share that the weak model answered correctly."""
    strong: float
    apgr: float
    cpt50: float
    cpt80: float


class NoGapError(ValueError):
    """The strong model is not better than the weak one: there is nothing to recover."""


def measure(scores: Sequence[float], weak: Sequence[float], strong: Sequence[float]) -> Measured:
    """Return the measures of a router.

    Raises:
        NoGapError: The strong model is not better than the weak one on these questions.
    """
    count = len(scores)
    gains = [better - worse for better, worse in zip(strong, weak, strict=True)]
    gap = sum(gains)
    if not gap > 0:
        raise NoGapError
    curve = list(_curve(scores, gains))
    area = sum((x1 - x0) * (y0 + y1) for (x0, y0), (x1, y1) in pairwise(curve))
    return Measured(
        questions=count,
        weak=sum(weak) / count,
        strong=sum(strong) / count,
        apgr=area / (2.0 * count * gap),
        cpt50=_reached(curve, 0.5 * gap) / count,
        cpt80=_reached(curve, 0.8 * gap) / count,
    )


def _curve(scores: Sequence[float], gains: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield the corners of the curve: how many questions went to the strong model, and what was gained by that."""
    ordered = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    sent, gained = 0.0, 0.0
    yield sent, gained
    for _, equal in groupby(ordered, key=scores.__getitem__):
        of_them = [gains[place] for place in equal]
        sent += len(of_them)
        gained += sum(of_them)
        yield sent, gained


def _reached(curve: Sequence[tuple[float, float]], wanted: float) -> float:
    """Return how many strong calls it takes to gain so much."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if y1 >= wanted:
            return x0 + (x1 - x0) * (wanted - y0) / (y1 - y0)
    return curve[-1][0]
