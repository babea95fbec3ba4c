"""Hashes of RTFS values that nobody can aim at: whoever chooses the values cannot make many of them collide.

In: any value. Out: an integer that equal values have in common. Python's hashes of numbers and tuples are known to
everybody, so many values can be made that share one, and a dict of them takes time with the square of their number.
Here every number and every collection goes, as bytes, through Python's hash of bytes, which has a secret key (unless
PYTHONHASHSEED takes it away, and even then no pattern of numbers collides). Hashes differ between processes: they are
never stored, and no order follows from them.
"""

from __future__ import annotations

from itertools import count
from marshal import dumps
from sys import getrefcount

from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.meter import SMALL, charge, visited, watched
from rtfs_framework.lang.vectors import GrownVector, List

WORD = 1 << 63
"""Integers between this and its negative are their own dict keys: at most a few share one of Python's hashes."""

COMPACT = (1 << 30) - 1
"""Integers between this and its negative are compared fastest by Python: usual ones."""

_FORMAT = 2
"""The last format of `marshal` that writes equal data as equal bytes, whoever else refers to it."""
_RAW: frozenset[Any] = frozenset({int, bool, type(None)})
_SEQUENCES: frozenset[Any] = frozenset({tuple, GrownVector, List})
_COLLECTIONS: set[Any] = set(_SEQUENCES)
_MASK = WORD - 1
_MUCH = 4_096
"""Bytes or parts from which on a hash is charged by its size, and that are put together at once."""
_SINGLE = 3
"""References to a part that only its collection has: the collection's, the walk's, and that of asking."""
_unlike = count(1)
"""NaN equals nothing, so every occurrence of it has a hash of its own."""


def hash_value(value: Any) -> int:
    """Return a hash that agrees with `equal`, looking all the way into nested data.

    A work list instead of recursion, and parts that a value shares are looked at once: neither depth nor sharing is a
    danger.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    kind = value.__class__
    if kind in _SEQUENCES:
        if len(value) < SMALL and set(map(type, value)) <= _RAW:
            data = dumps(list(value) if kind is List else tuple(value), _FORMAT)
            if len(data) >= _MUCH:
                charge(len(data) >> 3)
            return hash(data)
        return _deep(value)
    if kind is int or kind is float or kind is bool:
        return hash(dumps(_lane(value), _FORMAT))
    return _deep(value) if kind in _COLLECTIONS else hash(value)


def register(kind: type) -> None:
    """Name a further class of collections: maps and sets, which have a module of their own.

    Its `hashed()` returns its parts in any order: members, or entries each as key and value.
    """
    _COLLECTIONS.add(kind)


def _lane(item: Any) -> Any:
    """Return what stands for an atom among the parts of a collection, as data that `marshal` writes."""
    kind = item.__class__
    if kind is int:
        return item if -WORD < item < WORD else [_of_large(item)]
    if kind is float:
        return item + 0.0 if item == item else [next(_unlike)]  # noqa: PLR0124 - 0.0 and -0.0 are equal, NaN is not
    return item if kind in _RAW else [hash(item)]


def _of_large(number: int) -> int:
    size = (number.bit_length() >> 3) + 1
    charge(size >> 3)
    return hash(number.to_bytes(size, "little", signed=True))


class _Parts:
    """A collection that is being hashed: what is left of its parts, and what the others came to."""

    __slots__ = ("_lanes", "_ordered", "_pairs", "_total", "left", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._lanes: list[Any] = []
        self._ordered = value.__class__ in _SEQUENCES
        self._total = 0
        parts = value if self._ordered else value.hashed()
        self._pairs = not self._ordered and len(parts) == 2 * len(value)
        if len(parts) >= SMALL:
            charge(len(parts))
        self.left: Iterator[Any] = iter(parts) if len(parts) < _MUCH else watched(parts)

    def add(self, lane: Any) -> None:
        """Take the next part."""
        lanes = self._lanes
        lanes.append(lane)
        if not self._ordered and len(lanes) == 1 + self._pairs:
            # The sum does not depend on the order; nobody who does not know the hashes can choose it.
            self._total = (self._total + hash(dumps(lanes, _FORMAT))) & _MASK
            lanes.clear()
        elif len(lanes) >= _MUCH:
            lanes[:] = ([hash(dumps(lanes, _FORMAT))],)

    def hash(self) -> int:
        """Return the hash of the whole."""
        if self._ordered:
            return hash(dumps(self._lanes if self.value.__class__ is List else tuple(self._lanes), _FORMAT))
        return hash(dumps(("map" if self._pairs else "set", self._total, len(self.value)), _FORMAT))


def _deep(value: Any) -> int:
    known: dict[int, int] = {}
    open_ = [_Parts(value)]
    opened = 0
    while True:
        parts = open_[-1]
        for item in parts.left:
            kind = item.__class__
            if kind not in _COLLECTIONS:
                parts.add(_lane(item))
            elif id(item) in known:
                parts.add([known[id(item)]])
            else:
                opened += 1
                visited()
                if not opened % _MUCH:
                    charge(_MUCH)
                open_.append(_Parts(item))
                break
        else:
            made = parts.hash()
            open_.pop()
            if not open_:
                return made
            if getrefcount(parts.value) > _SINGLE:
                known[id(parts.value)] = made
            open_[-1].add([made])
