"""The layer as the catalog makes it: defaults, settings, whose ttl counts, and that a hit is quick."""

from __future__ import annotations

import timeit

import pytest

from rtfs_cache_l1.plugin import L1Settings
from rtfs_framework.api import CacheLevel, CacheSettings
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
    layer = entry.factory(CacheSettings(clock=FakeClock()))
    assert layer.stats().capacity == 10_000


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


@pytest.mark.parametrize("wrong", [{"capacity": 0}, {"capacity": -1}, {"ttl": 0.0}, {"ttl": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        L1Settings(**wrong)


def test_a_wall_clock_that_is_set_back_breaks_nothing(entry):
    clock = FakeClock()
    layer = entry.factory(CacheSettings(clock=clock, ttl=10.0))
    layer.put(cache_key(1), "plan")
    clock.wall -= 3_600.0
    assert layer.get(cache_key(1)).value == "plan"


def test_a_hit_is_quick(entry):
    layer, key = entry.factory(CacheSettings(clock=FakeClock(), ttl=60.0)), cache_key(1)
    layer.put(key, "plan")
    best = min(timeit.repeat(lambda: layer.get(key), number=2_000, repeat=5)) / 2_000
    assert best < 20e-6, f"{best * 1e6:.2f} µs"  # measured: about 0.6 µs; the slack is for busy machines
