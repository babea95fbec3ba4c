"""The concrete tree: leaves, groups and prefixed forms, with the comments and line ends that stood before each."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterable, Iterator
from rtfs_framework.lang.format.tokens import Piece

_OPENERS = {"(": ")", "[": "]", "{": "}", "#(": ")", "#{": "}"}
_CLOSERS = frozenset(")]}")
_GLUED = frozenset({"QUOTE", "TAG"})
_META = "^"
_HINT = "HINT"
_WITH_ID = frozenset({":local-model", ":remote"})


@records.frozen(eq=False)
class Leaf:
    """A word as written."""

    text: str


@records.frozen(eq=False)
class Group:
    """What stands between brackets."""

    opener: str
    entries: tuple[Entry, ...]

    @property
    def closer(self) -> str:
        """The bracket at the end."""
        return _OPENERS[self.opener]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The contents without comments."""
        return tuple(entry.node for entry in self.entries if not isinstance(entry.node, Piece))


@records.frozen(eq=False)
class Prefixed:
    """A prefix and what it belongs to: a quoted form; metadata, its target and the form that carries it."""

    prefix: str
    entries: tuple[Entry, ...]
    glued: bool
    """Whether the first entry follows without a space."""


Node = Leaf | Group | Prefixed


@records.frozen(eq=False)
class Entry:
    """A node or a comment, and the number of line ends before it."""

    node: Node | Piece
    newlines: int


def build_tree(pieces: Iterable[Piece]) -> tuple[Entry, ...]:
    """Return the top-level entries. The pieces are those of a program that the reader accepts."""
    return _Builder(iter(pieces)).entries("")


class _Builder:
    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces

    def entries(self, closer: str) -> tuple[Entry, ...]:
        """Return the entries up to the closing bracket, which is used up."""
        found: list[Entry] = []
        for piece in self._pieces:
            if piece.text in _CLOSERS and piece.text == closer:
                break
            found.append(self.entry(piece))
        return tuple(found)

    def entry(self, piece: Piece) -> Entry:
        """Return the entry that starts with a piece."""
        if piece.is_comment:
            return Entry(piece, piece.newlines)
        return Entry(self.node(piece), piece.newlines)

    def node(self, piece: Piece) -> Node:
        if piece.text in _OPENERS:
            return Group(piece.text, self.entries(_OPENERS[piece.text]))
        if piece.kind in _GLUED:
            return Prefixed(piece.text, self.take(1), glued=True)
        if piece.text == _META:
            return Prefixed(_META, self.take(2), glued=True)
        if piece.kind == _HINT:
            target = self.take(1)
            node = target[-1].node
            parts = 2 if isinstance(node, Leaf) and node.text in _WITH_ID else 1
            return Prefixed(piece.text, (*target, *self.take(parts)), glued=False)
        return Leaf(piece.text)

    def take(self, count: int) -> tuple[Entry, ...]:
        """Return the entries up to the `count`-th that is no comment."""
        found: list[Entry] = []
        for piece in self._pieces:
            entry = self.entry(piece)
            found.append(entry)
            if not isinstance(entry.node, Piece):
                count -= 1
                if count == 0:
                    break
        return tuple(found)
