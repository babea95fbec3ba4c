"""The layer `redis-l1`: plans in this process's memory, and what models said about plans at a server, for all nodes.

A plan is found by what its engine read of a call, and is good in the process that made it alone. What was paid for on
the way to it is not: a model's answer to an engine's question is the same for all nodes under one policy (its key says
which). So a new node warms its plans from the answers that others paid for, and asks no model for them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from rtfs_cache_redis.layer import RedisCache
from rtfs_framework.api import NO_INFO, BoundedCache, CacheInfo, CacheItem, CacheKey, CacheRecord, CacheStats

ANSWERS = "answer"
"""The namespace of answers to engines' questions."""


@attrs.frozen(slots=True, eq=False)
class WarmedPlans:
    """Plans in `memory`, answers at a server; below `min_confidence` a plan is not kept."""

    memory: BoundedCache
    answers: RedisCache
    min_confidence: float = 0.0

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        return self._at(key).get(key)

    def at_hand(self, key: CacheKey) -> CacheRecord | None:
        """Return what is in this process's memory."""
        if key.namespace == ANSWERS:
            return self.answers.at_hand(key)
        return self.memory.get(key) if self.memory.holds(key) else None

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a plan, or the text of an answer."""
        if info.confidence is not None and info.confidence < self.min_confidence:
            self._at(key).invalidate(key)
        else:
            self._at(key).put(key, value, ttl, info)

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key, an answer at all nodes; tell whether it was there."""
        return self._at(key).invalidate(key)

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records of both."""
        yield from self.memory.scan()
        yield from self.answers.scan()

    def clear(self) -> None:
        """Forget the plans of this process, and the answers of all."""
        self.memory.clear()
        self.answers.clear()

    def stats(self) -> CacheStats:
        """Return the counters of both together; the size is that of the plans."""
        here, there = self.memory.stats(), self.answers.stats()
        counted = {
            name: getattr(here, name) + getattr(there, name)
            for name in ("hits", "misses", "puts", "evictions", "expiries", "invalidations", "errors")
        }
        return CacheStats(**counted, size=here.size, capacity=here.capacity, away=there.away)

    def close(self) -> None:
        """Forget the plans, and close the connections."""
        self.memory.close()
        self.answers.close()

    def _at(self, key: CacheKey) -> BoundedCache | RedisCache:
        return self.answers if key.namespace == ANSWERS else self.memory
