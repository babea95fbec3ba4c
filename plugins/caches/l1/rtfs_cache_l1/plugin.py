"""What this distribution offers to rtfs_framework. Imports nothing heavy: cachetools comes when a layer is made."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api import (
    Bytes,
    CacheEntry,
    CacheLayer,
    CacheLevel,
    CacheSettings,
    Policy,
    Seconds,
    hookimpl,
    plausible,
)

rtfs_api_version = 2

DEFAULT_TTL = 3_600.0
"""Seconds, where neither `[caches.l1] ttl` nor `[delegation] cache_ttl` says any."""


def _installed(_: Any, __: attrs.Attribute[Any], policy: str) -> None:
    from importlib.util import find_spec

    if policy == "w-tinylfu" and find_spec("theine_core") is None:
        message = "needs theine-core, which is not installed: pip install 'rtfs-cache-l1[w-tinylfu]'"
        raise ValueError(f"the policy 'w-tinylfu' {message}, or choose another policy")


@attrs.frozen(slots=True, kw_only=True)
class L1Settings:
    """The keys of `[caches.l1]`."""

    capacity: int = attrs.field(default=1_000, validator=validators.ge(1))
    """How many plans are remembered; which one makes room, `policy` says."""
    capacity_bytes: Bytes | None = attrs.field(
        default=None, validator=validators.optional(validators.ge(Bytes(1))), metadata=plausible(1_024, 10**12)
    )
    """How many bytes of memory they may take together, about; without it, only their number is bounded."""
    policy: Policy = attrs.field(default="lru", validator=_installed)
    """What makes room: `lru`, `lfu`, `fifo`, `ttl`, `random` or `w-tinylfu` (docs/caching.md says what each does)."""
    min_confidence: float = attrs.field(default=0.0, validator=[validators.ge(0.0), validators.le(1.0)])
    """A plan of which its engine is less sure is not remembered; 0 remembers all."""
    ttl: Seconds | None = attrs.field(default=None, validator=validators.optional(validators.gt(Seconds(0))))
    """Seconds for which a plan is remembered; without it `[delegation] cache_ttl` counts, and without that 3,600."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l1`."""
    summary = "Delegation plans in memory: bounded by a policy of your choice, with a time to live."
    return [
        CacheEntry(name="l1", summary=summary, level=CacheLevel.L1, factory=_make, settings=L1Settings, bounded=True)
    ]


def _make(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_l1.layer import PlanCache

    own = settings.own or L1Settings()
    lifetimes: tuple[float | None, ...] = (own.ttl, settings.ttl, DEFAULT_TTL)
    return PlanCache(
        capacity=own.capacity,
        ttl=next(each for each in lifetimes if each is not None),
        clock=settings.clock,
        policy=own.policy,
        capacity_bytes=own.capacity_bytes,
        min_confidence=own.min_confidence,
        chance=settings.random,
    )
