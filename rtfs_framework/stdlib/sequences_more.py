"""Vectors made by rule (ranges, repetitions) and collections cut, woven or flattened. Everything is bounded and strict.

In: counts and any collection. Out: vectors; pieces are vectors too.
"""

from __future__ import annotations

from itertools import chain, cycle, islice

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import invalid_argument
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.meter import LARGE, charge, fits, made, room, watched
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function
from rtfs_framework.stdlib.check import VECTORS, integer, number, placed, sequence
from rtfs_framework.stdlib.conversions import finite
from rtfs_framework.stdlib.slices import NOTHING, positive
from rtfs_framework.stdlib.table import builtin


@builtin(
    "range",
    ("(range 3)", "[0 1 2]"),
    ("(range 2 5)", "[2 3 4]"),
    ("(range 10 0 -5)", "[10 5]"),
    doc="Give the integers from start (or 0) to before end, by steps of 1 unless said.",
    parameters="start? end step?",
    op=Op.RANGE,
)
def range_(start: ty.int, end: ty.int = NOTHING, step: ty.int = 1) -> tuple[int, ...]:
    return made(tuple(integers_of_range(start, end, step)))


def integers_of_range(start: Any, end: Any = NOTHING, step: Any = 1) -> range:
    """Return the integers of a range for a loop that keeps none of them; it is bounded and charged like the vector."""
    low, high = (0, start) if end is NOTHING else (start, end)
    if integer("range", step) == 0:
        raise invalid_argument("Step of range must not be zero")
    return _integers("range", integer("range", low), integer("range", high), step)


def _integers(op: str, low: int, high: int, step: int) -> range:
    """Return the integers of a range; counted before they are made, for Python's len() has a bound of its own."""
    room(op, max((high - low + step - (1 if step > 0 else -1)) // step, 0))
    return range(low, high, step)


@builtin("numbers", ("(numbers 1 4)", "[1 2 3 4]"), doc="Give the integers from one number to another, both included.")
def numbers(first: ty.number, last: ty.number) -> tuple[int, ...]:
    low, high = (int(finite(number("numbers", value))) for value in (first, last))
    return made(tuple(_integers("numbers", low, high + 1, 1)))


@builtin(
    "repeat", ("(repeat 3 :x)", "[:x :x :x]"), ("(repeat -1 :x)", "[]"), doc="Give a vector of one value repeated."
)
def repeat(count: ty.int, value: Any) -> tuple[Any, ...]:
    return made((value,) * room("repeat", max(integer("repeat", count), 0)))


@builtin(
    "cycle",
    ("(cycle 5 [1 2 3])", "[1 2 3 1 2]"),
    ("(cycle 2 [])", "[]"),
    doc="Give as many items as said from a collection repeated without end.",
)
def cycle_(count: ty.int, collection: ty.sequence) -> tuple[Any, ...]:
    amount = room("cycle", max(integer("cycle", count), 0))
    return made(tuple(islice(cycle(placed("cycle", collection)), amount)))


@builtin(
    "iterate",
    ("(iterate 4 (fn [x] (* 2 x)) 1)", "[1 2 4 8]"),
    ("(iterate 0 inc 1)", "[]"),
    doc="Give as many values as said: a first one, then each made by the function from the one before.",
)
def iterate(count: ty.int, function: ty.callable, first: Any) -> tuple[Any, ...]:
    amount, step = room("iterate", max(integer("iterate", count), 0)), as_function("iterate", function, 1)
    out = []
    for place in watched(range(amount)) if amount > LARGE else range(amount):
        first = step(first) if place else first
        out.append(first)
    return tuple(out)


def _pieces(op: str, size: Any, step: Any, collection: Any, *, past_end: bool) -> tuple[tuple[Any, ...], ...]:
    """Return the pieces of a partition; without a step its place holds the collection."""
    if collection is NOTHING:
        step, collection = size, step
    width, stride, found = positive(op, size), positive(op, step), sequence(op, collection)
    stop = len(found)
    if stop and not past_end:
        stop = max(min(stop, stop - width + stride), 1)
    starts = range(0, stop, stride)
    room(op, len(starts) * min(width, len(found)))
    return tuple([tuple(found[start : start + width]) for start in watched(starts)])


@builtin(
    "partition",
    ("(partition 2 [1 2 3])", "[[1 2] [3]]"),
    ("(partition 2 1 [1 2 3])", "[[1 2] [2 3]]"),
    ("(partition 0 [1])", "!TypeError"),
    doc="Cut into pieces of a size, starting a piece every step items, until the end is reached.",
    parameters="size step? collection",
    types=(
        "[:fn [:int sequence] [:vector vector]]",
        "[:fn [:int :int sequence] [:vector vector]]",
    ),
)
def partition(size: Any, step: Any, collection: Any = NOTHING) -> tuple[tuple[Any, ...], ...]:
    return _pieces("partition", size, step, collection, past_end=False)


@builtin(
    "partition-all",
    ("(partition-all 2 [1 2 3])", "[[1 2] [3]]"),
    ("(partition-all 2 1 [1 2 3])", "[[1 2] [2 3] [3]]"),
    doc="Cut into pieces of a size, starting a piece every step items, as long as there is one.",
    parameters="size step? collection",
    types=(
        "[:fn [:int sequence] [:vector vector]]",
        "[:fn [:int :int sequence] [:vector vector]]",
    ),
)
def partition_all(size: Any, step: Any, collection: Any = NOTHING) -> tuple[tuple[Any, ...], ...]:
    return _pieces("partition-all", size, step, collection, past_end=True)


@builtin("interleave", ("(interleave [1 2] [:a :b :c])", "[1 :a 2 :b]"), doc="Take items from each collection in turn.")
def interleave(*collections: ty.sequence) -> tuple[Any, ...]:
    charge(len(collections))
    parts = [sequence("interleave", part) for part in watched(collections)]
    room("interleave", sum(map(len, parts)))
    return made(tuple(chain.from_iterable(zip(*parts))))  # noqa: B905 - the shortest ends it


@builtin("interpose", ("(interpose 0 [1 2 3])", "[1 0 2 0 3]"), doc="Put a value between the items.")
def interpose(separator: Any, collection: ty.sequence) -> tuple[Any, ...]:
    found = sequence("interpose", collection)
    room("interpose", 2 * len(found))
    out = [separator] * max(2 * len(found) - 1, 0)
    out[::2] = found
    return tuple(out)


@builtin(
    "flatten", ("(flatten [1 [2 '(3 [4])] {}])", "[1 2 3 4 {}]"), doc="Open all vectors and lists inside one another."
)
def flatten(collection: ty.sequence) -> tuple[Any, ...]:
    out: list[Any] = []
    todo = list(reversed(sequence("flatten", collection)))
    while todo:
        item = todo.pop()
        if item.__class__ in VECTORS:
            todo.extend(reversed(item))
            fits("flatten", len(todo) + len(out))
            charge(len(item))
        else:
            out.append(item)
    return tuple(out)


@builtin("zip", ("(zip [1 2] [:a :b :c])", "[[1 :a] [2 :b]]"), doc="Give vectors of the items at each place.")
def zip_(first: ty.sequence, *collections: ty.sequence) -> tuple[tuple[Any, ...], ...]:
    charge(len(collections))
    parts = [sequence("zip", part) for part in watched((first, *collections))]
    room("zip", sum(map(len, parts)))
    return made(tuple(zip(*parts)))  # noqa: B905 - the shortest ends it
