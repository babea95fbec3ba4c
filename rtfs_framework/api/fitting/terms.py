"""Linear functions of TF-IDF: terms counted as 1 + ln(count), by rarity, the vector at length 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import log, sqrt
from typing import Any

import attrs

from rtfs_framework.api.fitting.data import DamagedError, read_list, read_numbers, read_table


def pairs_and_words(words: Sequence[str]) -> list[str]:
    """Return words and the pairs of neighbours."""
    return [*words, *[f"{first} {second}" for first, second in pairwise(words)]]


@attrs.frozen(slots=True)
class TermTable:
    """Several linear functions of the same terms."""

    known: Mapping[str, tuple[float, tuple[float, ...]]] = attrs.field(repr=False)
    """By term: its rarity (inverse document frequency), and its weight in each function."""
    outputs: int

    @classmethod
    def read(cls, data: Any, name: str) -> TermTable:
        """Return the table of a model file: `texts`, `rarity`, and one list of `weights` for each function.

        Raises:
            DamagedError: It is none.
        """
        table = read_table(data, name, ("texts", "rarity", "weights"))
        texts = read_list(table["texts"], f"{name}.texts")
        if not all(isinstance(text, str) for text in texts) or len(set(texts)) != len(texts):
            message = f"'{name}.texts' are not distinct texts"
            raise DamagedError(message)
        rarity = read_numbers(table["rarity"], f"{name}.rarity")
        weights = [read_numbers(each, f"{name}.weights") for each in read_list(table["weights"], f"{name}.weights")]
        if any(len(each) != len(texts) for each in (rarity, *weights)):
            message = f"'{name}' has texts, rarities and weights of different numbers"
            raise DamagedError(message)
        if any(not number > 0.0 for number in rarity):
            message = f"'{name}.rarity' has a number that is not above 0"
            raise DamagedError(message)
        columns = zip(*weights, strict=True) if weights else ()
        return cls(dict(zip(texts, zip(rarity, columns, strict=True), strict=True)), len(weights))

    def scores(self, terms: Iterable[str]) -> list[float]:
        """Return what each function says of a text's terms."""
        counts: dict[str, int] = {}
        for term in terms:
            counts[term] = counts.get(term, 0) + 1
        totals = [0.0] * self.outputs
        square = 0.0
        for term, count in counts.items():
            found = self.known.get(term)
            if found is not None:
                part = found[0] if count == 1 else (1.0 + log(count)) * found[0]
                square += part * part
                for place, weight in enumerate(found[1]):
                    totals[place] += part * weight
        return [total / sqrt(square) for total in totals] if square > 0.0 else totals
