"""The layer keeps the contract of cache layers, in memory and with a file."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from rtfs_cache_l2.layer import Keeping, ReplyCache
from rtfs_cache_l2.store import Store
from rtfs_framework.testing.conformance import CacheConformance


class TestReplyCache(CacheConformance):
    persistent: ClassVar[bool] = True

    def make(self, settings, capacity):
        return ReplyCache(Store(settings.directory), Keeping(capacity=capacity, ttl=settings.ttl), clock=settings.clock)


class TestReplyCacheWithAFile(CacheConformance):
    persistent: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path):
        self.folders = (str(tmp_path / str(i)) for i in range(100))

    def make(self, settings, capacity):
        own = settings if settings.directory else attrs.evolve(settings, directory=next(self.folders))
        return ReplyCache(Store(own.directory), Keeping(capacity=capacity, ttl=own.ttl), clock=own.clock)
