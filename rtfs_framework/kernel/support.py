"""Runtime helpers that generated code calls by name. Pure; what reaches the host lives in `effects`."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import (
    Cancelled,
    InternalError,
    LimitError,
    ProgramError,
    type_error,
)
from rtfs_framework.lang.maps import EMPTY_MAP, Map, Set
from rtfs_framework.lang.meter import charge, meter, room_for_text
from rtfs_framework.lang.meter import fits as check_size
from rtfs_framework.lang.printer import display
from rtfs_framework.lang.vectors import GROW_AT, GrownVector, List, part
from rtfs_framework.stdlib.callables import as_function, keyword_get, lookup_keyword
from rtfs_framework.stdlib.check import placed

_OF_VALUES = frozenset({"items", "bits"})
"""Limits that single values meet."""
ROWS = frozenset({GrownVector, List})
"""Classes besides `tuple` of what may fit the pattern of a vector."""
_SPREAD = ROWS | {Set, type(None)}
"""Classes besides `tuple` of what is bound item by item: text and maps are more often a mistake there."""
_SHORT = 1 << 2048
"""Integers below this are shown by Python itself, which refuses very long ones."""
_ITERATIONS = 64
"""Iterations of `dotimes` that are counted at once."""


def fail(kind: str, message: str) -> Any:
    """Raise an error that was known before the program ran."""
    raise ProgramError(kind, message)


def no_match(value: Any) -> Any:
    """Raise the error of a `match` in which no clause fits."""
    raise ProgramError("MatchError", "Match error: No matching clause", value)


def keyword_call(*args: Any) -> Any:
    """`(:k subject default?)`: the keyword, then the arguments."""
    if 2 <= len(args) <= 3:
        return keyword_get(*args)
    return lookup_keyword(args[0], len(args) - 1)()


def callable_of(value: Any, count: int, op: str = "call") -> Any:
    """Return what stands for a value in call position. What cannot be called fails when it is: after its arguments."""
    try:
        return as_function(op, value, count)
    except ProgramError as error:
        return _failing(error)


def _failing(error: ProgramError) -> Callable[..., Any]:
    def call(*_args: Any) -> Any:
        raise error

    return call


def spread(value: Any, count: int) -> Any:
    """Return exactly `count` items of a vector, list, set or nil: missing ones are nil, extra ones are dropped."""
    if value.__class__ is not tuple and value.__class__ not in _SPREAD:
        raise type_error("destructuring", "vector", value)
    items = tuple(placed("destructuring", value)[:count])
    return items + (None,) * (count - len(items))


def spread_rest(value: Any, count: int) -> Any:
    """Return `count` items as `spread` does, then the vector of what is left."""
    return *spread(value, count), tail(placed("destructuring", value), count)


def tail(vector: Any, count: int) -> Any:
    """Return the vector of what is left of a vector or list without its first items."""
    vector = vector.vector() if vector.__class__ is List else vector
    return part(vector, min(count, len(vector)), len(vector), GROW_AT)


def as_map(value: Any) -> Map:
    """Return a map to destructure: nil is the empty one."""
    if value.__class__ is Map:
        return value
    if value is None:
        return EMPTY_MAP
    raise type_error("destructuring", "map", value)


def text(value: Any) -> str:
    """Return what `str` shows of a value."""
    if value.__class__ is int and -_SHORT < value < _SHORT:
        return str(value)
    return display(value, meter().items)


def bounded(made: str) -> str:
    """Return a text that `str` made, or refuse it."""
    room_for_text("str", len(made))
    return made


def frozen(grown: list[Any]) -> tuple[Any, ...]:
    """Return the vector of what a loop has built."""
    check_size("conj", len(grown))
    return tuple(grown)


def frozen_map(grown: dict[Any, Any]) -> Map:
    """Return the map of what a loop has built, which nobody changes any more."""
    check_size("assoc", len(grown))
    return Map.wrap(grown)


def check_growth(grown: Any) -> None:
    """Look at the size of what a loop builds, now and then."""
    check_size("conj", len(grown))


def again(error: Exception) -> None:
    """Let a loop that failed be run step by step, to meet the error that comes first then; some errors are final.

    Raises:
        Exception: the error, if it would be no other.
    """
    limited = isinstance(error, LimitError) and error.dimension not in _OF_VALUES
    if limited or isinstance(error, Cancelled | InternalError | RecursionError):
        raise error


def map_rest(value: Map, keys: tuple[Any, ...]) -> Map:
    """Return a map without the keys used."""
    for key in keys:
        value = value.dissoc(key)
    return value


def for_each(collection: Any, function: Any) -> Any:
    """One level of `for`: the vectors of every iteration in a row; nil from an iteration ends the loop."""
    found = placed("for", collection)
    charge(len(found))
    out: list[Any] = []
    for item in found:
        made = function(item)
        if made is None:
            break
        out.extend(made)
    return tuple(out)


def times(count: Any) -> Any:
    """Return the number of iterations of a `dotimes`."""
    if count.__class__ is not int:
        raise type_error("dotimes", "integer", count)
    return count


def do_times(count: Any, function: Any) -> Any:
    """`dotimes`: the last iteration's value."""
    result = None
    for start in range(0, times(count), _ITERATIONS):
        iterations = range(start, min(start + _ITERATIONS, count))
        meter().spend(len(iterations))
        for i in iterations:
            result = function(i)
    return result


def quasi_list(*segments: Any) -> List:
    """The list that a quasiquote builds from segments."""
    return List(item for segment in segments for item in _segment(segment))


def quasi_vector(*segments: Any) -> tuple[Any, ...]:
    """The vector that a quasiquote builds from segments."""
    return tuple(item for segment in segments for item in _segment(segment))


def quasi_map(*segments: Any) -> Map:
    """The map that a quasiquote builds from segments of keys and values."""
    flat = (_entries(segment) if segment.__class__ is Map else segment for segment in segments)
    items = quasi_vector(*flat)
    if len(items) % 2:
        raise ProgramError("InvalidArgument", "Invalid argument: a quasiquoted map needs a value for every key")
    return Map.of(zip(items[::2], items[1::2], strict=True))


def _segment(value: Any) -> Any:
    return placed("~@", value)


def _entries(value: Map) -> tuple[Any, ...]:
    """Return the keys and values of a map that is spliced into a map, in a row."""
    return tuple([part for pair in placed("~@", value) for part in pair])
