"""The layer as the catalog makes it: defaults, settings, whose ttl counts, and which plans are not kept."""

from __future__ import annotations

import pytest

from rtfs_cache_l1.plugin import L1Settings
from rtfs_framework.api import CacheInfo, CacheLevel, CacheSettings
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.fakes import cache_key


@pytest.fixture
def entry():
    catalog = load_catalog({"RTFS_PLUGINS": "l1"})
    assert not catalog.problems
    return catalog.cache("l1")


def test_it_is_found_as_the_layer_of_plans(entry):
    assert (entry.level, entry.persistent, entry.settings) == (CacheLevel.L1, False, L1Settings)


def test_the_defaults(entry):
    clock = FakeClock()
    layer = entry.factory(CacheSettings(clock=clock))
    layer.put(cache_key(1), "plan")
    assert layer.get(cache_key(1)).expires_at == clock.now() + 3_600.0
    stats = layer.stats()
    assert (stats.capacity, stats.capacity_bytes, layer.policy) == (1_000, None, "lru")


def test_its_own_ttl_counts_before_the_hosts(entry):
    clock = FakeClock()
    hosts = entry.factory(CacheSettings(clock=clock, ttl=60.0))
    own = entry.factory(CacheSettings(clock=clock, ttl=60.0, own=L1Settings(ttl=5.0, capacity=7)))
    for layer in (hosts, own):
        layer.put(cache_key(1), "plan")
    clock.advance(5.0)
    assert hosts.get(cache_key(1)).expires_at == clock.now() + 55.0
    assert own.get(cache_key(1)) is None
    assert own.stats().capacity == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": 0},
        {"capacity": -1},
        {"ttl": 0.0},
        {"ttl": -1.0},
        {"capacity_bytes": 0},
        {"min_confidence": -0.1},
        {"min_confidence": 1.1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        L1Settings(**wrong)


def test_its_settings_reach_the_layer(entry):
    own = L1Settings(capacity=2, policy="fifo", capacity_bytes=100_000)
    layer = entry.factory(CacheSettings(clock=FakeClock(), own=own))
    for i in (1, 2):
        layer.put(cache_key(i), "plan")
    layer.get(cache_key(1))
    layer.put(cache_key(3), "plan")
    assert layer.get(cache_key(1)) is None
    stats = layer.stats()
    assert (layer.policy, stats.capacity_bytes) == ("fifo", 100_000)
    assert 0 < stats.size_bytes < 5_000


def test_a_policy_without_its_library_is_refused_with_the_way_out(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install 'rtfs-cache-l1\[w-tinylfu\]', or choose another policy"):
        L1Settings(policy="w-tinylfu")
    assert L1Settings(policy="lfu").policy == "lfu"


def test_what_its_maker_is_less_sure_of_than_the_floor_is_not_kept(entry):
    layer = entry.factory(CacheSettings(clock=FakeClock(), own=L1Settings(min_confidence=0.5)))
    for i, confidence in ((1, 0.5), (2, 0.49), (3, None)):
        layer.put(cache_key(i), "plan", info=CacheInfo(confidence=confidence))
    assert [layer.get(cache_key(i)) is not None for i in (1, 2, 3)] == [True, False, True]
    assert layer.stats().puts == 2
    layer.put(cache_key(1), "another plan", info=CacheInfo(confidence=0.1))
    assert layer.get(cache_key(1)) is None, "the plan that stood there before is not the latest"


def test_a_wall_clock_that_is_set_back_breaks_nothing(entry):
    clock = FakeClock()
    layer = entry.factory(CacheSettings(clock=clock, ttl=10.0))
    layer.put(cache_key(1), "plan")
    clock.wall -= 3_600.0
    assert layer.get(cache_key(1)).value == "plan"
