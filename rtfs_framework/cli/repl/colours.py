"""Colours while typing: what each piece of a text is, however unfinished it is. Unlike the reader, this never fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import split_lines
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from rtfs_framework.cli.reference import FUNCTION
from rtfs_framework.cli.repl.words import language_names

_PIECE = re.compile(
    r"""(?P<comment>;[^\n]*|\#\|(?:.|\n)*?(?:\|\#|\Z))
      |(?P<string>"(?:[^"\\]|\\.)*"?)
      |(?P<keyword>\^?:[^\s,()\[\]{}";:`~^'#]+)
      |(?P<number>(?<![^\s,()\[\]{}"])[+-]?\d[^\s,()\[\]{}";]*|\#\#-?[A-Za-z]+)
      |(?P<word>[^\s,()\[\]{}";:`~^'@#]+\#?)
      |(?P<mark>[`~^'@#:])
      |(?P<bracket>[()\[\]{}])
      |(?P<space>[\s,]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_LITERALS = frozenset({"nil", "true", "false"})

STYLE = Style.from_dict(
    {
        "rtfs.comment": "italic ansibrightblack",
        "rtfs.string": "ansigreen",
        "rtfs.keyword": "ansimagenta",
        "rtfs.number": "ansicyan",
        "rtfs.literal": "ansicyan",
        "rtfs.mark": "ansiyellow",
        "rtfs.form": "bold ansiblue",
        "rtfs.function": "ansiblue",
        "prompt": "bold ansigreen",
    }
)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield what each piece of a text is, and the piece; together the pieces are the text."""
    kinds = {name: "function" if kind == FUNCTION else "form" for name, kind in language_names()}
    for match in _PIECE.finditer(text):
        what, piece = match.lastgroup or "space", match.group()
        if what == "word":
            what = "literal" if piece in _LITERALS else kinds.get(piece, "word")
        yield what, piece


class RtfsLexer(Lexer):
    """Colours for prompt_toolkit."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Return the coloured pieces of a line, by its number."""
        lines = list(split_lines([(f"class:rtfs.{what}", piece) for what, piece in pieces(document.text)]))
        return lambda number: lines[number] if number < len(lines) else []
