"""A layer that breaks is left out, told once, tried again later by the clock, and never in the way."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CacheItem, CacheKey, CacheRecord, CacheStats
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock

PART = Part("cache", "l9", Provenance("acme", "1", "acme"))
KEY, OTHER = CacheKey("n", "a"), CacheKey("n", "b")


class Layer:
    """A dict that breaks where it is told to; closed, it is broken for good."""

    def __init__(self):
        self.records = {}
        self.broken = set()
        self.closed = self.asked = 0

    def use(self, method):
        self.asked += 1
        if self.closed or method in self.broken or "all" in self.broken:
            raise OSError(method)

    def get(self, key):
        self.use("get")
        return self.records.get(key)

    def put(self, key, value, ttl=None, info=None):
        self.use("put")
        self.records[key] = CacheRecord(value=value, stored_at=0.0, expires_at=ttl)

    def invalidate(self, key):
        self.use("invalidate")
        return self.records.pop(key, None) is not None

    def scan(self):
        self.use("scan")
        for key, record in self.records.items():
            yield CacheItem(key, record)
            self.use("scan on")

    def clear(self):
        self.use("clear")
        self.records.clear()

    def stats(self):
        self.use("stats")
        return CacheStats(size=len(self.records))

    def close(self):
        self.use("close")
        self.closed += 1


class World:
    """A safe layer, what it reports, and the tries that it puts off until they are run."""

    def __init__(self, *, remakes=False):
        self.clock, self.inner, self.remakes = FakeClock(), Layer(), remakes
        self.told, self.back, self.tries, self.made = [], [], [], []
        self.safe = SafeLayer(
            PART,
            self.inner,
            lambda part, error, doing, instead: self.told.append((doing, error.kind_of_fault)),
            clock=self.clock,
            remake=self.remake,
            back=lambda part, seconds: self.back.append(seconds),
            start=self.tries.append,
        )

    def remake(self):
        if not self.remakes:
            raise PluginFault(PART, "its factory", "cannot")
        self.made.append(Layer())
        return self.made[-1]

    def run(self):
        """Run what was put off; return how many that were."""
        tries, self.tries[:] = list(self.tries), []
        for each in tries:
            each()
        return len(tries)


@pytest.fixture
def world():
    return World()


USES = {
    "get": lambda safe: safe.get(KEY),
    "put": lambda safe: safe.put(KEY, 1),
    "invalidate": lambda safe: safe.invalidate(KEY),
    "scan": lambda safe: safe.scan(),
    "clear": lambda safe: safe.clear(),
    "stats": lambda safe: safe.stats(),
}
NOTHING = {"get": None, "put": None, "invalidate": False, "scan": [], "clear": None, "stats": None}


@pytest.mark.parametrize("method", USES)
def test_whatever_breaks_fails_no_call_and_is_told_once(world, method):
    world.safe.put(KEY, 1)
    world.inner.broken = {method}
    for each in (method, *USES, *USES):
        assert USES[each](world.safe) == NOTHING[each]
    assert [doing for doing, _ in world.told] == [f"`{method}`"]
    assert world.safe.broken
    assert world.inner.asked == 2, "it is not asked while it is out"
    assert world.tries == []


@pytest.mark.parametrize("method", USES)
def test_it_is_tried_again_by_the_same_use_and_comes_back(world, method):
    world.inner.broken = {method}
    USES[method](world.safe)
    world.inner.broken = set()
    world.clock.advance(0.99)
    USES[method](world.safe)
    assert world.tries == []
    world.clock.advance(0.01)
    for _ in range(3):
        assert USES[method](world.safe) == NOTHING[method], "the call that finds it due goes on without it"
    assert (len(world.tries), world.safe.broken) == (1, True)
    world.run()
    assert (world.safe.broken, world.back) == (False, [1.0])
    world.safe.put(OTHER, 2)
    assert world.safe.get(OTHER).value == 2


def test_it_is_left_out_for_twice_as_long_each_time_up_to_five_minutes(world):
    world.inner.broken = {"all"}
    world.safe.get(KEY)
    waited, start = [], world.clock.monotonic()
    while len(waited) < 12:
        world.clock.advance(0.5)
        world.safe.get(KEY)
        if world.run():
            waited.append(world.clock.monotonic() - start)
            start = world.clock.monotonic()
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0, 300.0]
    assert len(world.told) == 1


def test_one_that_breaks_again_soon_is_out_for_longer_and_told_again(world):
    def outage(seconds):
        world.inner.broken = {"all"}
        world.safe.get(KEY)
        world.inner.broken = set()
        world.clock.advance(seconds - 0.5)
        world.safe.get(KEY)
        early = world.run()
        world.clock.advance(0.5)
        world.safe.get(KEY)
        return early, world.run(), world.safe.broken

    assert [outage(seconds) for seconds in (1.0, 2.0, 4.0)] == [(0, 1, False)] * 3
    world.clock.advance(10.0)
    assert outage(1.0) == (0, 1, False), "it was well for long enough"
    assert len({kind for _, kind in world.told}) == 4
    assert world.back == [1.0, 2.0, 4.0, 1.0]


def test_one_that_was_closed_by_the_failure_is_made_anew():
    world = World(remakes=True)
    world.inner.closed = 1
    world.safe.get(KEY)
    world.clock.advance(1.0)
    world.safe.put(KEY, "new")
    world.run()
    assert world.safe.get(KEY).value == "new", "the put that was tried counts"
    assert len(world.made) == 1
    world.safe.close()
    assert (world.made[0].closed, world.safe.get(KEY)) == (1, None)


def test_one_that_works_again_keeps_what_it_holds():
    world = World(remakes=True)
    world.safe.put(KEY, "kept")
    world.inner.broken = {"get"}
    world.safe.get(KEY)
    world.inner.broken = set()
    world.clock.advance(1.0)
    world.safe.get(KEY)
    world.run()
    assert (world.safe.get(KEY).value, world.made) == ("kept", [])


def test_one_made_anew_that_breaks_too_is_closed_and_not_used():
    world = World(remakes=True)
    world.inner.broken = {"all"}
    world.remake = lambda: None
    bad = Layer()
    bad.broken = {"get"}
    world.safe.remake = lambda: bad
    world.safe.get(KEY)
    world.clock.advance(1.0)
    world.safe.get(KEY)
    world.run()
    assert (world.safe.broken, bad.closed) == (True, 1)


def test_what_was_invalidated_meanwhile_is_gone_before_anything_is_served(world):
    for key in (KEY, OTHER):
        world.safe.put(key, "old")
    world.inner.broken = {"all"}
    assert world.safe.invalidate(KEY) is False
    world.inner.broken = set()
    world.clock.advance(1.0)
    world.safe.get(KEY)
    world.run()
    assert world.safe.get(KEY) is None
    assert world.safe.get(OTHER).value == "old"


@pytest.mark.parametrize("many", [False, True])
def test_what_was_cleared_meanwhile_is_gone_and_so_is_all_where_too_much_was_missed(world, many):
    for key in (KEY, OTHER):
        world.safe.put(key, "old")
    world.inner.broken = {"all"}
    if many:
        for i in range(5_000):
            world.safe.invalidate(CacheKey("m", str(i)))
    else:
        world.safe.clear()
    world.inner.broken = set()
    world.clock.advance(1.0)
    world.safe.stats()
    world.run()
    assert world.safe.scan() == []


def test_one_that_cannot_take_out_what_it_missed_stays_out(world):
    world.safe.put(KEY, "old")
    world.inner.broken = {"invalidate"}
    world.safe.invalidate(KEY)
    world.clock.advance(1.0)
    assert world.safe.get(KEY) is None
    world.run()
    assert world.safe.broken
    world.inner.broken = set()
    world.clock.advance(2.0)
    world.safe.get(KEY)
    world.run()
    assert (world.safe.broken, world.safe.get(KEY)) == (False, None)


def test_a_scan_that_breaks_on_the_way_gives_nothing(world):
    world.safe.put(KEY, 1)
    world.inner.broken = {"scan on"}
    assert world.safe.scan() == []
    assert world.safe.broken


@pytest.mark.parametrize(
    ("method", "gives"), [("get", "a text"), ("stats", None), ("stats", {}), ("scan", ["a text"]), ("scan", [None])]
)
def test_what_is_no_answer_is_a_fault(world, monkeypatch, method, gives):
    monkeypatch.setattr(world.inner, method, lambda *_: gives)
    assert USES[method](world.safe) == NOTHING[method]
    assert world.safe.broken
    assert world.told[0][0] == f"`{method}`"


def test_a_wrong_value_is_taken_out_with_the_blame(world):
    world.safe.put(KEY, "no plan")
    world.safe.blame("`get`", "returned no plan", KEY)
    world.clock.advance(1.0)
    world.safe.get(KEY)
    world.run()
    assert (world.safe.broken, world.safe.get(KEY)) == (False, None)


def test_one_that_could_not_be_made_is_made_later():
    world = World(remakes=True)
    safe = SafeLayer(PART, None, world.safe.report, clock=world.clock, remake=world.remake, start=world.tries.append)
    safe.never_made(PluginFault(PART, "its factory", "no server"))
    assert (len(world.told), safe.broken, safe.get(KEY)) == (1, True, None)
    world.clock.advance(1.0)
    safe.put(KEY, 1)
    world.run()
    assert safe.get(KEY).value == 1


def test_closing_ends_it_whatever_is_under_way():
    world = World(remakes=True)
    world.inner.broken = {"all"}
    world.safe.get(KEY)
    world.clock.advance(1.0)
    world.safe.get(KEY)
    world.safe.close()
    world.inner.broken = set()
    world.run()
    assert (world.safe.broken, world.safe.get(KEY), world.inner.closed, world.back) == (True, None, 1, [])
    world.clock.advance(1_000.0)
    world.safe.get(KEY)
    assert world.tries == []


def test_by_itself_it_tries_in_a_thread_of_its_own():
    world = World()
    safe = SafeLayer(PART, world.inner, world.safe.report, clock=world.clock)
    world.inner.broken = {"get"}
    safe.get(KEY)
    world.inner.broken = set()
    world.clock.advance(1.0)
    safe.get(KEY)
    for _ in range(1_000):
        if not safe.broken:
            break
        import time

        time.sleep(0.01)
    assert not safe.broken
