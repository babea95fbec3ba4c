"""How near texts are by meaning: cosines of an embedder's vectors.

An embedder may stand in front of a better and slower one (`then` in its table): that is asked about those texts alone
which the first finds at least `floor` near, and its figure counts; the others are ruled out. Figures of two embedders
are no measure of one another, so what is ruled out has none: it is `RULED_OUT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.deciding.embedding import HeldEmbedder

RULED_OUT: Final = -1.0
_DIGITS = 4
"""Of a figure: what is beyond is rounding, and differs from processor to processor."""


def similarity(embedder: HeldEmbedder, text: str, others: Sequence[str]) -> tuple[str, tuple[float, ...]] | None:
    """Return who compared, and how near each of the others is to a text; None where an embedder fails."""
    found = _cosines(embedder, text, others)
    if found is None or embedder.then is None:
        return found
    who, first = found
    near = [at for at, each in enumerate(first) if each >= embedder.floor]
    better = _cosines(embedder.then, text, [others[at] for at in near])
    if better is None:
        return None
    figures = [RULED_OUT] * len(first)
    for at, figure in zip(near, better[1], strict=True):
        figures[at] = figure
    return f"{who} from {embedder.floor:g} on {better[0]}", tuple(figures)


def _cosines(embedder: HeldEmbedder, text: str, others: Sequence[str]) -> tuple[str, tuple[float, ...]] | None:
    """Return the cosines of one embedder's vectors. Where there is nothing to compare, it is not asked for one."""
    who = embedder.fingerprint()
    if who is None or not others:
        return None if who is None else (who, ())
    vectors: list[tuple[float, ...]] = []
    for each in (text, *others):
        made = embedder.vector(each)
        if made is None:
            return None
        vectors.append(made[1])
    return who, cosines(vectors)


def cosines(vectors: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Return how near the first of some vectors is to each of the others."""
    one, *rest = vectors
    return tuple(round(cosine(one, other), _DIGITS) for other in rest)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors, 0 where one has no length."""
    sizes = sqrt(fsum(map(mul, one, one)) * fsum(map(mul, other, other)))
    return fsum(map(mul, one, other)) / sizes if sizes else 0.0
