"""A plugin that does not say which plugin API it is for."""

from rtfs_framework.api import hookimpl


@hookimpl
def rtfs_caches():
    """Offer nothing, without saying for which API."""
    return []
