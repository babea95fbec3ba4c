"""A plugin with one hook misspelt, one not marked, and one right."""

from rtfs_framework.api import EngineEntry, EngineSettings, hookimpl

rtfs_api_version = 2


def make(settings: EngineSettings):
    """Never called: the registry only lists."""
    raise AssertionError


@hookimpl
def rtfs_cashes():
    """Offer caches, under a misspelt name."""
    return []


def rtfs_providers():
    """Offer providers, but the marker was forgotten."""
    return []


@hookimpl
def rtfs_engines():
    """Offer an engine."""
    return [EngineEntry(name="spelt", summary="Spelt well.", factory=make)]
