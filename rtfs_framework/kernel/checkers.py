"""Checkers of declared types, and constructors of structs, which check what they are given. Pure, as `support` is."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import type_error, type_validation_error
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import LARGE, SMALL, charge
from rtfs_framework.lang.types.check import VECTOR, checker
from rtfs_framework.lang.types.model import MapType, Type
from rtfs_framework.lang.types.tests import compiled_test

_COLD = 64
"""Values after which the test of a type is compiled: that takes as long as some hundred checks."""
_KEPT = 4
"""Large vectors that are known to fit."""


def make_checker(declared: Type, lookup: Callable[[str], Type | None], kept: dict[Any, Any]) -> Callable[[Any], Any]:
    """Return a function that gives a value back if it fits a type, and raises TypeValidationError if not.

    After some values the type's test is compiled. Of large vectors the last ones that fitted are known by `kept`, which
    the checkers of a program share: they are not walked again, but charged.
    """
    message = checker(declared, lookup)
    test: Callable[[Any], bool] | None = None
    asked = 0

    def wrong(value: Any) -> str | None:
        nonlocal test, asked
        kind: Any = value.__class__
        size = len(value) if kind in VECTOR else 1
        large = SMALL <= size <= LARGE
        if large and kept.get(wrong) is value:
            charge(size)
            return None
        if asked < _COLD:
            asked += size
            test = compiled_test(declared, lookup) if asked >= _COLD else None
        if test is None or not test(value):
            found = message(value)
            if found is not None:
                return found
        if large:
            kept.pop(wrong, None)
            kept[wrong] = value
            if len(kept) > _KEPT:
                del kept[next(iter(kept))]
        return None

    def check(value: Any) -> Any:
        found = wrong(value)
        if found is not None:
            raise type_validation_error(found)
        return value

    check.wrong = wrong  # type: ignore[attr-defined]
    return check


def fits(check: Any, value: Any) -> bool:
    """Tell whether a value fits the type of a checker."""
    return check.wrong(value) is None


def check_all(check: Callable[[Any], Any], values: tuple[Any, ...]) -> None:
    """Check every value of a rest parameter."""
    for value in values:
        check(value)


def make_struct(name: str, declared: MapType, lookup: Callable[[str], Type | None]) -> Any:
    """Return the constructor of a struct, named in full: it checks one map and returns it."""
    check = make_checker(declared, lookup, {})
    short = name.rpartition("/")[2]

    def construct(fields: Any) -> Any:
        if fields.__class__ is not Map:
            raise type_error(f"{short}.new", "map", fields)
        return check(fields)

    construct.rtfs_name = f"{short}.new"  # type: ignore[attr-defined]
    construct.rtfs_struct = name  # type: ignore[attr-defined]
    return construct
