"""What this distribution offers to rtfs_framework. Imports nothing heavy: numpy comes when something is looked up."""

from __future__ import annotations

import attrs
from attrs import validators

from rtfs_framework.api import CacheEntry, CacheLevel, CacheSettings, ExperienceLayer, Seconds, hookimpl

rtfs_api_version = 2

DEFAULT_TTL = 86_400.0
"""Seconds, where neither `[caches.l3] ttl` nor `[delegation] cache_ttl` says any."""
MOST = 2_000
"""Situations of one state, which the host bounds, too: 4,096 cells, 4 MiB."""


@attrs.frozen(slots=True, kw_only=True)
class L3Settings:
    """The keys of `[caches.l3]`."""

    capacity: int = attrs.field(default=1_000, validator=[validators.ge(1), validators.le(MOST)])
    """How many situations are remembered; the one of which nothing was heard for longest makes room."""
    ttl: Seconds | None = attrs.field(default=None, validator=validators.optional(validators.gt(Seconds(0))))
    """Seconds for which one is remembered after its latest outcome; else `[delegation] cache_ttl`, else 86,400."""
    decay: float = attrs.field(default=0.998, validator=[validators.ge(0.5), validators.le(1.0)])
    """By how much an outcome counts less with each that follows in its situation, at its target."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l3`."""
    summary = "Experience: contexts, the plans in them and what came of these, found by nearness."
    level = CacheLevel.L3
    return [CacheEntry(name="l3", summary=summary, level=level, factory=_make, settings=L3Settings, bounded=True)]


def _make(settings: CacheSettings) -> ExperienceLayer:
    from rtfs_cache_l3.layer import ExperienceCache

    own = settings.own or L3Settings()
    lifetimes: tuple[float | None, ...] = (own.ttl, settings.ttl, DEFAULT_TTL)
    return ExperienceCache(
        capacity=own.capacity,
        ttl=next(each for each in lifetimes if each is not None),
        decay=own.decay,
        clock=settings.clock,
    )
