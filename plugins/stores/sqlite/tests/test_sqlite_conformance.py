"""The store keeps the contract of stores."""

from __future__ import annotations

import pytest

from rtfs_framework.api import StoreSettings
from rtfs_framework.testing.conformance import MirrorConformance, StoreConformance
from rtfs_store_sqlite.plugin import SqliteSettings, rtfs_stores


def made(path, **own):
    (entry,) = rtfs_stores()
    return entry.factory(StoreSettings(own=SqliteSettings(path=str(path), **own)))


class TestSqliteStore(StoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def make(self, place):
        return made(self.folder / place)


class TestSqliteFileThatIsOnlyRead(MirrorConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def filled(self, blobs, names):
        store = made(self.folder / "file")
        for digest, data in blobs.items():
            store.put(digest, data)
        for name, data in names.items():
            store.point(name, data)
        store.close()
        return made(self.folder / "file", read_only=True)
