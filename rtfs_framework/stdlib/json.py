"""JSON text to values and back.

Read: objects become maps with string keys, arrays vectors, whole numbers integers, other numbers floats, null nil.
Written: vectors, lists and sets as arrays, maps as objects (a key is written by its name or its print), timestamps and
UUIDs as their text. Keywords and symbols as values, functions, errors, handles, NaN and infinities are refused, and so
are two keys of one map that would get the same name. Everything refused is a Generic error.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import generic_error
from rtfs_framework.lang.garbage import no_collection
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.meter import LARGE, charge, meter, room_for_text
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import string
from rtfs_framework.stdlib.json_text import plain_text
from rtfs_framework.stdlib.json_values import value_of
from rtfs_framework.stdlib.json_writer import written
from rtfs_framework.stdlib.table import builtin

_MARKS = (",", ":", "[", "{")
"""What a text has one of for every value in it, but for the first."""
_PART = 64
"""Bytes that the value after such a mark takes at least, while its array is turned into a vector."""


@builtin(
    "parse-json",
    ('(parse-json "[1, 2.5, null]")', "[1 2.5 nil]"),
    ('(parse-json "{\\"a\\": true}")', '{"a" true}'),
    ('(parse-json "{bad")', "!Generic"),
    ("(parse-json 5)", "!TypeError"),
    ('(tool/parse-json "1e2")', "100.0"),
    aliases=("tool/parse-json",),
    doc="Read a JSON text.",
)
def parse_json(text: ty.string) -> Any:
    try:
        charge(len(string("parse-json", text)))
        brackets = None
        if len(text) >= LARGE:
            marks = [text.count(mark) for mark in _MARKS]
            brackets = sum(marks[2:])
            meter().reserve(_PART * sum(marks))
        with no_collection():
            return value_of(text, brackets)
    except JsonError as error:
        raise generic_error(f"JSON parsing error: {error}") from None
    except RecursionError:
        raise generic_error("JSON parsing error: nested too deeply") from None


@builtin(
    "serialize-json",
    ("(serialize-json [1 nil true])", '"[1,null,true]"'),
    ('(serialize-json {:a "x"})', '"{\\"a\\":\\"x\\"}"'),
    ("(serialize-json :kw)", "!Generic"),
    ("(tool/serialize-json 1.5)", '"1.5"'),
    aliases=("tool/serialize-json",),
    doc="Write a value as compact JSON text.",
)
def serialize_json(value: Any) -> str:
    made = plain_text(value)
    if made is None:
        return written(value, pretty=False)
    room_for_text("serialize-json", len(made))
    return made


@builtin(
    "serialize-json-pretty",
    ("(serialize-json-pretty [1])", '"[\\n  1\\n]"'),
    ("(tool/serialize-json-pretty [])", '"[]"'),
    aliases=("tool/serialize-json-pretty",),
    doc="Write a value as JSON text on several lines, indented by two spaces.",
)
def serialize_json_pretty(value: Any) -> str:
    return written(value, pretty=True)
