"""The total order of values (LANGUAGE.md 4.3) and stable sorting. Nothing here recurses into data.

nil < booleans < numbers < strings < keywords < symbols < vectors < lists < maps < sets < timestamps < uuids < resource
handles < errors < functions. Numbers go by value (1 and 1.0 tie, NaN is last); collections item by item, a prefix
first; maps by their entries in order of keys; functions tie.
"""

from __future__ import annotations

from _operator import is_, ne

from rtfs_framework.lang.annotations import Any, Callable, Iterable, Sequence
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.meter import LARGE, blocks, charge, fits, growing_blocks, meter, walk_text, watched
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

Token = tuple[Any, ...]
"""A rank, then what orders values of that rank. Tokens of one rank compare with each other."""

_END: Token = (-1,)
_NAN: Token = (2.5,)
_RANKS: dict[type, int] = {
    type(None): 0,
    bool: 1,
    int: 2,
    float: 2,
    str: 3,
    Keyword: 4,
    Symbol: 5,
    tuple: 6,
    GrownVector: 6,
    List: 7,
    Map: 8,
    Set: 9,
    Timestamp: 10,
    Uuid: 11,
    Resource: 12,
    ErrorValue: 13,
}
_FUNCTION_RANK = 14
_NUMBERS = {int, float}
_ONE_KIND: tuple[set[Any], ...] = ({str}, {bool})
"""Further classes of which the values compare in Python as here, among themselves."""
_VECTORS: frozenset[Any] = frozenset({tuple, GrownVector})
_TUPLE: set[Any] = {tuple}
_HASHED: frozenset[Any] = frozenset({int, float, str, bool})
_SAMPLE = 256
_TOKEN = 72
"""Bytes of a token, with its place in a list."""
_FEW = 3
"""Columns up to which vectors may be sorted by one after the other."""
_LEVELS = 3
_OFTEN = 1_024
_WIDEST = 64
"""Vectors in vectors, and items of one, up to which sort keys are made column by column."""
_SEQUENCES: frozenset[Any] = frozenset({tuple, GrownVector, List})


class _Ready:
    """Tokens made ahead, waiting on the work list."""

    __slots__ = ("tokens",)

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens


_CLOSE = _Ready([_END])


def order_key(value: Any) -> list[Token]:
    """Return a flat list of tokens; comparing two such lists compares the values."""
    out: list[Token] = []
    todo: list[Any] = [value]
    counted = _OFTEN
    while todo:
        item = todo.pop()
        if len(out) > counted:  # parts that a value shares are walked each time
            counted += _OFTEN
            charge(_OFTEN)
            fits("a comparison", len(out))
        kind = item.__class__
        if kind is _Ready:
            out.extend(item.tokens)
            continue
        rank = _RANKS.get(kind, _FUNCTION_RANK)
        if rank <= 3:
            out.append((rank, item) if item == item else _NAN)  # noqa: PLR0124 - NaN alone differs from itself
        elif kind in _SEQUENCES:
            charge(len(item))
            out.append((rank,))
            todo.append(_CLOSE)
            todo.extend(reversed(item))
        elif kind is Map or kind is Set:
            out.append((rank,))
            todo.append(_CLOSE)
            _push_unordered(item, todo)
        else:
            out.append(_name_token(rank, item))
    return out


def _push_unordered(collection: Any, todo: list[Any]) -> None:
    """Put members, or keys each before its value, on the work list in their order."""
    charge(len(collection))
    keyed = [(order_key(member), place) for place, member in enumerate(watched(collection))]
    keyed.sort()
    values = collection.values() if collection.__class__ is Map else None
    for tokens, place in reversed(keyed):
        if values is not None:
            todo.append(values[place])
        todo.append(_Ready(tokens))


def _name_token(rank: int, item: Any) -> Token:
    if rank <= 5:
        return (rank, item.name)
    if rank <= 12:
        return (rank, item.text)
    return (rank, item.kind, item.message) if rank == 13 else (rank,)


def compare_values(a: Any, b: Any) -> int:
    """Return -1, 0 or 1 as `a` is before, level with or after `b`."""
    kind = a.__class__
    if kind is b.__class__ and (kind is int or kind is str):
        if kind is str:
            walk_text(a if len(a) < len(b) else b)
        return int(a > b) - int(a < b)
    first, second = order_key(a), order_key(b)
    return (first > second) - (first < second)


def sort_values(items: Iterable[Any]) -> list[Any]:
    """Return the items in ascending order; equal ones keep their places."""
    items = list(items)
    keys = sort_keys(items)
    return _sorted(items) if keys[0] is items else sort_by_keys(items, keys)


def sort_by_keys(items: Sequence[Any], keys: list[Sequence[Any]]) -> list[Any]:
    """Return the items in the order of their keys: sorted by the last of `sort_keys` first, each time stably."""
    places: Sequence[int] = range(len(items))
    for each in reversed(keys):
        places = _sorted(places, each.__getitem__)
    return list(map(items.__getitem__, places))


def sort_keys(values: Sequence[Any], levels: int = _LEVELS) -> list[Sequence[Any]]:
    """Return what Python may compare in place of values: the first decides, if it ties the second, and so on.

    That is the values themselves, when it gives their order, and the columns of vectors of one length, when those but
    the last often tie: numbers and texts are compared much faster than vectors of them.
    """
    kinds = set(map(type, values))
    if not kinds <= _VECTORS:
        return [_plain_keys(values, kinds)]
    columns = _columns(values) if levels else []
    if not columns:
        return [_careful(values)]
    found = [sort_keys(column, levels - 1) for column in columns]
    keys = [each for part in found for each in part]
    if len(keys) <= _FEW and all(map(_ties, keys[:-1])):
        return keys
    unchanged = kinds == _TUPLE and len(keys) == len(columns) and all(map(is_, keys, columns))
    return [values if unchanged else list(zip(*keys, strict=True))]


def _plain_keys(values: Sequence[Any], kinds: set[type]) -> Sequence[Any]:
    if kinds <= _NUMBERS:
        return values if float not in kinds or not any(map(ne, values, values)) else _careful(values)
    if kinds == {Keyword}:
        return [value.name for value in values]
    return values if kinds in _ONE_KIND else _careful(values)


def _careful(values: Sequence[Any]) -> list[Any]:
    keys: list[Any] = []
    size, due = 0, LARGE
    for value in watched(values):
        keys.append(order_key(value))
        size += len(keys[-1])
        if size >= due:  # values may share their parts, but their keys share nothing
            due = size + LARGE
            meter().reserve(_TOKEN * size)
    return keys


def _columns(vectors: Sequence[Any]) -> list[Any]:
    """Return the columns of vectors that are all of one length; else none."""
    if not vectors or len(vectors[0]) > _WIDEST:
        return []
    charge(len(vectors[0]) * len(vectors))
    try:
        return list(zip(*vectors, strict=True))
    except ValueError:
        return []


def _ties(keys: Sequence[Any]) -> bool:
    """Tell whether many keys seem to be equal."""
    some = keys[:_SAMPLE]
    return some[0].__class__ in _HASHED and 2 * len(set(some)) <= len(some)


def _sorted(items: Sequence[Any], key: Callable[[Any], Any] | None = None) -> list[Any]:
    """Return what Python's `sorted` does; many items are sorted in runs, with a look at the limits between them."""
    if len(items) <= LARGE:
        return sorted(items, key=key)
    runs = [sorted(block, key=key) for block in blocks(items)]
    while len(runs) > 1:
        pairs = zip(runs[::2], runs[1::2], strict=False)
        merged = [sorted(first + second, key=key) for first, second in map(_charged, pairs)]
        runs = merged + (runs[-1:] if len(runs) % 2 else [])
    return runs[0]


def _charged(pair: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    charge(len(pair[0]) + len(pair[1]))
    return pair


def merge_sort(items: Iterable[Any], before: Callable[[Any, Any], bool]) -> list[Any]:
    """Sort stably with a predicate that may call RTFS functions, which must never run inside Python's own sort."""
    source = list(items)
    width = 1
    while width < len(source):
        merged: list[Any] = []
        charge(len(source))
        for start in watched(range(0, len(source), 2 * width)):
            left, right = source[start : start + width], source[start + width : start + 2 * width]
            _merge(left, right, before, merged)
        source = merged
        width *= 2
    return source


def _merge(left: list[Any], right: list[Any], before: Callable[[Any, Any], bool], out: list[Any]) -> None:
    i = j = 0
    while i < len(left) and j < len(right):
        if before(right[j], left[i]):
            out.append(right[j])
            j += 1
        else:
            out.append(left[i])
            i += 1
    out.extend(left[i:])
    out.extend(right[j:])


def position(items: Any, wanted: Any, start: int = 0) -> int:
    """Return the first place of an equal item at or after `start`, or -1."""
    place = start
    for block in growing_blocks(items[start:] if start else items):
        for item in block:
            if equal(item, wanted):
                return place
            place += 1
    return -1
