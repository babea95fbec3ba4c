"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a layer is made."""

from __future__ import annotations

from typing import Literal

import attrs

from rtfs_framework.api import (
    CacheEntry,
    CacheLayer,
    CacheLevel,
    CacheSettings,
    Megabytes,
    Seconds,
    hookimpl,
    plausible,
)

rtfs_api_version = 2

TTL = 7_200.0
"""Seconds for which a reply is kept where nobody says."""


@attrs.frozen(slots=True, kw_only=True)
class L2Settings:
    """The keys of `[caches.l2]`."""

    capacity: int = attrs.field(default=2_000, validator=attrs.validators.ge(1))
    """How many replies are kept."""
    megabytes: Megabytes = attrs.field(
        default=Megabytes(64.0), validator=attrs.validators.gt(Megabytes(0.0)), metadata=plausible(0.1, 1_000_000)
    )
    """How large they may be together, as they are kept: millions of bytes, or a text with its unit (`"256 MiB"`)."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(Seconds(0)))
    )
    """Seconds for which a reply is kept; without it `[delegation] cache_ttl` counts, else 7200. `inf` is for ever."""
    policy: Literal["lru", "lfu", "fifo", "ttl", "random"] = "lru"
    """What makes room: the one not used for longest, used least often, put first, next to expire, or any."""
    adaptive_ttl: bool = False
    """Whether each use keeps a reply for another `ttl`, up to ten times as long in all."""
    confidence_threshold: float = attrs.field(
        default=0.0, validator=attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(1.0))
    )
    """A reply whose model said that it is less sure than this is asked for anew."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l2`."""
    summary = "Inference replies in SQLite, across runs: exact match, bounded by entries, bytes and time."
    return [
        CacheEntry(
            name="l2",
            summary=summary,
            level=CacheLevel.L2,
            factory=_make,
            settings=L2Settings,
            persistent=True,
            bounded=True,
        )
    ]


def _make(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_l2.layer import Keeping, ReplyCache
    from rtfs_cache_l2.rows import Rows
    from rtfs_cache_l2.store import FAULTS, Store

    own = settings.own or L2Settings()
    ttl = next(float(each) for each in (own.ttl, settings.ttl, TTL) if each is not None)
    keeping = Keeping(
        capacity=own.capacity,
        capacity_bytes=int(own.megabytes * 1_000_000),
        policy=own.policy,
        ttl=None if ttl == float("inf") else ttl,
        adaptive=own.adaptive_ttl,
        threshold=own.confidence_threshold,
        random=settings.random,
    )
    return ReplyCache(
        Store(settings.directory, Rows(FAULTS.seal(settings), settings.report)), keeping, clock=settings.clock
    )
