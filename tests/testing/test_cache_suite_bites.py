"""The cache suite fails what breaks the contract: each defect is one that has been shipped somewhere."""

from __future__ import annotations

import random
from functools import wraps
from threading import RLock
from typing import ClassVar

import attrs
import pytest

from rtfs_framework.api import NO_INFO, POLICIES, CacheItem, CacheKey, CacheRecord, CacheStats
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

    files: ClassVar[dict] = {}

    def __init__(self, settings, capacity, policy="lru", most=None):
        self.lock = RLock()
        self.settings, self.capacity, self.policy, self.most = settings, capacity, policy, most
        self.clock, self.ttl = settings.clock, settings.ttl
        self.records = self.files.setdefault(settings.directory, {}) if settings.directory else {}
        self.uses, self.made = {}, {}
        names = ("hits", "misses", "puts", "evictions", "expiries", "invalidations", "errors")
        self.counts = dict.fromkeys(names, 0)

    def slot(self, key):
        return key.namespace, key.digest

    def stale(self, record):
        return record.expires_at is not None and self.clock.now() >= record.expires_at

    def size(self, value):
        return len(value) if isinstance(value, str) else 0

    def sizes(self):
        return sum(self.size(record.value) for record in self.records.values())

    @locked
    def get(self, key):
        slot = self.slot(key)
        record = self.records.pop(slot, None)
        damaged = record is not None and self.damaged(record)
        if record is None or damaged or self.stale(record):
            self.counts["misses"] += 1
            self.counts["errors"] += damaged
            self.counts["expiries"] += record is not None and not damaged
            return None
        self.records[slot] = record
        self.uses[slot] = self.uses.get(slot, 0) + 1
        self.counts["hits"] += 1
        return record

    def damaged(self, record):
        return record.value == "damaged"

    def room(self):
        return self.capacity

    def victim(self):
        records = list(self.records)
        if self.policy == "random":
            return records[int(self.settings.random() * len(records))]
        order = {
            "lru": lambda slot: 0,
            "lfu": lambda slot: self.uses.get(slot, 0),
            "fifo": lambda slot: self.made.get(slot, 0),
            "ttl": lambda slot: self.records[slot].expires_at or 0.0,
            "w-tinylfu": lambda slot: self.uses.get(slot, 0),
        }
        return min(records, key=order[self.policy])

    @locked
    def put(self, key, value, ttl=None, info=NO_INFO):
        slot, now = self.slot(key), self.clock.now()
        lifetime = self.ttl if ttl is None else ttl
        self.counts["puts"] += 1
        self.before(slot, value)
        if self.most is not None and self.size(value) > self.most:
            self.counts["evictions"] += 1
            return
        while len(self.records) >= self.room() or (
            self.most is not None and self.sizes() + self.size(value) > self.most
        ):
            del self.records[self.victim()]
            self.counts["evictions"] += 1
        expires_at = None if lifetime is None else now + lifetime
        self.records[slot] = CacheRecord(value=value, stored_at=now, expires_at=expires_at, info=info)
        self.made[slot] = self.counts["puts"]
        self.uses[slot] = 1

    def before(self, slot, value):
        self.records.pop(slot, None)

    @locked
    def invalidate(self, key):
        gone = self.records.pop(self.slot(key), None) is not None
        self.counts["invalidations"] += gone
        return gone

    def scan(self):
        kept = list(self.records.items())
        return (CacheItem(CacheKey(*slot[:2]), record) for slot, record in kept if not self.stale(record))

    def clear(self):
        self.counts["invalidations"] += len(self.records)
        self.records.clear()

    def stats(self):
        more = {} if self.most is None else {"size_bytes": self.sizes(), "capacity_bytes": self.most}
        return CacheStats(size=len(self.records), capacity=self.capacity, **more, **self.counts)

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
        return "mixed", str(hash(key.namespace) ^ hash(key.digest))


class JoinsHalves(Layer):
    def slot(self, key):
        return key.namespace + key.digest


class LooksAtParts(Layer):
    def slot(self, key):
        return key.namespace, key.digest, key.parts


class LooksAtHalfADigest(Layer):
    def slot(self, key):
        return key.namespace, key.digest[:32]


class IgnoresCase(Layer):
    def slot(self, key):
        return key.namespace.lower(), key.digest.lower()


class IgnoresTheTenant(Layer):
    """Looks at the request alone, as a key without a tenant would."""

    def slot(self, key):
        return key.namespace, dict(key.parts).get("0", key.digest)


class LosesInfo(Layer):
    def put(self, key, value, ttl=None, info=NO_INFO):
        super().put(key, value, ttl)


class KeepsTheFirstInfo(Layer):
    def put(self, key, value, ttl=None, info=NO_INFO):
        known = self.records.get(self.slot(key))
        super().put(key, value, ttl, info if known is None else known.info)


class KeepsTheFirstTime(Layer):
    def put(self, key, value, ttl=None, info=NO_INFO):
        known = self.records.get(self.slot(key))
        super().put(key, value, ttl, info)
        slot = self.slot(key)
        if known is not None and slot in self.records:
            self.records[slot] = attrs.evolve(self.records[slot], expires_at=known.expires_at)


class ScansStale(Layer):
    def scan(self):
        return (CacheItem(CacheKey(*slot), record) for slot, record in list(self.records.items()))


class ScansWithoutInfo(Layer):
    def scan(self):
        return (CacheItem(item.key, attrs.evolve(item.record, info=NO_INFO)) for item in super().scan())


class ScansByReading(Layer):
    def scan(self):
        return [CacheItem(item.key, self.get(item.key)) for item in super().scan()]


class ScanMovesRecords(Layer):
    """Counts nothing, but makes what it shows young."""

    def scan(self):
        for item in reversed(list(super().scan())):
            slot = self.slot(item.key)
            self.records[slot] = self.records.pop(slot)
            yield item


class CountsNoInvalidation(Layer):
    def invalidate(self, key):
        gone = super().invalidate(key)
        self.counts["invalidations"] -= gone
        return gone


class ClearCountsNothing(Layer):
    def clear(self):
        self.records.clear()


class MakesRoomAfterwards(Layer):
    """Bounded in bytes, but only once the record that is too much is in."""

    def put(self, key, value, ttl=None, info=NO_INFO):
        most, self.most = self.most, None
        while most is not None and self.sizes() > most:
            del self.records[self.victim()]
        super().put(key, value, ttl, info)
        self.most = most


class CountsNoBytes(Layer):
    def sizes(self):
        return 0


class KeepsTheOldForTheTooLarge(Layer):
    def before(self, slot, value):
        if self.most is None or self.size(value) <= self.most:
            super().before(slot, value)


class MakesAllRoomForTheTooLarge(Layer):
    def before(self, slot, value):
        super().before(slot, value)
        if self.most is not None and self.size(value) > self.most:
            self.records.clear()


class AlwaysLru(Layer):
    def victim(self):
        return next(iter(self.records))


class ChanceOfItsOwn(Layer):
    def victim(self):
        chosen = random.choice(list(self.records))
        return chosen if self.policy == "random" else super().victim()


class AlwaysTheFirstByChance(Layer):
    def victim(self):
        return next(iter(self.records)) if self.policy == "random" else super().victim()


class ServesTheDamaged(Layer):
    def damaged(self, record):
        return False


class HidesTheDamaged(Layer):
    def get(self, key):
        errors = self.counts["errors"]
        found = super().get(key)
        self.counts["errors"] = errors
        return found


class ForgetsTtl(Layer):
    def put(self, key, value, ttl=None, info=NO_INFO):
        super().put(key, value, None, info)


class ReadsAreNoUses(Layer):
    def get(self, key):
        before = dict(self.records)
        found = super().get(key)
        if found is not None:
            self.records = before
        return found


class MiscountsPuts(Layer):
    def put(self, key, value, ttl=None, info=NO_INFO):
        super().put(key, value, ttl, info)
        self.counts["puts"] += self.slot(key) in self.records and len(self.records) == self.capacity


def cache_suite(kind):
    class Suite(CacheConformance):
        persistent: ClassVar[bool] = True
        policies: ClassVar[tuple[str, ...]] = POLICIES

        def make(self, settings, capacity):
            return kind(settings, capacity)

        def make_by(self, settings, capacity, policy):
            return kind(settings, capacity, policy)

        def make_weighed(self, settings, capacity, capacity_bytes):
            return kind(settings, capacity, most=capacity_bytes)

        def damage(self, directory):
            records = kind.files[directory]
            for slot, record in records.items():
                records[slot] = attrs.evolve(record, value="damaged")
            return True

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
        (LooksAtHalfADigest, "test_halves_of_keys_do_not_collide"),
        (IgnoresCase, "test_halves_of_keys_do_not_collide"),
        (IgnoresTheTenant, "test_no_tenant_has_anothers_record"),
        (LosesInfo, "test_what_is_known_of_a_value_is_handed_back"),
        (KeepsTheFirstInfo, "test_what_is_known_of_a_value_is_handed_back"),
        (KeepsTheFirstTime, "test_a_later_put_has_its_own_time"),
        (ScansStale, "test_a_scan_shows_what_is_there"),
        (ScansWithoutInfo, "test_what_is_known_of_a_value_is_handed_back"),
        (ScansByReading, "test_a_scan_is_no_use"),
        (ScanMovesRecords, "test_a_scan_is_no_use"),
        (CountsNoInvalidation, "test_what_is_taken_out_is_counted"),
        (ClearCountsNothing, "test_what_is_taken_out_is_counted"),
        (MakesRoomAfterwards, "test_bytes_are_bounded"),
        (CountsNoBytes, "test_bytes_are_bounded"),
        (KeepsTheOldForTheTooLarge, "test_what_is_too_large_is_not_kept"),
        (MakesAllRoomForTheTooLarge, "test_what_is_too_large_is_not_kept"),
        (AlwaysLru, "test_policies_do_what_they_say"),
        (ChanceOfItsOwn, "test_policies_do_what_they_say"),
        (AlwaysTheFirstByChance, "test_policies_do_what_they_say"),
        (ServesTheDamaged, "test_a_damaged_record_is_a_miss_and_an_error"),
        (HidesTheDamaged, "test_a_damaged_record_is_a_miss_and_an_error"),
    ],
)
def test_a_wrong_cache_is_caught(kind, caught_by, failing):
    assert caught_by in failing(cache_suite(kind))


def test_a_right_cache_passes(failing):
    assert failing(cache_suite(Layer)) == set()


def test_keys_are_equal_whatever_their_parts_say():
    assert CacheKey("a", "b", (("x", "y"),)) == CacheKey("a", "b")
