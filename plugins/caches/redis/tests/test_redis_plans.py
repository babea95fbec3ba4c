"""`redis-l1`: plans stay in their process; what models said about plans, all nodes have."""

from __future__ import annotations

import itertools
import os

import pytest

from rtfs_cache_redis.plans import WarmedPlans
from rtfs_cache_redis.plugin import RedisPlansSettings, _make_plans
from rtfs_framework.api import BoundedCache, CacheInfo, CacheSettings
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.conformance import CacheConformance
from rtfs_framework.testing.fakes import cache_key

PLAN, ANSWER = cache_key(1, namespace="plan"), cache_key(1, namespace="answer")
ENVIRON = {"K": "0123456789abcdef" * 2}
_NUMBERS = itertools.count()


@pytest.fixture
def made(valkey):
    """Return a function that makes another node of one layer; all are closed at the end."""
    nodes, prefix = [], f"plans-{os.getpid()}-{next(_NUMBERS)}"

    def make(clock=None, **own):
        settings = RedisPlansSettings(url=valkey.url, key_env="K", prefix=prefix, timeout=5, lease=0.01, **own)
        nodes.append(_make_plans(CacheSettings(clock=clock or FakeClock(), own=settings, environ=ENVIRON)))
        return nodes[-1]

    yield make
    for each in nodes:
        each.close()


def test_answers_are_shared_and_plans_are_not(made):
    first, second = made(), made()
    first.put(PLAN, ("a", "plan"))
    first.put(ANSWER, "remote")
    assert first.get(PLAN).value == ("a", "plan")
    assert second.get(PLAN) is None
    assert second.get(ANSWER).value == "remote"
    assert made().get(ANSWER).value == "remote", "a node that begins is warmed by what others paid for"
    assert (second.stats().hits, second.stats().misses) == (1, 1)
    assert second.invalidate(ANSWER)
    assert first.get(ANSWER) is None


def test_what_is_at_hand_is_counted_once(made):
    node = made()
    assert node.at_hand(PLAN) is node.at_hand(ANSWER) is None
    assert node.stats().misses == 0
    node.put(PLAN, 7)
    assert node.at_hand(PLAN).value == 7
    assert (node.stats().hits, node.stats().misses) == (1, 0)


def test_a_plan_whose_time_is_over_is_not_at_hand(made):
    clock = FakeClock()
    node = made(clock, ttl=10)
    node.put(PLAN, 7)
    clock.advance(10.0)
    assert node.at_hand(PLAN) is None
    assert node.get(PLAN) is None
    assert (node.stats().misses, node.stats().expiries) == (1, 1)


def test_below_the_floor_no_plan_is_kept(made):
    node = made(min_confidence=0.5)
    node.put(PLAN, 7)
    node.put(PLAN, 8, None, CacheInfo(confidence=0.4))
    assert node.get(PLAN) is None


def test_clear_and_scan_cover_both(made):
    node = made()
    node.put(PLAN, 7)
    node.put(ANSWER, "x")
    assert {each.record.value for each in node.scan()} == {7, "x"}
    assert (node.stats().size, node.stats().capacity) == (1, 1_000)
    node.clear()
    assert list(node.scan()) == []


def test_without_a_server_plans_are_kept_all_the_same():
    settings = RedisPlansSettings(url="redis://127.0.0.1:1/0", key_env="K")
    node = _make_plans(CacheSettings(clock=FakeClock(), own=settings, environ=ENVIRON))
    node.put(PLAN, 7)
    assert node.get(PLAN).value == 7
    assert node.get(ANSWER) is None
    assert node.stats().away
    node.close()


class TestPlansInMemory(CacheConformance):
    @pytest.fixture(autouse=True)
    def _at(self, valkey, node):
        self.node, self.server, self.names = node, valkey, itertools.count()

    def make(self, settings, capacity):
        memory = BoundedCache(capacity=capacity, ttl=settings.ttl, clock=settings.clock)
        answers = self.node(self.server, clock=settings.clock, capacity=1, name=f"plans-{next(self.names)}")
        return WarmedPlans(memory, answers)
