"""The layer keeps the contract of cache layers, in memory and with a file."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from rtfs_cache_l4.layer import ArtifactCache
from rtfs_framework.testing.conformance import CacheConformance


def made(settings, capacity, most_bytes=1_000_000):
    return ArtifactCache(
        settings.directory,
        capacity=capacity,
        most_bytes=most_bytes,
        ttl=settings.ttl,
        clock=settings.clock,
        seal=settings.seal,
    )


class _Bytes(CacheConformance):
    persistent: ClassVar[bool] = True

    def value(self, i):
        return f"value {i}".encode()

    def large_value(self, i, size):
        return super().large_value(i, size).encode()

    def make_weighed(self, settings, capacity, capacity_bytes):
        return made(settings, capacity, capacity_bytes)


class TestArtifactCache(_Bytes):
    def make(self, settings, capacity):
        return made(settings, capacity)


class TestArtifactCacheWithAFile(_Bytes):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path):
        self.folders = (str(tmp_path / str(i)) for i in range(100))

    def make(self, settings, capacity):
        return made(settings if settings.directory else attrs.evolve(settings, directory=next(self.folders)), capacity)
