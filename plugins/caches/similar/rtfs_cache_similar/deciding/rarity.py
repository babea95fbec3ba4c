"""How rare words are: what two texts have in common says more, the fewer others have it.

Source: inverse document frequency, Sparck Jones, "A statistical interpretation of term specificity" (1972). A prior's
is counted over its questions; without a prior every word that says something weighs the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Any

import attrs

from rtfs_cache_similar.gates.seen import FUNCTION_WORDS, seen, stem
from rtfs_framework.api.fitting import DamagedError, read_list, read_numbers, read_table

_DIGITS = 2
_SEVERAL = 2


@attrs.frozen(slots=True, eq=False)
class Rarity:
    """The weight of each word (a stem): the logarithm of one in how many texts has it."""

    known: Mapping[str, float]
    other: float
    """The weight of all other words."""

    def of(self, words: Iterable[str]) -> list[float]:
        """Return the weights of words, the heaviest first."""
        known, other = self.known, self.other
        return sorted((known.get(word, other) for word in words), reverse=True)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"words": list(self.known), "weights": list(self.known.values()), "other": self.other}


PLAIN = Rarity({stem(word): 0.0 for word in FUNCTION_WORDS}, 1.0)
"""Without a prior."""


def rarity(texts: Sequence[str]) -> Rarity:
    """Count words; one that a single text has weighs as much as one that none has."""
    count = Counter(word for text in texts for word in set(seen(text).stems))
    known = {word: round(log((len(texts) + 1) / many), _DIGITS) for word, many in count.items() if many >= _SEVERAL}
    return Rarity(dict(sorted(known.items())), round(log((len(texts) + 1) / _SEVERAL), _DIGITS))


def read_rarity(data: Any, name: str) -> Rarity:
    """Return what `as_data` made.

    Raises:
        DamagedError: It is none.
    """
    table = read_table(data, name, ("words", "weights", "other"))
    words, weights = read_list(table["words"], f"{name}.words"), read_numbers(table["weights"], f"{name}.weights")
    (other,) = read_numbers([table["other"]], f"{name}.other")
    if len(words) != len(weights) or not all(isinstance(word, str) for word in words):
        raise DamagedError(f"'{name}' is not a weight for each word")
    if min(0.0, other, *weights) < 0.0:
        raise DamagedError(f"a weight of '{name}' is below 0")
    return Rarity(dict(zip(words, map(float, weights), strict=True)), float(other))
