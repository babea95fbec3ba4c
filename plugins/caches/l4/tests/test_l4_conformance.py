"""The layer keeps the contract of cache layers, in memory and with a file."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from rtfs_cache_l4.layer import ArtifactCache
from rtfs_framework.testing.conformance import CacheConformance


def made(settings, capacity):
    return ArtifactCache(
        settings.directory, capacity=capacity, most_bytes=1_000_000, ttl=settings.ttl, clock=settings.clock
    )


class _Bytes(CacheConformance):
    persistent: ClassVar[bool] = True

    def value(self, i):
        return f"value {i}".encode()


class TestArtifactCache(_Bytes):
    def make(self, settings, capacity):
        return made(settings, capacity)


class TestArtifactCacheWithAFile(_Bytes):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path):
        self.folders = (str(tmp_path / str(i)) for i in range(100))

    def make(self, settings, capacity):
        return made(settings if settings.directory else attrs.evolve(settings, directory=next(self.folders)), capacity)
