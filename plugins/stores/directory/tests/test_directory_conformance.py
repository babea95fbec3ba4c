"""The store keeps the contract of stores."""

from __future__ import annotations

import pytest

from rtfs_framework.api import StoreFaults, StoreSettings
from rtfs_framework.testing.conformance import MirrorConformance, StoreConformance
from rtfs_store_directory.plugin import DirectorySettings, rtfs_stores
from rtfs_store_directory.store import DirectoryStore


class TestDirectoryStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def make(self, place):
        (entry,) = rtfs_stores()
        return entry.factory(StoreSettings(own=DirectorySettings(path=str(self.folder / place))))


class TestDirectoryThatIsOnlyRead(MirrorConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def filled(self, blobs, names):
        faults = StoreFaults("rtfs-store-directory", "mine")
        store = DirectoryStore(self.folder, faults)
        store.point("x", b"")
        store.forget(["x"], [])
        for digest, data in blobs.items():
            store.put(digest, data)
        for name, data in names.items():
            store.point(name, data)
        return DirectoryStore(self.folder, faults, read_only=True)
