"""Whether what a guard hands back has the shape of what was there: only what stands in it may be another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.vectors import GrownVector, List

_SEQUENCES: dict[type, str] = {tuple: "vector", GrownVector: "vector", List: "list"}
_DEEPEST = 64


def misshapen(before: Any, after: Any) -> str | None:
    """Return how a value differs in shape from the one that it stands for, None when it does not."""
    return _differs(before, after, 0)


def _differs(before: Any, after: Any, depth: int) -> str | None:
    if before is after:
        return None
    if depth > _DEEPEST:
        return f"is nested deeper than {_DEEPEST} levels and not the same"
    kind = _SEQUENCES.get(type(before))
    if kind is not None:
        if _SEQUENCES.get(type(after)) != kind:
            return f"has a {type(after).__name__} where a {kind} was"
        return _each(before, after, depth)
    if type(before) is Map and type(after) is Map:
        keys = list(before.keys())
        if len(after) != len(keys) or not all(key in after for key in keys):
            return "has other keys"
        return _each(before.values(), map(after.get, keys), depth)
    if type(before) is Set and type(after) is Set:  # redacted items may be equal to each other
        return None if len(after) <= len(before) else "has more items"
    if isinstance(before, dict) and isinstance(after, dict):
        if before.keys() != after.keys():
            return "has other keys"
        return _each(before.values(), (after[key] for key in before), depth)
    if isinstance(before, list) and isinstance(after, list):
        return _each(before, after, depth)
    return None if type(before) is type(after) else f"has a {type(after).__name__} where a {type(before).__name__} was"


def _each(before: Iterable[Any], after: Iterable[Any], depth: int) -> str | None:
    first, second = list(before), list(after)
    if len(first) != len(second):
        return f"has {len(second)} items where {len(first)} were"
    for one, other in zip(first, second, strict=True):
        wrong = _differs(one, other, depth + 1)
        if wrong is not None:
            return wrong
    return None
