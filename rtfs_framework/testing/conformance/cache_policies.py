"""What each policy of a cache layer means, as the suite checks it: which record makes room for another."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from rtfs_framework.api import CacheLayer, CacheSettings
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import check
from rtfs_framework.testing.fakes import cache_key

_GOES = {"lru": 2, "lfu": 4, "fifo": 1, "ttl": 3}
"""Which of 1 2 3 4 goes, when 1 was put first, 2 was not read for longest, 3 is next to expire, 4 was read least."""
_DRAWS = 400


def check_policy(
    policy: str, make_by: Callable[[CacheSettings, int, str], CacheLayer], value: Callable[[int], Any]
) -> None:
    """Fail unless a layer lets records go as its policy says."""

    def make(settings: CacheSettings, capacity: int) -> CacheLayer:
        return make_by(settings, capacity, policy)

    if policy in _GOES:
        layer = make(CacheSettings(clock=FakeClock()), 4)
        for i, ttl in ((1, 400.0), (2, 300.0), (3, 100.0), (4, 200.0)):
            layer.put(cache_key(i), value(i), ttl)
        for i in (2, 2, 1, 1, 4, 3, 3):
            check(layer.get(cache_key(i)) is not None, f"{policy}: {i} is gone before anything had to make room")
        layer.put(cache_key(5), value(5), 500.0)
        gone = _gone(layer, 4)
        check(gone == [_GOES[policy]], f"{policy}: {_GOES[policy]} makes room, not {gone}")
        layer.close()
    elif policy == "random":
        _chance(make, value)
    else:
        _flood(policy, make, value)


def _chance(make: Callable[[CacheSettings, int], CacheLayer], value: Callable[[int], Any]) -> None:
    """Each of four goes about as often: 100 times of 400, with a standard deviation of 8.7; by the settings' chance."""
    source = random.Random(11)  # noqa: S311 - repeatable
    layer, counted = make(CacheSettings(clock=FakeClock(), random=source.random), 4), Counter[int]()
    for _ in range(_DRAWS):
        layer.clear()
        for i in (1, 2, 3, 4, 5):
            layer.put(cache_key(i), value(i))
        gone = _gone(layer, 4)
        check(len(gone) == 1, f"random: one makes room for one, not {gone}")
        counted.update(gone)
    layer.close()
    check(all(55 < counted[i] < 145 for i in (1, 2, 3, 4)), f"random: of {_DRAWS} times, each went {dict(counted)}")
    # Forty of them: chance of another source does not fall alike so often.
    twice = [make(CacheSettings(clock=FakeClock(), random=random.Random(12).random), 4) for _ in range(2)]  # noqa: S311
    for last in range(1, 45):
        for layer in twice:
            layer.put(cache_key(last), value(last))
        one, other = (_gone(layer, last) for layer in twice)
        check(one == other, f"random: with the same draws {one} went once, and {other} then")
    for layer in twice:
        layer.close()


def _flood(policy: str, make: Callable[[CacheSettings, int], CacheLayer], value: Callable[[int], Any]) -> None:
    """What was read often outlives five times as many records that nobody reads."""
    layer = make(CacheSettings(clock=FakeClock()), 100)
    for i in range(40):
        layer.put(cache_key(i), value(i))
    for _ in range(10):
        for i in range(40):
            layer.get(cache_key(i))
    for i in range(1_000, 1_500):
        layer.put(cache_key(i), value(i))
        check(layer.stats().size <= 100, f"{policy}: {layer.stats().size} records in a layer for 100")
    left = 40 - len(_gone(layer, 40, first=0))
    check(left >= 38, f"{policy}: of 40 records that were read ten times, {left} outlived 500 that nobody reads")
    layer.close()


def _gone(layer: CacheLayer, last: int, first: int = 1) -> list[int]:
    there = {item.key for item in layer.scan()}
    return [i for i in range(first, last + 1) if cache_key(i) not in there and (first or i < last)]
