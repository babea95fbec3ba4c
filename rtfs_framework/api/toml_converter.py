"""The cattrs converter behind `structure`: strict, complete (it goes on after a mistake), and exact about types.

cattrs alone would read the number 5 as the text "5", the text "abc" as a list of letters, and true as 1; the hooks here
refuse. They raise `Mismatch`, `NoChoice` and `BadNumber`, which `structure` turns into diagnostics. A class is made
only when all its fields are right; otherwise every field is looked at by itself, so that no mistake hides another.
"""

from __future__ import annotations

import collections.abc
import math
import types
from datetime import date, datetime, time
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from rtfs_framework.api.redaction import RuleText
from rtfs_framework.api.targets import TargetText
from rtfs_framework.api.toml_fields import mistakes_of_fields
from rtfs_framework.api.type_patterns import TypePattern
from rtfs_framework.api.units import UNITS

_NAMES: dict[type, str] = {
    str: "a text",
    TargetText: "a text",
    RuleText: "a text",
    TypePattern: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
    datetime: "a date and time",
    date: "a date",
    time: "a time",
}
_SHOWN = 40
"""Characters of a wrong text that are worth showing."""
_SEQUENCES = (list, tuple, collections.abc.Sequence)
_SETS = (set, frozenset, collections.abc.Set)
_MAPPINGS = (dict, collections.abc.Mapping)


class Mismatch(TypeError):
    """A value of another type than the field's."""

    def __init__(self, expected: str, value: Any, *, shown: bool = False) -> None:
        super().__init__(expected, value)
        self.expected = expected
        self.got = repr(value) if shown else _NAMES.get(type(value), type(value).__name__)


class BadNumber(ValueError):
    """A number that nothing can be done with: nan or infinity."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class NoChoice(ValueError):
    """A value that is none of those allowed."""

    def __init__(self, value: Any, choices: list[str]) -> None:
        super().__init__(value, choices)
        self.value = value
        self.choices = choices


@lru_cache(maxsize=1)
def converter() -> Converter:
    """Return the converter, made once."""
    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    for kind in (str, bool, int, float):
        made.register_structure_hook(kind, _primitive(kind))
    made.register_structure_hook(TargetText, _of_text(TargetText))
    made.register_structure_hook(RuleText, _of_text(RuleText))
    made.register_structure_hook(TypePattern, _of_text(TypePattern))
    made.register_structure_hook_factory(UNITS.__contains__, _measure)
    made.register_structure_hook_factory(_is_enum, _enum)
    made.register_structure_hook_factory(_is_literal, _literal)
    made.register_structure_hook_factory(lambda kind: _origin(kind) in _SEQUENCES + _SETS, _sequence)
    made.register_structure_hook_factory(lambda kind: _origin(kind) in _MAPPINGS, _mapping)
    made.register_structure_hook_factory(attrs.has, _table)
    made.register_structure_hook_factory(_is_union, _union)
    return made


def _origin(kind: Any) -> Any:
    return get_origin(kind) or kind


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_literal(kind: Any) -> bool:
    return bool(get_origin(kind) == Literal)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _fits(kind: type, value: Any) -> bool:
    if kind is float:
        return type(value) in (float, int)
    return type(value) is kind


def _primitive(kind: type) -> Any:
    def read(value: Any, _: Any) -> Any:
        if not _fits(kind, value):
            raise Mismatch(_NAMES[kind], value)
        return kind(_finite(value))

    return read


def _of_text(kind: Any) -> Any:
    """Make something of a text; what it raises is told at the text."""

    def read(value: Any, _: Any) -> Any:
        if type(value) is not str:
            raise Mismatch(_NAMES[str], value)
        return kind(value)

    return read


def _finite(value: Any) -> Any:
    """Return a value that is no number, or one that is finite as a float.

    Raises:
        BadNumber: It is nan, infinite, or a whole number beyond every float.
    """
    try:
        if value.__class__ is float and not math.isfinite(value):
            raise BadNumber(value)
    except OverflowError:
        raise BadNumber("that") from None
    return value


def _measure(kind: Any, _: Converter) -> Any:
    """Read a number, or a text with its unit."""
    unit = UNITS[kind]
    number = "whole number" if unit.whole else "number"

    def read(value: Any, _: Any) -> Any:
        if type(value) is int or (type(value) is float and not unit.whole):
            return (int if unit.whole else _float)(_finite(value))
        found = unit.read(value) if type(value) is str else None
        if found is None:
            expected = f'a {number} of {unit.name}, or a text with its unit, such as "{unit.example}"'
            raise Mismatch(expected, value, shown=type(value) is str and len(value) <= _SHOWN)
        return found

    return read


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise BadNumber("one so large") from None


def _enum(kind: Any, _: Converter) -> Any:
    choices = {member.value: member for member in kind}

    def read(value: Any, _: Any) -> Any:
        if not isinstance(value, (str, int)) or value not in choices:
            raise NoChoice(value, [str(choice) for choice in choices])
        return choices[value]

    return read


def _literal(kind: Any, _: Converter) -> Any:
    choices = get_args(kind)

    def read(value: Any, _: Any) -> Any:
        if not any(value == choice and type(value) is type(choice) for choice in choices):
            raise NoChoice(value, [str(choice) for choice in choices])
        return value

    return read


def _sequence(kind: Any, made: Converter) -> Any:
    item = (*get_args(kind), Any)[0]
    build = _origin(kind) if _origin(kind) in (list, set, frozenset) else tuple

    def read(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise Mismatch(_NAMES[list], value)
        return build(_each(made, enumerate(value), item, kind))

    return read


def _mapping(kind: Any, made: Converter) -> Any:
    item = (*get_args(kind), Any, Any)[1]

    def read(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(_NAMES[dict], value)
        return dict(zip(value, _each(made, value.items(), item, kind), strict=True))

    return read


def _each(made: Converter, members: Any, item: Any, kind: Any) -> list[Any]:
    """Return every member structured; go on after a mistake and tell them all at the end."""
    results, errors = [], []
    for index, value in members:
        try:
            results.append(value if item is Any else made.structure(value, item))
        except Exception as error:  # noqa: BLE001, PERF203 - hooks and validators raise what they like
            note = IterableValidationNote(f"at {index!r}", index, item)
            error.__notes__ = [*getattr(error, "__notes__", ()), note]  # type: ignore[attr-defined]
            errors.append(error)
    if errors:
        raise IterableValidationError("members", errors, kind)
    return results


def _table(cls: Any, made: Converter) -> Any:
    fields = make_dict_structure_fn(
        cls, made, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, _cattrs_use_alias=True
    )

    def read(value: Any, kind: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(_NAMES[dict], value)
        try:
            return fields(value, kind)
        except Exception as error:  # noqa: BLE001 - hooks and validators raise what they like
            mistakes = mistakes_of_fields(made, cls, value)
            raise mistakes or error from None

    return read


def _union(kind: Any, made: Converter) -> Any:
    """Choose the member by the class of the value: mistakes are then told of the right one."""
    members = [member for member in get_args(kind) if member is not type(None)]
    members.sort(key=lambda member: not _is_literal(member))  # "off" is a choice before it is a text

    def read(value: Any, _: Any) -> Any:
        for member in members:
            if _accepts(member, value, members):
                return value if member is Any else made.structure(value, member)
        if value is None and len(members) < len(get_args(kind)):
            return None
        raise Mismatch(" or ".join(dict.fromkeys(_shape(member) for member in members)), value)

    return read


def _shape(kind: Any) -> str:
    origin = _origin(kind)
    if kind in UNITS:
        return f"a number of {UNITS[kind].name}"
    if origin in _SEQUENCES + _SETS:
        return _NAMES[list]
    if origin in _MAPPINGS or attrs.has(kind):
        return _NAMES[dict]
    if origin is Literal or _is_enum(kind):
        return _NAMES[str]
    return _NAMES.get(kind, str(kind))


def _accepts(kind: Any, value: Any, members: list[Any]) -> bool:
    if kind is Any:
        return True
    if kind is float:
        return _fits(float, value)
    if kind in UNITS:
        return type(value) in (int, float, str)
    if get_origin(kind) is Literal and not any(value == choice for choice in get_args(kind)):
        # a text that is none of the choices may be the text of another member
        return _shape(kind) == _NAMES.get(type(value)) and not any(each is str or each in UNITS for each in members)
    return _shape(kind) == _NAMES.get(type(value))
