"""A plugin for a later plugin API."""

from rtfs_framework.api import hookimpl

rtfs_api_version = 99


@hookimpl
def rtfs_caches():
    """Offer what this host does not understand."""
    raise AssertionError
