"""Sets of characters as sorted ranges of code points, and how JSON strings write them.

Every character has exactly one way to be written, so that a value that is excluded cannot come in another spelling.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import lru_cache

from rtfs_provider_llama.grammar.expressions import Chars, Expression, Literal, either

CharSet = tuple[tuple[int, int], ...]
"""Ranges, both ends included, sorted and apart from each other."""

ESCAPES = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}
"""Characters that a JSON string can only hold escaped; other control characters are never written."""
_LAST = 0x10FFFF
WRITABLE: CharSet = ((8, 10), (12, 13), (0x20, 0x7E), (0xA0, 0xD7FF), (0xE000, 0xFFFD), (0x10000, _LAST))
"""What a generated text is made of: no control characters besides the escaped ones, no halves of characters."""
ASCII: CharSet = ((0, 0x7F),)


def of(ranges: Iterable[tuple[int, int]]) -> CharSet:
    """Return the set of some ranges, which may overlap."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], high))
        else:
            made.append((low, high))
    return tuple(made)


def among(letters: str) -> CharSet:
    """Return the set of the characters of a text."""
    return of((ord(letter), ord(letter)) for letter in letters)


def both(first: CharSet, second: CharSet) -> CharSet:
    """Return what is in both sets."""
    found = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return of((low, high) for low, high in found if low <= high)


def without(first: CharSet, second: CharSet) -> CharSet:
    """Return what is in the first set alone."""
    edges = [-1, *(edge for low, high in second for edge in (low, high)), _LAST + 1]
    gaps = [(edges[i] + 1, edges[i + 1] - 1) for i in range(0, len(edges), 2)]
    return both(first, of((low, high) for low, high in gaps if low <= high))


@lru_cache(256)
def written(chars: CharSet) -> Expression:
    """Return the expression of one character of the set within a JSON string."""
    special = of((code, code) for code in ESCAPES)
    plain = without(chars, special)
    ways: list[Expression] = [Chars(plain)] if plain else []
    ways += [Literal(text) for code, text in ESCAPES.items() if both(chars, ((code, code),))]
    return either(ways)


def pieces(sets: Iterable[CharSet]) -> list[tuple[int, int]]:
    """Return ranges that cover the writable characters, each of them wholly inside or outside of every given set."""
    sets = list(sets)
    cuts = {0, _LAST + 1}
    for each in (*sets, WRITABLE):
        cuts.update(edge for low, high in each for edge in (low, high + 1))
    edges = sorted(cuts)
    ranges = ((low, high - 1) for low, high in itertools.pairwise(edges))
    return [piece for piece in ranges if both(WRITABLE, (piece,))]
