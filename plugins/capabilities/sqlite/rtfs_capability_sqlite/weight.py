"""How large a statement becomes while SQLite prepares it, bounded from its text: before 3.41 nothing interrupts that.

SQLite puts what a sub-select computes in place of its columns' names (it is flattened), so a text of 300 characters can
become millions of nodes. A sub-select that names no column or table of the one within it more than n times makes
all its columns together at most n times as large; so the product of these numbers bounds the whole.
"""

from __future__ import annotations

import re
from collections import Counter

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|(?P<paren>[()])|(?P<join>\|\|)
    |(?P<name>"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|[^\W\d][\w$]*|\*)(?P<head>\s*[.(])?""",
    re.VERBOSE | re.DOTALL,
)
"""What is not ended goes to the end, so each character is looked at once."""
_WORDS = frozenset(
    """
    all and as asc between by case cast collate cross current desc distinct do else end escape except exists
    filter following from full glob group having in inner intersect into is isnull join left like limit match
    natural not notnull null nulls offset on or order outer over partition preceding range recursive right row
    rows set then ties unbounded union using values when where window with insert update delete replace returning
    default conflict
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""Of SQL, that name nothing."""
_PARTS = frozenset({"select", "union", "as", "materialized"})


class Weight:
    """What the text of a statement says of its size."""

    __slots__ = ("joins", "most", "repeats")

    def __init__(self, sql: str) -> None:
        """Look through a text."""
        self.most = 1
        """How many times as large it may become; what is within brackets counts for what stands around."""
        self.joins = False
        """Whether it puts texts together."""
        self.repeats = False
        """Whether a part of a `WITH` may name itself: then nothing bounds what it makes."""
        parts = _Parts()
        for found in _TOKEN.finditer(sql):
            if found["join"]:
                self.joins = True
            elif found["paren"] == ")":
                parts.leave()
            elif found["paren"]:
                parts.enter()
            elif found["name"]:
                parts.name(found["name"], found["head"].strip() if found["head"] else "")
        for part in parts.counts:
            self.most *= max(part.values(), default=1)
        self.repeats = parts.unites and any(parts.used[each] > 2 for each in parts.defined)


class _Parts:
    """The names of each sub-select, those of a compound (UNION) together."""

    __slots__ = ("before", "counts", "defined", "levels", "named", "unites", "used")

    def __init__(self) -> None:
        self.counts: list[Counter[str]] = [Counter()]
        self.levels: list[tuple[int, bool, str]] = [(0, True, "")]
        """For each bracket that is open: which part counts, whether that began in it, and the name before it."""
        self.before = self.named = ""
        self.unites = False
        self.defined: set[str] = set()
        """What stands before `AS (`: parts of a `WITH`."""
        self.used: Counter[str] = Counter()

    def enter(self, name: str = "") -> None:
        """Note that a bracket opens."""
        self.levels.append((self.levels[-1][0], False, name))
        self.before = ""

    def leave(self) -> None:
        """Note that a bracket closes."""
        self.before = self.levels.pop()[2] if len(self.levels) > 1 else ""

    def name(self, text: str, head: str) -> None:
        """Note a word; `head` is the dot or the bracket that follows at once."""
        word, quoted = text.strip('"`[]').lower(), text[0] in '"`['
        before, self.before = self.before, word
        self.used[word] += 1
        if not quoted and word in _PARTS:
            self._part(word, before, head)
        elif not head and before != "as" and (quoted or word not in _WORDS):
            self.counts[self.levels[-1][0]][word] += 1
        if head == "(":
            self.enter(word)

    def _part(self, word: str, before: str, head: str) -> None:
        self.unites = self.unites or word == "union"
        if word == "as":
            self.named = before
        if word in ("as", "materialized") and head:
            self.defined.add(self.named)
        _, begun, name = self.levels[-1]
        if word == "select" and not begun:
            self.counts.append(Counter())
            self.levels[-1] = (len(self.counts) - 1, True, name)
