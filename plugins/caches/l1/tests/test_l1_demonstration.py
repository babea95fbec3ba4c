"""The published demonstration, at the layer's own API: every number is counted, none is written down.

Hit rates are hits among look-ups that reached the layer, in per cent.
"""

from __future__ import annotations

import pytest

from rtfs_cache_l1.plans import Plans
from rtfs_cache_l1.plugin import L1Settings, rtfs_caches
from rtfs_framework.api import CacheSettings, DelegationPlan, LocalPure, PlanSource, RemoteModel
from rtfs_framework.testing import FakeClock

TYPES, OTHER_TYPES, CONTEXT = 0x12345678, 0x87654321, 0xABCDEF01


@pytest.fixture
def plans():
    (entry,) = rtfs_caches()
    made = Plans(entry.factory(CacheSettings(clock=FakeClock(), own=L1Settings())))
    made.route("math/complex", RemoteModel("gpt4o"))
    made.route("io/file", LocalPure())
    return made


def decided(reasoning):
    return DelegationPlan(target=LocalPure(), reasoning=reasoning, source=PlanSource.ENGINE, confidence=0.9)


def shown(plans):
    stats = plans.cache.stats()
    return f"{plans.hit_rate:.2%}", stats.hits, stats.misses, stats.puts, f"{stats.size}/{stats.capacity}"


def test_the_published_demonstration(plans):
    # A routed symbol: answered by the route. Nothing reaches the layer, so nothing is counted.
    routed = plans.look_up("math/complex", TYPES, CONTEXT)
    assert (routed.target, routed.source) == (RemoteModel("gpt4o"), PlanSource.STATIC_ROUTE)
    assert shown(plans) == ("0.00%", 0, 0, 0, "0/1000")

    # No route: a miss. An engine decides, its call succeeds, and the plan is kept: the first put.
    assert plans.look_up("unknown/function", TYPES, CONTEXT) is None
    first = decided("no route for unknown/function")
    plans.keep("unknown/function", TYPES, CONTEXT, first, agent="router", task="unknown/function")
    assert shown(plans) == ("0.00%", 0, 1, 1, "1/1000")

    # The same fingerprints: a hit, one of two look-ups.
    assert plans.look_up("unknown/function", TYPES, CONTEXT) is first
    assert shown(plans) == ("50.00%", 1, 1, 1, "1/1000")

    # Other argument types: a miss, one hit of three look-ups; decided and kept as well: the second put.
    assert plans.look_up("unknown/function", OTHER_TYPES, CONTEXT) is None
    plans.keep(
        "unknown/function", OTHER_TYPES, CONTEXT, decided("other types"), agent="router", task="unknown/function"
    )
    assert shown(plans) == ("33.33%", 1, 2, 2, "2/1000")

    # What somebody keeps by hand is a put like any other: the third.
    by_hand = decided("said by hand")
    plans.keep("manual/function", TYPES, CONTEXT, by_hand, agent="manual", task="manual task")
    assert shown(plans) == ("33.33%", 1, 2, 3, "3/1000")

    assert {agent: len(items) for agent, items in plans.cache.by_agent().items()} == {"router": 2, "manual": 1}
    assert [item.record.value for item in plans.cache.by_agent()["manual"]] == [by_hand]
    assert set(plans.cache.by_task()) == {"unknown/function", "manual task"}


def test_the_other_route_is_local(plans):
    assert plans.look_up("io/file", TYPES, CONTEXT).target == LocalPure()


def test_symbol_types_and_context_are_compared_each(plans):
    plans.keep("f", 1, 2, decided("here"))
    assert plans.look_up("f", 1, 2) is not None
    assert [plans.look_up(*asked) for asked in (("g", 1, 2), ("f", 2, 1), ("f", 1, 1), ("f", 12, 0))] == [None] * 4
