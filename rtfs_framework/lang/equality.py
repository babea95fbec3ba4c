"""Equality of RTFS values (LANGUAGE.md 4.2): structural, 1 is not 1.0, NaN equals nothing.

In: two values. Out: whether they are equal. A stack of walks instead of recursion, so that nesting cannot exhaust the
stack; parts that both values share many times over are compared once. Members and keys that are collections are found
by their hashes, and then compared like all else.
"""

from __future__ import annotations

from sys import getrefcount

from rtfs_framework.lang.annotations import Any, Iterable, Iterator
from rtfs_framework.lang.meter import LARGE, SHORT, SMALL, charge, watched
from rtfs_framework.lang.vectors import GrownVector, List

_SIMPLE: frozenset[Any] = frozenset({int, str, float, bool, type(None)})
_SEQUENCES: frozenset[Any] = frozenset({tuple, GrownVector, List})
_SHARED_FROM = 256
"""Collections compared before shared ones are looked for."""
_OFTEN = 4_096
"""Parts of small collections that are charged at once."""
_SINGLE = 4
"""References to a part that only its collection has: the collection's, the pair's, the walk's, and that of asking."""
_KEYED: list[Any] = []


def register_keyed(map_: type, set_: type, key: type) -> None:
    """Name the classes of maps, sets and their keys, which have a module of their own."""
    _KEYED[:] = map_, set_, key


def equal(a: Any, b: Any) -> bool:
    """Tell whether two RTFS values are equal.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    kind = a.__class__
    if kind in _SIMPLE:
        if kind is str:
            return b.__class__ is str and _same_text(a, b)
        return kind is b.__class__ and bool(a == b)
    pairs = _parts(a, b)
    return pairs is not None and _walk(pairs)


def _same_text(a: str, b: str) -> bool:
    if len(a) >= SHORT and len(a) == len(b):
        charge(len(a) >> 5)
    return a == b


def _walk(pairs: Iterable[tuple[Any, Any]]) -> bool:
    stack: list[Iterator[tuple[Any, Any]]] = [iter(pairs)]
    looked = parts = 0
    seen: set[tuple[int, int]] = set()
    while stack:
        for x, y in stack[-1]:
            kind = x.__class__
            if kind in _SIMPLE:
                if kind is not y.__class__ or (x != y if kind is not str else not _same_text(x, y)):
                    return False
                continue
            looked += 1
            if looked > _SHARED_FROM and getrefcount(x) > _SINGLE and getrefcount(y) > _SINGLE:
                pair = (id(x), id(y))
                if pair in seen:
                    continue
                seen.add(pair)
            inner = _parts(x, y)
            if inner is None:
                return False
            if kind in _SEQUENCES and len(x) < SMALL:
                parts += len(x)
                if parts >= _OFTEN:
                    charge(parts)
                    parts = 0
            stack.append(iter(inner))
            break
        else:
            stack.pop()
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
    map_, set_, _ = _KEYED
    if kind is map_:
        return _entries(a._dict(), b._dict(), values=True) if len(a) == len(b) else None
    if kind is set_:
        return _entries(a.map._dict(), b.map._dict(), values=False) if len(a) == len(b) else None
    return () if a == b else None


def _entries(a: dict[Any, Any], b: dict[Any, Any], *, values: bool) -> Iterable[tuple[Any, Any]] | None:
    """Return the pairs for the entries of two maps of one size, or the members of two sets."""
    charge(len(a))
    key_class = _KEYED[2]
    if key_class not in set(map(type, a)):
        if not a.keys() <= b.keys():
            return None
        return zip(a.values(), map(b.__getitem__, a)) if values else ()  # noqa: B905 - of one length
    found = {hash(key): key for key in b if key.__class__ is key_class}
    if len(found) < sum(key.__class__ is key_class for key in b):  # as good as never: two unlike keys have one hash
        return [(value, b[key]) for key, value in a.items() if values] if a.keys() <= b.keys() else None
    pairs: list[tuple[Any, Any]] = []
    for key, value in watched(a.items()):
        other = key
        if key.__class__ is key_class:
            other = found.get(hash(key))
            if other is None:
                return None
            pairs.append((key.value, other.value))
        elif key not in b:
            return None
        if values:
            pairs.append((value, b[other]))
    return pairs
