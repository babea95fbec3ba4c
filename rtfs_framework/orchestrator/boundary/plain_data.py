"""Data without a declared type, both ways: what Python's objects hold, and what values of RTFS are in Python.

Out of Python: dataclasses, attrs classes and named tuples become maps by keyword, enumerations their values; all else
is `handover`'s. Into Python: keywords and symbols become texts, vectors and lists lists, maps dicts, sets sets
(tuples and frozensets where Python must hash them), timestamps datetimes, uuids UUIDs.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import attrs

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid, type_name
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.misfits import ConversionError

_AS_IT_IS = "name them differently, or take it as it is: session.run(...).value"
_SCALARS = frozenset({type(None), bool, int, float, str})


def given_data(value: Any, where: str) -> Any:
    """Return what Python gave as a value of RTFS.

    Raises:
        ConversionError: E0938, no program can hold it.
    """
    from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value

    try:
        return as_value(opened(value))
    except NoValueError as error:
        problem, _, way_out = str(error).partition("; ")
        raise ConversionError(f"{where} is {problem}", way_out) from None


def opened(value: Any) -> Any:
    """Return data with its records as maps by keyword and its enumerations as their values; the rest is left alone."""
    if value.__class__ in _SCALARS:
        return value
    if isinstance(value, enum.Enum):
        return opened(value.value)
    names = field_names(value)
    if names is not None:
        return Map.of((Keyword(name.replace("_", "-")), opened(getattr(value, name))) for name in names)
    if value.__class__ in (list, tuple):
        return tuple(map(opened, value))
    if value.__class__ is dict:
        made = {opened(key): opened(item) for key, item in value.items()}
        if len(made) < len(value):
            raise ConversionError("a dict has keys that are one in RTFS", "name them differently")
        return made
    return value


def field_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of a record's fields; None for what is no record."""
    cls = value.__class__
    if dataclasses.is_dataclass(cls):
        return tuple(each.name for each in dataclasses.fields(cls))
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return tuple(cls._fields)
    rtfs = cls.__module__.startswith("rtfs_framework.")
    return tuple(each.name for each in attrs.fields(cls)) if attrs.has(cls) and not rtfs else None


def as_data(value: Any, where: str) -> Any:
    """Return a value of RTFS as Python's own data.

    Raises:
        ConversionError: E0938, it is a function, or a map in which two keys get one name.
    """
    return _data(value, where, hashed=False)


def _data(value: Any, where: str, *, hashed: bool) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Keyword(name=name) | Symbol(name=name):
            return name
        case Timestamp():
            return datetime_of(value)
        case Uuid(text=text):
            return UUID(text)
        case Resource(text=text):
            return text
        case Map():
            return _dict(value, where, hashed=hashed)
        case Set():
            items = {_data(item, where, hashed=True) for item in value}
            if len(items) < len(value):
                raise ConversionError(f"{where} is a set in which two members are one in Python", _AS_IT_IS)
            return frozenset(items) if hashed else items
        case tuple() | GrownVector() | List():
            made = [_data(item, where, hashed=hashed) for item in value]
            return tuple(made) if hashed else made
    way_out = "return data, or take it as it is: session.run(...).value"
    raise ConversionError(f"{where} is a {type_name(value)}, which is no data of Python's", way_out)


def _dict(value: Map, where: str, *, hashed: bool) -> Any:
    made = {_data(key, where, hashed=True): _data(item, where, hashed=hashed) for key, item in value.items()}
    if len(made) < len(value):
        raise ConversionError(f"{where} is a map in which two keys get one name", _AS_IT_IS)
    return frozenset(made.items()) if hashed else made


def as_timestamp(value: datetime) -> Timestamp:
    """Return a point in time as a value.

    Raises:
        ConversionError: E0938, it has no time zone.
    """
    if value.utcoffset() is None:
        raise ConversionError("a datetime without a time zone is no point in time", "give it one: tzinfo=timezone.utc")
    return Timestamp(value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"))


def datetime_of(value: Timestamp) -> datetime:
    """Return a timestamp as a datetime; what is finer than a microsecond is cut off.

    Raises:
        ValueError: Python knows no such time.
    """
    text = value.text.upper().replace("Z", "+00:00")
    head, point, rest = text.partition(".")
    if point:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[:digits][:6]:0<6}{rest[digits:]}"
    return datetime.fromisoformat(text)
