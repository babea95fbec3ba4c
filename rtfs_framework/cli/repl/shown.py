"""The type of a value, as RTFS writes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword, type_name
from rtfs_framework.lang.vectors import is_vector

_MOST = 8
"""Kinds of items, or entries of a map, that a type names."""
_DEEPEST = 4


def value_type(value: Any, depth: int = 0) -> str:
    """Return the type of a value as RTFS writes it, as deep as it is readable."""
    if isinstance(value, Map) and depth < _DEEPEST and 0 < len(value) <= _MOST:
        if all(isinstance(key, Keyword) for key, _ in value.items()):
            entries = " ".join(f"[{write(key)} {value_type(item, depth + 1)}]" for key, item in value.items())
            return f"[:map {entries}]"
        keys, values = (_items(parts, depth) for parts in zip(*value.items(), strict=True))
        return f"[:map-of {keys} {values}]"
    if is_vector(value) and depth < _DEEPEST:
        return f"[:vector {_items(value, depth)}]"
    if isinstance(value, Set) and depth < _DEEPEST:
        return f"[:set {_items(value, depth)}]"
    return f":{_KEYWORDS.get(type_name(value), type_name(value))}"


_KEYWORDS = {"integer": "int", "boolean": "bool"}


def _items(values: Iterable[Any], depth: int) -> str:
    kinds = list(dict.fromkeys(value_type(item, depth + 1) for item in values))
    if not kinds or len(kinds) > _MOST:
        return ":any"
    return kinds[0] if len(kinds) == 1 else f"[:union {' '.join(kinds)}]"
