"""The state of reading one text, and what each kind of token becomes: an atom, a name, a reference or a hint's mark."""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Atom, Reference, make_atom, make_name
from rtfs_framework.lang.reader import atoms
from rtfs_framework.lang.reader.hints import HintMark
from rtfs_framework.lang.source import Source, Span, make_span
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp

MAX_BAD = 10
"""Characters out of place that are told at once."""

_ELSEWHERE = {
    "#_": "to leave a form out, write (comment form) or #| form |#",
    "#'": "a function is named as it is: map inc, not map #'inc",
    '#"': 'a regular expression is a string, as in (re-find "a+" text)',
    "#?": "there are no reader conditionals: write the form itself",
    "#i": "a timestamp is written 2026-01-31T12:00:00Z",
    "#u": "a UUID is written as it is, without a tag",
}
"""What stands in RTFS for the reader macros of Clojure."""
_TAGGED = re.compile(r"(#[a-z-]+)\([ \t\r\n,]*(.*?)[ \t\r\n,]*\)", re.DOTALL)


class Reading:
    """What is known while a text is read. Tokens that were refused are noted in `found`; reading goes on."""

    __slots__ = ("bad", "deepest", "found", "hinted", "keywords", "names", "number", "source")

    def __init__(self, source: Source, number: int, deepest: int) -> None:
        self.source = source
        self.number = number
        self.deepest = deepest
        self.found: list[Diagnostic] = []
        self.bad = 0
        """Characters out of place so far."""
        self.hinted = False
        """Whether there is any delegation hint."""
        self.names: dict[str, str] = {}
        """Words that were found to be names: a program uses few words, often."""
        self.keywords: dict[str, Keyword] = {}

    def kept(self, error: LanguageError, span: Span) -> Atom:
        """Note what was refused; return what stands in for it."""
        self.found += error.diagnostics
        return make_atom(None, span)

    def _atom(self, span: Span, read: Callable[[Source, str, int], Any], text: str, start: int) -> Atom:
        """Return the atom that a token is read to; nil where it is refused."""
        try:
            return make_atom(read(self.source, text, start), span)
        except LanguageError as error:
            return self.kept(error, span)

    def misplaced(self, text: str, place: int) -> None:
        """Note a character that starts nothing.

        Raises:
            LanguageError: there were too many.
        """
        self.found += _bad_character(self.source, text, place).diagnostics
        self.bad += 1
        if self.bad >= MAX_BAD:
            raise LanguageError(self.found)

    def word(self, text: str, start: int, end: int) -> Any:
        """Return the form of a word."""
        span = make_span(start, end, self.number)
        name = self.names.get(text)
        if name is not None:
            return make_name(name, span)
        try:
            value = atoms.read_word(self.source, text, start)
        except LanguageError as error:
            return self.kept(error, span)
        if value.__class__ is not Symbol:
            return make_atom(value, span)
        name = self.names[text] = value.name
        return make_name(name, span)

    def keyword(self, text: str, start: int, end: int) -> Any:
        """Return the form of a keyword."""
        span = make_span(start, end, self.number)
        found = self.keywords.get(text)
        if found is None:
            try:
                found = self.keywords[text] = atoms.read_keyword(self.source, text, start)
            except LanguageError as error:
                return self.kept(error, span)
        return make_atom(found, span)

    def string(self, text: str, start: int, end: int) -> Any:
        """Return the form of a string."""
        # Comments were blanked outside strings only, so the token's text is the source's own.
        return self._atom(make_span(start, end, self.number), atoms.read_string, text, start)

    def special(self, text: str, start: int, end: int) -> Any:
        """Return the form of `##Inf` and its kin."""
        return self._atom(make_span(start, end, self.number), atoms.read_special, text, start)

    def tagged(self, text: str, start: int, end: int) -> Any:
        """Return the form of a printed literal such as `#uuid("...")`."""
        return self._atom(make_span(start, end, self.number), _tagged, text, start)

    def timestamp(self, text: str, start: int, end: int) -> Any:
        """Return the form of a timestamp."""
        return make_atom(Timestamp(text), make_span(start, end, self.number))

    def resource(self, text: str, start: int, end: int) -> Any:
        """Return the form of a resource handle."""
        return make_atom(Resource(text), make_span(start, end, self.number))

    def reference(self, text: str, start: int, end: int) -> Any:
        """Return the form of `@name`."""
        return Reference(text.lstrip("@").lstrip(":"), text.startswith("@:"), make_span(start, end, self.number))

    def colon(self, text: str, start: int, end: int) -> Any:
        """Return the form of a colon that stands alone."""
        return make_name(text, make_span(start, end, self.number))

    def hint(self, text: str, start: int, end: int) -> Any:  # noqa: ARG002 - as the others
        """Return the mark of a delegation hint."""
        self.hinted = True
        return HintMark(Span(start, end, self.number))


class Token:
    """What the parser shifts: a bracket, a prefix, or a run of forms (`value`)."""

    __slots__ = ("end", "reading", "start", "type", "value")

    def __init__(self, type_: str, place: tuple[int, int], value: Any, reading: Reading) -> None:
        self.type = type_
        self.start, self.end = place
        self.value = value
        self.reading = reading


def _tagged(source: Source, text: str, start: int) -> Any:
    match: Any = _TAGGED.fullmatch(text)
    string = atoms.read_string(source, match.group(2), start + match.start(2))
    return atoms.read_tagged(source, match.group(1), string, start, start + len(text))


def _bad_character(source: Source, text: str, place: int) -> LanguageError:
    char = text[place]
    if char == '"':
        return atoms.refuse(source, place, place + 1, "E0102", "this string is never closed", 'close it with "')
    if char == ":":
        return atoms.refuse(source, place, place + 2, "E0104", "a keyword needs a name after its colon", "like :name")
    if char in "#'":
        start = text[place : place + 2]
        way_out = _ELSEWHERE.get(start, "readable: #(...) #{...} ##Inf #| comment |#")
        return atoms.refuse(source, place, place + 1, "E0104", f"{start!r} starts nothing that RTFS reads", way_out)
    return atoms.refuse(source, place, place + 1, "E0104", f"unexpected character {char!r}")
