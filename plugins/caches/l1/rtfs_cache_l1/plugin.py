"""What this distribution offers to rtfs_framework. Imports nothing heavy: cachetools comes when a layer is made."""

from __future__ import annotations

import attrs

from rtfs_framework.api import CacheEntry, CacheLayer, CacheLevel, CacheSettings, Seconds, hookimpl

rtfs_api_version = 2


@attrs.frozen(slots=True, kw_only=True)
class L1Settings:
    """The keys of `[caches.l1]`."""

    capacity: int = attrs.field(default=10_000, validator=attrs.validators.ge(1))
    """How many plans are remembered; the one that was not used for longest makes room."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(Seconds(0)))
    )
    """Seconds for which a plan is remembered; without it `[delegation] cache_ttl` counts."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l1`."""
    summary = "Delegation plans in memory: least recently used goes first, with a time to live."
    return [CacheEntry(name="l1", summary=summary, level=CacheLevel.L1, factory=_make, settings=L1Settings)]


def _make(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_l1.layer import PlanCache

    own = settings.own or L1Settings()
    return PlanCache(capacity=own.capacity, ttl=settings.ttl if own.ttl is None else own.ttl, clock=settings.clock)
