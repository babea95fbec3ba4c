"""The hook `rtfs_providers`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import anyio

from rtfs_framework.api import Locality, ProviderEntry, ProviderSettings
from rtfs_framework.testing.fakes import ScriptedProvider, inference_request


def test_a_record_is_in_the_catalog(offering):
    entry = ProviderEntry(
        name="scripted",
        summary="Says what it was told.",
        locality=Locality.LOCAL,
        factory=lambda settings: ScriptedProvider(["hello"], settings),
    )
    catalog = offering("rtfs_providers", entry)
    provider = catalog.provider("scripted").factory(ProviderSettings("mine"))
    assert provider.id == "mine"
    assert anyio.run(provider.infer, inference_request()).text == "hello"
    assert not entry.deterministic


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_providers", "mine")
    refused(catalog, "`rtfs_providers` offers a str, which is no ProviderEntry")
    assert not catalog.providers
