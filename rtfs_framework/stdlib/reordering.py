"""The items of one collection in another order, or fewer of them. In: any collection. Out: its kind.

Sorting never runs an RTFS function inside Python's own sort: such a function may suspend, and must not hold C frames.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.library import Gives
from rtfs_framework.lang.maps import atoms, equal, to_key
from rtfs_framework.lang.meter import charge, watched
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function
from rtfs_framework.stdlib.check import NUMBERS, sequence, walked
from rtfs_framework.stdlib.order import merge_sort, sort_values
from rtfs_framework.stdlib.slices import NOTHING, alike
from rtfs_framework.stdlib.table import builtin


@builtin(
    "reverse",
    ("(reverse [1 2 3])", "[3 2 1]"),
    ('(reverse "ab")', '"ba"'),
    doc="Turn the order around.",
    gives=Gives.PART,
)
def reverse(collection: ty.sequence) -> ty.part:
    return alike(collection, sequence("reverse", collection)[::-1])


def _sort_shape(first: Any, second: Any = NOTHING) -> Any:
    """Return (comparator or NOTHING, collection) from the arguments of `sort`."""
    return (NOTHING, first) if second is NOTHING else (first, second)


@builtin(
    "sort",
    ("(sort [3 1 2])", "[1 2 3]"),
    ("(sort > [1 2])", "[2 1]"),
    ('(sort [true nil "a" 2 :k false])', '[nil false true 2 "a" :k]'),
    doc="Sort stably: in the order of `compare`, or by a function that gives a boolean (is it before?) or a number.",
    parameters="comparator? collection",
    types=(
        "[:fn [sequence] part]",
        "[:fn [callable sequence] part]",
    ),
)
def sort(comparator: Any, collection: Any = NOTHING) -> Any:
    comparator, source = _sort_shape(comparator, collection)
    found = sequence("sort", source)
    if comparator is NOTHING:
        return alike(source, sort_values(found))
    return alike(source, merge_sort(found, before_by("sort", comparator)))


def before_by(op: str, comparator: Any) -> Any:
    """Return a predicate for `merge_sort` from an RTFS comparator: boolean, or negative for before."""
    function = as_function(op, comparator, 2)

    def before(a: Any, b: Any) -> bool:
        verdict = function(a, b)
        if verdict.__class__ in NUMBERS:
            return bool(verdict < 0)
        return verdict is not None and verdict is not False

    return before


@builtin(
    "distinct",
    ("(distinct [1 2 1 3])", "[1 2 3]"),
    ('(distinct "hello")', '"helo"'),
    doc="Keep the first of equal items.",
)
def distinct(collection: ty.sequence) -> ty.part:
    if collection.__class__ is tuple and atoms(collection):
        charge(len(collection))
        return alike(collection, tuple(dict.fromkeys(collection)))
    found: dict[Any, Any] = {}
    for item in watched(walked("distinct", collection)):
        found.setdefault(to_key(item), item)
    return alike(collection, tuple(found.values()))


@builtin(
    "distinct?",
    ("(distinct? 1 2 3)", "true"),
    ("(apply distinct? [1 2 1])", "false"),
    doc="Tell whether no two of the values are equal.",
)
def is_distinct(value: Any, *more: Any) -> bool:
    return len({to_key(each) for each in watched((value, *more))}) == 1 + len(more)


@builtin("dedupe", ("(dedupe [1 1 2 1])", "[1 2 1]"), doc="Keep the first of equal neighbours.")
def dedupe(collection: ty.sequence) -> ty.part:
    out: list[Any] = []
    for item in watched(walked("dedupe", collection)):
        if not out or not equal(out[-1], item):
            out.append(item)
    return alike(collection, out)
