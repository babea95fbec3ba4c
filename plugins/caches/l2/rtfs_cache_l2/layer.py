"""The layer: every put is in the file when it returns; uses are noted in batches, so that a hit costs no write.

Never more than `capacity` records and `capacity_bytes` bytes (of keys, of what is known of the replies, and of replies
as they stand in the file), not for a moment: what is put and what makes room is one transaction. A killed process loses
at most the uses that it had not noted yet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import attrs

from rtfs_cache_l2.claims import Claims
from rtfs_cache_l2.rows import Row, Slot, read, written
from rtfs_cache_l2.store import Bounds, Store, Use
from rtfs_framework.api import (
    NO_INFO,
    CacheInfo,
    CacheItem,
    CacheKey,
    CacheRecord,
    CacheStats,
    Claim,
    Clock,
    free_at_forks,
)

BATCH = 2_048
"""Replies whose uses are noted together."""
SECONDS = 1.0
"""How old a use grows before it is noted, where more are made."""
LONGEST = 10
"""Times its first life: how long uses may lengthen that of a reply."""
_WORTH = 16
"""The share of a life (1/16) by which it is worth being lengthened: so often is a row written anew at most."""


@attrs.frozen(slots=True, kw_only=True)
class Keeping:
    """What is kept, and for how long."""

    capacity: int
    capacity_bytes: int = 1 << 62
    policy: str = "lru"
    ttl: float | None = None
    """Seconds; None until it makes room."""
    adaptive: bool = False
    """Whether each use lengthens a life, up to `LONGEST` times the first one."""
    threshold: float = 0.0
    """A reply whose model said that it is less sure is a miss."""
    random: Callable[[], float] = random.random

    def bounds(self) -> Bounds:
        """Return how much may be kept."""
        return Bounds(self.capacity, self.capacity_bytes, self.policy, self.random)


class ReplyCache:
    """Texts, each with what is known of it."""

    def __init__(self, store: Store, keeping: Keeping, *, clock: Clock) -> None:
        self._store = store
        self._keeping = keeping
        self._bounds = keeping.bounds()
        self._clock = clock
        self._lock = free_at_forks(Lock())
        self._claims = Claims(None if store.path is None else store.path.parent / "claims")
        self._used: dict[Slot, tuple[int, int]] = {}
        self._noted = clock.now()
        """When uses were written down last."""
        self._tick = store.last_tick()
        self._hits = self._misses = self._puts = self._evictions = self._expiries = self._invalidations = 0

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        slot = (key.namespace, key.digest)
        with self._lock:
            row = self._store.get(slot)
            if row is None:
                self._misses += 1
                return None
            now = self._clock.now()
            if row.expires_at is not None and now >= row.expires_at:
                self._misses += 1
                self._expiries += 1
                self._used.pop(slot, None)
                self._store.drop_stale(slot, now)
                return None
            info = read(row.info)
            if self._keeping.threshold and not self._is_sure(info):
                self._misses += 1
                return None
            self._hits += 1
            uses = row.uses + self._note_use(slot, now)
            if len(self._used) >= BATCH or now - self._noted >= SECONDS:
                self._note(now)
            expires_at = row.expires_at if row.life is None else self._lengthened(slot, row, row.life, now)
        return CacheRecord(value=row.value, stored_at=row.stored_at, expires_at=expires_at, info=info, uses=uses)

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a text for `ttl` seconds, None for the layer's own; it is in the file when this returns.

        Raises:
            TypeError: The value is no text.
        """
        if not isinstance(value, str):
            raise TypeError(f"the l2 cache keeps text, not {type(value).__name__}")
        slot = (key.namespace, key.digest)
        lifetime = self._keeping.ttl if ttl is None else ttl
        life = lifetime if self._keeping.adaptive else None
        with self._lock:
            now = self._clock.now()
            self._used.pop(slot, None)
            row = Row(value, now, None if lifetime is None else now + lifetime, life, written(info))
            done = self._store.write([(slot, row, self._next(now))], self._uses(), now=now, bounds=self._bounds)
            self._puts += 1
            self._expiries += done.purged
            self._evictions += done.evicted

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        slot = (key.namespace, key.digest)
        with self._lock:
            self._used.pop(slot, None)
            gone = self._store.drop(slot)
            self._invalidations += gone
            return gone

    def claim(self, key: CacheKey, lease: float) -> Claim | None:
        """Take the right to make a reply, among all processes that use this folder; never waits.

        None while another has it, for at most `lease` seconds, and where the reply is there by now.
        """
        slot = (key.namespace, key.digest)
        taken = self._claims.take(slot, self._clock.now(), lease)
        if taken is None:
            return None
        with self._lock:
            row = self._store.get(slot)
            is_there = row is not None and self._serves(row, self._clock.now())
        if is_there:
            taken.release()
            return None
        return taken

    def _serves(self, row: Row, now: float) -> bool:
        return (row.expires_at is None or now < row.expires_at) and self._is_sure(read(row.info))

    def _is_sure(self, info: CacheInfo) -> bool:
        return info.confidence is None or info.confidence >= self._keeping.threshold

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records, the last used first; what was dropped meanwhile is left out."""
        with self._lock:
            self._note(self._clock.now())
            slots = self._store.slots()
        for slot in slots:
            with self._lock:
                row = self._store.get(slot)
            if row is not None and (row.expires_at is None or self._clock.now() < row.expires_at):
                info = read(row.info)
                record = CacheRecord(
                    value=row.value, stored_at=row.stored_at, expires_at=row.expires_at, info=info, uses=row.uses
                )
                yield CacheItem(CacheKey(*slot), record)

    def clear(self) -> None:
        """Forget everything (counters stay)."""
        with self._lock:
            self._used.clear()
            self._invalidations += self._store.clear()

    def stats(self) -> CacheStats:
        """Return the counters; sizes are those of the file, with what other processes wrote."""
        with self._lock:
            rows, size = self._store.totals()
            most = self._bounds.bytes
            return CacheStats(
                hits=self._hits,
                misses=self._misses,
                puts=self._puts,
                evictions=self._evictions,
                expiries=self._expiries,
                invalidations=self._invalidations,
                errors=self._store.damaged,
                size=rows,
                capacity=self._bounds.rows,
                size_bytes=size,
                capacity_bytes=None if most == 1 << 62 else most,
            )

    def close(self) -> None:
        """Note what was used and close the file; nothing, when it is closed already."""
        with self._lock:
            if self._store.is_open:
                try:
                    self._note(self._clock.now())
                finally:
                    self._store.close()

    def _lengthened(self, slot: Slot, row: Row, life: float, now: float) -> float | None:
        """Return when a record's life ends, now that it was used."""
        if row.expires_at is None:
            return None
        until = min(now + life, row.stored_at + LONGEST * life)
        if until < row.expires_at + life / _WORTH:
            return row.expires_at
        self._store.lengthen(slot, row, until)
        return until

    def _next(self, now: float) -> int:
        tick = int(now * 1_000_000)
        self._tick = tick if tick > self._tick else self._tick + 1
        return self._tick

    def _note_use(self, slot: Slot, now: float) -> int:
        """Note a use; return how often it was used since uses were written down."""
        count = self._used.get(slot, (0, 0))[1] + 1
        self._used[slot] = self._next(now), count
        return count

    def _uses(self) -> list[Use]:
        """Return the uses that were not written down yet, and forget them."""
        self._noted = self._clock.now()
        found = [(tick, count, *slot) for slot, (tick, count) in self._used.items()]
        self._used.clear()
        return found

    def _note(self, now: float) -> None:
        """Write down what was used."""
        if self._used:
            done = self._store.write((), self._uses(), now=now, bounds=self._bounds)
            self._expiries += done.purged
            self._evictions += done.evicted
