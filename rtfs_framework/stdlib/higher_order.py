"""Functions over functions: map, filter, reduce, apply, and the questions about all or some items.

In: a function (or a keyword, map, vector or set as one), then any collections. Out: vectors; `filter`
and `remove` keep the kind of a string or list. Only nil and false are false.
"""

from __future__ import annotations

from itertools import chain

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import ProgramError, generic_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import SMALL, blocks, charge, fits, growing_blocks, made, watched
from rtfs_framework.lang.values import Reduced
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function, invoke
from rtfs_framework.stdlib.check import VECTORS, placed, sequence, walked
from rtfs_framework.stdlib.overlap import asks, overlap
from rtfs_framework.stdlib.slices import NOTHING, alike
from rtfs_framework.stdlib.table import builtin


def truthy(value: Any) -> bool:
    """Tell whether a value counts as true."""
    return value is not None and value is not False


def _mapped(op: str, function: Any, collection: Any, more: tuple[Any, ...]) -> list[Any]:
    found = collection if collection.__class__ in VECTORS else placed(op, collection)
    call = as_function(op, function, 1 + len(more))
    if more:
        others = [sequence(op, each) for each in watched(more)]
        charge(len(found))
        together = zip(found, *others)  # noqa: B905 - the shortest ends it
        return (
            overlap(lambda items: invoke(call, items), together)
            if asks(call)
            else [invoke(call, i) for i in watched(together)]
        )
    if asks(call):
        charge(len(found))
        return overlap(call, found)
    if len(found) < SMALL:
        return [call(item) for item in found]
    out: list[Any] = []
    for block in blocks(found):
        out += [call(item) for item in block]
    return out


def _kept(op: str, predicate: Any, collection: Any, *, when: bool) -> list[Any]:
    found = collection if collection.__class__ in VECTORS else placed(op, collection)
    call = as_function(op, predicate, 1)
    if len(found) < SMALL:
        return [item for item in found if truthy(call(item)) is when]
    out: list[Any] = []
    for block in blocks(found):
        out += [item for item in block if truthy(call(item)) is when]
    return out


def _first(op: str, predicate: Any, collection: Any, *, when: bool) -> tuple[Any, ...]:
    """Return the first result that is true (or false), in a tuple, or nothing."""
    found = collection if collection.__class__ in VECTORS else placed(op, collection)
    call = as_function(op, predicate, 1)
    for block in growing_blocks(found):
        for item in block:
            verdict = call(item)
            if truthy(verdict) is when:
                return (verdict,)
    return ()


@builtin(
    "map",
    ("(map inc [1 2 3])", "[2 3 4]"),
    ("(map + [1 2] [10 20 30])", "[11 22]"),
    ("(map :a [{:a 1}])", "[1]"),
    ("(map inc nil)", "[]"),
    ("(map last {:a 1})", "[1]"),
    doc="Call a function with each item, or with the first, second, ... items of several collections.",
    op=Op.MAP,
)
def map_(f: ty.callable, collection: ty.sequence, *more: ty.sequence) -> tuple[Any, ...]:
    return made(tuple(_mapped("map", f, collection, more)))


@builtin("mapv", ('(mapv str "ab" [1 2])', '["a1" "b2"]'), doc="The same as map.", op=Op.MAP)
def mapv(f: ty.callable, collection: ty.sequence, *more: ty.sequence) -> tuple[Any, ...]:
    return made(tuple(_mapped("mapv", f, collection, more)))


@builtin(
    "mapcat",
    ("(mapcat (fn [x] [x x]) [1 2])", "[1 1 2 2]"),
    ("(mapcat inc [1])", "!TypeError"),
    doc="Call a function that gives collections, and join them to one vector.",
)
def mapcat(f: ty.callable, collection: ty.sequence, *more: ty.sequence) -> tuple[Any, ...]:
    joined: list[Any] = []
    for piece in watched(_mapped("mapcat", f, collection, more)):
        found = sequence("mapcat", piece)
        fits("mapcat", len(joined) + len(found))
        joined.extend(found)
    return tuple(joined)


@builtin(
    "map-indexed",
    ('(map-indexed (fn [i x] [i x]) ["a"])', '[[0 "a"]]'),
    ("(map-indexed + [10 20])", "[10 21]"),
    doc="Call a function with each place (from 0) and item.",
)
def map_indexed(f: ty.callable, collection: ty.sequence) -> tuple[Any, ...]:
    found = walked("map-indexed", collection)
    call = as_function("map-indexed", f, 2)
    if asks(call):
        return tuple(overlap(lambda entry: call(*entry), enumerate(found)))
    return tuple([call(place, item) for place, item in enumerate(watched(found))])


@builtin(
    "filter",
    ("(filter even? [1 2 3 4])", "[2 4]"),
    ('(filter (fn [c] (!= c "a")) "banana")', '"bnn"'),
    ("(filter :on [{:on true} {}])", "[{:on true}]"),
    doc="Keep the items for which a predicate is true.",
    op=Op.FILTER,
    gives=Gives.PART,
)
def filter_(predicate: ty.callable, collection: ty.sequence) -> ty.part:
    return alike(collection, _kept("filter", predicate, collection, when=True))


@builtin("filterv", ("(filterv even? '(1 2))", "[2]"), doc="The same as filter, as a vector.", op=Op.FILTER)
def filterv(predicate: ty.callable, collection: ty.sequence) -> tuple[Any, ...]:
    return made(tuple(_kept("filterv", predicate, collection, when=True)))


@builtin(
    "remove",
    ("(remove even? [1 2 3 4])", "[1 3]"),
    ("(remove (fn [x] 1) [1 2])", "[]"),
    doc="Drop the items for which a predicate is true.",
    op=Op.REMOVE,
    gives=Gives.PART,
)
def remove(predicate: ty.callable, collection: ty.sequence) -> ty.part:
    return alike(collection, _kept("remove", predicate, collection, when=False))


@builtin(
    "reduce",
    ("(reduce + [1 2 3])", "6"),
    ("(reduce + 10 [1 2 3])", "16"),
    ("(reduce + nil)", "0"),
    ("(reduce max [])", "!Generic"),
    doc="Combine the items from the left; without an initial value the first item is one; over nothing the function is "
    "called without arguments, where it takes none.",
    parameters="f initial? collection",
    op=Op.REDUCE,
    types=(
        "[:fn [callable sequence] :any]",
        "[:fn [callable :any sequence] :any]",
    ),
)
def reduce(f: Any, initial: Any, collection: Any = NOTHING) -> Any:
    found = placed("reduce", initial if collection is NOTHING else collection)
    call = as_function("reduce", f, 2)
    items = iter(found) if len(found) < SMALL else chain.from_iterable(blocks(found))
    if collection is NOTHING:
        if not len(found):
            return _of_nothing(f)
        initial = next(items)
    for item in items:
        initial = call(initial, item)
        if initial.__class__ is Reduced:
            return initial.value
    return initial


@builtin(
    "reduced",
    ("(reduce (fn [sum x] (if (> sum 5) (reduced sum) (+ sum x))) 0 [1 2 3 4 5])", "6"),
    ("(reduced 1)", "#<reduced>"),
    doc="Wrap a value: a function that gives it to reduce, reductions or reduce-kv ends them, and it is the result.",
    op=Op.REDUCED,
)
def reduced(value: Any) -> Any:
    return Reduced(value)


@builtin(
    "unreduced",
    ("(unreduced (reduced 1))", "1"),
    ("(unreduced 1)", "1"),
    doc="Give what reduced has wrapped; anything else is itself.",
)
def unreduced(value: Any) -> Any:
    return value.value if value.__class__ is Reduced else value


def _of_nothing(f: Any) -> Any:
    try:
        call = as_function("reduce", f, 0)
    except ProgramError:
        raise nothing_to_reduce() from None
    return invoke(call, ())


def something_reduced(value: Any) -> Any:
    """Return what the items of a `reduce` without a first value came to.

    Raises:
        ProgramError: there was no item.
    """
    if value is NOTHING:
        raise nothing_to_reduce()
    return value


def nothing_to_reduce() -> ProgramError:
    """Return the error of a `reduce` that has no item to start from."""
    return generic_error("reduce of an empty collection needs an initial value")


@builtin(
    "apply",
    ("(apply + [1 2 3])", "6"),
    ("(apply + 1 [2 3])", "6"),
    ("(apply vector {:a 1})", "[:a 1]"),
    ("(apply + 1 2)", "!TypeError"),
    doc="Call a function with arguments of which the last is a collection of further ones (nil for none).",
    types=(
        "[:fn [callable sequence] :any]",
        "[:fn [callable :any :any & :any] :any]",
    ),
)
def apply(f: Any, argument: Any, *more: Any) -> Any:
    arguments = (argument, *more)
    last = arguments[-1]
    if last.__class__ is Map:
        spread: Any = [part for entry in last.items() for part in entry]
    else:
        spread = sequence("apply", last)
    given = (*arguments[:-1], *spread)
    return invoke(as_function("apply", f, len(given)), given)


@builtin(
    "every?",
    ("(every? even? [2 4])", "true"),
    ("(every? even? [])", "true"),
    ("(every? even? nil)", "true"),
    doc="Tell whether a predicate is true for all items.",
    op=Op.EVERY,
)
def is_every(predicate: ty.callable, collection: ty.sequence) -> bool:
    return not _first("every?", predicate, collection, when=False)


@builtin(
    "not-every?",
    ("(not-every? even? [2 3])", "true"),
    doc="Tell whether a predicate is false for some item.",
    op=Op.NOT_EVERY,
)
def is_not_every(predicate: ty.callable, collection: ty.sequence) -> bool:
    return bool(_first("not-every?", predicate, collection, when=False))


@builtin(
    "some?",
    ("(some? even? [1 2])", "true"),
    ("(some? even? [])", "false"),
    doc="Tell whether a predicate is true for some item (it is no test for nil, which is nil? alone).",
    op=Op.ANY,
)
def is_some(predicate: ty.callable, collection: ty.sequence) -> bool:
    return bool(_first("some?", predicate, collection, when=True))


@builtin(
    "some",
    ("(some even? [1 2])", "true"),
    ("(some #{:a} [:b :a])", ":a"),
    ("(some even? [1])", "nil"),
    doc="Give the first true result of a function, or nil.",
    op=Op.SOME,
)
def some(f: ty.callable, collection: ty.sequence) -> Any:
    found = _first("some", f, collection, when=True)
    return found[0] if found else None


@builtin(
    "not-any?", ("(not-any? even? [1 3])", "true"), doc="Tell whether a predicate is true for no item.", op=Op.NOT_ANY
)
def is_not_any(predicate: ty.callable, collection: ty.sequence) -> bool:
    return not _first("not-any?", predicate, collection, when=True)
