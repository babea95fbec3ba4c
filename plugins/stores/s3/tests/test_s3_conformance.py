"""The store keeps the contract of stores, on a real server."""

from __future__ import annotations

import os

import attrs
import pytest

from rtfs_framework.testing.conformance import MirrorConformance, StoreConformance


class TestS3Store(StoreConformance):
    @pytest.fixture(autouse=True)
    def _server(self, s3_url, made):
        self.url, self.made = s3_url, made

    def make(self, place):
        return self.made(self.url, prefix=f"{os.getpid()}/conformance/{place}")


class TestS3StoreThatIsOnlyRead(MirrorConformance):
    @pytest.fixture(autouse=True)
    def _server(self, s3_url, made):
        self.url, self.made = s3_url, made

    def filled(self, blobs, names):
        store = self.made(self.url)
        for digest, data in blobs.items():
            store.put(digest, data)
        for name, data in names.items():
            store.point(name, data)
        own = attrs.evolve(store._own, read_only=True)
        return self.made(self.url, **attrs.asdict(own))
