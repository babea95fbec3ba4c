"""The checks of the single kinds of type, as closures.

A check takes (value, run) and returns None or a `Failure`. `run` counts the nesting of named types and remembers their
verdicts, so that recursive types over shared or deep values stay linear and cannot exhaust the stack.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.meter import charge
from rtfs_framework.lang.pattern import BadPattern
from rtfs_framework.lang.types.failure import (
    Failure,
    brief,
    count_of,
    mismatch,
    missing,
    named_brief,
    predicate_failed,
    step_of,
    wrong_shape,
)
from rtfs_framework.lang.types.model import MapType, Predicate, Type
from rtfs_framework.lang.types.predicates import test_of
from rtfs_framework.lang.types.show import show_predicate, show_type
from rtfs_framework.lang.values import Keyword, type_name
from rtfs_framework.lang.vectors import GrownVector, List

VECTOR = frozenset({tuple, GrownVector})
LIST = frozenset({List, tuple, GrownVector})
_ABSENT = object()


class Run:
    """One check of one value: the nesting of named types and their verdicts so far."""

    __slots__ = ("depth", "verdicts")

    def __init__(self) -> None:
        self.depth = 0
        self.verdicts: dict[tuple[int, int], Failure | None] = {}


Check = Callable[[Any, Run], "Failure | None"]


def of_class(classes: frozenset[type], type_: Type) -> Check:
    """Fit by the value's class alone."""
    shown = show_type(type_)
    return lambda value, _run: None if value.__class__ in classes else mismatch(shown, type_name(value))


def items_check(type_: Type, classes: frozenset[type], item: Check) -> Check:
    """Every item of a collection of these classes fits."""
    shown = show_type(type_)

    def check(value: Any, run: Run) -> Failure | None:
        kind = value.__class__
        if kind not in classes:
            return mismatch(shown, type_name(value))
        charge(len(value))
        for place, each in enumerate(value):
            failure = item(each, run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def tuple_check(type_: Type, items: list[Check]) -> Check:
    """A vector of exactly these items."""
    shown = show_type(type_)

    def check(value: Any, run: Run) -> Failure | None:
        kind = value.__class__
        if kind not in VECTOR:
            return mismatch(shown, type_name(value))
        if len(value) != len(items):
            return wrong_shape(count_of(len(items)), str(len(value)))
        for place, item in enumerate(items):
            failure = item(value[place], run)
            if failure is not None:
                return failure.under(f"[{place}]")
        return None

    return check


def map_check(type_: MapType, entry_checks: list[Check], rest: Check | None) -> Check:
    """A map whose entries fit; a string key stands in for a keyword entry of the same name."""
    shown = show_type(type_)
    pairs = zip(type_.entries, entry_checks, strict=True)
    entries = [(e.key, check, e.optional, step_of(e.key)) for e, check in pairs]
    named = Set.of([e.key for e in type_.entries])

    def check(value: Any, run: Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        for key, fits, optional, step in entries:
            item = value.get(key, _ABSENT)
            if item is _ABSENT and key.__class__ is Keyword:
                item = value.get(key.name, _ABSENT)
            if item is _ABSENT:
                if optional:
                    continue
                return missing(key)
            failure = fits(item, run)
            if failure is not None:
                return failure.under(step)
        return None if rest is None else _check_rest(value, run, rest, named)

    return check


def _check_rest(value: Map, run: Run, rest: Check, named: Set) -> Failure | None:
    charge(len(value))
    for key, item in value.items():
        stands_in = key.__class__ is str and Keyword(key) in named and Keyword(key) not in value
        if key not in named and not stands_in:
            failure = rest(item, run)
            if failure is not None:
                return failure.under(step_of(key))
    return None


def map_of_check(type_: Type, key_check: Check, value_check: Check) -> Check:
    """A map all of whose keys and values fit."""
    shown = show_type(type_)

    def check(value: Any, run: Run) -> Failure | None:
        if value.__class__ is not Map:
            return mismatch(shown, type_name(value))
        charge(len(value))
        for key, item in value.items():
            failure = key_check(key, run)
            if failure is not None:
                return failure.under(f"(key {brief(key)})")
            failure = value_check(item, run)
            if failure is not None:
                return failure.under(step_of(key))
        return None

    return check


def union_check(type_: Type, members: list[Check]) -> Check:
    """Any member fits; the only member whose outside fits says what is wrong inside."""
    shown = show_type(type_)

    def check(value: Any, run: Run) -> Failure | None:
        near: list[Failure] = []
        for member in members:
            failure = member(value, run)
            if failure is None:
                return None
            if failure.path or failure.head != "Type mismatch":
                near.append(failure)
        return near[0] if len(near) == 1 else mismatch(shown, type_name(value))

    return check


def optional_check(type_: Type, inner: Check) -> Check:
    """Nil or the inner type."""
    shown = show_type(type_)

    def check(value: Any, run: Run) -> Failure | None:
        failure = None if value is None else inner(value, run)
        if failure is None or failure.path or failure.head != "Type mismatch":
            return failure
        return mismatch(shown, type_name(value))

    return check


def and_check(checks: list[Check]) -> Check:
    """All checks hold, in order."""

    def check(value: Any, run: Run) -> Failure | None:
        for each in checks:
            failure = each(value, run)
            if failure is not None:
                return failure
        return None

    return check


def predicate_check(predicate: Predicate) -> Check:
    """A refinement; a bad pattern or unknown name fails for every value."""
    shown = show_predicate(predicate)
    try:
        test = test_of(predicate)
    except (BadPattern, KeyError) as error:
        bad = Failure(
            f"Invalid regex pattern: {error}" if isinstance(error, BadPattern) else f"Unknown predicate {shown}"
        )
        return lambda _value, _run: bad
    return lambda value, _run: None if test(value) else predicate_failed(shown, value)


def one_of_check(type_: Type, values: tuple[Any, ...]) -> Check:
    """One of these literals, by strict equality."""
    shown = show_type(type_)

    def check(value: Any, _run: Run) -> Failure | None:
        if any(equal(value, each) for each in values):
            return None
        return mismatch(shown, named_brief(value))

    return check


def array_check(type_: Type, shape: tuple[int | None, ...], item: Check) -> Check:
    """Nested vectors of these lengths."""
    length = shape[0]
    inner = item if len(shape) == 1 else array_check(type_, shape[1:], item)
    items = items_check(type_, VECTOR, inner)

    def check(value: Any, run: Run) -> Failure | None:
        kind = value.__class__
        if length is not None and kind in VECTOR and len(value) != length:
            return wrong_shape(count_of(length), str(len(value)))
        return items(value, run)

    return check
