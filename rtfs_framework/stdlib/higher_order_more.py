"""More functions over functions: keeping, splitting and ordering by what a function says.

In: a function, then any collection. Out: parts of sequences keep the kind of their source, the rest are
vectors. Keys are computed first and sorted afterwards, so a function never runs inside Python's sort.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import Map, equal
from rtfs_framework.lang.meter import blocks, growing_blocks, watched
from rtfs_framework.lang.values import Reduced
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function
from rtfs_framework.stdlib.check import number, placed, sequence, walked
from rtfs_framework.stdlib.higher_order import truthy, unreduced
from rtfs_framework.stdlib.order import merge_sort, sort_by_keys, sort_keys
from rtfs_framework.stdlib.reordering import before_by
from rtfs_framework.stdlib.slices import NOTHING, alike
from rtfs_framework.stdlib.table import builtin


@builtin(
    "keep",
    ("(keep :a [{:a 1} {} {:a false}])", "[1 false]"),
    doc="Give the results of a function that are not nil.",
    op=Op.KEEP,
)
def keep(f: ty.callable, collection: ty.sequence) -> tuple[Any, ...]:
    found = walked("keep", collection)
    call = as_function("keep", f, 1)
    results = [call(item) for item in watched(found)]
    return tuple([result for result in results if result is not None])


@builtin(
    "keep-indexed",
    ('(keep-indexed (fn [i x] (if (odd? i) x nil)) ["a" "b"])', '["b"]'),
    doc="Give the results of a function of place and item that are not nil.",
)
def keep_indexed(f: ty.callable, collection: ty.sequence) -> tuple[Any, ...]:
    found = walked("keep-indexed", collection)
    call = as_function("keep-indexed", f, 2)
    results = [call(place, item) for place, item in enumerate(watched(found))]
    return tuple([result for result in results if result is not None])


def _prefix(op: str, predicate: Any, collection: Any) -> tuple[Any, int]:
    """Return the sequence and how many items at its start fit the predicate."""
    found = placed(op, collection)
    call = as_function(op, predicate, 1)
    place = 0
    for block in growing_blocks(found):
        for item in block:
            if not truthy(call(item)):
                return found, place
            place += 1
    return found, place


@builtin(
    "take-while", ("(take-while even? [2 4 5 6])", "[2 4]"), doc="Give the items before the first that does not fit."
)
def take_while(predicate: ty.callable, collection: ty.sequence) -> ty.part:
    found, stop = _prefix("take-while", predicate, collection)
    return alike(collection, found[:stop])


@builtin(
    "drop-while", ("(drop-while even? [2 4 5 6])", "[5 6]"), doc="Give the items from the first that does not fit."
)
def drop_while(predicate: ty.callable, collection: ty.sequence) -> ty.part:
    found, stop = _prefix("drop-while", predicate, collection)
    return alike(collection, found[stop:])


@builtin(
    "split-with",
    ("(split-with even? [2 5 6])", "[[2] [5 6]]"),
    doc="Give what take-while and drop-while give.",
    types=("[:fn [callable sequence] [:tuple part part]]",),
)
def split_with(predicate: Any, collection: Any) -> tuple[Any, Any]:
    found, stop = _prefix("split-with", predicate, collection)
    return alike(collection, found[:stop]), alike(collection, found[stop:])


@builtin(
    "partition-by",
    ("(partition-by odd? [1 3 2 5])", "[[1 3] [2] [5]]"),
    ("(partition-by odd? [])", "[]"),
    doc="Split a sequence wherever the result of a function changes.",
    types=("[:fn [callable sequence] [:vector part]]",),
)
def partition_by(f: Any, collection: Any) -> tuple[Any, ...]:
    found = walked("partition-by", collection)
    call = as_function("partition-by", f, 1)
    runs: list[list[Any]] = []
    before: Any = NOTHING
    for item in watched(found):
        result = call(item)
        if before is NOTHING or not equal(before, result):
            runs.append([])
        runs[-1].append(item)
        before = result
    return tuple([alike(collection, run) for run in runs])


@builtin(
    "reductions",
    ("(reductions + [1 2 3])", "[1 3 6]"),
    ("(reductions + 10 [1 2])", "[10 11 13]"),
    ("(reductions + [])", "[]"),
    ("(reductions (fn [sum x] (if (> x 1) (reduced sum) (+ sum x))) [1 2 3])", "[1 1]"),
    doc="Give every step of what reduce does.",
    parameters="f initial? collection",
    types=(
        "[:fn [callable sequence] vector]",
        "[:fn [callable :any sequence] vector]",
    ),
)
def reductions(f: Any, initial: Any, collection: Any = NOTHING) -> tuple[Any, ...]:
    found = sequence("reductions", initial if collection is NOTHING else collection)
    call = as_function("reductions", f, 2)
    items = iter(found)
    if collection is NOTHING:
        if not len(found):
            return ()
        initial = next(items)
    steps = [initial]
    for item in items:
        initial = call(initial, item)
        steps.append(unreduced(initial))
        if initial.__class__ is Reduced:
            break
    return tuple(steps)


@builtin(
    "reduce-kv",
    ("(reduce-kv (fn [sum k v] (+ sum v)) 0 {:a 1 :b 2})", "3"),
    ("(reduce-kv (fn [sum i x] (+ sum (* i x))) 0 [5 6])", "6"),
    doc="Combine the keys and values of a map, or the places and items of another collection.",
)
def reduce_kv(f: ty.callable, initial: Any, collection: ty.sequence) -> Any:
    found = sequence("reduce-kv", collection)
    entries = found if collection.__class__ is Map else enumerate(found)
    call = as_function("reduce-kv", f, 3)
    for key, value in watched(entries):
        initial = call(initial, key, value)
        if initial.__class__ is Reduced:
            return initial.value
    return initial


@builtin(
    "sort-by",
    ('(sort-by count ["ccc" "a" "bb"])', '["a" "bb" "ccc"]'),
    ("(sort-by :n > [{:n 1} {:n 2}])", "[{:n 2} {:n 1}]"),
    doc="Sort stably by the results of a function, in the order of `compare` or by a comparator of results.",
    parameters="f comparator? collection",
    gives=Gives.PART,
    types=(
        "[:fn [callable sequence] part]",
        "[:fn [callable callable sequence] part]",
    ),
)
def sort_by(f: Any, comparator: Any, collection: Any = NOTHING) -> Any:
    source = comparator if collection is NOTHING else collection
    found = placed("sort-by", source)
    found = found if found.__class__ is tuple else tuple(found)
    call = as_function("sort-by", f, 1)
    results = [call(item) for block in blocks(found) for item in block]
    if collection is NOTHING:
        return alike(source, sort_by_keys(found, sort_keys(results)))
    before = before_by("sort-by", comparator)
    places = merge_sort(range(len(found)), lambda a, b: before(results[a], results[b]))
    return alike(source, [found[place] for place in places])


@builtin(
    "max-key",
    ('(max-key count "a" "bbb" "cc")', '"bbb"'),
    ('(max-key identity 1 "a")', "!TypeError"),
    doc="Give the item for which a function gives the largest number (the last of equal ones).",
)
def max_key(f: ty.callable, item: Any, *more: Any) -> Any:
    return _extreme("max-key", f, (item, *more), 1)


@builtin(
    "min-key",
    ('(min-key count "aa" "b" "cc")', '"b"'),
    doc="Give the item for which a function gives the smallest number (the last of equal ones).",
)
def min_key(f: ty.callable, item: Any, *more: Any) -> Any:
    return _extreme("min-key", f, (item, *more), -1)


def _extreme(op: str, f: Any, items: tuple[Any, ...], sign: int) -> Any:
    call = as_function(op, f, 1)
    results = [number(op, call(item)) for item in watched(items)]
    best = 0
    for place, result in enumerate(results):
        if (result >= results[best]) if sign > 0 else (result <= results[best]):
            best = place
    return items[best]
