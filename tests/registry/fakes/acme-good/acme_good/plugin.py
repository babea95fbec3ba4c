"""A plugin with nothing wrong."""

from rtfs_framework.api import CacheEntry, CacheLevel, CacheSettings, hookimpl

rtfs_api_version = 2


def make(settings: CacheSettings):
    """Never called: the registry only lists."""
    raise AssertionError


@hookimpl
def rtfs_caches():
    """Offer one cache."""
    return [CacheEntry(name="acme", summary="A good one.", level=CacheLevel.L1, factory=make)]
