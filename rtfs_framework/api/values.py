"""The kernel's and the language's records that plugins see, and the digest of values."""

from __future__ import annotations

from typing import Any, Protocol

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall
from rtfs_framework.lang.digest import digest as digest_of
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import ATOMS, write
from rtfs_framework.lang.signature import DelegationHint, FunctionSignature, HintKind, Parameter
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Timestamp, Uuid, Value
from rtfs_framework.lang.vectors import GrownVector, List

__all__ = [
    "CallKind",
    "Clock",
    "DelegationHint",
    "FunctionSignature",
    "HintKind",
    "HostCall",
    "Keyword",
    "Map",
    "Parameter",
    "Type",
    "Value",
    "digest",
    "write",
]


class Clock(Protocol):
    """Everything that reads the time takes one of these."""

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back, for durations and deadlines."""
        ...


_LEAVES = ATOMS | {Timestamp, Uuid, Resource, ErrorValue}
_ROWS = frozenset({tuple, List, GrownVector, Set})


def digest(*parts: Value) -> str:
    """Return the SHA-256 (hex) of RTFS values: equal ones, and only those, have equal digests.

    NaN counts as equal to itself here, and all functions have one digest: what may hold functions is no key.

    Raises:
        TypeError: A part is or holds what is no RTFS value (a dict, a list, an enumeration): all those would be alike.
    """
    if not ATOMS.issuperset(map(type, parts)):
        _refuse_foreign(parts)
    return digest_of(*parts)


def _refuse_foreign(value: Any) -> None:
    todo, seen = [value], set[int]()
    while todo:
        item = todo.pop()
        kind = item.__class__
        if kind in _LEAVES or id(item) in seen:
            continue
        seen.add(id(item))
        if kind in _ROWS:
            todo += item
        elif kind is Map:
            for entry in item.items():
                todo += entry
        elif not callable(item):
            message = f"a digest is of RTFS values, and a {kind.__name__} is none: give a text, a tuple or a Map"
            raise TypeError(message)
