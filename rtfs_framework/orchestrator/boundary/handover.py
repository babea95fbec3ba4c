"""What Python gives as a value of programs: one conversion, or a refusal with the way out.

In: what a capability's handler returned, or what a caller hands in (`arguments`). Out: a value that programs can hold.
Values of RTFS pass as they are. Of Python's own:

    dict -> map     list, tuple -> vector     set, frozenset -> set     aware datetime -> timestamp     UUID -> uuid
    numbers of other classes (enumerations, NumPy) -> integers and floats     texts of other classes -> texts

Anything else is refused: `Decimal` and `Fraction` would lose digits, bytes have no encoding, objects have no meaning. A
function is only taken where the program gave it as an argument, or owns it. What is nested too deeply, or holds itself,
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from fractions import Fraction
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any
from uuid import UUID

from rtfs_framework.lang.jsontext import MAX_DEPTH
from rtfs_framework.lang.literals import is_resource, is_timestamp, is_uuid
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import ErrorValue, Resource, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.purity import UNTAGGED, is_plain

_WAYS_OUT: Mapping[str, str] = {
    "Decimal": "give a float, or a text that keeps all digits",
    "Fraction": "give a float, or a text that keeps all digits",
    "complex": "give a vector of two floats",
    "bytes": "decode it, or encode it as base64 text",
    "bytearray": "decode it, or encode it as base64 text",
    "memoryview": "decode it, or encode it as base64 text",
    "date": "give a text such as 2026-03-01",
    "time": "give a text such as 12:30:00",
    "timedelta": "give a number of seconds",
    "datetime": "give it a time zone: without one it is no point in time",
    "generator": "give a list of its items",
    "ndarray": "give `.tolist()`",
    "DataFrame": "give a list of dicts",
}
_SPELLED: Mapping[type, tuple[Callable[[str], bool], str]] = {
    Timestamp: (is_timestamp, "2026-03-01T12:30:00Z"),
    Uuid: (is_uuid, "123e4567-e89b-12d3-a456-426614174000"),
    Resource: (is_resource, "resource://bucket/item.txt"),
}
"""Values whose text programs could not have written otherwise."""
_USUAL = "give a dict of its fields, a list, a number or a text"


class NoValueError(Exception):
    """Something that no program can hold; says of what class, and what to give instead."""


def as_value(given: Any, args: Iterable[Any] = (), own: Callable[[Any], bool] | None = None) -> Any:
    """Return what Python gave as a value of programs; `args` are those of the call, which may come back.

    `own` tells which functions are the program's own; none when it is not given.

    Raises:
        NoValueError: No program can hold it.
    """
    if is_plain(given, UNTAGGED):
        return given
    return _Conversion([id(arg) for arg in args], own).value(given, 0)


class _Conversion:
    """One conversion: parts that are shared are converted once, so that no small value becomes a large one."""

    def __init__(self, taken: Iterable[int], own: Callable[[Any], bool] | None) -> None:
        self.taken = frozenset(taken)
        self.own = own
        self.made: dict[int, tuple[Any, Any]] = {}

    def value(self, given: Any, depth: int) -> Any:
        if given.__class__ in _SPELLED:
            return _spelled(given)
        if given.__class__ in UNTAGGED or id(given) in self.taken or isinstance(given, ErrorValue):
            return given
        known = self.made.get(id(given))
        if known is not None:
            return known[1]
        if depth > MAX_DEPTH:
            raise NoValueError(f"what is nested deeper than {MAX_DEPTH} levels, or holds itself; give it in parts")
        made = self._converted(given, depth + 1)
        self.made[id(given)] = (given, made)
        return made

    def _converted(self, given: Any, depth: int) -> Any:
        if isinstance(given, dict | MappingProxyType | Map):
            return Map.of((self.value(key, depth), self.value(item, depth)) for key, item in given.items())
        if isinstance(given, List):
            return List(self.value(item, depth) for item in given)
        if isinstance(given, list | tuple | GrownVector):
            return tuple(self.value(item, depth) for item in given)
        if isinstance(given, set | frozenset | Set):
            return Set.of(tuple(self.value(item, depth) for item in given))
        if self.own is not None and self.own(given):
            return given
        return _atom(given)


def _spelled(given: Timestamp | Uuid | Resource) -> Any:
    is_one, example = _SPELLED[given.__class__]
    text: object = given.text
    if not isinstance(text, str) or not is_one(text):
        raise NoValueError(f"a {type_name(given)} whose text is none; give it as in {example}")
    return given


def _atom(given: Any) -> Any:
    for kind, convert in _ATOMIC:
        if isinstance(given, kind):
            made = convert(given)
            if made is not None:
                return made
    if type(given).__module__ == "numpy" and type(given).__name__ in {"bool", "bool_"}:
        return bool(given)
    name = type(given).__name__
    what = "a function" if callable(given) and not isinstance(given, type) else f"a {name}"
    raise NoValueError(f"{what}, which no program can hold; {_WAYS_OUT.get(name, _USUAL)}")


def _float(given: Any) -> float | None:
    return None if isinstance(given, Fraction) else float(given)


def _timestamp(given: datetime) -> Timestamp | None:
    if given.tzinfo is None or given.utcoffset() is None:
        return None
    return Timestamp(given.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"))


_ATOMIC: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, lambda given: str.__getitem__(given, slice(None))),
    (Integral, int),
    (Real, _float),
    (datetime, _timestamp),
    (UUID, lambda given: Uuid(str(given))),
)
