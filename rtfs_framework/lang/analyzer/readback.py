"""Values as text that is read back: what `write` printed, and nothing of it is evaluated.

Most that travels is vectors and maps of numbers, plain texts and keywords: one expression finds their parts, which is
several times as quick as the reader of programs. Whatever else a text holds, that reader reads all of it.
"""

from __future__ import annotations

import re

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword

NO_DATA = "E0922"
_PART = re.compile(
    r'[ \n]*(?:([\[{\]}])|(?:(-?[1-9][0-9]{0,17}|0)|"([ !#-\[\]-~\u00c0-\u024f]*)"|:([a-z][a-z0-9-]*)|(true|false|nil))'
    r"(?=[ \n\]}]|\Z))"
)
_NAMED = {"true": True, "false": False, "nil": None}
_DEEP = 64
OTHER = object()
"""What `read_plain` gives for a text that holds more."""


def read_value(source: Source) -> Any:
    """Return the value that a text stands for.

    Raises:
        LanguageError: E01xx, it cannot be read; E0922, it holds something that only a program can mean.
    """
    found = read_plain(source.text)
    return _any(source) if found is OTHER else found


def read_plain(text: str) -> Any:
    """Return the value of a text that holds nothing but plain parts, `OTHER` for any other text."""
    items: list[Any] = []
    stack: list[tuple[str, list[Any]]] = []
    place, end = 0, len(text)
    while place < end:
        part = _PART.match(text, place)
        if part is None:
            return OTHER
        place = part.end()
        kind = part.lastindex
        if kind == 1:
            bracket = part[1]
            if bracket in "[{":
                stack.append((bracket, items))
                items = []
                if len(stack) > _DEEP:
                    return OTHER
                continue
            if not stack or (bracket == "]") != (stack[-1][0] == "["):
                return OTHER
            if bracket == "}" and len(items) % 2:
                return OTHER
            made: Any = tuple(items) if bracket == "]" else Map.of(zip(items[::2], items[1::2], strict=True))
            items = stack.pop()[1]
            items.append(made)
        elif kind == 2:
            items.append(int(part[2]))
        elif kind == 3:
            items.append(part[3])
        else:
            items.append(Keyword(part[4]) if kind == 4 else _NAMED[part[5]])
    return items[0] if len(items) == 1 and not stack else OTHER


def _any(source: Source) -> Any:
    form = read_one(source)
    todo: list[Any] = [form]
    while todo:
        each = todo.pop()
        if isinstance(each, fm.VectorForm | fm.ListForm | fm.MapForm | fm.SetForm):
            todo += each.items
        elif not isinstance(each, fm.Atom | fm.Name):
            raise LanguageError(
                [
                    Diagnostic(
                        code=NO_DATA,
                        message="data is wanted here, and this means something in a program alone",
                        source=source,
                        span=each.span,
                        help="write values: numbers, texts, keywords, vectors, maps, sets",
                        kind="ParseError",
                    )
                ]
            )
    return to_data(form)
