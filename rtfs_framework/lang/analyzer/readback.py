"""Values as text that is read back: what `write` printed, and nothing of it is evaluated."""

from __future__ import annotations

from rtfs_framework.lang import forms as fm
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.reader.read import read_one
from rtfs_framework.lang.source import Source

NO_DATA = "E0922"


def read_value(source: Source) -> Any:
    """Return the value that a text stands for.

    Raises:
        LanguageError: E01xx, it cannot be read; E0922, it holds something that only a program can mean.
    """
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
