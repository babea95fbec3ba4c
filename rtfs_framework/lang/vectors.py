"""Vectors and lists: what they are, and how versions of long ones share their items.

A vector is a tuple while it is short, or was made at once; a `GrownVector` is a long one that was made from another.
"""

from __future__ import annotations

from _collections_abc import Sequence  # which Python has loaded already
from _operator import is_
from itertools import chain

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any, Iterable, Iterator
from rtfs_framework.lang.meter import charge, fits, made, room
from rtfs_framework.lang.values import register_type_name

if TYPE_CHECKING:
    from typing_extensions import Self

GROW_AT = 32
"""Vectors shorter than this stay tuples when an item comes or goes: copying them is cheaper than sharing."""

PART_AT = 256
"""Other parts and changes of shorter vectors are tuples, too: they are read more often, and tuples are read fastest."""

_FEW = 8
"""How many times longer a vector is than what is joined to it without copying it."""

_DROPPED = 3
"""Items that may have been dropped for each that is left, before these are copied."""

_BLOCK = 1_024
"""Items that a walk takes out of the buffers at once."""

_LOOK = 0x3FF
"""A vector that grows looks at its bound every 1,024 items, as maps do."""

_MISSING = object()


class Shared(Sequence[Any]):
    """Items of places in a row, in buffers that versions share.

    Places from 0 on are those of a tuple, then of a list; places before 0 are those of another list, the nearest first.
    A version that becomes longer takes the next place by appending. Where another version has taken it, and where an
    item is changed, the new item stands in a hash trie from places to items, which is looked into first. So nothing is
    copied, and no version sees another's items: what is in a buffer stays, and no place of a trie is taken in a buffer.

    What was dropped is counted: when much more was than is left, the rest is copied, and keeps no large buffer.
    """

    __slots__ = ("_buffers", "_changed", "_dropped", "_n", "_start")
    _buffers: tuple[Sequence[Any], list[Any], list[Any]]
    _changed: Any
    _start: int
    _n: int
    _dropped: int

    def _version(self, changed: Any, start: int, n: int, dropped: int) -> Self:
        made = _new(self.__class__)
        made._buffers = self._buffers
        made._changed = changed
        made._start = start
        made._n = n
        made._dropped = dropped
        return made  # type: ignore[no-any-return]

    def conj(self, item: Any) -> Self:
        """Return the same with one item more at the end."""
        base, back, _ = self._buffers
        n, changed = self._n, self._changed
        end = self._start + n
        at = end - len(base)
        if len(back) == at and (changed is None or end not in changed):
            back.append(item)
            if back[at] is not item:  # another thread has made this very version longer first
                changed = _trie(changed).set(end, item)
        else:
            changed = _trie(changed).set(end, item)
        if n & _LOOK == _LOOK:
            fits("conj", n + 1)
        return self._version(changed, self._start, n + 1, self._dropped)

    def extended(self, items: Sequence[Any]) -> Self:
        """Return the same with items at the end."""
        base, back, _ = self._buffers
        end = self._start + self._n
        changed = self._taken(back, end - len(base), items, range(end, end + len(items)))
        return self._version(changed, self._start, self._n + len(items), self._dropped)

    def prepended(self, items: Sequence[Any]) -> Self:
        """Return the same with items in front."""
        start = self._start - len(items)
        changed = self._taken(self._buffers[2], -self._start, items[::-1], range(self._start - 1, start - 1, -1))
        return self._version(changed, start, self._n + len(items), self._dropped)

    def _taken(self, buffer: list[Any], at: int, items: Sequence[Any], places: range) -> Any:
        """Take the next places of a buffer; return the trie, with the items if others have taken those."""
        changed = self._changed
        if len(buffer) == at and (changed is None or not any(place in changed for place in places)):
            buffer.extend(items)
            if all(map(is_, buffer[at : at + len(items)], items)):
                return changed
        with _trie(changed).mutate() as more:
            more.update(zip(places, items, strict=True))
            return more.finish()

    def put(self, changes: Iterable[tuple[int, Any]]) -> Self:
        """Return the same with other items at some indexes that it has."""
        with _trie(self._changed).mutate() as more:
            for index, item in changes:
                more[self._start + index] = item
            return self._version(more.finish(), self._start, self._n, self._dropped)

    def part(self, low: int, high: int) -> Any:
        """Return the items from one index to before another: shared, or a tuple if little is left of what was."""
        n = high - low
        dropped = self._dropped + self._n - n
        if dropped > _DROPPED * n:
            charge(n)
            return _like(self, self._items(low, high))
        return self._version(self._changed, self._start + low, n, dropped)

    def _items(self, low: int, high: int) -> list[Any]:
        base, back, front = self._buffers
        size, first, end, changed = len(base), self._start + low, self._start + high, self._changed
        items: list[Any] = []
        if first < 0:
            before = min(end, 0)
            items = front[-before:-first][::-1]
            items[:0] = [None] * (before - first - len(items))  # those are in the trie
        items += base[max(first, 0) : max(end, 0)]
        items += back[max(first - size, 0) : max(end - size, 0)]
        if changed is None:
            return items
        items += [None] * (high - low - len(items))
        if len(changed) > high - low:
            return [changed.get(place, item) for place, item in enumerate(items, first)]
        for place, item in changed.items():
            if first <= place < end:
                items[place - first] = item
        return items

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        n = self._n
        if index.__class__ is not int:
            low, high, step = index.indices(n)
            return tuple(self._items(low, max(low, high)) if step == 1 else self._items(0, n)[index])
        if not -n <= index < n:
            raise IndexError(index)
        place = self._start + (index if index >= 0 else n + index)
        if self._changed is not None:
            found = self._changed.get(place, _MISSING)
            if found is not _MISSING:
                return found
        base, back, front = self._buffers
        if place < len(base):
            return base[place] if place >= 0 else front[~place]
        return back[place - len(base)]

    def __iter__(self) -> Iterator[Any]:
        n = self._n
        if n <= _BLOCK:
            return iter(self._items(0, n))
        return chain.from_iterable(self._items(low, min(low + _BLOCK, n)) for low in range(0, n, _BLOCK))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shared | tuple) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({list(self)!r})"


class GrownVector(Shared):
    """A long vector that was made from another."""

    __slots__ = ()

    def __init__(self, base: Sequence[Any], n: int, start: int = 0) -> None:
        """Begin with `n` items, from `start` on, of a tuple or a list that nobody changes any more."""
        self._buffers = base, [], []
        self._changed = None
        self._start = start
        self._n = n
        self._dropped = 0


class List(Shared):
    """A list: quoted data, macro forms, and what `conj` makes longer in front."""

    __slots__ = ()

    def __init__(self, items: Iterable[Any] = ()) -> None:
        base = tuple(items)
        self._buffers = base, [], []
        self._changed = None
        self._start = self._dropped = 0
        self._n = len(base)

    def vector(self) -> Vector:
        """Return the vector of the same items."""
        if self._n < GROW_AT:
            return tuple(self)
        made = GrownVector((), self._n, self._start)
        made._buffers, made._changed, made._dropped = self._buffers, self._changed, self._dropped
        return made


_new: Any = object.__new__
Vector = tuple[Any, ...] | GrownVector
register_type_name(GrownVector, "vector")
register_type_name(List, "list")


def is_vector(value: object) -> bool:
    """Tell whether a value is a vector (a tuple that is not a List, or a GrownVector)."""
    return value.__class__ is tuple or value.__class__ is GrownVector


def conj(vector: Vector, item: Any) -> Vector:
    """Return the vector with one item more; nothing is copied of a long one."""
    if vector.__class__ is GrownVector:
        return vector.conj(item)
    return _shared(vector).conj(item) if len(vector) >= GROW_AT else (*vector, item)


def part(vector: Any, low: int, high: int, least: int = PART_AT) -> Any:
    """Return the items from one index to before another; of `least` and more nothing is copied."""
    n = high - low
    if n == len(vector):
        return vector
    if n >= least:
        return _shared(vector).part(low, high)
    charge(n)
    return _like(vector, vector[low:high])


def joined(op: str, before: Sequence[Any], vector: Any, after: Sequence[Any], least: int = PART_AT) -> Any:
    """Return items, those of a vector, and more items in a row; a long vector is not copied."""
    few = len(before) + len(after)
    size = len(vector) + few
    if len(vector) < least or _FEW * few > len(vector):
        room(op, size)
        return made(_like(vector, (*before, *vector, *after)))
    fits(op, size)
    charge(few)
    found = _shared(vector)
    found = found.prepended(tuple(before)) if before else found
    return found.extended(tuple(after)) if after else found


def put(vector: Vector, changes: Sequence[tuple[int, Any]]) -> Vector:
    """Return the vector with other items at some indexes that it has, in O(log n) for each if it is long."""
    if len(vector) >= PART_AT and _FEW * len(changes) < len(vector):
        charge(len(changes))
        return _shared(vector).put(changes)
    charge(len(vector))
    items = list(vector)
    for index, item in changes:
        items[index] = item
    return made(tuple(items))


def _like(source: Any, items: Iterable[Any]) -> Any:
    return List(items) if source.__class__ is List else tuple(items)


def _shared(vector: Vector) -> GrownVector:
    return vector if isinstance(vector, Shared) else GrownVector(vector, len(vector))


def _trie(changed: Any) -> Any:
    if changed is not None:
        return changed
    import immutables  # few programs change a long vector

    return immutables.Map()
