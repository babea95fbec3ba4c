"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a program is looked up."""

from __future__ import annotations

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


@attrs.frozen(slots=True, kw_only=True)
class L4Settings:
    """The keys of `[caches.l4]`."""

    capacity: int = attrs.field(default=4_096, validator=attrs.validators.ge(1))
    """How many compiled programs are kept; those that were not used for longest make room."""
    megabytes: Megabytes = attrs.field(
        default=Megabytes(64.0), validator=attrs.validators.gt(Megabytes(0.0)), metadata=plausible(0.1, 1_000_000)
    )
    """How large they may be together: millions of bytes, or a text with its unit (`"256 MiB"`)."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(Seconds(0)))
    )
    """Seconds for which a compiled program is kept; without it, until it makes room."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l4`."""
    summary = "Compiled programs in SQLite, across runs: sealed by the host, least recently used goes first."
    return [
        CacheEntry(
            name="l4",
            summary=summary,
            level=CacheLevel.L4,
            factory=_make,
            settings=L4Settings,
            persistent=True,
            bounded=True,
        )
    ]


def _make(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_l4.layer import ArtifactCache

    own = settings.own or L4Settings()
    return ArtifactCache(
        settings.directory,
        capacity=own.capacity,
        most_bytes=int(own.megabytes * 1_000_000),
        ttl=own.ttl,  # not the host's: what a plan or a reply is worth has nothing to do with it
        clock=settings.clock,
        seal=None if settings.directory is None else settings.seal,
    )
