"""Text to forms. Input: a `Source`; output: its top-level forms with spans; every refusal is a `LanguageError`.

Guarantees for later stages: map forms have an even number of items; `HintForm`s are complete (keyword, and an id
where one is due); nesting is at most `MAX_NESTING`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, VisitError

from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import (
    Atom,
    Form,
    ListForm,
    MapForm,
    Meta,
    Name,
    Quoted,
    Reference,
    SetForm,
    ShorthandFn,
    VectorForm,
)
from rtfs_framework.lang.reader import atoms
from rtfs_framework.lang.reader.brackets import explain_brackets
from rtfs_framework.lang.reader.comments import blank_comments
from rtfs_framework.lang.reader.hints import HintMark, resolve_hints
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.values import Resource, Symbol, Timestamp

MAX_NESTING = 200
"""Deepest nesting of brackets that is read; deeper source is refused before it can exhaust a stack."""

_RETRIES = 10
"""Characters out of place that are told at once: after each, the text is parsed again."""

_QUOTES = {"QUOTE": "quote", "QUASI": "quasiquote", "UNQUOTE": "unquote", "SPLICE": "splice"}
_ELSEWHERE = {
    "#_": "to leave a form out, write (comment form) or #| form |#",
    "#'": "a function is named as it is: map inc, not map #'inc",
    '#"': 'a regular expression is a string, as in (re-find "a+" text)',
    "#?": "there are no reader conditionals: write the form itself",
    "#i": "a timestamp is written 2026-01-31T12:00:00Z",
    "#u": "a UUID is written as it is, without a tag",
}
"""What stands in RTFS for the reader macros of Clojure."""
_CLOSERS = ")]}"
_OPENERS = "([{"


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


def read_program(source: Source, number: int = 0) -> tuple[Form, ...]:
    """Return the top-level forms of a program; `number` is the source's in the spans.

    Raises:
        LanguageError: the text cannot be read; codes E0101 to E0113.
    """
    text = blank_comments(source)
    explain_brackets(source, text, MAX_NESTING)
    builder = _Builder(source, number)
    try:
        tree = _parse(source, text, builder.found)
        result: tuple[Form, ...] = builder.transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, RecursionError):
            raise _too_deep(source) from None
        if isinstance(error.orig_exc, LanguageError):
            raise LanguageError(bounded([*builder.found, *error.orig_exc.diagnostics])) from None
        raise error.orig_exc from None
    except RecursionError:
        raise _too_deep(source) from None
    if builder.found:
        raise LanguageError(bounded(builder.found))
    return result


def _parse(source: Source, text: str, found: list[Diagnostic]) -> Any:
    """Return lark's tree. A character that starts nothing is noted in `found` and read as a space, a few times."""
    while True:
        try:
            return _grammar().parse(text)
        except UnexpectedCharacters as error:  # noqa: PERF203 - a few times at most
            place: int = getattr(error, "pos_in_stream", 0)
            found += _bad_character(source, text, place).diagnostics
            if len(found) >= _RETRIES:
                raise LanguageError(found) from None
            text = f"{text[:place]} {text[place + 1 :]}"
        except UnexpectedInput as error:  # after an earlier one it may be only its consequence
            raise (LanguageError(found) if found else _unexpected(source, text, error)) from None


def _too_deep(source: Source) -> LanguageError:
    """Prefixes nest without brackets: 'x, ^meta x and the like."""
    return atoms.refuse(source, 0, 1, "E0107", "nested too deeply to read", "name the inner parts")


def read_one(source: Source) -> Form:
    """Return the only form of a text (for values written as text).

    Raises:
        LanguageError: the text cannot be read or holds no form, or more than one.
    """
    forms = read_program(source)
    if len(forms) != 1:
        raise atoms.refuse(source, 0, len(source.text), "E0101", f"expected one form, got {len(forms)}")
    return forms[0]


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


def _unexpected(source: Source, text: str, error: UnexpectedInput) -> LanguageError:
    token = getattr(error, "token", None)
    if token is None or token.type == "$END":
        end = len(text.rstrip())
        return atoms.refuse(source, max(0, end - 1), end, "E0101", "the program ends where a form is expected")
    start = token.start_pos or 0
    return atoms.refuse(source, start, start + len(token), "E0101", f"unexpected {str(token)!r}, expected a form")


@v_args(meta=True)
class _Builder(Transformer[Token, Any]):
    """Turn lark's tree into forms."""

    def __init__(self, source: Source, number: int) -> None:
        super().__init__(visit_tokens=False)
        self.source = source
        self.number = number
        self.found: list[Diagnostic] = []
        """Tokens and maps that were refused; something stands in for each, so that reading goes on."""

    def kept(self, error: LanguageError, span: Span) -> Atom:
        """Note what was refused; return what stands in for it."""
        self.found += error.diagnostics
        return Atom(None, span)

    def span(self, meta: Any) -> Span:
        """Return the span of a rule's text."""
        return Span(meta.start_pos, meta.end_pos, self.number)

    def token_span(self, token: Token) -> Span:
        """Return the span of a token."""
        start = token.start_pos or 0
        return Span(start, start + len(token), self.number)

    def start(self, _meta: Any, items: list[Any]) -> tuple[Form, ...]:
        return resolve_hints(self.source, items)

    def atom(self, _meta: Any, items: list[Token]) -> Form:
        token = items[0]
        span = self.token_span(token)
        try:
            return self._atom(token, str(token), span)
        except LanguageError as error:
            return self.kept(error, span)

    def _atom(self, token: Token, text: str, span: Span) -> Form:
        start = span.start
        match token.type:
            case "STRING":
                # The token's text has comments blanked only outside strings, so it is the source's own.
                return Atom(atoms.read_string(self.source, text, start), span)
            case "KEYWORD":
                return Atom(atoms.read_keyword(self.source, text, start), span)
            case "TIMESTAMP":
                return Atom(Timestamp(text), span)
            case "RESOURCE":
                return Atom(Resource(text), span)
            case "SPECIAL":
                return Atom(atoms.read_special(self.source, text, start), span)
            case "REFERENCE":
                name = text.lstrip("@").lstrip(":")
                return Reference(name, text.startswith("@:"), span)
            case "COLON":
                return Name(":", span)
            case _:
                value = atoms.read_word(self.source, text, start)
                return Name(value.name, span) if value.__class__ is Symbol else Atom(value, span)

    def keyword(self, _meta: Any, items: list[Token]) -> Form:
        token = items[0]
        start = token.start_pos or 0
        return Atom(atoms.read_keyword(self.source, str(token), start), self.token_span(token))

    def hint(self, _meta: Any, items: list[Token]) -> HintMark:
        return HintMark(self.token_span(items[0]))

    def list_form(self, meta: Any, items: list[Any]) -> ListForm:
        return ListForm(resolve_hints(self.source, items), self.span(meta))

    def vector_form(self, meta: Any, items: list[Any]) -> VectorForm:
        return VectorForm(resolve_hints(self.source, items), self.span(meta))

    def map_form(self, meta: Any, items: list[Any]) -> MapForm:
        forms = resolve_hints(self.source, items)
        span = self.span(meta)
        if len(forms) % 2:
            last = forms[-1].span
            message = "a map needs a value for every key"
            self.kept(atoms.refuse(self.source, last.start, last.end, "E0108", message, "as in {:key value}"), span)
            forms = forms[:-1]
        return MapForm(forms, span)

    def set_form(self, meta: Any, items: list[Any]) -> SetForm:
        return SetForm(resolve_hints(self.source, items), self.span(meta))

    def shorthand(self, meta: Any, items: list[Any]) -> ShorthandFn:
        span = self.span(meta)
        return ShorthandFn(ListForm(resolve_hints(self.source, items), span), span)

    def quoted(self, meta: Any, items: list[Any]) -> Quoted:
        return Quoted(_QUOTES[items[0].type], items[1], self.span(meta))

    def meta(self, meta: Any, items: list[Any]) -> Meta:
        return Meta(items[0], items[1], self.span(meta))

    def tagged(self, meta: Any, items: list[Token]) -> Atom:
        span = self.span(meta)
        text = atoms.read_string(self.source, str(items[1]), items[1].start_pos or 0)
        return Atom(atoms.read_tagged(self.source, str(items[0]), text, span.start, span.end), span)


def _span(meta: Any) -> Span:
    return Span(meta.start_pos, meta.end_pos)
