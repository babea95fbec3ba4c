"""Persistent maps and sets in insertion order, and the equality and keys they rest on.

A map is a plain dict until it is changed while large; then a hash trie (`immutables.Map`) from key to (place, value)
takes over, so `assoc` costs O(log n) and old versions stay valid. Iteration of a trie sorts by place once and keeps
the result.
"""

from __future__ import annotations

from itertools import chain

from rtfs_framework.lang.annotations import Any, Collection, Iterable, Iterator, Mapping, Sequence
from rtfs_framework.lang.equality import equal, register_keyed
from rtfs_framework.lang.hashing import COMPACT, WORD, hash_value, register
from rtfs_framework.lang.meter import charge, fits, watched
from rtfs_framework.lang.values import (
    ErrorValue,
    Keyword,
    Resource,
    Symbol,
    Timestamp,
    Uuid,
    register_type_name,
)

__all__ = [
    "EMPTY_MAP", "PLAIN", "Key", "Map", "Set", "atoms", "equal", "from_key", "hash_value", "is_plain", "to_key",
]  # fmt: skip

COPY_BELOW = 16
"""Changing a dict of fewer entries copies it: cheaper than a trie, which has so many at least."""

_FEW = 8
"""How many times larger a map is than one whose entries are put into it one by one: copying it would take longer."""

_LOOK = 0x3FF
"""A map that grows looks at its bound every 1,024 entries."""

PLAIN = frozenset({str, Keyword, Symbol, type(None), Timestamp, Uuid, Resource, ErrorValue})
"""Classes whose instances are their own dict keys, as integers below `WORD` are: Python's equality is RTFS's there."""


class Key:
    """A dict key for a value whose Python equality is not RTFS's: floats, booleans, collections, functions.

    Large integers have one too, for many of them may share Python's hash.
    """

    __slots__ = ("_hash", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._hash = hash_value(value)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Key and equal(self.value, other.value)


_ATOMS: frozenset[Any] = frozenset({str, int, Keyword, Symbol, type(None)})
_INTEGERS: set[Any] = {int}
_SOME = 48
"""Integers up to which asking each for its size takes less time than an array, which imports `collections`."""
_WORD_BITS = 63


def atoms(values: Sequence[Any]) -> bool:
    """Tell whether all values are their own dict keys and equal ones cannot be told apart."""
    kinds = set(map(type, values))
    if int not in kinds or not kinds <= _ATOMS:
        return kinds <= _ATOMS
    integers = values if kinds == _INTEGERS else [each for each in values if each.__class__ is int]
    if len(integers) < _SOME:
        return max(map(int.bit_length, integers)) <= _WORD_BITS
    from array import array

    try:
        array("q", integers)
    except OverflowError:
        return False
    return -WORD not in integers


def is_plain(value: Any) -> bool:
    """Tell whether a value is its own dict key."""
    return value.__class__ in PLAIN or (value.__class__ is int and -WORD < value < WORD)


def to_key(value: Any) -> Any:
    """Return the dict key that stands for a value."""
    kind = value.__class__
    return value if kind in PLAIN or (kind is int and -WORD < value < WORD) else Key(value)


def from_key(key: Any) -> Any:
    """Return the value that a dict key stands for."""
    return key.value if key.__class__ is Key else key


class Trie(dict[Any, Any]):
    """The entries of a large map that was changed: it stands where a small one has its dict, and answers as that does.

    To Python it is a dict without entries, so whoever walks a map asks for `Map._dict`.
    """

    __slots__ = ("entries", "following", "order")
    entries: Any
    """An `immutables.Map` from keys to places and values."""
    following: int
    """The place of the next new entry."""
    order: tuple[list[Any], int, int]
    """Keys of an older version, the first that is left of them, and the place that came next then."""

    @staticmethod
    def of(items: Mapping[Any, Any]) -> Trie:
        """Return the entries of a dict as a trie."""
        import immutables  # most programs never grow a map past the dict

        charge(len(items))
        entries = immutables.Map({_folded(k): (i, v) for i, (k, v) in enumerate(items.items())})
        return Trie.made(entries, len(items), (list(map(_folded, items)), 0, len(items)))

    @staticmethod
    def made(entries: Any, following: int, order: tuple[list[Any], int, int]) -> Trie:
        """Return a trie of its parts; there is no `__init__`, for which Python would take more time."""
        made = Trie()
        made.entries = entries
        made.following = following
        made.order = order
        return made

    def with_entry(self, key: Any, value: Any) -> Trie:
        """Return the trie with one entry set."""
        key = _folded(key)
        entry = self.entries.get(key)
        if entry is not None:
            return Trie.made(self.entries.set(key, (entry[0], value)), self.following, self.order)
        place = self.following
        if place & _LOOK == _LOOK:
            fits("assoc", len(self.entries) + 1)
        return Trie.made(self.entries.set(key, (place, value)), place + 1, self.order)

    def without(self, key: Any) -> Trie:
        """Return the trie without a key that it has."""
        return Trie.made(self.entries.delete(_folded(key)), self.following, self.order)

    def ordered(self) -> dict[Any, Any]:
        """Return the entries as a dict in their order."""
        charge(len(self.entries))
        return {_unfolded(k): v for k, (_, v) in sorted(self.entries.items(), key=_by_place)}

    def first(self) -> tuple[Any, Any]:
        """Return the first entry.

        The search goes on where that of an older version ended: taking out the first again and again is n log n.
        """
        keys, at, known = self.order
        for place in range(at, len(keys)):
            key = keys[place]
            entry = self.entries.get(key)
            if entry is not None and entry[0] < known:  # else it was taken out, and may have come back at the end
                self.order = keys, place, known
                charge(place - at)
                return _unfolded(key), entry[1]
        charge(len(self.entries))
        self.order = [key for key, _ in sorted(self.entries.items(), key=_by_place)], 0, self.following
        return self.first()

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value under a key, or the default."""
        entry = self.entries.get(_folded(key))
        return default if entry is None else entry[1]

    def __getitem__(self, key: Any) -> Any:
        return self.entries[_folded(key)][1]

    def __contains__(self, key: Any) -> bool:
        return _folded(key) in self.entries

    def __len__(self) -> int:
        return len(self.entries)


class Map:
    """An immutable map. Build with `Map.of(pairs)` or, for keys known to be plain, `Map.wrap(dict)`.

    Small maps are made often. So there is no `__init__`, for which Python would take the time of another map; and at
    first only `_items` is set: `_hash`, and `_trie` beside a dict with the same entries, when they are needed.
    """

    __slots__ = ("_hash", "_items", "_trie")
    _items: dict[Any, Any]
    """A dict in the order of the entries, or a `Trie`."""
    _hash: int
    _trie: Trie

    @staticmethod
    def wrap(items: dict[Any, Any]) -> Map:
        """Take over `items`, whose keys are already `to_key`ed; the caller never changes it again."""
        made = Map()
        made._items = items
        return made

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, Any]]) -> Map:
        """Build from pairs of RTFS values; a repeated key keeps its place and the last value."""
        return cls.wrap({to_key(k): v for k, v in watched(pairs)})  # each key may be a nest that takes long to hash

    def hashed(self) -> list[Any]:
        """Return keys and values, one after the other, for `hashing`."""
        return list(chain.from_iterable(self._dict().items()))

    def _dict(self) -> dict[Any, Any]:
        """Return the entries as a dict in order (made once from the trie)."""
        items = self._items
        if items.__class__ is Trie:
            self._trie = items  # another thread that sees the dict sees the trie
            self._items = items = items.ordered()
        return items

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value under a key, or the default."""
        kind = key.__class__
        if kind not in PLAIN and not (kind is int and -COMPACT < key < COMPACT):
            key = to_key(key)
        return self._items.get(key, default)

    def assoc(self, key: Any, value: Any) -> Map:
        """Return the map with one entry set."""
        kind = key.__class__
        if kind not in PLAIN and not (kind is int and -COMPACT < key < COMPACT):
            key = to_key(key)
        items = self._items
        made = Map()  # as `Map.wrap` does, but faster
        if len(items) < COPY_BELOW:
            made._items = items = items.copy()
            items[key] = value
        else:
            made._items = self._as_trie().with_entry(key, value)
        return made

    def dissoc(self, key: Any) -> Map:
        """Return the map without a key."""
        if key not in self:
            return self
        key = to_key(key)
        if len(self) <= COPY_BELOW:
            return Map.wrap({k: v for k, v in self._dict().items() if k != key})
        return Map.wrap(self._as_trie().without(key))

    def _as_trie(self) -> Trie:
        """Return the entries as a trie (made once from the dict)."""
        items = self._items
        if items.__class__ is Trie:
            return items
        try:
            return self._trie
        except AttributeError:
            self._trie = made = Trie.of(items)
            return made

    def first(self) -> tuple[Any, Any]:
        """Return the first entry; there must be one."""
        items = self._items
        key, value = items.first() if isinstance(items, Trie) else next(iter(items.items()))
        return from_key(key), value

    def merged(self, other: Map) -> Map:
        """Return the map with all entries of another set, in its order."""
        if len(self) > max(COPY_BELOW, _FEW * len(other)):
            result = self
            for key, value in watched(other.items()):
                result = result.assoc(key, value)
            return result
        charge(len(self) + len(other))
        return Map.wrap({**self._dict(), **other._dict()})

    def __contains__(self, key: Any) -> bool:
        return to_key(key) in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """Return the keys in order."""
        charge(len(self))
        return [from_key(k) for k in self._dict()]

    def values(self) -> list[Any]:
        """Return the values in order of their keys."""
        charge(len(self))
        return list(self._dict().values())

    def items(self) -> list[tuple[Any, Any]]:
        """Return the entries in order."""
        charge(len(self))
        return [(from_key(k), v) for k, v in self._dict().items()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and equal(self, other)

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = hash_value(self)
            return self._hash

    def __repr__(self) -> str:
        return f"Map({dict(self.items())!r})"


class Set:
    """An immutable set in insertion order: a map from its members to themselves."""

    __slots__ = ("map",)

    def __init__(self, members: Map) -> None:
        self.map = members

    @classmethod
    def of(cls, members: Iterable[Any]) -> Set:
        """Build from RTFS values; the first of equal members stays."""
        if members.__class__ is tuple and atoms(members):
            return cls(Map.wrap(dict(zip(members, members))))  # noqa: B905 - of one length
        found: dict[Any, Any] = {}
        for member in watched(members):  # each may be a nest that takes long to hash
            found.setdefault(to_key(member), member)
        return cls(Map.wrap(found))

    def with_all(self, members: Collection[Any]) -> Set:
        """Return the set with more members; the first of equal ones stays."""
        if _FEW * len(members) >= len(self):
            return Set.of((*self, *members))
        made = self.map
        for member in watched(members):
            if member not in made:
                made = made.assoc(member, member)
        return Set(made)

    def without_all(self, members: Collection[Any]) -> Set:
        """Return the set without some members; a vector's are looked up in turn."""
        if members.__class__ is Set and _FEW * len(members) >= len(self):
            return Set.of([member for member in watched(self) if member not in members])
        made = self.map
        for member in watched(members):
            made = made.dissoc(member)
        return Set(made)

    def __contains__(self, member: Any) -> bool:
        return member in self.map

    def __len__(self) -> int:
        return len(self.map)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.map.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Set) and equal(self, other)

    def hashed(self) -> list[Any]:
        """Return the members' keys, for `hashing`: those of collections know their hash."""
        return list(self.map._dict())

    def __hash__(self) -> int:
        return hash_value(self)

    def __repr__(self) -> str:
        return f"Set({list(self)!r})"


EMPTY_MAP = Map.wrap({})
register_type_name(Map, "map")
register_type_name(Set, "set")
register(Map)
register(Set)
register_keyed(Map, Set, Key)


def _by_place(entry: tuple[Any, tuple[int, Any]]) -> int:
    return entry[1][0]


def _folded(key: Any) -> Any:
    """Return the key of a trie that stands for a dict key: many integers share the 32 bits it keeps of a hash."""
    return Key(key) if key.__class__ is int and not -COMPACT < key < COMPACT else key


def _unfolded(key: Any) -> Any:
    return key.value if key.__class__ is Key and is_plain(key.value) else key
