"""Maps out of sequences: groups, indexes and counts, in the order in which keys first occur.

In: a function, then any collection. Any value may be a key.
"""

from __future__ import annotations

from collections import Counter

from rtfs_framework.lang.annotations import Any, Iterable
from rtfs_framework.lang.maps import Map, atoms, to_key
from rtfs_framework.lang.meter import blocks, watched
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function
from rtfs_framework.stdlib.check import placed, walked
from rtfs_framework.stdlib.slices import alike
from rtfs_framework.stdlib.table import builtin


@builtin(
    "group-by",
    ("(group-by even? [1 2 3])", "{false [1 3] true [2]}"),
    ('(group-by :k [{:k "a"} {:k "b"}])', '{"a" [{:k "a"}] "b" [{:k "b"}]}'),
    ("(group-by :k nil)", "{}"),
    doc="Give a map from each result of a function to the vector of items that gave it.",
    types=("[:fn [callable sequence] [:map-of :any vector]]",),
)
def group_by(f: Any, collection: Any) -> Map:
    found = walked("group-by", collection)
    call = as_function("group-by", f, 1)
    groups: dict[Any, Any] = {}
    for item in watched(found):
        groups.setdefault(to_key(call(item)), []).append(item)
    return Map.wrap({key: tuple(group) for key, group in groups.items()})


@builtin(
    "index-by",
    ("(index-by :id [{:id 1 :n 5} {:id 2}])", "{1 {:id 1 :n 5} 2 {:id 2}}"),
    doc="Give a map from each result of a function to the last item that gave it.",
)
def index_by(f: ty.callable, collection: ty.sequence) -> Map:
    found = walked("index-by", collection)
    call = as_function("index-by", f, 1)
    index: dict[Any, Any] = {}
    for item in watched(found):
        index[to_key(call(item))] = item
    return Map.wrap(index)


@builtin(
    "frequencies",
    ('(frequencies "abca")', '{"a" 2 "b" 1 "c" 1}'),
    doc="Count how often each item occurs.",
    types=("[:fn [sequence] [:map-of :any :int]]",),
)
def frequencies(collection: Any) -> Map:
    return _counted(blocks(placed("frequencies", collection)))


@builtin(
    "count-by",
    ("(count-by odd? [1 2 3])", "{false 1 true 2}"),
    doc="Count how often a function gives each of its results.",
    types=("[:fn [callable sequence] [:map-of :any :int]]",),
)
def count_by(f: Any, collection: Any) -> Map:
    found = walked("count-by", collection)
    call = as_function("count-by", f, 1)
    return _counted([[call(item) for item in watched(found)]])


def _counted(parts: Iterable[Any]) -> Map:
    """Return how often each value occurs; those that are their own keys are counted by Python's C code."""
    counts: Counter[Any] = Counter()
    for part in parts:
        counts.update(part if atoms(part) else [to_key(value) for value in watched(part)])
    return Map.wrap(dict(counts))


@builtin(
    "distinct-by",
    ("(distinct-by :id [{:id 1 :a 1} {:id 1 :a 2}])", "[{:a 1 :id 1}]"),
    doc="Keep the first of the items for which a function gives equal results.",
)
def distinct_by(f: ty.callable, collection: ty.sequence) -> ty.part:
    found = walked("distinct-by", collection)
    call = as_function("distinct-by", f, 1)
    firsts: dict[Any, Any] = {}
    for item in watched(found):
        firsts.setdefault(to_key(call(item)), item)
    return alike(collection, list(firsts.values()))
