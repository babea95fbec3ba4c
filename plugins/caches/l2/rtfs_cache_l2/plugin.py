"""What this distribution offers to rtfs_framework. Imports nothing heavy: sqlite3 comes when a layer is made."""

from __future__ import annotations

import attrs

from rtfs_framework.api import CacheEntry, CacheLayer, CacheLevel, CacheSettings, Seal, Seconds, hookimpl

rtfs_api_version = 2


@attrs.frozen(slots=True, kw_only=True)
class L2Settings:
    """The keys of `[caches.l2]`."""

    capacity: int = attrs.field(default=100_000, validator=attrs.validators.ge(1))
    """How many replies are remembered; those that were not used for longest make room."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.gt(Seconds(0)))
    )
    """Seconds for which a reply is remembered; without it `[delegation] cache_ttl` counts."""


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer the layer `l2`."""
    summary = "Inference replies in SQLite, across runs: exact match, least recently used goes first."
    return [
        CacheEntry(
            name="l2",
            summary=summary,
            level=CacheLevel.L2,
            factory=_make,
            settings=L2Settings,
            persistent=True,
        )
    ]


def _make(settings: CacheSettings) -> CacheLayer:
    from rtfs_cache_l2.layer import ReplyCache
    from rtfs_cache_l2.rows import Rows
    from rtfs_cache_l2.store import Store

    own = settings.own or L2Settings()
    ttl = settings.ttl if own.ttl is None else own.ttl
    rows = Rows() if settings.directory is None else Rows(_seal(settings), settings.report)
    return ReplyCache(Store(settings.directory, rows), capacity=own.capacity, ttl=ttl, clock=settings.clock)


def _seal(settings: CacheSettings) -> Seal:
    """Return the seal of the file's rows: without one nothing is kept, for anybody could have written it."""
    from rtfs_cache_l2.faults import unsealed

    if settings.seal is None:
        raise unsealed("the host gives none")
    try:
        return settings.seal()
    except ValueError as error:
        raise unsealed(str(error)) from error
