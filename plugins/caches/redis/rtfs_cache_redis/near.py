"""What a node keeps in its own memory: `Near`, copies of what the server has, and `Alone`, what it made while cut off.

Both are bounded in bytes (cachetools evicts the least recently used) and closed to time: who asks says what is too old.
"""

from __future__ import annotations

from threading import Lock

import attrs
from cachetools import LRUCache

from rtfs_framework.api import CacheKey, CacheRecord

_OVERHEAD = 512
"""Bytes that an entry takes beside its text, about."""


@attrs.frozen(slots=True)
class Copy:
    """A record of the server's, and the time (of `steady`) at which the request was sent whose answer said so."""

    known: str
    """Which put it was: life and stamp."""
    checked: float
    record: CacheRecord


@attrs.frozen(slots=True)
class Own:
    """What was put while the server was away."""

    key: CacheKey
    record: CacheRecord
    since: float
    seen: tuple[str, int] | None
    """Life and version that were seen before it was made."""


class Near:
    """Copies by slot."""

    def __init__(self, most: int) -> None:
        self._copies: LRUCache[str, Copy] = LRUCache(max(most, 1), getsizeof=lambda each: _size(each.record))
        self._lock = Lock()

    def find(self, slot: str) -> Copy | None:
        """Return the copy of a slot."""
        with self._lock:
            return self._copies.get(slot)

    def keep(self, slot: str, copy: Copy) -> None:
        """Keep a copy, unless it is larger than all that may be kept."""
        with self._lock:
            self._copies.pop(slot, None)
            if _size(copy.record) <= self._copies.maxsize:
                self._copies[slot] = copy

    def forget(self, slot: str) -> None:
        """Drop a copy."""
        with self._lock:
            self._copies.pop(slot, None)

    def clear(self) -> None:
        """Drop all copies."""
        with self._lock:
            self._copies.clear()


class Alone:
    """What was put while the server was away, by slot."""

    def __init__(self, most: int) -> None:
        self._records: LRUCache[str, Own] = LRUCache(max(most, 1), getsizeof=lambda each: _size(each.record))
        self._lock = Lock()

    def find(self, slot: str) -> Own | None:
        """Return what was put last."""
        with self._lock:
            return self._records.get(slot)

    def keep(self, slot: str, own: Own) -> None:
        """Keep a record, unless it is larger than all that may be kept."""
        with self._lock:
            self._records.pop(slot, None)
            if _size(own.record) <= self._records.maxsize:
                self._records[slot] = own

    def forget(self, slot: str) -> bool:
        """Drop a record; tell whether it was there."""
        with self._lock:
            return self._records.pop(slot, None) is not None

    def all(self) -> list[Own]:
        """Return all records."""
        with self._lock:
            return list(self._records.values())

    def clear(self) -> None:
        """Drop all records."""
        with self._lock:
            self._records.clear()


def _size(record: CacheRecord) -> int:
    return _OVERHEAD + len(record.value)


@attrs.define(slots=True)
class _Miss:
    seen: tuple[str, int]
    count: int
    at: float


class Misses:
    """What was missed and is being made: a value made before an invalidation must not be put after it.

    Of each slot the earliest version that was seen at a miss counts until as many puts have come as there were misses:
    whose put it is that comes, nobody knows. Bounded: the `_MOST` that were missed last, each for `_LONG` seconds.
    """

    _MOST = 8192
    _LONG = 900.0

    def __init__(self) -> None:
        self._misses: LRUCache[str, _Miss] = LRUCache(self._MOST)
        self._lock = Lock()

    def note(self, slot: str, seen: tuple[str, int], now: float) -> None:
        """Note a miss, and the life and version that the server told with it."""
        with self._lock:
            found = self._misses.get(slot)
            if found is None or now - found.at > self._LONG:
                self._misses[slot] = _Miss(seen, 1, now)
            else:
                found.count += 1
                found.at = now

    def put(self, slot: str) -> tuple[str, int] | None:
        """Return what was seen before the value was made that is put now; None when nobody missed it."""
        with self._lock:
            found = self._misses.get(slot)
            if found is None:
                return None
            found.count -= 1
            if found.count <= 0:
                del self._misses[slot]
            return found.seen
