"""Operators and the functions over functions, written out once more."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from oracle.evaluator import Evaluator, error, is_number, same, true
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Reduced
from rtfs_framework.lang.vectors import List, is_vector


def numbers(*values: Any) -> None:
    for value in values:
        if not is_number(value):
            raise error("TypeError")


def add(_: Evaluator, *values: Any) -> Any:
    numbers(*values)
    total: Any = 0
    for value in values:
        total = total + value
    return total


def sub(_: Evaluator, first: Any, *more: Any) -> Any:
    numbers(first, *more)
    if not more:
        return -first
    for value in more:
        first = first - value
    return first


def mul(_: Evaluator, *values: Any) -> Any:
    numbers(*values)
    total: Any = 1
    for value in values:
        total = total * value
    return total


def div(_: Evaluator, first: Any, *more: Any) -> Any:
    numbers(first)
    if not more:
        first, more = 1, (first,)
    for value in more:
        numbers(value)
        if value == 0:
            raise error("DivisionByZero")
        whole = first.__class__ is int and value.__class__ is int and first % value == 0
        first = first // value if whole else first / value
    return first


def ordered(test: Any) -> Any:
    def compare(_: Evaluator, *values: Any) -> bool:
        for value in values:
            if not (is_number(value) or value.__class__ is str):
                raise error("TypeError")
        if len({value.__class__ is str for value in values}) > 1:
            raise error("TypeError")
        return all(test(a, b) for a, b in pairwise(values))

    return compare


def equal(_: Evaluator, *values: Any) -> bool:
    return all(same(a, b) for a, b in pairwise(values))


def items(value: Any) -> list[Any]:
    if value is None:
        return []
    if value.__class__ is str or is_vector(value) or value.__class__ in (List, Set):
        return list(value)
    if value.__class__ is Map:
        return [(key, value.get(key)) for key in value.keys()]  # noqa: SIM118 - a map is no Python mapping
    raise error("TypeError")


def function(value: Any) -> Any:
    from rtfs_framework.lang.values import Keyword
    from rtfs_framework.lang.vectors import GrownVector

    if callable(value) or value.__class__ in (Keyword, Map, Set, tuple, GrownVector):
        return value
    raise error("TypeError")


def takes(e: Evaluator, value: Any, count: int) -> bool:
    """Tell whether a value that stands for a function takes so many arguments."""
    looked_up = value.__class__.__module__.startswith("rtfs") or is_vector(value)
    return 1 <= count <= 2 if looked_up else e.takes(value, count)


def taking(e: Evaluator, value: Any, count: int) -> None:
    """A function that cannot take so many arguments is refused even when there is nothing to call it with."""
    if not takes(e, value, count):
        raise error("ArityMismatch")


def map_(e: Evaluator, f: Any, *collections: Any) -> tuple[Any, ...]:
    rows = [items(c) for c in collections]
    taking(e, function(f), len(rows))
    return tuple([e.apply(f, list(row)) for row in zip(*rows, strict=False)])


def filter_(e: Evaluator, f: Any, collection: Any) -> Any:
    found = items(collection)
    taking(e, function(f), 1)
    kept = [x for x in found if true(e.apply(f, [x]))]
    return "".join(kept) if collection.__class__ is str else List(kept) if collection.__class__ is List else tuple(kept)


def reduce(e: Evaluator, f: Any, *rest: Any) -> Any:
    found = items(rest[-1])
    taking(e, function(f), 2)
    if len(rest) == 2:
        result = rest[0]
    elif not found:
        if not takes(e, f, 0):
            raise error("Generic")
        return e.apply(f, [])
    else:
        result = found.pop(0)
    for item in found:
        result = e.apply(f, [result, item])
        if result.__class__ is Reduced:
            return result.value
    return result


OWN: dict[str, tuple[Any, int, int | None]] = {
    "+": (add, 0, None),
    "-": (sub, 1, None),
    "*": (mul, 0, None),
    "/": (div, 1, None),
    "<": (ordered(lambda a, b: a < b), 1, None),
    ">": (ordered(lambda a, b: a > b), 1, None),
    "<=": (ordered(lambda a, b: a <= b), 1, None),
    ">=": (ordered(lambda a, b: a >= b), 1, None),
    "=": (equal, 1, None),
    "not": (lambda _, x: not true(x), 1, 1),
    "nil?": (lambda _, x: x is None, 1, 1),
    "inc": (lambda e, x: add(e, x, 1), 1, 1),
    "dec": (lambda e, x: sub(e, x, 1), 1, 1),
    "map": (map_, 2, None),
    "filter": (filter_, 2, 2),
    "reduce": (reduce, 2, 3),
    "call": (None, 1, None),
}
"""Name to function (the evaluator comes first), least and most arguments."""
