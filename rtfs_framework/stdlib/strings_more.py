"""Text made from text: replaced, padded, repeated, taken apart into characters; and the names of keywords and symbols.

In: strings. Out: strings, vectors of one-character strings, keywords, symbols. Sizes are bounded before text is made.
"""

from __future__ import annotations

import re

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import ProgramError, invalid_argument, type_error
from rtfs_framework.lang.literals import names_keyword, names_symbol
from rtfs_framework.lang.meter import charge, made, room, room_for_text, stepped, walk_text
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import integer, string
from rtfs_framework.stdlib.table import builtin

_WORD = re.compile(r"\S+")
CHARACTER = 88
"""Bytes that a character of its own takes, with its place in a vector."""
_SURROGATES = range(0xD800, 0xE000)
_MOST_CODE = 0x10FFFF


@builtin(
    "capitalize",
    ('(capitalize "hELLO wORLD")', '"Hello world"'),
    doc="Give a string with its first character in upper case and the others in lower case.",
)
def capitalize(text: ty.string) -> str:
    room_for_text("capitalize", len(string("capitalize", text)))
    return _capital(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].lower()


@builtin("title", ('(title "the owl\'s eye")', '"The Owl\'s Eye"'), doc="Capitalize every word of a string.")
def title(text: ty.string) -> str:
    room_for_text("title", len(string("title", text)))
    pieces: list[str] = []
    done = 0
    for word in stepped(_WORD.finditer(text)):
        pieces += (text[done : word.start()], _capital(word.group()))
        done = word.end()
    return "".join(pieces) + text[done:]  # type: ignore[no-any-return]


@builtin(
    "replace",
    ('(replace "a-b-c" "-" "+")', '"a+b+c"'),
    doc="Replace every occurrence of a part of a string.",
)
def replace(text: ty.string, old: ty.string, new: ty.string) -> str:
    _three_strings("replace", text, old, new)
    growth = len(new) - len(old)
    charge(len(text) >> 3)
    walk_text(old)
    room_for_text("replace", len(text) + (text.count(old) * growth if growth > 0 else 0))
    return made(text.replace(old, new))  # type: ignore[no-any-return]


@builtin(
    "replace-first",
    ('(replace-first "a-b-c" "-" "+")', '"a+b-c"'),
    doc="Replace the first occurrence of a part of a string.",
)
def replace_first(text: ty.string, old: ty.string, new: ty.string) -> str:
    _three_strings("replace-first", text, old, new)
    room_for_text("replace-first", len(text) + len(new))
    return text.replace(walk_text(old), new, 1)  # type: ignore[no-any-return]


def _three_strings(op: str, *values: Any) -> None:
    for value in values:
        string(op, value)


def _padding(op: str, text: Any, width: Any, pad: Any) -> str:
    missing = integer(op, width) - len(string(op, text))
    if len(string(op, pad)) != 1:
        raise invalid_argument(f"Padding of {op} must be one character")
    room_for_text(op, max(width, len(text)))
    return pad * missing  # type: ignore[no-any-return]


@builtin(
    "pad-left",
    ('(pad-left "7" 3 "0")', '"007"'),
    ('(pad-left "abcd" 3)', '"abcd"'),
    doc="Put spaces, or another character, before a string until it is as long as said.",
)
def pad_left(text: ty.string, width: ty.int, pad: ty.string = " ") -> str:
    return _padding("pad-left", text, width, pad) + text  # type: ignore[no-any-return]


@builtin(
    "pad-right",
    ('(pad-right "7" 3)', '"7  "'),
    ('(pad-right "7" 3 ".")', '"7.."'),
    doc="Put spaces, or another character, after a string until it is as long as said.",
)
def pad_right(text: ty.string, width: ty.int, pad: ty.string = " ") -> str:
    return text + _padding("pad-right", text, width, pad)  # type: ignore[no-any-return]


@builtin(
    "repeat-string",
    ('(repeat-string "ab" 3)', '"ababab"'),
    ('(repeat-string "ab" -1)', '""'),
    doc="Give a string several times over.",
)
def repeat_string(text: ty.string, count: ty.int) -> str:
    times = max(integer("repeat-string", count), 0)
    room_for_text("repeat-string", len(string("repeat-string", text)) * times)
    return made(text * times) if text else ""


@builtin("reverse-string", ('(reverse-string "😀a")', '"a😀"'), doc="Give a string backwards.")
def reverse_string(text: ty.string) -> str:
    room_for_text("reverse-string", len(string("reverse-string", text)))
    return text[::-1]  # type: ignore[no-any-return]


@builtin("chars", ('(chars "añ")', '["a" "ñ"]'), doc="Give the characters of a string as one-character strings.")
def chars(text: ty.string) -> tuple[str, ...]:
    room("chars", len(string("chars", text)), 8 if text.isascii() else CHARACTER)
    return made(tuple(text))


@builtin(
    "char-code",
    ('(char-code "a")', "97"),
    ('(char-code "")', "!InvalidArgument"),
    doc="Give the code point of a one-character string.",
)
def char_code(character: ty.string) -> int:
    if len(string("char-code", character)) != 1:
        raise invalid_argument("String of char-code must be one character")
    return ord(character)


@builtin(
    "from-char-code",
    ("(from-char-code 104 105)", '"hi"'),
    ("(from-char-code -1)", "!InvalidArgument"),
    doc="Join the characters of code points.",
)
def from_char_code(*codes: ty.int) -> str:
    charge(len(codes))
    for code in codes:
        if not 0 <= integer("from-char-code", code) <= _MOST_CODE or code in _SURROGATES:
            raise invalid_argument("Number is not the code point of a character")
    return "".join([chr(code) for code in codes])


def _is_half(name: str) -> bool:
    """Tell whether a name is a namespace without what is in it."""
    return len(name) > 1 and name.endswith("/")


def _full_name(op: str, value: Any) -> str:
    if value.__class__ is Keyword or value.__class__ is Symbol:
        return value.name
    if value.__class__ is str:
        room_for_text(op, len(value))
        return value
    raise _not_a_name(op, value)


def _not_a_name(op: str, value: Any) -> ProgramError:
    return type_error(op, "string, keyword or symbol", value)


@builtin(
    "keyword",
    ('(keyword "a")', ":a"),
    ('(keyword "ns" "a")', ":ns/a"),
    ('(keyword "two words")', "!InvalidArgument"),
    doc="Make the keyword of a name, or of a namespace and a name.",
    cheap=True,
)
def keyword(name: ty.name, local: ty.name | None = None) -> Keyword:
    full = _full_name("keyword", name)
    if local is not None:
        full = f"{full}/{_full_name('keyword', local)}"
    if not names_keyword(full) or _is_half(full):
        raise invalid_argument("String is not the name of a keyword")
    return Keyword(full)


@builtin(
    "symbol",
    ('(symbol "a")', "a"),
    ("(symbol :k)", "k"),
    doc="Make the symbol of a name.",
)
def symbol(name: ty.name) -> Symbol:
    full = _full_name("symbol", name)
    if not names_symbol(full) or _is_half(full):
        raise invalid_argument("String is not the name of a symbol")
    return Symbol(full)


@builtin(
    "name",
    ("(name :a)", '"a"'),
    ("(name :ns/a)", '"a"'),
    ('(name "s")', '"s"'),
    doc="Give the name of a keyword or symbol without its namespace; a string is its own name.",
    cheap=True,
)
def name_of(value: ty.name) -> str:
    full = _full_name("name", value)
    return full if value.__class__ is str else full.rpartition("/")[2] or full


@builtin(
    "namespace",
    ("(namespace :ns/a)", '"ns"'),
    ("(namespace :a)", "nil"),
    doc="Give the namespace of a keyword or symbol, or nil.",
)
def namespace_of(value: ty.keyword | ty.symbol) -> str | None:
    if value.__class__ is not Keyword and value.__class__ is not Symbol:
        raise type_error("namespace", "keyword or symbol", value)
    return value.name.rpartition("/")[0] or None
