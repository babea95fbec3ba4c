"""The layer keeps the contract of cache layers."""

from __future__ import annotations

from rtfs_cache_l1.layer import PlanCache
from rtfs_framework.testing.conformance import CacheConformance


class TestPlanCache(CacheConformance):
    def make(self, settings, capacity):
        return PlanCache(capacity=capacity, ttl=settings.ttl, clock=settings.clock)
