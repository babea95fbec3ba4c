"""RTFS values as plain JSON data, the way that models and hosts see them: a keyword is its name.

`coerce.from_json` is the way back under a declared type. (`serialize-json` of the library is stricter: no keywords.)
"""

from __future__ import annotations

import math

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.jsontext import MAX_DEPTH, JsonError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import watched
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List

_SELF = frozenset({type(None), bool, int, str})
_LEAVES = _SELF | {float}


def to_json(value: Any) -> Any:
    """Return plain data for a value.

    Raises:
        JsonError: functions, NaN, infinities, and nesting beyond `jsontext.MAX_DEPTH`.
    """
    return _convert(value, 0)


def _convert(value: Any, depth: int) -> Any:
    kind = value.__class__
    if kind in _SELF:
        return value
    if depth >= MAX_DEPTH:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    if kind is Map:
        members: dict[str, Any] = {}
        for key, item in watched(value.items()):
            members[plain_key(key)] = _convert(item, depth + 1)
        return members
    if kind is tuple or kind is GrownVector or kind is List or kind is Set:
        made: list[Any] = []
        for item in watched(value):
            made.append(_convert(item, depth + 1))  # noqa: PERF401 - a comprehension is one more frame per level
        return made
    if kind is ErrorValue:
        return {"kind": value.kind, "message": value.message}
    return plain(value)


def plain(value: Any) -> Any:
    """Return plain data for a value that is no collection. Raises JsonError for what JSON cannot hold."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case Keyword(name=name) | Symbol(name=name):
            return name
        case Timestamp(text=text) | Uuid(text=text) | Resource(text=text):
            return text
        case _:
            shown = write(value) if value.__class__ is float else f"a {type_name(value)}"
            raise JsonError(f"JSON cannot hold {shown}")


def plain_key(key: Any) -> str:
    """Return the member name that stands for a map key: a keyword's name, a string itself, else the printed value."""
    if key.__class__ is str:
        return str(key)
    return str(key.name) if key.__class__ in (Keyword, Symbol) else write(key)


def from_plain(data: Any) -> Any:
    """Return the value of plain data without a declared type: arrays are vectors, objects maps with string keys.

    Raises:
        JsonError: nesting beyond `jsontext.MAX_DEPTH`, and data that is not JSON's.
    """
    return _value(data, 0)


def _value(data: Any, depth: int) -> Any:
    kind = data.__class__
    if kind in _LEAVES:
        return data
    if depth >= MAX_DEPTH:
        raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
    if kind is dict:
        members: dict[Any, Any] = {}
        for key, item in data.items():
            if key.__class__ is not str:
                raise JsonError(f"an object's names are strings, not {key.__class__.__name__}")
            members[key] = item if item.__class__ in _LEAVES else _value(item, depth + 1)
        return Map.wrap(members)
    if kind is list or kind is tuple:
        made: list[Any] = []
        for item in data:
            made.append(item if item.__class__ in _LEAVES else _value(item, depth + 1))  # noqa: PERF401 - see `_convert`
        return tuple(made)
    raise JsonError(f"{kind.__name__} is not JSON data")
