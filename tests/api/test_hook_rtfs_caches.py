"""The hook `rtfs_caches`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

from rtfs_framework.api import CacheEntry, CacheLevel


def test_a_record_is_in_the_catalog(offering):
    entry = CacheEntry(name="mine", summary="Similar requests.", level=CacheLevel.L2, factory=lambda _settings: None)
    catalog = offering("rtfs_caches", entry)
    assert catalog.cache("mine") is entry
    assert catalog.caches["mine"][1].distribution == "acme-tiny"


def test_what_is_no_record_is_refused(offering, refused):
    catalog = offering("rtfs_caches", "mine")
    refused(catalog, "`rtfs_caches` offers a str, which is no CacheEntry")
    assert not catalog.caches
