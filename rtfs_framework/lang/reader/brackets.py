"""Brackets: every one is matched before parsing, so that a mismatch is told in the user's words, at both ends."""

from __future__ import annotations

import re

from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source, Span

WAY_OUT = "name the inner parts, or let the host read deeper (--max-nesting, or nesting in [limits])"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[()\[\]{}]', re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def explain_brackets(source: Source, text: str, deepest: int) -> None:
    """Check that brackets match and nest no deeper than `deepest`.

    Raises:
        LanguageError: E0101 unclosed, E0107 too deep, E0109 closed wrongly, E0102 string never closed.
    """
    scan = _Scan(source, deepest)
    for match in _TOKEN.finditer(text):
        token, place = match.group(), match.start()
        if token[0] == '"':
            if len(token) == 1 or token[-1] != '"' or _ends_escaped(token):
                scan.refuse(place, "E0102", "this string is never closed", 'close it with "')
                scan.unsure = True
        elif token in _PAIRS:
            scan.open(token, place)
        else:
            scan.close(token, place)
    scan.end()


class _Scan:
    """The brackets that are open. A wrong one is told and the scan goes on as if it had been right."""

    def __init__(self, source: Source, deepest: int) -> None:
        self.source = source
        self.deepest = deepest
        self.opened: list[tuple[str, int]] = []
        self.found: list[Diagnostic] = []
        self.next: tuple[int, tuple[tuple[str, int], ...]] | None = None
        """Where a form begins at the start of a line although brackets are open, and those brackets."""
        self.unsure = False
        """Whether a bracket closed wrongly, or a string took all: what is open at the end may be only a consequence."""

    def refuse(self, place: int, code: str, message: str, way_out: str) -> None:
        """Note a mistake."""
        span = Span(place, place + 1)
        self.found.append(Diagnostic(code=code, message=message, source=self.source, span=span, help=way_out))

    def open(self, bracket: str, place: int) -> None:
        """Open a bracket.

        Raises:
            LanguageError: E0107, too many are open.
        """
        if self.opened and self.next is None and self.source.place(place)[1] == 1:
            self.next = (place, tuple(self.opened))
        self.opened.append((bracket, place))
        if len(self.opened) > self.deepest:
            self.refuse(place, "E0107", f"nested deeper than {self.deepest} levels", WAY_OUT)
            raise LanguageError(bounded(self.found))

    def close(self, bracket: str, place: int) -> None:
        """Close the innermost bracket; or, where the next one out is the one meant, that one too."""
        if not self.opened:
            if not self.unsure:
                self.refuse(place, "E0109", f"this '{bracket}' closes nothing", "remove it")
            return
        opener, start = self.opened.pop()
        if _PAIRS[opener] == bracket:
            return
        line, column = self.source.place(start)
        message = f"'{bracket}' cannot close the '{opener}' of line {line}, column {column}"
        self.refuse(place, "E0109", message, f"expected '{_PAIRS[opener]}'")
        self.unsure = True
        if self.opened and _PAIRS[self.opened[-1][0]] == bracket:
            self.opened.pop()

    def end(self) -> None:
        """End the text.

        Raises:
            LanguageError: with every mistake noted.
        """
        if self.opened and not (self.found and self.unsure):
            opened, where = self.opened, "at the end of the program"
            if self.next is not None and tuple(opened[: len(self.next[1])]) == self.next[1]:
                # Whoever indents begins a line with a bracket only where the form before has ended.
                opened = list(self.next[1])
                where = f"before line {self.source.place(self.next[0])[0]}, where the next form begins"
            bracket, start = opened[-1]
            way_out = f"add '{''.join(_PAIRS[opener] for opener, _ in reversed(opened))}' {where}"
            self.refuse(start, "E0101", f"this '{bracket}' is never closed", way_out)
        if self.found:
            raise LanguageError(bounded(self.found))


def _ends_escaped(token: str) -> bool:
    body = token[1:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1
