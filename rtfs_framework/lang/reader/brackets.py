"""Brackets: every one is matched before parsing, so that a mismatch is told in the user's words, at both ends."""

from __future__ import annotations

import re

from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source, Span

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[()\[\]{}]', re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def explain_brackets(source: Source, text: str, deepest: int) -> None:
    """Check that brackets match and nest no deeper than `deepest`.

    Raises:
        LanguageError: E0101 unclosed, E0107 too deep, E0109 closed wrongly, E0102 string never closed.
    """
    opened: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(text):
        token, place = match.group(), match.start()
        if token[0] == '"':
            if len(token) == 1 or token[-1] != '"' or _ends_escaped(token):
                raise _refuse(source, place, "E0102", "this string is never closed", 'close it with "')
        elif token in _PAIRS:
            opened.append((token, place))
            if len(opened) > deepest:
                raise _refuse(source, place, "E0107", f"nested deeper than {deepest} levels", "name the inner parts")
        elif not opened:
            raise _refuse(source, place, "E0109", f"this '{token}' closes nothing", "remove it")
        else:
            bracket, start = opened.pop()
            if _PAIRS[bracket] != token:
                line, column = source.place(start)
                message = f"'{token}' cannot close the '{bracket}' of line {line}, column {column}"
                raise _refuse(source, place, "E0109", message, f"expected '{_PAIRS[bracket]}'")
    if opened:
        bracket, start = opened[-1]
        message = f"this '{bracket}' is never closed"
        way_out = f"add '{''.join(_PAIRS[b] for b, _ in reversed(opened))}' at the end of the program"
        raise _refuse(source, start, "E0101", message, way_out)


def _ends_escaped(token: str) -> bool:
    body = token[1:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


def _refuse(source: Source, place: int, code: str, message: str, way_out: str) -> LanguageError:
    return LanguageError(
        [Diagnostic(code=code, message=message, source=source, span=Span(place, place + 1), help=way_out)]
    )
