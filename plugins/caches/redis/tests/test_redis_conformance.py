"""The layer keeps the contract of cache layers, at both kinds of servers."""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest

from rtfs_framework.testing.conformance import CacheConformance


class _AtAServer:
    @pytest.fixture(autouse=True)
    def _at(self, running, node):
        self.running, self.node, self.names = running, node, itertools.count()

    def at(self, kind, settings, capacity):
        name = settings.directory or f"layer-{next(self.names)}"
        terms = {"name": name, "capacity": capacity, "ttl": settings.ttl}
        return self.node(self.running(kind), clock=settings.clock, **terms)


class TestAtValkey(_AtAServer, CacheConformance):
    persistent: ClassVar[bool] = True

    def make(self, settings, capacity):
        return self.at("valkey", settings, capacity)


class TestAtRedis(_AtAServer, CacheConformance):
    persistent: ClassVar[bool] = True

    def make(self, settings, capacity):
        return self.at("redis", settings, capacity)
