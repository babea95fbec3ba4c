"""What a token means: numbers, strings, names and the other literals. Every refusal is a diagnostic at the token."""

from __future__ import annotations

import re
from math import isinf

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.literals import WORDS, is_resource, is_timestamp, is_uuid, names_keyword, names_symbol
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_FLOAT = re.compile(r"[+-]?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)", re.ASCII)
_ESCAPE = re.compile(r"\\(u\{[^}\"]*\}?|u.{0,4}|.)", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}
_SPECIAL = {"##Inf": float("inf"), "##-Inf": float("-inf"), "##NaN": float("nan")}
_TAGS: dict[str, tuple[Any, Callable[[str], bool], str]] = {
    "#timestamp": (Timestamp, is_timestamp, "2025-03-04T05:06:07Z"),
    "#uuid": (Uuid, is_uuid, "123e4567-e89b-12d3-a456-426614174000"),
    "#resource-handle": (Resource, is_resource, "resource://bucket/item.txt"),
}
MAX_DIGITS = 4000
"""Longest integer literal: Python refuses longer decimal texts by default, and so do we, with a diagnostic."""
_SHOWN = 40
"""Characters of a number that a message repeats."""


def refuse(source: Source, start: int, end: int, code: str, message: str, way_out: str | None = None) -> LanguageError:
    """Return the error for one refused token."""
    found = Diagnostic(code=code, message=message, source=source, span=Span(start, end), help=way_out)
    return LanguageError([found])


def read_word(source: Source, text: str, start: int) -> Any:
    """Return the value of a word: nil, a boolean, a number, a UUID or a `Symbol`."""
    if text in WORDS:
        return WORDS[text]
    first = text[0]
    if first.isdigit() or (first in "+-" and text[1:2].isdigit()):
        return _read_number(source, text, start)
    if is_uuid(text):
        return Uuid(text)
    if names_symbol(text):
        return Symbol(text)
    if not text.isascii():
        message = f"{text!r} holds a character that names may not have"
        raise refuse(source, start, start + len(text), "E0104", message, "use ASCII letters, digits and _-+*/=<>!?.$%")
    raise refuse(source, start, start + len(text), "E0104", f"{text!r} is not a name or a number", _meant(text))


def _read_number(source: Source, text: str, start: int) -> Any:
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            message = f"an integer of more than {MAX_DIGITS} digits"
            raise refuse(source, start, start + len(text), "E0116", message, "compute it, as in (pow 10 5000)")
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if isinf(value):
            sign = "-" if value < 0 else ""
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            message = f"{shown} is beyond the largest float, {sign}1.7976931348623157e308"
            raise refuse(source, start, start + len(text), "E0116", message, f"write ##{sign}Inf if infinity is meant")
        return value
    if is_uuid(text):
        return Uuid(text)
    way_out = _meant(text) or "a name may not start with a digit"
    raise refuse(source, start, start + len(text), "E0105", f"{text!r} is not a number", way_out)


def _meant(text: str) -> str | None:
    """Return how RTFS writes what a token of another language means."""
    sign, body = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    if re.fullmatch(r"\d+/\d+", body, re.ASCII):
        return f"there are no ratios: write (/ {sign}{body.replace('/', ' ')})"
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,100}", body):
        return f"write it in decimal: {sign}{int(body, 16)}"
    if re.fullmatch(r"\d+(?:_\d+)+(?:\.\d+)?", body, re.ASCII):
        return f"write it without underscores: {sign}{body.replace('_', '')}"
    if re.fullmatch(r"\.\d+|\d+\.", body, re.ASCII):
        whole, _, fraction = body.partition(".")
        return f"digits stand on both sides of the point: {sign}{whole or 0}.{fraction or 0}"
    if re.fullmatch(r"\d+(?:\.\d+)?[MNLfd]", body, re.ASCII):
        return f"numbers have no suffix: write {sign}{body[:-1]}"
    if text[0] == "\\" and len(text) == 2:
        return f'there are no characters: write "{text[1]}"'
    return None


def read_keyword(source: Source, text: str, start: int) -> Keyword:
    """Return the keyword of a token such as `:a/b`."""
    if not names_keyword(text[1:]):
        raise refuse(source, start, start + len(text), "E0104", f"{text!r} is not a keyword", "for example :name")
    return Keyword(text[1:])


def read_special(source: Source, text: str, start: int) -> float:
    """Return the float of `##Inf`, `##-Inf` or `##NaN`."""
    if text not in _SPECIAL:
        message = f"{text!r} is not a number"
        raise refuse(source, start, start + len(text), "E0105", message, "write ##Inf, ##-Inf or ##NaN")
    return _SPECIAL[text]


def read_string(source: Source, text: str, start: int) -> str:
    """Return the string of a token with its quotes; escapes are resolved."""
    if "\\" not in text:
        return text[1:-1]

    def replace(match: re.Match[str]) -> str:
        body = match.group(1)
        if body in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[body]
        digits = body[2:-1] if body.startswith("u{") and body.endswith("}") else body[1:]
        if body[0] == "u" and re.fullmatch(r"[0-9a-fA-F]{1,6}", digits) and (len(digits) == 4 or body[1] == "{"):
            number = int(digits, 16)
            if number < 0x110000 and not 0xD800 <= number < 0xE000:
                return chr(number)
        place = start + 1 + match.start()
        message = f"unknown escape {match.group()!r} in a string"
        way_out = r"use \n \t \r \\ \" \uXXXX or \u{X...}"
        raise refuse(source, place, place + len(match.group()), "E0106", message, way_out)

    return _ESCAPE.sub(replace, text[1:-1])


def read_tagged(source: Source, tag: str, text: str, start: int, end: int) -> Any:
    """Return the value of a printed tagged literal such as `#uuid("...")`."""
    known = _TAGS.get(tag)
    if known is None:
        raise refuse(source, start, end, "E0104", f"unknown tag {tag}", f"known tags: {' '.join(_TAGS)}")
    made, is_one, example = known
    if not is_one(text):
        raise refuse(source, start, end, "E0104", f"the text is no {tag[1:]}", f'for example {tag}("{example}")')
    return made(text)
