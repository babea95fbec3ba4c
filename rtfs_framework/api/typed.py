"""RTFS values and JSON data, for providers that answer data rather than words.

`to_json(value)` gives plain data (a keyword is its name) and raises `JsonError` for what JSON cannot hold;
`from_json(type, data)` gives the value of a declared type and raises `ProgramError` (TypeValidationError) with the path
to what does not fit. `load_json(text)` reads JSON text as the host does: exactly, or `JsonError` (NaN, numbers out of
range, half a surrogate pair, deep nesting).
"""

from __future__ import annotations

from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.jsontext import load as load_json
from rtfs_framework.lang.types.coerce import from_json, to_json

__all__ = ["JsonError", "from_json", "load_json", "to_json"]
