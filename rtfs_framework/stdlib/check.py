"""Argument checks that builtins share. `op` is the RTFS name that the message shows."""

from __future__ import annotations

from itertools import chain

from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import SMALL, blocks, charge
from rtfs_framework.lang.vectors import GrownVector, List

NUMBERS: frozenset[Any] = frozenset({int, float})
VECTORS: frozenset[Any] = frozenset({tuple, GrownVector, List})


def number(op: str, value: Any) -> Any:
    """Return the value if it is a number (booleans are not)."""
    if value.__class__ not in NUMBERS:
        raise type_error(op, "number", value)
    return value


def integer(op: str, value: Any) -> int:
    """Return the value if it is an integer."""
    if value.__class__ is not int:
        raise type_error(op, "integer", value)
    return value


def string(op: str, value: Any) -> str:
    """Return the value if it is a string."""
    if value.__class__ is not str:
        raise type_error(op, "string", value)
    return value


def mapping(op: str, value: Any) -> Map:
    """Return the value if it is a map; nil is the empty one."""
    if value.__class__ is Map:
        return value
    if value is None:
        return EMPTY_MAP
    raise type_error(op, "map", value)


def placed(op: str, value: Any) -> Any:
    """Return any collection as a Python sequence, to look at a few items or to walk in blocks charged one by one.

    Vectors, lists and strings (as characters) are their own; of a set it is the members, of a map the [key value]
    pairs, of nil nothing. Anything else is a TypeError. This is the one place that says what a sequence is.
    """
    kind = value.__class__
    if kind in VECTORS or kind is str:
        return value
    if value is None:
        return ()
    if kind is not Map and kind is not Set:
        raise type_error(op, "collection", value)
    if len(value) >= SMALL:
        charge(len(value))
    return tuple(value.items() if kind is Map else value)


def ordered(op: str, value: Any) -> Any:
    """Return what `placed` does for a function that takes places: a map has none, so it is a TypeError."""
    if value.__class__ is Map:
        raise type_error(op, "vector", value)
    return placed(op, value)


def sequence(op: str, value: Any) -> Any:
    """Return what `placed` does, to walk all of it at once: many items are charged here."""
    found = placed(op, value)
    if len(found) >= SMALL:
        charge(len(found))
    return found


def walked(op: str, value: Any) -> Iterable[Any]:
    """Return the items of any collection, to walk once: of many each block is charged on the way."""
    found = placed(op, value)
    return found if len(found) < SMALL else chain.from_iterable(blocks(found))
