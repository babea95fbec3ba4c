"""Blank comments: replace them by spaces of the same length, so that every offset stays true. Block comments nest."""

from __future__ import annotations

import re

from rtfs_framework.lang.reader.atoms import refuse
from rtfs_framework.lang.source import Source

_OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*"?|;[^\n]*|#\|', re.DOTALL)
_INSIDE = re.compile(r"#\||\|#")
_NOT_LINE_END = re.compile(r"[^\n]")


def blank_comments(source: Source) -> str:
    """Return the text with every comment blanked.

    Raises:
        LanguageError: a block comment is never closed.
    """
    text = source.text
    if ";" not in text and "#|" not in text:
        return text
    out: list[str] = []
    position = 0
    while match := _OUTSIDE.search(text, position):
        token = match.group()
        out.append(text[position : match.start()])
        position = match.end() if token != "#|" else block_end(text, match.start())
        if not position:
            start, message = match.start(), "this block comment is never closed"
            raise refuse(source, start, start + 2, "E0103", message, "close it with |#")
        out.append(token if token[0] == '"' else _NOT_LINE_END.sub(" ", text[match.start() : position]))
    return "".join([*out, text[position:]])


def block_end(text: str, start: int) -> int:
    """Return where the block comment that starts here ends; 0 if it never does."""
    depth = 0
    for match in _INSIDE.finditer(text, start):
        depth += 1 if match.group() == "#|" else -1
        if depth == 0:
            return match.end()
    return 0
