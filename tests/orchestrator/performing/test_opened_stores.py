"""A store that cannot be made from its table says so in its own words; one that breaks is its authors' fault."""

from __future__ import annotations

import pytest

from rtfs_framework.api import PluginError, StoreEntry, StoreFaults, hookimpl
from rtfs_framework.orchestrator.config.publishing import StoreSpec
from rtfs_framework.orchestrator.performing.stores import opened_store
from rtfs_framework.registry import load_catalog


def refuses(settings):
    raise StoreFaults("acme-store", settings.name).refused("its table names no bucket", "add `bucket`")


def breaks(settings):
    raise RuntimeError("oh")


@pytest.mark.parametrize(
    ("factory", "code", "words"),
    [
        (refuses, "E0821", "acme-store: store `team`: its table names no bucket\n  help: add `bucket`"),
        (breaks, "E0801", "its factory failed: RuntimeError: oh"),
    ],
)
def test_what_cannot_be_made_says_why(factory, code, words):
    class Acme:
        rtfs_api_version = 2
        rtfs_distribution = "acme-store"

        @hookimpl
        def rtfs_stores(self):
            return [StoreEntry(name="acme", summary="Keeps nothing.", factory=factory)]

    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[Acme()])
    spec = StoreSpec(name="team", plugin="acme")
    with pytest.raises(PluginError) as caught, opened_store(spec, catalog, {}):
        pass
    assert caught.value.code == code
    assert words in str(caught.value)
