"""The type of a value as a text, for rules on argument types: `:int`, `[:vector :string]`, `[:map :keyword :any]`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

_LOOKED_AT = 64
"""Items of a collection that are looked at: a rule is asked for every call, and must not walk a table for it."""

_DEEPEST = 4
_NUMBERS = {":int", ":float"}

_ATOMS: dict[type, str] = {
    type(None): ":nil",
    bool: ":bool",
    int: ":int",
    float: ":float",
    str: ":string",
    Keyword: ":keyword",
    Symbol: ":symbol",
    Timestamp: ":timestamp",
    Uuid: ":uuid",
    Resource: ":resource",
    ErrorValue: ":error",
}
_SEQUENCES: dict[type, str] = {tuple: ":vector", GrownVector: ":vector", List: ":list", Set: ":set"}


def type_name(value: Any, depth: int = 0) -> str:
    """Return the type of a value. Items of different types are `:any`; so is what lies deeper than four levels.

    Integers among floats are floats, as everywhere in types; the items of an empty collection are `:never`: it fits
    whatever its items should be.
    """
    kind = value.__class__
    atom = _ATOMS.get(kind)
    if atom is not None:
        return atom
    if depth >= _DEEPEST:
        return ":any"
    sequence = _SEQUENCES.get(kind)
    if sequence is not None:
        return f"[{sequence} {_common(value, depth)}]"
    if kind is Map:
        return f"[:map {_common(value.keys(), depth)} {_common(value.values(), depth)}]"
    return ":function" if callable(value) else ":any"


def _common(items: Iterable[Any], depth: int) -> str:
    found = {type_name(item, depth + 1) for item in islice(items, _LOOKED_AT)}
    if len(found) == 1:
        return found.pop()
    if not found:
        return ":never"
    return ":float" if found == _NUMBERS else ":any"
