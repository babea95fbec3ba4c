"""The hook `rtfs_stores`: a record that it offers is in the catalog under its name; what is no record is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import PluginError, StoreEntry, StoreSettings
from rtfs_framework.testing.memory_store import MemoryStore

FIELDS = {"name": "mine", "summary": "Keeps blobs.", "factory": lambda _: MemoryStore(), "remote": False}


def test_a_record_is_in_the_catalog(offering):
    catalog = offering("rtfs_stores", StoreEntry(**FIELDS))
    assert not catalog.problems
    store = catalog.store("mine").factory(StoreSettings())
    store.point("a/name", b"data")
    assert store.read("a/name", 4) == b"data"


def test_another_name_is_nobodys(offering):
    with pytest.raises(PluginError, match="no store is called `mine2`; did you mean 'mine'"):
        offering("rtfs_stores", StoreEntry(**FIELDS)).store("mine2")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("mine", "`rtfs_stores` offers a str, which is no StoreEntry"),
        (StoreEntry(**{**FIELDS, "factory": 7}), "whose `factory` is a int and cannot be called"),
        (StoreEntry(**{**FIELDS, "remote": "no"}), "whose `remote` is 'no' and neither True nor False"),
        (StoreEntry(**FIELDS, settings=dict), "no attrs class"),
    ],
)
def test_what_is_no_record_is_refused(offering, refused, record, words):
    catalog = offering("rtfs_stores", record)
    refused(catalog, words)
    assert not catalog.stores
