"""No tenant is ever given another one's plan, whatever makes room: a million operations where time allows."""

from __future__ import annotations

import pytest

from rtfs_cache_l1.layer import PlanCache
from rtfs_framework.api import POLICIES
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.conformance.cache_tenants import check_tenants


def check_run(policy, operations, seed):
    if policy == "w-tinylfu":
        pytest.importorskip("theine_core")
    clock = FakeClock()
    layer = PlanCache(capacity=40, ttl=15.0, clock=clock, policy=policy, capacity_bytes=15_000)
    check_tenants(layer, clock, str, operations=operations, seed=seed)
    stats = layer.stats()
    assert min(stats.hits, stats.evictions, stats.expiries, stats.invalidations) > operations // 1_000


@pytest.mark.parametrize("policy", POLICIES)
def test_tenants_are_apart(policy):
    check_run(policy, 2_000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_tenants_are_apart_in_a_million_operations(policy):
    check_run(policy, 1_000_000, 2)
