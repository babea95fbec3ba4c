"""Tokens of a text, nothing lost: the reader's own lexer finds the words, the gaps between them hold the comments."""

from __future__ import annotations

import re

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.reader.comments import blank_comments, block_end
from rtfs_framework.lang.reader.lexer import words
from rtfs_framework.lang.source import Source

LINE = "LINE_COMMENT"
BLOCK = "BLOCK_COMMENT"
_TRIVIA = re.compile(r";[^\n]*|#\||\n")


@records.frozen()
class Piece:
    """A word, bracket, prefix or comment; `newlines` are the line ends between it and what stands before it."""

    kind: str
    text: str
    newlines: int

    @property
    def is_comment(self) -> bool:
        """Tell whether this is a comment."""
        return self.kind in {LINE, BLOCK}


def pieces(source: Source) -> Iterator[Piece]:
    """Yield the pieces of a text that the reader has accepted, in order; commas and spaces are left out."""
    text, position = source.text, 0
    for kind, start, end in words(blank_comments(source)):
        comments, newlines = _gap(text[position:start])
        yield from comments
        position = end
        yield Piece(kind, text[start:end], newlines)
    yield from _gap(text[position:])[0]


def _gap(text: str) -> tuple[list[Piece], int]:
    """Return the comments between two tokens, and the line ends after the last of them."""
    found: list[Piece] = []
    position = newlines = 0
    while match := _TRIVIA.search(text, position):
        position = match.end()
        if match.group() == "\n":
            newlines += 1
            continue
        if match.group() == "#|":
            position = block_end(text, match.start())
            found.append(Piece(BLOCK, text[match.start() : position].replace("\r\n", "\n"), newlines))
        else:
            found.append(Piece(LINE, match.group().rstrip(), newlines))
        newlines = 0
    return found, newlines
