"""The layer: what is fresh waits in memory and goes to the file in batches; a batch that is slow to fill goes at once.

A put is written when it comes at least `PAUSE` seconds after the last write (so a reply that took a model a second is
safe at once), when `BATCH` puts wait, or when waiting would exceed the capacity. So a killed process loses at most what
a burst of hits and puts left within one pause. Uses are written along: a hit costs no write of its own.

Never more than `capacity` records. When that is reached, 1/64 of it (at most a batch) is freed at once, so that a full
cache does not write on every put; caches of less than 64 records evict one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

from rtfs_cache_l2.rows import Row, Slot
from rtfs_cache_l2.store import Store
from rtfs_framework.api import NO_INFO, CacheInfo, CacheItem, CacheKey, CacheRecord, CacheStats, Clock

BATCH = 256
PAUSE = 0.1


class ReplyCache:
    """At most `capacity` texts, each for `ttl` seconds (None: until it is evicted)."""

    def __init__(self, store: Store, *, capacity: int, ttl: float | None, clock: Clock) -> None:
        self._store = store
        self._capacity = capacity
        self._ttl = ttl
        self._clock = clock
        self._lock = Lock()
        self._waiting: dict[Slot, Row] = {}
        self._used: dict[Slot, int] = {}
        self._tick = store.last_use()
        self._rows = store.rows()
        self._written = -PAUSE
        self._hits = self._misses = self._puts = self._evictions = self._expiries = 0

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        slot = (key.namespace, key.digest)
        with self._lock:
            row = self._waiting.get(slot) or self._store.get(slot)
            if row is None:
                self._misses += 1
                return None
            value, stored_at, expires_at = row
            now = self._clock.now()
            if expires_at is not None and now >= expires_at:
                self._misses += 1
                self._expiries += 1
                self._forget_stale(slot, now)
                return None
            self._hits += 1
            self._note_use(slot, now)
            if len(self._used) >= 4 * BATCH:
                self._flush(now)
        return CacheRecord(value=value, stored_at=stored_at, expires_at=expires_at)

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:  # noqa: ARG002
        """Store a text for `ttl` seconds, None for the layer's own; the least recently used records make room.

        Raises:
            TypeError: The value is no text.
        """
        if not isinstance(value, str):
            raise TypeError(f"the l2 cache keeps text, not {type(value).__name__}")
        slot = (key.namespace, key.digest)
        lifetime = self._ttl if ttl is None else ttl
        with self._lock:
            now = self._clock.now()
            self._waiting[slot] = (value, now, None if lifetime is None else now + lifetime)
            self._note_use(slot, now)
            self._puts += 1
            waiting = len(self._waiting)
            full = waiting >= BATCH or self._rows + waiting > self._capacity
            if full or self._clock.monotonic() - self._written >= PAUSE:
                self._flush(now)

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        slot = (key.namespace, key.digest)
        with self._lock:
            waited = self._waiting.pop(slot, None) is not None
            self._used.pop(slot, None)
            stored = self._store.drop(slot)
            self._rows -= stored
            return waited or stored

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records, what waits to be written included; what was dropped meanwhile is left out."""
        with self._lock:
            self._flush(self._clock.now())
            slots = self._store.slots()
        for slot in slots:
            with self._lock:
                row = self._waiting.get(slot) or self._store.get(slot)
            if row is not None and (row[2] is None or self._clock.now() < row[2]):
                yield CacheItem(CacheKey(*slot), CacheRecord(value=row[0], stored_at=row[1], expires_at=row[2]))

    def clear(self) -> None:
        """Forget everything (counters stay)."""
        with self._lock:
            self._waiting.clear()
            self._used.clear()
            self._store.clear()
            self._rows = 0

    def stats(self) -> CacheStats:
        """Return the counters; `size` is that of the file, with what other processes wrote."""
        with self._lock:
            self._flush(self._clock.now())
            return CacheStats(
                hits=self._hits,
                misses=self._misses,
                puts=self._puts,
                evictions=self._evictions,
                expiries=self._expiries,
                size=self._rows,
                capacity=self._capacity,
            )

    def close(self) -> None:
        """Write what waits and close the file; nothing, when it is closed already."""
        with self._lock:
            if self._store.is_open:
                try:
                    self._flush(self._clock.now())
                finally:
                    self._store.close()

    def _note_use(self, slot: Slot, now: float) -> None:
        self._tick = max(self._tick + 1, int(now * 1_000_000))
        self._used[slot] = self._tick

    def _forget_stale(self, slot: Slot, now: float) -> None:
        self._used.pop(slot, None)
        self._waiting.pop(slot, None)
        self._rows -= self._store.drop_stale(slot, now)

    def _flush(self, now: float) -> None:
        """Write what waits, make room, and learn how many rows the file has now."""
        waiting, used = self._waiting, self._used
        if not used:  # a put is a use
            self._rows = self._store.rows()
            return
        puts = [(slot, row, used.pop(slot)) for slot, row in waiting.items()]
        uses = [(tick, *slot) for slot, tick in used.items()]
        room = self._capacity - min(BATCH, self._capacity // 64)
        self._rows, purged, evicted = self._store.write(puts, uses, now=now, keep=self._capacity, room=room)
        self._expiries += purged
        self._evictions += evicted
        waiting.clear()
        used.clear()
        self._written = self._clock.monotonic()
