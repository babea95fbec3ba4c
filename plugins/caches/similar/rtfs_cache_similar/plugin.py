"""What this distribution offers to rtfs_framework. Imports nothing heavy: numpy and the index come with the layer."""

from __future__ import annotations

from rtfs_framework.api import CacheEntry, hookimpl

rtfs_api_version = 2


@hookimpl
def rtfs_caches() -> list[CacheEntry]:
    """Offer nothing yet: the layer comes next."""
    return []
