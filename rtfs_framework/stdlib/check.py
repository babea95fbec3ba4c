"""Argument checks that builtins share. `op` is the RTFS name that the message shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from rtfs_framework.lang.errors import type_error
from rtfs_framework.lang.maps import Map, Set
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
    """Return the value if it is a map."""
    if value.__class__ is not Map:
        raise type_error(op, "map", value)
    return value


def items(op: str, value: Any) -> Any:
    """Return a vector, list or set as a Python sequence to walk; else a TypeError (nil and strings included)."""
    if value.__class__ in VECTORS:
        if len(value) >= SMALL:
            charge(len(value))
        return value
    if value.__class__ is Set:
        return tuple(value)
    raise type_error(op, "vector", value)


def vector_like(op: str, value: Any) -> Any:
    """Return what `items` does, to look at a few of them."""
    return tuple(value) if value.__class__ is Set else value if value.__class__ in VECTORS else items(op, value)


def sequence(op: str, value: Any) -> Any:
    """Return a vector, list, set or string (as characters) as a Python sequence to walk."""
    found = placed(op, value)
    if len(found) >= SMALL:
        charge(len(found))
    return found


def walked(op: str, value: Any) -> Iterable[Any]:
    """Return the items of what `sequence` takes, to walk once: of many each block is charged on the way."""
    found = placed(op, value)
    return found if len(found) < SMALL else chain.from_iterable(blocks(found))


def placed(op: str, value: Any) -> Any:
    """Return what `sequence` does, to look at a few items or to walk in blocks that are charged one by one."""
    if value.__class__ in VECTORS or value.__class__ is str:
        return value
    if value.__class__ is Set:
        return tuple(value)
    raise type_error(op, "collection", value)


def like(source: Any, result: Any) -> Any:
    """Return items as the kind of their source: characters join to a string, anything else becomes a vector."""
    return "".join(result) if source.__class__ is str else tuple(result)
