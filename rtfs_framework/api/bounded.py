"""Records in memory, bounded in entries and in bytes at once, by a policy that does exactly what it says.

In: values under `CacheKey`s. Invariant: at no time are there more records than `capacity`, or more than
`capacity_bytes` by the measure `weigh`; what makes room goes before what needs it comes in.

What goes first:

- `lru`: the least recently used. A read is a use, and so is being put again.
- `lfu`: the least often used; of equals, the least recently used. Being put is the first use.
- `fifo`: what was put first. Being put again counts, a read does not.
- `ttl`: the next to expire; of equals, what was put first. What never expires goes last.
- `random`: any, all equally likely, by a source of chance that is handed in.
- `w-tinylfu`: W-TinyLFU (Einziger, Friedman, Manes: "TinyLFU", ACM Transactions on Storage 13(4), 2017): what comes in
  must have been wanted more often lately than what it would push out, or it is what goes. The library counts entries
  and knows no sizes: where there are too many bytes, the least recently used of what it has admitted goes.

cachetools chooses for `lru`, `lfu`, `fifo` and `random`, theine-core for `w-tinylfu`, heapq for `ttl`. Both libraries
are imported when a cache is made: a plug-in that makes one depends on cachetools, and offers theine-core as an extra.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from threading import Lock
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, get_args

from rtfs_framework.api.cache import NO_INFO, CacheInfo, CacheItem, CacheKey, CacheRecord, CacheStats

if TYPE_CHECKING:
    from rtfs_framework.api.eviction import Order
    from rtfs_framework.api.values import Clock

Policy = Literal["lru", "lfu", "fifo", "ttl", "random", "w-tinylfu"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
"""The names of all policies."""

_Slot = tuple[str, str]
"""What a record lies under: both halves of its key, compared whole."""
_NO_PARTS = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, Enum)
"""What a program has once, whoever mentions it."""
_UNKNOWN = 64
"""Bytes counted for an object that does not tell."""


class BoundedCache:
    """A `CacheLayer` in memory. Any threads may use it; one lock guards it."""

    def __init__(
        self,
        *,
        capacity: int,
        clock: Clock,
        ttl: float | None = None,
        policy: Policy = "lru",
        capacity_bytes: int | None = None,
        weigh: Callable[[CacheKey, Any], int] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make an empty cache of `capacity` records of `capacity_bytes` together (None: of any size).

        `ttl` is how long a record lives, in seconds; None: until it makes room. `weigh` says what a record takes, in
        bytes; without it `memory_taken` does, and only where bytes are bounded. `chance` gives numbers in [0, 1).

        Raises:
            ValueError: A bound below one, a time that is not above zero, or a policy that there is not.
            PluginError: The library that a policy rests on is not installed.
        """
        from rtfs_framework.api.eviction import order_of

        if capacity < 1 or (capacity_bytes is not None and capacity_bytes < 1):
            raise ValueError(f"a cache holds at least one record and one byte, not {capacity} and {capacity_bytes}")
        if ttl is not None and not ttl > 0:
            raise ValueError(f"a record lives longer than {ttl} seconds")
        self.policy = policy
        self._order: Order = order_of(policy, capacity, chance)
        self._find = self._order.get
        self._kept: dict[_Slot, tuple[CacheRecord, int]] = {}
        """What is there, with its bytes: for whoever must look at a record without using it."""
        self._capacity, self._most_bytes = capacity, capacity_bytes
        self._weigh = weigh or (None if capacity_bytes is None else memory_taken)
        self._ttl = ttl
        self._now = clock.now
        self._lock = Lock()
        self._bytes = 0
        self._hits = self._misses = self._puts = self._evictions = self._expiries = self._invalidations = 0

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None; one whose time is over goes, as a miss and an expiry."""
        slot = (key.namespace, key.digest)
        with self._lock:
            record = self._find(slot)
            if record is None:
                self._misses += 1
                return None
            expires_at = record.expires_at
            if expires_at is not None and self._now() >= expires_at:
                self._drop(slot)
                self._misses += 1
                self._expiries += 1
                return None
            self._hits += 1
            return record

    def holds(self, key: CacheKey) -> bool:
        """Tell whether a live record is there; this is no use of it, and counts nowhere."""
        kept = self._kept.get((key.namespace, key.digest))
        return kept is not None and (kept[0].expires_at is None or self._now() < kept[0].expires_at)

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a value for `ttl` seconds, None for the cache's own; others make room, by the policy.

        What is larger than all bytes together is not kept, and neither is the older value of its key: it counts as
        put and evicted.
        """
        slot = (key.namespace, key.digest)
        size = 0 if self._weigh is None else self._weigh(key, value)
        now = self._now()
        lifetime = self._ttl if ttl is None else ttl
        record = CacheRecord(
            value=value, stored_at=now, expires_at=None if lifetime is None else now + lifetime, info=info
        )
        with self._lock:
            self._puts += 1
            if self._most_bytes is not None and size > self._most_bytes:
                self._forget(slot)
                self._evictions += 1
                return
            self._make_room(slot, size, now)
            known = self._kept.get(slot)
            self._bytes += size - (0 if known is None else known[1])
            self._kept[slot] = record, size
            for victim in self._order.put(slot, record):
                self._went(victim, now)

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key; tell whether it was there."""
        with self._lock:
            there = self._forget((key.namespace, key.digest))
            self._invalidations += there
            return there

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records as they are now; none is used by it."""
        with self._lock:
            kept = list(self._kept.items())
        now = self._now()
        for slot, (record, _) in kept:
            if record.expires_at is None or now < record.expires_at:
                yield CacheItem(CacheKey(*slot), record)

    def clear(self) -> None:
        """Forget everything (counters stay, and what went counts as invalidated)."""
        with self._lock:
            self._invalidations += len(self._kept)
            self._kept.clear()
            self._order.clear()
            self._bytes = 0

    def stats(self) -> CacheStats:
        """Return the counters. `size` counts what nobody has looked for since its time was over, too."""
        with self._lock:
            return CacheStats(
                hits=self._hits,
                misses=self._misses,
                puts=self._puts,
                evictions=self._evictions,
                expiries=self._expiries,
                invalidations=self._invalidations,
                size=len(self._kept),
                capacity=self._capacity,
                size_bytes=self._bytes,
                capacity_bytes=self._most_bytes,
            )

    def close(self) -> None:
        """Forget everything; there is nothing to release."""
        self.clear()

    # -- under the lock ------------------------------------------------------------------------------------------------

    def _make_room(self, slot: _Slot, size: int, now: float) -> None:
        """Let records go until one of `size` bytes fits in under a slot: first bytes, then entries."""
        most = self._most_bytes
        if most is not None:
            while True:
                known = self._kept.get(slot)
                if self._bytes - (0 if known is None else known[1]) + size <= most:
                    break
                self._leaves(self._order.victim(), slot, now)
        if slot not in self._kept:
            while len(self._kept) >= self._capacity and not self._order.admits:
                self._leaves(self._order.victim(), slot, now)

    def _leaves(self, victim: _Slot, slot: _Slot, now: float) -> None:
        """Count a victim out; that of the slot that is put anew is no eviction: it is replaced."""
        if victim == slot:
            self._bytes -= self._kept.pop(victim)[1]
        else:
            self._went(victim, now)

    def _went(self, victim: _Slot, now: float) -> None:
        record, size = self._kept.pop(victim)
        self._bytes -= size
        if record.expires_at is not None and now >= record.expires_at:
            self._expiries += 1
        else:
            self._evictions += 1

    def _forget(self, slot: _Slot) -> bool:
        there = slot in self._kept
        if there:
            self._drop(slot)
        return there

    def _drop(self, slot: _Slot) -> None:
        self._bytes -= self._kept.pop(slot)[1]
        self._order.drop(slot)


def memory_taken(key: CacheKey, value: Any) -> int:
    """Return about how many bytes a record takes in memory: what its key and its value hold, each object once.

    What a program has only once (classes, modules, functions, members of enumerations) does not count. An estimate:
    an object that does not tell counts as 64 bytes, and what two records share counts in both.
    """
    seen: set[int] = set()
    total, at = 0, [key.namespace, key.digest, value]
    while at:
        each = at.pop()
        if each is None or id(each) in seen or isinstance(each, _NO_PARTS):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each, _UNKNOWN)
        at.extend(_parts(each))
    return total


def _parts(of: Any) -> Iterator[Any]:
    if isinstance(of, str | bytes | bytearray | memoryview | int | float | complex):
        return
    if isinstance(of, Mapping):
        for name, part in of.items():
            yield name
            yield part
    elif isinstance(of, tuple | list | set | frozenset):
        yield from of
    else:
        yield from getattr(of, "__dict__", {}).values()
        for kind in type(of).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__weakref__", "__dict__"):
                    yield getattr(of, name, None)
