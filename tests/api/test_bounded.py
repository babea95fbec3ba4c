"""Records bounded in entries and bytes: each policy against a plain model, and what only its bounds can show."""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest

from rtfs_framework.api import POLICIES, BoundedCache, CacheInfo, CacheKey, PluginError, memory_taken
from rtfs_framework.testing import FakeClock

pytestmark = pytest.mark.needs("rtfs-cache-l1")


def key(i):
    return CacheKey("test", f"{i:064x}")


def cache(**options):
    if options.get("policy") == "w-tinylfu":
        pytest.importorskip("theine_core")
    clock = FakeClock()
    return BoundedCache(**{"capacity": 4, "clock": clock, **options}), clock


def there(layer):
    return {int(item.key.digest, 16) for item in layer.scan()}


@pytest.mark.parametrize(
    ("policy", "left"), [("lru", {1, 3, 4, 5}), ("lfu", {1, 2, 3, 5}), ("fifo", {2, 3, 4, 5}), ("ttl", {1, 2, 4, 5})]
)
def test_each_policy_lets_another_one_go(policy, left):
    layer, _ = cache(policy=policy)
    for i, ttl in ((1, 40.0), (2, 30.0), (3, 10.0), (4, 20.0)):
        layer.put(key(i), i, ttl)
    for i in (2, 2, 1, 1, 3, 3, 4):
        layer.get(key(i))
    layer.put(key(5), 5)
    assert there(layer) == left


def test_chance_is_fair_and_handed_in():
    gone, source = Counter(), random.Random(7)
    for _ in range(4_000):
        layer, _ = cache(policy="random", chance=source.random)
        for i in range(5):
            layer.put(key(i), i)
        gone[({0, 1, 2, 3} - there(layer)).pop()] += 1
    assert all(900 < gone[i] < 1_100 for i in range(4)), gone
    lowest, _ = cache(policy="random", chance=lambda: 0.0)
    for i in range(5):
        lowest.put(key(i), i)
    assert there(lowest) == {1, 2, 3, 4}


def test_what_is_wanted_often_outlives_a_flood_of_what_is_wanted_once():
    kept = {}
    for policy in ("lru", "w-tinylfu"):
        layer, _ = cache(policy=policy, capacity=100)
        for _ in range(20):
            for i in range(50):
                if layer.get(key(i)) is None:
                    layer.put(key(i), i)
        for i in range(1_000, 3_000):
            layer.put(key(i), i)
        kept[policy] = len(there(layer) & set(range(50)))
        assert layer.stats().size == 100
    assert kept["lru"] == 0
    assert kept["w-tinylfu"] >= 48


def test_two_keys_of_one_number_are_never_mixed_up(monkeypatch):
    from rtfs_framework.api import eviction

    monkeypatch.setattr(eviction, "_number", lambda _: 5)
    layer, _ = cache(policy="w-tinylfu")
    for i in (1, 2, 1):
        layer.put(key(i), i)
    assert layer.get(key(2)) is None
    assert layer.get(key(1)).value == 1
    stats = layer.stats()
    assert (stats.size, stats.evictions) == (1, 2)


@pytest.mark.parametrize("policy", POLICIES)
def test_bytes_are_bounded_and_counted(policy):
    layer, _ = cache(policy=policy, capacity=100, capacity_bytes=1_000, weigh=lambda _, value: len(value))
    for i in range(200):
        layer.put(key(i % 37), "x" * (i * 31 % 400))
        stats = layer.stats()
        assert stats.size_bytes == sum(len(item.record.value) for item in layer.scan()) <= 1_000
        assert stats.capacity_bytes == 1_000
    layer.clear()
    assert (layer.stats().size, layer.stats().size_bytes) == (0, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_larger_than_all_is_not_kept_and_leaves_no_older_value(policy):
    layer, _ = cache(policy=policy, capacity_bytes=100, weigh=lambda _, value: len(value))
    layer.put(key(1), "old")
    layer.put(key(2), "other")
    layer.put(key(1), "x" * 101)
    assert layer.get(key(1)) is None
    assert layer.get(key(2)).value == "other"
    stats = layer.stats()
    assert (stats.puts, stats.evictions, stats.size, stats.size_bytes) == (3, 1, 1, 5)


def test_what_makes_room_after_its_time_is_an_expiry():
    layer, clock = cache(capacity=1, ttl=5.0)
    layer.put(key(1), 1)
    clock.advance(5.0)
    layer.put(key(2), 2)
    stats = layer.stats()
    assert (stats.expiries, stats.evictions, stats.misses) == (1, 0, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_scan_is_no_use(policy):
    def run(*, looks):
        layer, _ = cache(policy=policy, capacity=8, chance=random.Random(3).random)
        for i in range(40):
            layer.put(key(i % 13), i)
            layer.get(key(i * 7 % 13))
            if looks:
                list(layer.scan())
        return there(layer), layer.stats()

    assert run(looks=True) == run(looks=False)


def test_what_is_replaced_again_and_again_does_not_pile_up():
    layer, _ = cache(policy="ttl")
    for i in range(10_000):
        layer.put(key(i % 3), i, 10.0)
    assert len(layer._order._heap) < 64


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"capacity": 0}, "at least one record"),
        ({"capacity_bytes": 0}, "one byte"),
        ({"ttl": 0.0}, "longer than 0.0 seconds"),
        ({"ttl": float("nan")}, "longer than nan seconds"),
        ({"policy": "mru"}, "no policy 'mru'; there are: lru, lfu, fifo, random, ttl, w-tinylfu"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        cache(**wrong)


def test_a_policy_whose_library_is_missing_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "theine_core", None)
    with pytest.raises(PluginError, match="theine-core, which is not installed") as refused:
        BoundedCache(capacity=4, clock=FakeClock(), policy="w-tinylfu")
    assert (refused.value.code, refused.value.way_out) == (
        "E0809",
        "pip install theine-core, or choose another policy",
    )


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, one):
        self.one = one


def test_what_is_weighed_holds_all_that_a_value_holds():
    def taken(value):
        return memory_taken(key(1), value) - memory_taken(key(1), None)

    large = "x" * 10_000
    shared = [large, large]
    for value in (large, [large], {large: 1}, {1: large}, (large,), frozenset([large]), Slotted(large), shared):
        assert 10_000 < taken(value) < 11_000, value
    assert 10_000 < taken(CacheInfo(symbol=large)) < 11_000
    assert taken(Slotted) == taken(len) == taken(sys) == 0
    knot = []
    knot.append(knot)
    assert 0 < taken(knot) < 200
