"""The texts in a value, exchanged: for guards that redact. What comes out has the shape of what went in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.vectors import GrownVector, List

_DEEPEST = 200
"""Levels; values of programs and JSON texts nest less deeply."""


class TextInKeyError(ValueError):
    """A text that is to be exchanged is the key of a map, or a value nests too deeply: the shape could not be kept."""


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value (of programs, or JSON data) with every text in it exchanged; the same object if none changes.

    Raises:
        TextInKeyError: A key of a map would change.
    """
    return _changed(value, change, 0)


def _changed(value: Any, change: Callable[[str], str], depth: int) -> Any:
    kind = value.__class__
    if kind is str:
        return change(value)
    if kind not in _KINDS and kind is not Map and kind is not dict:
        return value
    if depth > _DEEPEST:
        raise TextInKeyError(f"it nests deeper than {_DEEPEST} levels")
    if kind is Map or kind is dict:
        return _entries(value, change, depth)
    items = [_changed(item, change, depth + 1) for item in value]
    if all(new is old for new, old in zip(items, value, strict=True)):
        return value
    return _KINDS[kind](items)


def _entries(table: Any, change: Callable[[str], str], depth: int) -> Any:
    made, same = [], True
    for key, old in table.items():
        if _changed(key, change, depth + 1) != key:
            raise TextInKeyError("it is in the key of a map")
        new = _changed(old, change, depth + 1)
        same = same and new is old
        made.append((key, new))
    return table if same else Map.of(made) if table.__class__ is Map else dict(made)


_KINDS: dict[type, Callable[[Iterable[Any]], Any]] = {
    tuple: tuple,
    GrownVector: tuple,
    list: list,
    List: List,
    Set: Set.of,
}
