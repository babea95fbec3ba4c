"""The layer keeps the contract of cache layers, and that of layers of experience."""

from __future__ import annotations

from rtfs_cache_l3.layer import ExperienceCache
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.conformance import ExperienceConformance
from rtfs_framework.testing.conformance.cache_tenants import check_tenants


class TestExperienceCache(ExperienceConformance):
    def make(self, settings, capacity):
        return ExperienceCache(capacity=capacity, ttl=settings.ttl, clock=settings.clock)


def test_tenants_are_apart():
    clock = FakeClock()
    layer = ExperienceCache(capacity=40, ttl=15.0, clock=clock)
    check_tenants(layer, clock, str, operations=2_000, seed=1)
    stats = layer.stats()
    assert min(stats.hits, stats.evictions, stats.expiries, stats.invalidations) > 2
