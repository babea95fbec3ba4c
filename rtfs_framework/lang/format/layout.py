"""Layout: the concrete tree to text.

A group that fits on its line stays there, unless its author broke it where the style breaks too; then, or when it is
too wide, every part goes to the place that the style gives it.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.format.flat import collides, comment_text, join
from rtfs_framework.lang.format.styles import BREAKING, is_call, places, role_in
from rtfs_framework.lang.format.tokens import LINE, Piece
from rtfs_framework.lang.format.tree import Entry, Group, Leaf, Node, Prefixed

WIDTH = 100
"""Longest line, where that is possible: words are never broken, and comments stay as they are."""


def lay_out(entries: Sequence[Entry], width: int = WIDTH) -> str:
    """Return the text of a program's entries."""
    layout = _Layout(width)
    for i, entry in enumerate(entries):
        layout.top(entry, first=i == 0, previous=entries[i - 1] if i else None)
    text = "".join(layout.out)
    return f"{text}\n" if text else ""


class _Layout:
    def __init__(self, width: int) -> None:
        self.width = width
        self.out: list[str] = []
        self.column = 0
        self.lines = 0
        self.forced = False
        """A line comment ended the line: whatever comes next starts a new one."""
        self._flat: dict[Node, str | None] = {}
        self._need: dict[Node, int] = {}
        self._roles: dict[Node, str | None] = {}

    # -- writing -------------------------------------------------------------------------------------------------

    def put(self, text: str) -> None:
        """Write text that may hold line ends."""
        self.out.append(text)
        ends = text.count("\n")
        self.lines += ends
        self.column = len(text) - text.rindex("\n") - 1 if ends else self.column + len(text)

    def newline(self, indent: int, blank: int = 0) -> None:
        """Start a line, after some blank ones."""
        self.out.append("\n" * (blank + 1) + " " * indent)
        self.column = indent
        self.lines += blank + 1
        self.forced = False

    def top(self, entry: Entry, *, first: bool, previous: Entry | None) -> None:
        """Write a top-level entry."""
        comment = isinstance(entry.node, Piece)
        stays = entry.newlines == 0 and (comment or (previous is not None and isinstance(previous.node, Piece)))
        if not first:
            if stays and not self.forced:
                self.put(" ")
            else:
                self.newline(0, min(2, max(0, entry.newlines - 1)))
        self.entry(entry, 0)

    def entry(self, entry: Entry, tail: int) -> None:
        """Write a node or a comment here."""
        if isinstance(entry.node, Piece):
            self.put(entry.node.text)
            self.forced = entry.node.kind == LINE
        else:
            self.node(entry.node, tail)

    def node(self, node: Node, tail: int) -> None:
        """Write a node here; `tail` closing brackets follow it."""
        text = self.flat(node)
        if isinstance(node, Leaf):
            self.put(node.text)
        elif text is not None and self.column + len(text) + tail <= self.width:
            self.put(text)
        elif isinstance(node, Prefixed):
            self.prefixed(node, tail)
        else:
            self.group(node, tail)

    # -- measuring -----------------------------------------------------------------------------------------------

    def flat(self, node: Node) -> str | None:
        """Return the node on one line, or None if it cannot or shall not be written so."""
        if node not in self._flat:
            self._flat[node] = self._flatten(node)
        return self._flat[node]

    def _flatten(self, node: Node) -> str | None:
        if isinstance(node, Leaf):
            return None if "\n" in node.text else node.text
        if isinstance(node, Group):
            for entry in node.entries:
                if isinstance(entry.node, Group):
                    self._roles[entry.node] = role_in(node, entry.node)
            where: Sequence[str] = places(node, self._roles.get(node))
        else:
            where = ["fill"] * len(node.entries)
        words: list[str] = []
        for i, (entry, place) in enumerate(zip(node.entries, where, strict=True)):
            broken = i > 0 and entry.newlines > 0 and place in BREAKING
            word = comment_text(entry.node) if isinstance(entry.node, Piece) else self.flat(entry.node)
            if broken or word is None:
                return None
            words.append(word)
        return join(node, words)

    def need(self, node: Node) -> int:
        """Return a lower bound of the columns that a node takes however it is broken."""
        if node not in self._need:
            self._need[node] = self._measure(node)
        return self._need[node]

    def _measure(self, node: Node) -> int:
        if isinstance(node, Leaf):
            return len(node.text.partition("\n")[0])
        parts = [self.need(entry.node) for entry in node.entries if not isinstance(entry.node, Piece)]
        if not parts:
            return 2
        if isinstance(node, Prefixed):
            return len(node.prefix) + max(parts) if node.glued else max(len(node.prefix), *parts)
        start = len(node.opener)
        shift = 2 if is_call(node) else start
        return max(start + parts[0], *(shift + part for part in parts[1:]), 0)

    # -- prefixed forms and groups -------------------------------------------------------------------------------

    def prefixed(self, node: Prefixed, tail: int) -> None:
        """Write a prefix and its parts; a part after the first may stand on a line of its own."""
        base = self.column
        self.put(node.prefix)
        for i, entry in enumerate(node.entries):
            if self.forced or (i and entry.newlines):
                self.newline(base)
            elif i or not node.glued or collides(node.prefix, entry.node):
                self.put(" ")
            self.entry(entry, tail if i == len(node.entries) - 1 else 0)

    def group(self, node: Group, tail: int) -> None:
        """Write a group over several lines."""
        base = self.column
        self.put(node.opener)
        self.flat(node)
        where = places(node, self._roles.get(node))
        writer = _GroupWriter(self, node, base, tail)
        writer.write(where)
        if self.forced:
            self.newline(writer.inner)
        elif self.out[-1].endswith(":"):  # a lone colon is one only before a space
            self.put(" ")
        self.put(node.closer)


class _GroupWriter:
    """Writes the entries of one broken group."""

    def __init__(self, layout: _Layout, node: Group, base: int, tail: int) -> None:
        self.layout = layout
        self.node = node
        self.base = base
        self.tail = tail
        self.inner = base + (2 if is_call(node) else len(node.opener))
        self.previous: Entry | None = None
        self.tall = False
        """Whether the previous entry took more than one line."""

    def write(self, where: Sequence[str]) -> None:
        """Write all entries."""
        last = len(where) - 1
        for i, (entry, place) in enumerate(zip(self.node.entries, where, strict=True)):
            tail = self.tail + 1 if i == last else self.annotation(i, where)
            if place == "arg" and not isinstance(entry.node, Piece):
                self.align()
            self.place(entry, place, tail, first=i == 0)
            self.previous = entry

    def annotation(self, i: int, where: Sequence[str]) -> int:
        """Return the width of what must share the line with an entry: ` : T` after a name, ` T` after its colon."""
        colon = where[i] == "colon"
        if not colon and (where[i] not in {"fill", "first"} or where[i + 1] != "colon"):
            return 0
        kinds = [entry.node for entry in self.node.entries[i + 1 + (not colon) :][:1]]
        return sum(self.layout.need(kind) + (1 if colon else 3) for kind in kinds if not isinstance(kind, Piece))

    def align(self) -> None:
        """Decide where the arguments of a call stand: under the first, or indented when that is too far right."""
        here = self.layout.column + 1
        widest = max(self.layout.need(node) for node in self.node.nodes[1:])
        if not self.layout.forced and here + widest <= self.layout.width:
            self.inner = here

    def place(self, entry: Entry, place: str, tail: int, *, first: bool) -> None:
        """Write one entry at its place."""
        layout = self.layout
        blank = 1 if entry.newlines > 1 and place in BREAKING and not first else 0
        if self._starts_line(entry, place, tail, first=first):
            indent = self.inner + (2 if place in ("head", "value", "colon", "type") else 0)
            layout.newline(indent, blank)
        elif not first or isinstance(entry.node, Piece):
            layout.put(" ")
        lines = layout.lines
        layout.entry(entry, tail)
        self.tall = layout.lines > lines and not isinstance(entry.node, Piece)

    def _starts_line(self, entry: Entry, place: str, tail: int, *, first: bool) -> bool:
        if self.layout.forced:
            return True
        if isinstance(entry.node, Piece):
            return entry.newlines > 0 and not first
        if first:
            return False
        if self.previous is not None and isinstance(self.previous.node, Piece):
            return entry.newlines > 0
        if place in ("body", "key", "align", "type"):
            return place != "type"
        return self._overflows(entry.node, place, tail) or (place == "fill" and (self.tall or entry.newlines > 0))

    def _overflows(self, node: Node, place: str, tail: int) -> bool:
        """Tell whether a part does not fit on what is left of the line, but would on a line of its own."""
        layout = self.layout
        text, here = layout.flat(node), layout.column + 1
        if text is not None and here + len(text) + tail <= layout.width:
            return False
        if place in ("fill", "colon"):
            return True
        if place == "value" and text is not None and self.inner + 2 + len(text) + tail <= layout.width:
            return True
        return here + layout.need(node) > layout.width
