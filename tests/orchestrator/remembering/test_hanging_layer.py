"""A layer that hangs holds its call only so long: it is out then, told once, tried again, and no thread piles up."""

from __future__ import annotations

from threading import Event, Thread, active_count

import pytest

from rtfs_framework.api import CacheKey, CacheRecord, CacheStats
from rtfs_framework.orchestrator.remembering.bounded_calls import BoundedCalls, TooLongError
from rtfs_framework.orchestrator.remembering.safe_layer import SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing import FakeClock

PART = Part("cache", "l9", Provenance("acme", "1", "acme"))
KEY = CacheKey("n", "a")
LONG = 30.0
"""Seconds in which anything that does not hang has ended."""


class Hanging:
    """A layer that hangs in the methods that it is told to, until it is let go."""

    def __init__(self):
        self.hangs, self.began, self.go, self.closed = set(), Event(), Event(), Event()
        self.given, self.released = 0, Event()

    def use(self, method):
        if method in self.hangs:
            self.began.set()
            assert self.go.wait(LONG)

    def get(self, key):
        self.use("get")
        return CacheRecord(value=1, stored_at=0.0)

    def put(self, key, value, ttl=None, info=None):
        self.use("put")

    def invalidate(self, key):
        self.use("invalidate")
        return True

    def scan(self):
        self.use("scan")
        return iter(())

    def clear(self):
        self.use("clear")

    def stats(self):
        self.use("stats")
        return CacheStats()

    def claim(self, key, lease):
        self.use("claim")
        self.given += 1
        return self

    def release(self):
        self.use("release")
        self.released.set()

    def close(self):
        self.use("close")
        self.closed.set()


class Waiting:
    """Waits by no clock: what hangs is over time at once, what does not is waited for."""

    def __init__(self, layer):
        self.layer, self.asked = layer, []

    def __call__(self, woken, seconds):
        self.asked.append(seconds)
        while not woken.wait(0.001):
            if self.layer.began.is_set():
                self.layer.began.clear()
                return False
        return True


class World:
    def __init__(self, remakes=False):
        self.clock, self.inner, self.told, self.tries, self.made = FakeClock(), Hanging(), [], [], []
        self.waiting = Waiting(self.inner)
        self.calls = BoundedCalls(4, self.waiting)
        self.safe = SafeLayer(
            PART,
            self.inner,
            lambda part, error, doing, instead: self.told.append(str(error)),
            self.clock,
            self.remake if remakes else None,
            start=self.tries.append,
            calls=self.calls,
            patience=2.0,
        )

    def remake(self):
        self.made.append(Hanging())
        return self.made[-1]

    def retry(self):
        """Let the time of a try come, and make it."""
        self.clock.advance(400.0)
        self.safe.get(KEY)
        tries, self.tries[:] = list(self.tries), []
        for each in tries:
            each()
        return len(tries)


@pytest.fixture(params=[False, True], ids=["kept", "made anew"])
def world(request):
    made = World(request.param)
    yield made
    made.inner.go.set()
    made.inner.hangs = set()
    made.safe.close()


USES = {
    "get": lambda safe: safe.get(KEY),
    "put": lambda safe: safe.put(KEY, 1),
    "invalidate": lambda safe: safe.invalidate(KEY),
    "clear": lambda safe: safe.clear(),
    "scan": lambda safe: safe.scan(),
    "stats": lambda safe: safe.stats(),
}
PATIENCE = {"get": 2.0, "put": 2.0, "stats": 2.0, "invalidate": 40.0, "clear": 40.0, "scan": 40.0}


@pytest.mark.parametrize("method", USES)
def test_whatever_hangs_holds_its_call_only_so_long(world, method):
    world.inner.hangs = {method}
    assert USES[method](world.safe) in (None, False, [])
    assert world.waiting.asked == [PATIENCE[method]]
    assert world.safe.broken
    assert len(world.told) == 1
    assert f"`{method}` took longer than {PATIENCE[method]:g} s, and was left behind" in world.told[0]
    for use in USES.values():
        use(world.safe)
    assert len(world.waiting.asked) == 1, "it is bypassed from then on"


def test_it_is_tried_again_and_comes_back(world):
    world.inner.hangs = {"get"}
    world.safe.get(KEY)
    world.inner.hangs = set()
    assert world.retry() == 1
    assert world.safe.get(KEY).value == 1
    assert world.made == []


def test_where_the_old_one_still_hangs_another_is_made():
    world = World(remakes=True)
    world.inner.hangs = {"get"}
    world.safe.get(KEY)
    world.retry()
    assert (world.safe.broken, len(world.made)) == (False, 1)
    assert world.safe.get(KEY).value == 1
    world.inner.go.set()
    assert world.inner.closed.wait(LONG), "the old one is closed"
    world.safe.close()


def test_threads_that_hang_for_good_do_not_pile_up():
    world = World()
    world.inner.hangs = {"get"}
    before = active_count()
    world.calls = world.safe.calls = BoundedCalls(4, lambda woken, seconds: woken.wait(0.01))
    world.safe.patience = 0.01
    world.safe.get(KEY)
    for _ in range(12):
        assert world.retry() == 1
    assert world.safe.broken
    assert active_count() - before <= 4
    assert len(world.told) == 1
    world.inner.hangs = set()
    world.inner.go.set()
    world.safe.patience = LONG
    world.calls.wait = Event.wait
    assert world.retry() == 1
    assert world.safe.get(KEY).value == 1, "the threads are used again when they come back"
    world.safe.close()


def test_all_that_wait_are_let_go_when_one_has_waited_too_long():
    world = World()
    world.inner.hangs = {"get"}
    waits, found = [], []

    def wait(woken, seconds):
        """The third that waits has waited too long; nobody else's time is ever over."""
        waits.append(woken)
        if len(waits) == 3:
            return False
        return woken.wait(LONG)

    world.calls.wait = wait
    threads = [Thread(target=lambda: found.append(world.safe.get(KEY))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LONG)
    assert found == [None] * 3
    assert len(world.told) == 1
    world.inner.go.set()
    world.safe.close()


def test_a_right_that_comes_too_late_is_given_back(world):
    world.inner.hangs = {"claim"}
    assert world.safe.claim(KEY, 1.0) is not None, "everybody makes it for himself"
    assert world.safe.broken
    world.inner.go.set()
    assert world.inner.released.wait(LONG)
    assert world.inner.given == 1


def test_a_right_is_given_and_given_back(world):
    world.safe.claim(KEY, 1.0).release()
    assert world.inner.released.is_set()
    assert not world.safe.broken


def test_one_that_hangs_at_its_end_does_not_hold_its_host():
    world = World()
    world.inner.hangs = {"close"}
    world.safe.close()
    assert len(world.told) == 1
    world.inner.go.set()


def test_what_is_at_hand_is_given_without_a_thread():
    world = World()
    record = CacheRecord(value="near", stored_at=0.0)
    at_hand = {KEY: record}
    world.inner.at_hand = at_hand.get
    world.inner.hangs = {"get"}
    assert world.safe.get(KEY) is record
    assert world.waiting.asked == []
    del at_hand[KEY]
    assert world.safe.get(KEY) is None
    assert world.waiting.asked == [2.0]
    world.inner.go.set()
    world.safe.close()


def test_what_a_call_raises_is_raised_where_it_is_waited_for():
    calls = BoundedCalls(1)
    with pytest.raises(PluginFault):
        calls.call(lambda: (_ for _ in ()).throw(PluginFault(PART, "x", "y")), LONG)
    assert calls.call(lambda: 7, LONG) == 7
    calls.close()


def test_without_a_thread_a_call_is_one_that_is_late(monkeypatch):
    def none(self):
        raise RuntimeError("can't start new thread")

    calls = BoundedCalls(1)
    monkeypatch.setattr(Thread, "start", none)
    with pytest.raises(TooLongError):
        calls.call(lambda: 7, LONG)
    monkeypatch.undo()
    assert calls.call(lambda: 7, LONG) == 7
    calls.close()


def test_a_child_that_is_forked_off_begins_with_threads_of_its_own(monkeypatch):
    calls, go = BoundedCalls(1), Event()
    with pytest.raises(TooLongError):
        calls.call(lambda: go.wait(LONG), 0.01)
    calls._lock.acquire()  # as another thread may at that moment
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert calls.call(lambda: 7, LONG) == 7
    calls.close()
    go.set()
