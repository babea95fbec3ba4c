"""The cache suite fails what breaks the contract: each defect is one that has been shipped somewhere."""

from __future__ import annotations

from functools import wraps
from threading import RLock

import pytest

from rtfs_framework.api import CacheItem, CacheKey, CacheRecord, CacheStats
from rtfs_framework.testing.conformance import CacheConformance


def locked(method):
    """Let one thread at a time use a layer: the suite's threads would fail a layer for what it is not about."""

    @wraps(method)
    def hold(self, *args):
        with self.lock:
            return method(self, *args)

    return hold


class Layer:
    """A right cache layer of a few lines; the wrong ones below change one thing."""

    def __init__(self, settings, capacity):
        self.lock = RLock()
        self.clock, self.ttl, self.capacity = settings.clock, settings.ttl, capacity
        self.records = {}
        self.counts = dict.fromkeys(("hits", "misses", "puts", "evictions", "expiries"), 0)

    def slot(self, key):
        return key.namespace, key.digest

    def stale(self, record):
        return record.expires_at is not None and self.clock.now() >= record.expires_at

    @locked
    def get(self, key):
        record = self.records.pop(self.slot(key), None)
        if record is None or self.stale(record):
            self.counts["misses"] += 1
            self.counts["expiries"] += record is not None
            return None
        self.records[self.slot(key)] = record
        self.counts["hits"] += 1
        return record

    def room(self):
        return self.capacity

    def victim(self):
        return next(iter(self.records))

    @locked
    def put(self, key, value, ttl=None, info=None):
        slot, now = self.slot(key), self.clock.now()
        lifetime = self.ttl if ttl is None else ttl
        self.records.pop(slot, None)
        while len(self.records) >= self.room():
            del self.records[self.victim()]
            self.counts["evictions"] += 1
        expires_at = None if lifetime is None else now + lifetime
        self.records[slot] = CacheRecord(value=value, stored_at=now, expires_at=expires_at)
        self.counts["puts"] += 1

    @locked
    def invalidate(self, key):
        return self.records.pop(self.slot(key), None) is not None

    def scan(self):
        return (CacheItem(CacheKey("", str(slot)), record) for slot, record in list(self.records.items()))

    def clear(self):
        self.records.clear()

    def stats(self):
        return CacheStats(size=len(self.records), capacity=self.capacity, **self.counts)

    def close(self):
        pass


class EvictsTheNewest(Layer):
    def victim(self):
        return list(self.records)[-1]


class HoldsOneMore(Layer):
    def room(self):
        return self.capacity + 1


class ServesStale(Layer):
    def stale(self, record):
        return False


class CountsStaleAsHit(Layer):
    def get(self, key):
        record = self.records.get(self.slot(key))
        stale = record is not None and self.stale(record)
        found = super().get(key)
        if stale:
            self.counts["hits"] += 1
            self.counts["misses"] -= 1
        return found


class MixesHalves(Layer):
    def slot(self, key):
        return hash(key.namespace) ^ hash(key.digest)


class JoinsHalves(Layer):
    def slot(self, key):
        return key.namespace + key.digest


class LooksAtParts(Layer):
    def slot(self, key):
        return key.namespace, key.digest, key.parts


class ForgetsTtl(Layer):
    def put(self, key, value, ttl=None, info=None):
        super().put(key, value, None)


class ReadsAreNoUses(Layer):
    def get(self, key):
        before = dict(self.records)
        found = super().get(key)
        if found is not None:
            self.records = before
        return found


class MiscountsPuts(Layer):
    def put(self, key, value, ttl=None, info=None):
        super().put(key, value, ttl)
        self.counts["puts"] += self.slot(key) in self.records and len(self.records) == self.capacity


def cache_suite(kind):
    class Suite(CacheConformance):
        def make(self, settings, capacity):
            return kind(settings, capacity)

    return Suite()


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (EvictsTheNewest, "test_the_least_recently_used_goes_first"),
        (HoldsOneMore, "test_the_bound_is_never_exceeded"),
        (ServesStale, "test_a_stale_read_is_a_miss"),
        (CountsStaleAsHit, "test_a_stale_read_is_a_miss"),
        (MixesHalves, "test_halves_of_keys_do_not_collide"),
        (JoinsHalves, "test_halves_of_keys_do_not_collide"),
        (LooksAtParts, "test_halves_of_keys_do_not_collide"),
        (ForgetsTtl, "test_a_put_may_bring_its_own_ttl"),
        (ReadsAreNoUses, "test_the_least_recently_used_goes_first"),
        (MiscountsPuts, "test_counters_add_up"),
    ],
)
def test_a_wrong_cache_is_caught(kind, caught_by, failing):
    assert caught_by in failing(cache_suite(kind))


def test_a_right_cache_passes(failing):
    assert failing(cache_suite(Layer)) == set()


def test_keys_are_equal_whatever_their_parts_say():
    assert CacheKey("a", "b", (("x", "y"),)) == CacheKey("a", "b")
