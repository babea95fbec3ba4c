"""Text to tokens: one expression says where each ends; atoms are read at once and handed over in runs.

In: a text whose comments are blank, with the state of its reading. Out: tokens for the parser. Its loop costs some
microseconds a token, so there are few: of a program's words most stand beside another one, and most brackets hold no
other brackets; the parser sees a run of both as one `FORMS`.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.literals import END, RESOURCE, STOP, TIMESTAMP
from rtfs_framework.lang.reader.builder import Builder
from rtfs_framework.lang.reader.reading import Reading, Token

_PATH = rf"(?::[^{STOP}/]+/[^{STOP}]+)?"
_STRING = r'"(?:[^"\\]|\\.)*"'
_SPACE = r"[ \t\r\n,]*"
_KINDS = {
    "TIMESTAMP": rf"{TIMESTAMP}(?![^{END}])",
    "RESOURCE": RESOURCE,
    "WORD": rf"[^{STOP}'@#][^{STOP}#]*(?:#(?![({{|#])[^{STOP}'@#]*)?{_PATH}",
    "LIST": r"\(",
    "LIST_END": r"\)",
    "KEYWORD": rf":[^{STOP}'#\d][^{STOP}]*{_PATH}",
    "STRING": _STRING,
    "VECTOR": r"\[",
    "VECTOR_END": r"\]",
    "MAP": r"{",
    "MAP_END": r"}",
    "COLON": r':(?=[ \t\r\n,\[{(":]|\Z)',
    "HINT": rf"\^:delegation(?=[{END}]|\Z)",
    "CARET": r"\^",
    "QUOTE": r"~@|~|`|'",
    "SET": r"#{",
    "SHORTHAND": r"#\(",
    "SPECIAL": rf"##[^{END}]*",
    "TAGGED": rf"#[a-z-]+\({_SPACE}{_STRING}{_SPACE}\)",
    "TAG": r"#[a-z-]+(?=\()",
    "REFERENCE": rf"@:?[^{STOP}'@#]+",
    "END": r"\Z",
}
"""Kind to expression, in the order in which they are tried. Words are read by `atoms`, which knows what they mean."""

_TOKEN = re.compile(f"{_SPACE}(?:{'|'.join(f'({each})' for each in _KINDS.values())})", re.DOTALL)
_NAMES = ("", *_KINDS)
_NUMBER = {name: number for number, name in enumerate(_NAMES)}
_CLOSED_BY = {"LIST": "LIST_END", "VECTOR": "VECTOR_END", "MAP": "MAP_END", "SET": "MAP_END", "SHORTHAND": "LIST_END"}
_OPENERS = frozenset(_NUMBER[name] for name in _CLOSED_BY)
_CLOSERS = frozenset(_NUMBER[name] for name in _CLOSED_BY.values())
_FLAT = {
    "LIST": Builder.list_form,
    "VECTOR": Builder.vector_form,
    "MAP": Builder.map_form,
    "SET": Builder.set_form,
    "SHORTHAND": Builder.shorthand,
}
_KEYWORD, _CARET, _LAST = (_NUMBER[name] for name in ("KEYWORD", "CARET", "END"))


class TooDeep(Exception):
    """Brackets or prefixes nest deeper than is read."""


def words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield kind, start and end of every token of a text that was read before (the formatter works on these)."""
    place = 0
    while (match := _TOKEN.match(text, place)) is not None and match.lastindex != _LAST:
        kind: Any = match.lastindex
        name, (start, place) = _NAMES[kind], match.span(kind)
        if name == "TAGGED":  # its parts are laid out like any others
            name, place = "TAG", text.index("(", start)
        yield name, start, place


def tokens(text: str, reading: Reading) -> list[Token]:
    """Return the tokens of a text.

    Raises:
        TooDeep: it nests deeper than is read.
        LanguageError: too many characters start nothing.
    """
    readers = [getattr(reading, name.lower(), None) for name in _NAMES]
    line = _Line(reading)
    before = 0
    for match in _matches(text, reading):
        kind: Any = match.lastindex
        read = readers[kind]
        if read is not None:
            form = read(match[kind], *match.span(kind))
            if before == _CARET:
                line.out.append(Token("KEYWORD" if kind == _KEYWORD else "FORMS", match.span(kind), [form], reading))
            else:
                line.run.append(form)
        elif kind in _OPENERS:
            line.open(Token(_NAMES[kind], match.span(kind), None, reading), hold=before != _CARET)
        elif kind in _CLOSERS:
            line.close(Token(_NAMES[kind], match.span(kind), None, reading))
        else:
            line.prefix(Token(_NAMES[kind], match.span(kind), match.group(kind), reading))
        before = kind
    line.flush()
    return line.out


def _matches(text: str, reading: Reading) -> Iterator[re.Match[str]]:
    """Yield the matches of a text; a character that starts nothing is noted and read as a space, a few times."""
    place = 0
    while True:
        scanner: Any = _TOKEN.scanner(text, place)  # type: ignore[attr-defined]
        match: re.Match[str] | None = None
        for match in iter(scanner.match, None):
            if match.lastindex == _LAST:
                return
            yield match
        if match is not None:
            place = match.end()
        while text[place] in " \t\r\n,":
            place += 1
        reading.misplaced(text, place)
        place += 1


class _Line:
    """Tokens so far, and what is not one yet: a run of forms, perhaps a bracket that is open, and the run in that."""

    __slots__ = ("_deepest", "_depth", "_depths", "_held", "_outer", "_prefixes", "_reading", "out", "run")

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._deepest = reading.deepest
        self._depths: list[int] = []
        self._depth = self._prefixes = 0
        self._held: Token | None = None
        self._outer: list[Any] = []
        """The run before the bracket that is held."""
        self.run: list[Any] = []
        self.out: list[Token] = []

    def flush(self) -> None:
        """Make tokens of everything."""
        self._let_go()
        if self.run:
            self._forms(self.run)
            self.run = []
            self._prefixes = 0

    def open(self, token: Token, *, hold: bool) -> None:
        """Take a bracket that opens; a bracket without another one inside never becomes a token."""
        if hold:
            self._let_go()
        else:
            self.flush()
        self._depths.append(self._depth)
        self._depth += 1 if self.run else 1 + self._prefixes
        self._prefixes = 0
        self._check()
        if hold:
            self._held, self._outer, self.run = token, self.run, []
        else:
            self.out.append(token)

    def close(self, token: Token) -> None:
        """Take a bracket that closes."""
        held = self._held
        self._depth = self._depths.pop() if self._depths else 0
        self._prefixes = 0
        if held is None or _CLOSED_BY[held.type] != token.type:
            self.flush()
            self.out.append(token)
            return
        form = _FLAT[held.type](_BUILDER, [held, self.run, token])
        self.run, self._held = self._outer, None
        self.run.append(form)

    def prefix(self, token: Token) -> None:
        """Take a quote or a caret."""
        self.flush()
        self._prefixes += 1
        self._check()
        self.out.append(token)

    def _let_go(self) -> None:
        """Make a token of the bracket that is held, for there is another one in it."""
        if self._held is not None:
            self._forms(self._outer)
            self.out.append(self._held)
            self._held = None

    def _forms(self, run: list[Any]) -> None:
        if run:
            span = run[0].span
            self.out.append(Token("FORMS", (span.start, span.end), run, self._reading))

    def _check(self) -> None:
        if len(self._depths) > self._deepest or self._depth + self._prefixes > 2 * self._deepest:
            raise TooDeep


_BUILDER = Builder()
