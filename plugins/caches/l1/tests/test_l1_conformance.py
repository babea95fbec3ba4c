"""The layer keeps the contract of cache layers, with each of its policies."""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar

from rtfs_cache_l1.layer import PlanCache
from rtfs_framework.api import POLICIES
from rtfs_framework.testing.conformance import CacheConformance


class TestPlanCache(CacheConformance):
    policies: ClassVar[tuple[str, ...]] = tuple(
        policy for policy in POLICIES if policy != "w-tinylfu" or find_spec("theine_core")
    )

    def make(self, settings, capacity):
        return PlanCache(capacity=capacity, ttl=settings.ttl, clock=settings.clock)

    def make_by(self, settings, capacity, policy):
        return PlanCache(
            capacity=capacity, ttl=settings.ttl, clock=settings.clock, policy=policy, chance=settings.random
        )

    def make_weighed(self, settings, capacity, capacity_bytes):
        return PlanCache(capacity=capacity, ttl=None, clock=settings.clock, capacity_bytes=capacity_bytes)
