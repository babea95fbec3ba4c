"""How near situations are: by what their functions say of themselves, and by all else that they have in common.

Of functions: the cosine of the texts' vectors by the configured embedder; where there is none, of vectors that are made
here by hashing words and parts of words into signed places (feature hashing: Weinberger and others, Feature Hashing for
Large Scale Multitask Learning, ICML 2009). A function is as near to itself as can be, whatever its text.

All else is categorical: each part that differs (`PARTS`) makes a situation less near by a factor. All of that is brute
force over at most some thousand situations: a matrix of the distinct texts, times one vector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from rtfs_framework.api import Experience, Situation

PARTS = {
    "signature": 0.9,
    "user": 0.9,
    "environment": 0.9,
    "constraints": 0.9,
    "time_class": 0.95,
    "intent": 0.8,
    "types": 0.85,
}
"""The factor for each part of a situation that is another one."""
_DIGITS = 6
"""Of a nearness: what lies beyond is not the same on every machine."""
_PLACES = 512
_MOST_TEXTS = 4_096
_WORD = re.compile(r"\w+")
_LEAST_LETTERS = 3
_GRAM = 4

Vector = Callable[[str], Sequence[float] | None]


class Texts:
    """The vectors of texts, each made once. Not for several embedders."""

    def __init__(self) -> None:
        self._known: dict[tuple[bool, str], Any] = {}

    def rows(self, texts: Sequence[str], vector: Vector | None) -> Any:
        """Return a matrix of vectors of length 1; rows of zeros where the embedder fails."""
        found = [self._row(text, vector) for text in texts]
        width = max((len(row) for row in found), default=0)
        return np.stack([row if len(row) == width else np.zeros(width, np.float32) for row in found])

    def _row(self, text: str, vector: Vector | None) -> Any:
        place = vector is not None, text
        known = self._known.get(place)
        if known is None:
            given = _hashed(text) if vector is None else vector(text)
            if given is None:
                return np.zeros(0, np.float32)
            made = np.asarray(given, np.float32)
            size = float(np.linalg.norm(made))
            if len(self._known) >= _MOST_TEXTS:
                self._known.clear()
            known = self._known[place] = made / size if size else made
        return known


def nearness(texts: Texts, known: Sequence[Experience], asked: Situation, vector: Vector | None) -> Sequence[float]:
    """Return how near each experience is to a situation, within 0 and 1."""
    distinct = list(dict.fromkeys([asked.text, *(each.situation.text for each in known)]))
    rows = texts.rows(distinct, vector)
    cosines = dict(zip(distinct, np.clip(rows @ rows[0], 0.0, 1.0).tolist(), strict=True))
    found = []
    for each in known:
        place = each.situation
        near = 1.0 if place.symbol == asked.symbol else cosines[place.text]
        for part, factor in PARTS.items():
            if getattr(place, part) != getattr(asked, part):
                near *= factor
        found.append(round(near, _DIGITS))
    return found


def _hashed(text: str) -> Any:
    """Return counts of words and parts of words, each in one of some places, with a sign."""
    made = np.zeros(_PLACES, np.float32)
    for word in _WORD.findall(text.casefold()):
        if len(word) < _LEAST_LETTERS:
            continue
        marked = f"<{word}>"
        for part in {marked, *(marked[at : at + _GRAM] for at in range(len(marked) - _GRAM + 1))}:
            drawn = blake2b(part.encode("utf-8", "replace"), digest_size=8).digest()
            made[int.from_bytes(drawn[1:], "big") % _PLACES] += 1.0 if drawn[0] & 1 else -1.0
    return made
