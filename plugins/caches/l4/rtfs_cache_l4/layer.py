"""The layer: bytes under keys, in one SQLite file that is opened when it is first asked.

A folder that cannot be written is no fault of the user's: the layer then keeps nothing and says so once, at debug
level. A use is noted in memory and written when it matters: before something makes room, and at the end when the last
noted use is an hour old, so that a run that only looks programs up writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from rtfs_cache_l4.known import Known
from rtfs_framework.api import (
    NO_INFO,
    CacheInfo,
    CacheItem,
    CacheKey,
    CacheRecord,
    CacheStats,
    Clock,
    Seal,
    free_at_forks,
)

if TYPE_CHECKING:
    from rtfs_cache_l4.store import Store

_HOUR = 3_600_000_000
"""In microseconds, as uses are noted."""
Slot = tuple[str, str]


class ArtifactCache:
    """At most `capacity` entries of `most_bytes` together, each for `ttl` seconds (None: until it makes room)."""

    def __init__(
        self,
        directory: str | None,
        *,
        capacity: int,
        most_bytes: int,
        ttl: float | None,
        clock: Clock,
        seal: Callable[[], Seal] | None = None,
    ) -> None:
        self._directory = directory
        self._capacity = capacity
        self._most_bytes = most_bytes
        self._ttl = ttl
        self._clock = clock
        self._known = Known(seal)
        self._lock = free_at_forks(Lock())
        self._opened: Store | None = None
        self._off = False
        self._tick = 0
        self._used: dict[Slot, tuple[int, int]] = {}
        """Uses that the file does not know: when, and the last that it does know."""
        self._hits = self._misses = self._puts = self._evictions = self._expiries = 0
        self._invalidations = self._errors = 0

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        slot = (key.namespace, key.digest)
        with self._lock:
            store = self._store()
            row = None if store is None else store.get(slot)
            if store is None or row is None:
                self._misses += 1
                return None
            value, stored_at, expires_at, used, known = row
            if expires_at is not None and self._clock.now() >= expires_at:
                self._used.pop(slot, None)
                self._misses += 1
                self._expiries += store.drop(slot)
                return None
            info = self._known.read(slot, known)
            if info is None:
                self._misses += 1
                self._errors += 1
                store.drop(slot)
                return None
            self._hits += 1
            self._used[slot] = (self._now(), used)
            return CacheRecord(value=value, stored_at=stored_at, expires_at=expires_at, info=info)

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store bytes for `ttl` seconds, None for the layer's own; the least recently used entries make room.

        What is larger than the whole layer is not kept, and neither is the older value of its key.

        Raises:
            TypeError: The value is no bytes.
        """
        if not isinstance(value, bytes):
            raise TypeError(f"the l4 cache keeps bytes, not {type(value).__name__}")
        slot = (key.namespace, key.digest)
        lifetime = self._ttl if ttl is None else ttl
        with self._lock:
            store = self._store()
            self._puts += 1
            if store is None:
                return
            known = self._known.written(slot, info)
            if len(value) + len(known or b"") > self._most_bytes:
                self._used.pop(slot, None)
                store.drop(slot)
                self._evictions += 1
                return
            now = self._clock.now()
            expires_at = None if lifetime is None else now + lifetime
            self._used.pop(slot, None)
            self._write_uses(store, 0)
            row = (*slot, value, now, expires_at, self._now(), known)
            self._evictions += store.put(row, rows=self._capacity, size=self._most_bytes)

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        slot = (key.namespace, key.digest)
        with self._lock:
            self._used.pop(slot, None)
            store = self._store()
            gone = store is not None and store.drop(slot)
            self._invalidations += gone
            return gone

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live entries; one that was dropped meanwhile is left out."""
        with self._lock:
            store = self._store()
            slots = [] if store is None else store.slots()
        for slot in slots:
            with self._lock:
                store = self._store()
                row = None if store is None else store.get(slot)
            if row is not None and (row[2] is None or self._clock.now() < row[2]):
                info = self._known.read(slot, row[4])
                if info is not None:
                    record = CacheRecord(value=row[0], stored_at=row[1], expires_at=row[2], info=info)
                    yield CacheItem(CacheKey(*slot), record)

    def clear(self) -> None:
        """Forget everything (counters stay)."""
        with self._lock:
            self._used.clear()
            store = self._store()
            if store is not None:
                self._invalidations += store.clear()

    def stats(self) -> CacheStats:
        """Return the counters; `size` is how many entries the file holds, with what other processes wrote."""
        with self._lock:
            store = self._store()
            rows, size = (0, 0) if store is None else store.totals()
            return CacheStats(
                hits=self._hits,
                misses=self._misses,
                puts=self._puts,
                evictions=self._evictions,
                expiries=self._expiries,
                invalidations=self._invalidations,
                errors=self._errors,
                size=rows,
                capacity=self._capacity,
                size_bytes=size,
                capacity_bytes=self._most_bytes,
            )

    def close(self) -> None:
        """Write what must be written and close the file; nothing, when it was never opened."""
        with self._lock:
            store, self._opened, self._off = self._opened, None, True
            if store is not None:
                try:
                    self._write_uses(store, _HOUR)
                finally:
                    store.close()

    def _now(self) -> int:
        self._tick = max(self._tick + 1, int(self._clock.now() * 1_000_000))
        return self._tick

    def _write_uses(self, store: Store, older: int) -> None:
        fresh = [(when, *slot) for slot, (when, known) in self._used.items() if when - known >= older]
        if fresh:
            store.use(fresh)
        self._used.clear()

    def _store(self) -> Store | None:
        """Return the file, opened now if need be; None where there can be none."""
        if self._opened is None and not self._off:
            from rtfs_cache_l4.store import Store, Unwritable

            try:
                self._opened = Store(self._directory)
                self._tick = max(self._tick, self._opened.last_use())
            except Unwritable as error:
                self._off = True
                _say(f"compiled programs are not kept: {error}")
        return self._opened


def _say(text: str) -> None:
    from logging import getLogger

    debug: Callable[[str], None] = getLogger("rtfs_cache_l4").debug
    debug(text)
