"""Every policy against a model that keeps all in a list and looks through it: equal after any operations.

Where chance or a library chooses (`random`, `w-tinylfu`), the model takes note of what went, and says how much may.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as check_machine

from rtfs_framework.api import POLICIES, BoundedCache, CacheKey
from rtfs_framework.testing import FakeClock
from rtfs_framework.testing.effort import effort

pytestmark = pytest.mark.needs("rtfs-cache-l1")

KEYS = st.integers(0, 11)
MOST, MOST_BYTES = 5, 100


class Kept:
    """A record of the model."""

    def __init__(self, value: int, size: int, until: float, now: int) -> None:
        self.value, self.size, self.until = value, size, until
        self.put = self.used = now
        self.uses = 1


ORDERS: dict[str, Any] = {
    "lru": lambda each: each.used,
    "lfu": lambda each: (each.uses, each.used),
    "fifo": lambda each: each.put,
    "ttl": lambda each: (each.until, each.put),
}


class BoundedMachine(RuleBasedStateMachine):
    """Both, side by side."""

    policy: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.cache = BoundedCache(
            capacity=MOST,
            capacity_bytes=MOST_BYTES,
            clock=self.clock,
            ttl=50.0,
            policy=self.policy,
            weigh=lambda _, value: value[1],
            chance=random.Random(5).random,
        )
        self.kept: dict[int, Kept] = {}
        self.now = 0
        self.counts = dict.fromkeys(("hits", "misses", "puts", "evictions", "expiries", "invalidations"), 0)

    @rule(i=KEYS, size=st.integers(0, 130), ttl=st.one_of(st.none(), st.integers(1, 60)))
    def put(self, i: int, size: int, ttl: int | None) -> None:
        self.now += 1
        self.counts["puts"] += 1
        before = dict(self.kept)
        self.cache.put(key(i), (self.now, size), None if ttl is None else float(ttl))
        if size > MOST_BYTES:
            self.kept.pop(i, None)
            self.counts["evictions"] += 1
            return
        until = self.clock.now() + (50.0 if ttl is None else ttl)
        if self.policy in ORDERS:
            self.make_room(i, size)
            self.insert(i, Kept(self.now, size, until, self.now))
        else:
            self.kept[i] = Kept(self.now, size, until, self.now)
            self.learn(i, before)

    def insert(self, i: int, made: Kept) -> None:
        known = self.kept.get(i)
        made.uses = 1 if known is None else known.uses + 1
        self.kept[i] = made

    def make_room(self, i: int, size: int) -> None:
        while sum(each.size for j, each in self.kept.items() if j != i) + size > MOST_BYTES:
            self.leaves(i)
        while i not in self.kept and len(self.kept) >= MOST:
            self.leaves(i)

    def leaves(self, i: int) -> None:
        victim = min(self.kept, key=lambda j: ORDERS[self.policy](self.kept[j]))
        gone = self.kept.pop(victim)
        if victim != i:
            self.counts["expiries" if self.clock.now() >= gone.until else "evictions"] += 1

    def learn(self, i: int, before: dict[int, Kept]) -> None:
        """Take note of what went for a put; with one of it still there, a bound would be broken."""
        left = set(lying(self.cache))
        gone = {j: self.kept.pop(j) for j in list(self.kept) if j not in left}
        for j, each in gone.items():
            late = self.clock.now() >= each.until
            self.counts["expiries" if late else "evictions"] += 1
            full = len(self.kept) + 1 > MOST
            heavy = sum(kept.size for kept in self.kept.values()) + each.size > MOST_BYTES
            assert full or heavy or len(gone) > 1 or (j == i and len(before) >= MOST)

    @rule(i=KEYS)
    def get(self, i: int) -> None:
        self.now += 1
        found = self.cache.get(key(i))
        known = self.kept.get(i)
        if known is None:
            assert found is None
            self.counts["misses"] += 1
        elif self.clock.now() >= known.until:
            assert found is None
            del self.kept[i]
            self.counts["misses"] += 1
            self.counts["expiries"] += 1
        else:
            assert found is not None
            assert (found.value[0], found.expires_at) == (known.value, known.until)
            known.used, known.uses = self.now, known.uses + 1
            self.counts["hits"] += 1

    @rule(i=KEYS)
    def invalidate(self, i: int) -> None:
        there = self.kept.pop(i, None) is not None
        assert self.cache.invalidate(key(i)) is there
        self.counts["invalidations"] += there

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        self.clock.advance(float(seconds))

    @rule(really=st.integers(0, 9))
    def clear(self, really: int) -> None:
        if really == 0:
            self.counts["invalidations"] += len(self.kept)
            self.kept.clear()
            self.cache.clear()

    @invariant()
    def they_are_equal(self) -> None:
        stats = self.cache.stats()
        assert {name: getattr(stats, name) for name in self.counts} == self.counts
        assert stats.size == len(self.kept) <= MOST
        assert stats.size_bytes == sum(each.size for each in self.kept.values()) <= MOST_BYTES
        assert lying(self.cache) == {i: each.value for i, each in self.kept.items()}
        live = {i for i, each in self.kept.items() if self.clock.now() < each.until}
        assert {int(item.key.digest, 16) for item in self.cache.scan()} == live


def key(i: int) -> CacheKey:
    return CacheKey("test", f"{i:064x}")


def lying(cache: BoundedCache) -> dict[int, int]:
    """Return what lies in a cache, whether or not its time is over."""
    return {int(slot[1], 16): record.value[0] for slot, (record, _) in cache._kept.items()}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_does_what_it_says(policy):
    if policy == "w-tinylfu":
        pytest.importorskip("theine_core")
    machine = type(f"{policy} machine", (BoundedMachine,), {"policy": policy})
    check_machine(machine, settings=settings(max_examples=effort(25), deadline=None))
