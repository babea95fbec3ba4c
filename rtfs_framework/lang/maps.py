"""Persistent maps and sets in insertion order, and the equality and keys they rest on.

A map is a plain dict until it is changed while large; then a hash trie (`immutables.Map`) from key to (place, value)
takes over, so `assoc` costs O(log n) and old versions stay valid. Iteration of a trie sorts by place once and keeps
the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rtfs_framework.lang.meter import LARGE, SMALL, charge, fits, watched
from rtfs_framework.lang.values import (
    ErrorValue,
    GrownVector,
    Keyword,
    List,
    Resource,
    Symbol,
    Timestamp,
    Uuid,
    register_type_name,
)

_SMALL = 16
"""Changing a dict of at most this many entries copies it: cheaper than a trie."""

_LOOK = 0x3FF
"""A map that grows looks at its bound every 1,024 entries."""

PLAIN = frozenset({str, int, Keyword, Symbol, type(None), Timestamp, Uuid, Resource, ErrorValue})
"""Classes whose instances are their own dict keys: Python's equality is RTFS's among them."""


class Key:
    """A dict key for a value whose Python equality is not RTFS's: floats, booleans, collections, functions."""

    __slots__ = ("_hash", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._hash = hash_value(value)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Key and equal(self.value, other.value)


_ATOMS: frozenset[Any] = frozenset({str, int, Keyword, Symbol, type(None)})


def atoms(values: Iterable[Any]) -> bool:
    """Tell whether all values are their own dict keys and equal ones cannot be told apart."""
    return set(map(type, values)) <= _ATOMS


def is_plain(value: Any) -> bool:
    """Tell whether a value is its own dict key."""
    return value.__class__ in PLAIN


def to_key(value: Any) -> Any:
    """Return the dict key that stands for a value."""
    return value if value.__class__ in PLAIN else Key(value)


def from_key(key: Any) -> Any:
    """Return the value that a dict key stands for."""
    return key.value if key.__class__ is Key else key


class Map:
    """An immutable map. Build with `Map.of(pairs)` or, for keys known to be plain, `Map(dict)`."""

    __slots__ = ("_hash", "_items", "_next", "_trie")
    _items: dict[Any, Any] | None
    _trie: Any

    def __init__(self, items: dict[Any, Any]) -> None:
        """Take over `items`, whose keys are already `to_key`ed; the caller never changes it again."""
        self._items = items
        self._trie = None
        self._next = 0
        self._hash: int | None = None

    @classmethod
    def of(cls, pairs: Iterable[tuple[Any, Any]]) -> Map:
        """Build from pairs of RTFS values; a repeated key keeps its place and the last value."""
        return cls({to_key(k): v for k, v in pairs})

    @classmethod
    def _grown(cls, trie: Any, following: int) -> Map:
        made = cls.__new__(cls)
        made._items = None
        made._trie = trie
        made._next = following
        made._hash = None
        return made

    def _dict(self) -> dict[Any, Any]:
        """Return the entries as a dict in order (made once from the trie)."""
        items = self._items
        if items is None:
            charge(len(self._trie))
            ordered = sorted(self._trie.items(), key=_by_place)
            items = self._items = {k: v for k, (_, v) in ordered}
        return items

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value under a key, or the default."""
        if key.__class__ not in PLAIN:
            key = Key(key)
        if self._items is not None:
            return self._items.get(key, default)
        entry = self._trie.get(key)
        return default if entry is None else entry[1]

    def assoc(self, key: Any, value: Any) -> Map:
        """Return the map with one entry set."""
        if key.__class__ not in PLAIN:
            key = Key(key)
        trie = self._trie
        if trie is None:
            items = self._dict()
            if len(items) < _SMALL:
                return Map({**items, key: value})
            trie = _trie_of(items)
            self._next, self._trie = len(items), trie  # another thread that sees the trie sees its next place
        entry = trie.get(key)
        if entry is None:
            if self._next & _LOOK == _LOOK:
                fits("assoc", len(trie) + 1)
            return Map._grown(trie.set(key, (self._next, value)), self._next + 1)
        return Map._grown(trie.set(key, (entry[0], value)), self._next)

    def dissoc(self, key: Any) -> Map:
        """Return the map without a key."""
        key = to_key(key)
        if self._trie is None or len(self) <= _SMALL:
            items = self._dict()
            charge(len(items))
            return self if key not in items else Map({k: v for k, v in items.items() if k != key})
        return Map._grown(self._trie.delete(key), self._next) if key in self._trie else self

    def merged(self, other: Map) -> Map:
        """Return the map with all entries of another set, in its order."""
        if len(other) <= 4 and len(self) > _SMALL:
            result = self
            for key, value in other.items():
                result = result.assoc(key, value)
            return result
        charge(len(self) + len(other))
        return Map({**self._dict(), **other._dict()})

    def __contains__(self, key: Any) -> bool:
        key = to_key(key)
        return key in (self._trie if self._items is None else self._items)

    def __len__(self) -> int:
        return len(self._trie if self._items is None else self._items)

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
        if self._hash is None:
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
            return cls(Map(dict(zip(members, members))))  # noqa: B905 - of one length
        found: dict[Any, Any] = {}
        for member in members:
            found.setdefault(to_key(member), member)
        return cls(Map(found))

    def __contains__(self, member: Any) -> bool:
        return member in self.map

    def __len__(self) -> int:
        return len(self.map)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.map.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Set) and equal(self, other)

    def __hash__(self) -> int:
        return hash_value(self)

    def __repr__(self) -> str:
        return f"Set({list(self)!r})"


EMPTY_MAP = Map({})
register_type_name(Map, "map")
register_type_name(Set, "set")


def _by_place(entry: tuple[Any, tuple[int, Any]]) -> int:
    return entry[1][0]


def _trie_of(items: Mapping[Any, Any]) -> Any:
    import immutables  # most programs never grow a map past the dict

    charge(len(items))
    return immutables.Map({k: (i, v) for i, (k, v) in enumerate(items.items())})


_SIMPLE: frozenset[Any] = frozenset({int, str, float, bool, type(None)})
_SEQUENCES: frozenset[Any] = frozenset({tuple, GrownVector, List})
_HASH_DEPTH = 6
"""How far into nested data a hash looks; equality looks all the way."""


_SHARED_FROM = 256
"""Collections compared before shared ones are looked for."""


def equal(a: Any, b: Any) -> bool:
    """Tell whether two RTFS values are equal (LANGUAGE.md 4.2): structural, 1 is not 1.0, NaN equals nothing.

    A work list instead of recursion, so that nesting cannot exhaust the stack.
    """
    kind = a.__class__
    if kind in _SIMPLE:
        return kind is b.__class__ and bool(a == b)
    todo = [(a, b)]
    looked = 0
    seen: set[tuple[int, int]] = set()
    while todo:
        pair = todo.pop()
        looked += 1
        if looked > _SHARED_FROM:  # a small value may share its parts many times over: each pair is compared once
            key = (id(pair[0]), id(pair[1]))
            if key in seen:
                continue
            seen.add(key)
        pairs = _parts(*pair)
        if pairs is None:
            return False
        for x, y in pairs:
            kind = x.__class__
            if kind not in _SIMPLE:
                todo.append((x, y))
            elif kind is not y.__class__ or x != y:
                return False
    return True


def _parts(a: Any, b: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the pairs that must be equal for two values that are no atoms to be; None if they differ already."""
    kind = a.__class__
    if kind in _SEQUENCES:
        alike = b.__class__ in _SEQUENCES and (kind is List) is (b.__class__ is List) and len(a) == len(b)
        if alike and len(a) >= SMALL:
            charge(len(a))
            if len(a) >= LARGE:
                return watched(zip(a, b))  # noqa: B905 - of one length
        return zip(a, b) if alike else None  # noqa: B905 - of one length
    if kind is not b.__class__:
        return None
    if kind is Map or kind is Set:
        if len(a) != len(b) or not all(key in b for key in a):
            return None
        return [(value, b.get(key)) for key, value in a.items()] if kind is Map else ()
    return () if a == b else None


def hash_value(value: Any, depth: int = _HASH_DEPTH) -> int:
    """Return a hash that agrees with `equal`. (String hashes differ between processes: never store it.)

    Values nested deeper than `depth` count as alike, so that neither the stack nor shared structure is a danger.
    """
    kind = value.__class__
    if kind is float or kind is bool:
        return hash((kind.__name__, value))
    if kind in _SEQUENCES:
        name = "list" if kind is List else "vector"
        if len(value) >= SMALL:
            charge(len(value))
        if not depth:
            return hash((name, len(value)))
        if set(map(type, value)) <= PLAIN:
            return hash((name, *map(hash, value)))
        return hash((name, *[hash_value(item, depth - 1) for item in watched(value)]))
    if kind is Map:
        entries = [(hash_value(k, depth - 1), hash_value(v, depth - 1)) for k, v in value.items()] if depth else ()
        return hash(("map", frozenset(entries) if depth else len(value)))
    if kind is Set:
        return hash(("set", frozenset([hash_value(member, depth - 1) for member in value]) if depth else len(value)))
    return hash(value)
