"""RTFS values and JSON data, for providers that answer data rather than words.

`parse_type(text)` gives the type that a text such as "[:vector :int]" spells, for records that declare some, and
`show_type(type)` the text.
`to_json(value)` gives plain data (a keyword is its name) and raises `JsonError` for what JSON cannot hold;
`from_json(type, data)` gives the value of a declared type and raises `ProgramError` (TypeValidationError) with the path
to what does not fit. `load_json(text)` reads JSON text as the host does: exactly, or `JsonError` (NaN, numbers out of
range, half a surrogate pair, deep nesting). `violation(type, value)` says why a value is not of a type; None if it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.jsontext import load as load_json
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.coerce import from_json, to_json
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

if TYPE_CHECKING:
    from rtfs_framework.lang.values import Value

__all__ = ["JsonError", "from_json", "load_json", "parse_type", "read_value", "show_type", "to_json", "violation"]


def read_value(text: str, name: str = "<value>") -> Value:
    """Return the value that `write` printed: data, of which nothing is ever evaluated. `name` is for error messages.

    Raises:
        LanguageError: The text does not read back, or holds what only a program can mean.
    """
    from rtfs_framework.lang.analyzer.readback import read_value as read
    from rtfs_framework.lang.source import Source

    found: Value = read(Source(name, text))
    return found


def parse_type(text: str) -> Type:
    """Return the type that a text spells.

    Raises:
        LanguageError: It spells none; the message says what is accepted.
    """
    from rtfs_framework.lang.reader.read import read_one
    from rtfs_framework.lang.source import Source
    from rtfs_framework.lang.types.read import read_type

    source = Source("<type>", text)
    return read_type(read_one(source), source)
