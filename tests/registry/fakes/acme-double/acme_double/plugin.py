"""A plugin that offers names which others offer too."""

from rtfs_framework.api import CacheEntry, CacheLevel, CacheSettings, hookimpl

rtfs_api_version = 2


def make(settings: CacheSettings):
    """Never called: the registry only lists."""
    raise AssertionError


@hookimpl
def rtfs_caches():
    """Offer names that others have."""
    return [
        CacheEntry(name="acme", summary="The same name.", level=CacheLevel.L1, factory=make),
        CacheEntry(name="l1", summary="Like the built-in one.", level=CacheLevel.L1, factory=make),
        CacheEntry(name="own", summary="Its own.", level=CacheLevel.L1, factory=make),
    ]
