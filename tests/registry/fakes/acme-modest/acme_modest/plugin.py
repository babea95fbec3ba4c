"""A plugin with a layer."""

from __future__ import annotations

from rtfs_framework.api import CacheEntry, CacheLevel, hookimpl

rtfs_requires_api = ">=2"


@hookimpl
def rtfs_caches():
    """Offer one."""
    return [CacheEntry(name="modest", summary="One.", level=CacheLevel.L1, factory=list)]
