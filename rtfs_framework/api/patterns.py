"""Patterns of names, as routes and claims use them: `*` stands for any run of characters, all else for itself.

`?` and `[` are no wildcards, because RTFS names hold them (`empty?`). One notion for configuration, engines and the
linker: what an engine claims and what it routes can then never disagree. Matching is linear in the name's length, so
that no pattern and no name can stall a host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence


def is_pattern(text: str) -> bool:
    """Tell whether a route's or claim's key is a pattern rather than one exact name."""
    return "*" in text


def specificity(pattern: str) -> tuple[int, int]:
    """Return a sort key, most specific first: more literal characters, then fewer wildcards.

    Sorting by it is stable, so patterns that tie keep the order of the configuration.
    """
    pieces = _pieces(pattern)
    return -sum(map(len, pieces)), len(pieces)


def compile_patterns(patterns: Sequence[str]) -> Callable[[str], int | None]:
    """Return a function from a name to the index of the first pattern that matches it whole, or None.

    All patterns become one regular expression, so a look-up costs one match however many there are.
    """
    if not patterns:
        return lambda _name: None
    text, places = "", {}
    groups = 0
    for index, pattern in enumerate(patterns):
        places[groups + 1] = index
        branch, groups = _branch(_pieces(pattern), groups + 1)
        text += f"|({branch})" if text else f"({branch})"
    match = re.compile(text, re.DOTALL).match

    def first(name: str) -> int | None:
        # The outer group of a branch closes last, so `lastindex` names the branch and not a group inside it.
        found = match(name)
        return None if found is None else places[found.lastindex]  # type: ignore[index]

    return first


def _pieces(pattern: str) -> list[str]:
    """Return the literal texts between wildcards; a run of `*` is one wildcard."""
    return re.split(r"\*+", pattern)


def _branch(pieces: list[str], groups: int) -> tuple[str, int]:
    """Return the expression of one pattern and the number of groups up to its end.

    A middle piece is taken where it first occurs and never given back (a look-ahead and a back reference: Python 3.10
    knows no atomic groups); taking it later could not help the pieces after it.
    """
    if len(pieces) == 1:
        return re.escape(pieces[0]) + r"\Z", groups
    text = re.escape(pieces[0])
    for piece in pieces[1:-1]:
        groups += 1
        text += f"(?=(?P<g{groups}>.*?{re.escape(piece)}))(?P=g{groups})"
    return f"{text}.*{re.escape(pieces[-1])}\\Z", groups
