"""A set of names and patterns that decides for a name: itself first, then the most specific pattern that fits.

The notion of a pattern is `api.patterns`', the one that engines use too.
"""

from __future__ import annotations

from collections.abc import Iterable

from rtfs_framework.api.patterns import compile_patterns, is_pattern, specificity


class Patterns:
    """Names and patterns, compiled once."""

    __slots__ = ("_exact", "_first", "_ordered")

    def __init__(self, texts: Iterable[str]) -> None:
        """Compile; patterns that are equally specific keep their order."""
        texts = tuple(texts)
        self._exact = frozenset(texts)
        self._ordered = sorted(filter(is_pattern, texts), key=specificity)
        self._first = compile_patterns(self._ordered)

    @property
    def texts(self) -> Iterable[str]:
        """Names and patterns, each once."""
        return self._exact

    @property
    def by_rank(self) -> list[str]:
        """Names, then patterns by how specific they are."""
        return [*(each for each in self._exact if not is_pattern(each)), *self._ordered]

    def __len__(self) -> int:
        return len(self._exact)

    def match(self, name: str) -> str | None:
        """Return the text that decides for a name, None when none fits."""
        if name in self._exact:
            return name
        place = self._first(name)
        return None if place is None else self._ordered[place]
