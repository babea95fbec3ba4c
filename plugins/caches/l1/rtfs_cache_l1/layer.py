"""The layer: records in memory, bounded (`rtfs_framework.api.BoundedCache`); unsure plans are not kept.

What the host says beside a plan (`CacheInfo`) makes the views by agent and by task. A stale record is dropped when it
is read, as a miss and an expiry; one that nobody reads any more makes room soon enough.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rtfs_framework.api import NO_INFO, BoundedCache, CacheInfo, CacheItem, CacheKey, Clock, Policy


class PlanCache(BoundedCache):
    """At most `capacity` records of `capacity_bytes`, each for `ttl` seconds (None: until it makes room)."""

    def __init__(
        self,
        *,
        capacity: int,
        ttl: float | None,
        clock: Clock,
        policy: Policy = "lru",
        capacity_bytes: int | None = None,
        min_confidence: float = 0.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(
            capacity=capacity, ttl=ttl, clock=clock, policy=policy, capacity_bytes=capacity_bytes, chance=chance
        )
        self._floor = min_confidence

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a value for `ttl` seconds, None for the layer's own; others make room, by the policy.

        What its maker is less sure of than the floor is not kept and not counted; what lay there before goes.
        """
        if info.confidence is not None and info.confidence < self._floor:
            self.invalidate(key)
        else:
            super().put(key, value, ttl, info)

    def by_agent(self) -> Mapping[str, Sequence[CacheItem]]:
        """Return the live records by the agent for whom each was made ("": nobody in particular)."""
        return self._by(lambda info: info.agent)

    def by_task(self) -> Mapping[str, Sequence[CacheItem]]:
        """Return the live records by the task for which each was made ("": none was named)."""
        return self._by(lambda info: info.task)

    def _by(self, name: Callable[[CacheInfo], str]) -> Mapping[str, Sequence[CacheItem]]:
        found: dict[str, list[CacheItem]] = {}
        for item in self.scan():
            found.setdefault(name(item.record.info), []).append(item)
        return found
