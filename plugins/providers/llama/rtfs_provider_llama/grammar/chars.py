r"""Sets of characters as sorted ranges of code points, and how JSON strings write them.

Every character has exactly one way to be written, so that a value that is excluded cannot come in another spelling.

Common characters stand as they are. The rest are written as escapes (`\uD8C0\uDC00`), because a model's vocabulary may
lack a byte of them: SmolLM2's has no F1 and no F2, with which U+40000 to U+BFFFF begin. Where a grammar demands such a
byte, no token fits, and llama.cpp ends the request ("Unexpected empty grammar stack"). Escapes are ASCII, which every
vocabulary has. Free texts leave rare characters out: a model has nothing to say with them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rtfs_provider_llama.grammar.expressions import Chars, Expression, Literal, either

CharSet = tuple[tuple[int, int], ...]
"""Ranges, both ends included, sorted and apart from each other."""

ESCAPES = {8: r"\b", 9: r"\t", 10: r"\n", 12: r"\f", 13: r"\r", 34: r"\"", 92: r"\\"}
"""Characters that a JSON string can only hold escaped; other control characters are rare."""
_LAST = 0x10FFFF
_LAST_ASCII = 0x7F
WRITABLE: CharSet = ((8, 10), (12, 13), (0x20, 0x7E), (0xA0, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x3FFFF))
"""What a generated text is made of: no control characters besides the escaped ones, no halves of characters.

In UTF-8 it needs the bytes up to F0 alone, with which emoji and rare ideographs begin.
"""
RARE: CharSet = ((1, 7), (11, 11), (14, 0x1F), (0x7F, 0x9F), (0xFFFE, 0xFFFF), (0x40000, _LAST))
"""What is written where a schema names it, or leaves nothing else; always as escapes."""
_MOST_RARE = 16
"""Rare characters of one set that are written, each as a text of its own; of a larger set, only where all are rare."""
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


_ALPHABET = of([*WRITABLE, *RARE])


@lru_cache(256)
def written(chars: CharSet) -> Expression:
    """Return the expression of one character of the set within a JSON string."""
    special = of((code, code) for code in ESCAPES)
    plain = without(both(chars, WRITABLE), special)
    ways: list[Expression] = [Chars(plain)] if plain else []
    ways += [Literal(text) for code, text in ESCAPES.items() if both(chars, ((code, code),))]
    rare = both(chars, RARE)
    if not ways or sum(high - low + 1 for low, high in rare) <= _MOST_RARE:
        codes = itertools.chain.from_iterable(range(low, high + 1) for low, high in rare)
        ways += [Literal(_escaped(chr(code))) for code in itertools.islice(codes, _MOST_RARE)]
    return either(ways)


_UNUSUAL = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in RARE) + "]")


def spelled(value: Any) -> str:
    """Return compact JSON, its rare characters as escapes: the one way in which a grammar lets it be written."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNUSUAL.sub(lambda found: _escaped(found.group()), text)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) > _LAST_ASCII else f"\\u{ord(char):04x}"


def pieces(sets: Iterable[CharSet]) -> list[tuple[int, int]]:
    """Return ranges that cover all that can be written, each of them wholly inside or outside of every given set."""
    sets = list(sets)
    cuts = {0, _LAST + 1}
    for each in (*sets, _ALPHABET):
        cuts.update(edge for low, high in each for edge in (low, high + 1))
    edges = sorted(cuts)
    ranges = ((low, high - 1) for low, high in itertools.pairwise(edges))
    return [piece for piece in ranges if both(_ALPHABET, (piece,))]
