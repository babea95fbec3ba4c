"""What a stack sees of a text: its words, and its runs of characters. Fitting and deciding see the same.

A model file names the version of these features (`VERSION`); a change of what they are is another version.
"""

from __future__ import annotations

import re

from rtfs_framework.api.fitting import pairs_and_words

VERSION = 1
MOST_CHARACTERS = 8192
"""From the start of a text."""

_TOKEN = re.compile(r"[^\W\d_]+n't|[\w']+|[!?.;,:]+")
_DENIES = re.compile(
    r"(?:not|no|never|cannot|without|nor|hardly|barely|isn|wasn|don|doesn|didn|won|wouldn|couldn|aren|lacks?|.*n't)"
)
_REACH = 4
"""Words behind a denial that it denies, unless a sign ends it before."""
_PIECE = re.compile(r"\w+|[^\w\s]+")
_LENGTHS = (2, 3, 4, 5)


def words(text: str) -> list[str]:
    """Return the words, those behind a denial once more as denied, the signs ! and ?, and pairs of neighbours."""
    denied: list[str] = []
    found: list[str] = []
    left = 0
    for token in _TOKEN.findall(text[:MOST_CHARACTERS].lower()):
        if token[0] in "!?.;,:":
            left = 0
            if token[0] in "!?":
                denied.append(token[0])
            continue
        found.append(token)
        if _DENIES.fullmatch(token):
            left = _REACH
        elif left:
            denied.append(f"not {token} not")
            left -= 1
    return denied + pairs_and_words(["^", *found, "$"])


def characters(text: str) -> list[str]:
    """Return the runs of two to five characters of each word or sign, its ends among them."""
    found: list[str] = []
    for piece in _PIECE.findall(text[:MOST_CHARACTERS].lower()):
        whole = f" {piece} "
        for length in _LENGTHS:
            found += [whole[place : place + length] for place in range(len(whole) - length + 1)]
    return found


VIEWS = {"words": words, "characters": characters}
"""The ways to see a text, by name."""
