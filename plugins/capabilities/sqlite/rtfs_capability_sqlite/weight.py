"""How large a statement becomes while SQLite prepares it, bounded from its text: before 3.41 nothing interrupts that.

SQLite puts what a sub-select computes in place of its columns' names (it is flattened), so a text of 300 characters can
become millions of nodes. A sub-select that names no column or table of the one within it more than n times makes
all its columns together at most n times as large; so the product of these numbers bounds the whole.
"""

from __future__ import annotations

import re
from collections import Counter

_TOKEN = re.compile(
    r"""--[^\n]*\n?|/\*.*?(?:\*/|\Z)|(?P<paren>[()])|(?P<join>\|\|(?:\s*'(?:[^']|'')*(?:'|\Z))?)
    |(?P<times>(?<=[\w(?)"'`\]])\s*\*)
    |(?P<name>'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`(?:[^`]|``)*(?:`|\Z)|\[[^\]]*(?:\]|\Z)
    |[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*|\*)(?P<head>\s*[.(])?""",
    re.VERBOSE | re.DOTALL,
)
"""What is not ended goes to the end, so each character is looked at once. `t.'c'` names a column: only a text that is
put at the end of another is surely none."""
_QUOTES = str.maketrans("", "", "\"'`[]")
"""One name in its several spellings counts as one."""
_WORDS = frozenset(
    """
    all and as between case collate default delete distinct else escape except exists from group having in insert
    intersect into is isnull join limit not notnull on or order select set then union update using values when where
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""Of SQL, that SQLite takes for no name unless they are quoted: `row`, `end`, `by` and many more may name a column."""
_ALL = "*"
_BEFORE_ALL = frozenset({"select", "distinct", "all"})
_BEFORE_TABLES = frozenset({"from", "join"})
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
            elif found["times"]:
                parts.times()
            elif found["name"]:
                parts.name(found["name"], found["head"].strip() if found["head"] else "")
        for part, tables in zip(parts.counts, parts.tables, strict=True):
            all_ = part.pop(_ALL, 0)  # it may name each column once more than it is named
            columns = all_ + max((part - tables).values(), default=0)
            self.most *= max(1, columns, *part.values())
        self.repeats = parts.unites and any(parts.used[each] > 2 for each in parts.defined)


class _Parts:
    """The names of each sub-select, those of a compound (UNION) together."""

    __slots__ = ("before", "counts", "defined", "levels", "named", "tables", "unites", "used")

    def __init__(self) -> None:
        self.counts: list[Counter[str]] = [Counter()]
        self.tables: list[Counter[str]] = [Counter()]
        """What of it stands behind FROM or JOIN, and so is no column."""
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

    def times(self) -> None:
        """Note a star behind a word or a bracket: it multiplies, or counts rows, but behind SELECT."""
        if self.before in _BEFORE_ALL:
            self.name(_ALL, "")

    def name(self, text: str, head: str) -> None:
        """Note a word; `head` is the dot or the bracket that follows at once."""
        word, quoted = text.translate(_QUOTES).lower(), text[0] in "\"'`["
        before, self.before = self.before, word
        self.used[word] += 1
        if not quoted and word in _PARTS:
            self._part(word, before, head)
        if not head and before != "as" and (quoted or word not in _WORDS):
            at = self.levels[-1][0]
            self.counts[at][word] += 1
            self.tables[at][word] += before in _BEFORE_TABLES
        elif word == "from" and before == "distinct":
            self.before = ""  # IS DISTINCT FROM: a column follows
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
            self.tables.append(Counter())
            self.levels[-1] = (len(self.counts) - 1, True, name)
