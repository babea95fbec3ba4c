"""The contract of cache layers: bounded in entries and bytes, first out what their policy says, never past their time.

What was put is handed back as it was, with what is known of it; what a scan shows is what is there; counters add up;
and no two keys, so no two tenants, ever have one record.
"""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from rtfs_framework.api import NO_INFO, CacheInfo, CacheKey, CacheLayer, CacheSettings
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import Conformance, check
from rtfs_framework.testing.conformance.cache_bytes import check_bytes, check_too_large
from rtfs_framework.testing.conformance.cache_policies import check_policy
from rtfs_framework.testing.conformance.cache_tenants import check_tenants
from rtfs_framework.testing.fakes import cache_key

FULL_INFO = CacheInfo(
    symbol="demo/f",
    target="remote:x",
    model="m 1 \N{SNOWMAN}",
    tenant="acme",
    labels=("pii", "secret"),
    agent="clerk",
    task="triage",
    tags=("a b", "c"),
    reply="run:1.2",
    sources=("run:0", "run:1"),
    seconds=0.25,
    cost=12_345_678_901,
    confidence=0.75,
)


class CacheConformance(Conformance):
    """Inherit, and give `make`; set `persistent` for a layer that keeps files.

    A layer that is bounded in bytes gives `make_weighed`; one that offers policies names them in `policies`, and gives
    `make_by`; one that can tell a damaged record gives `damage`.
    """

    persistent: ClassVar[bool] = False
    """Whether what was put is there for the next layer made on the same directory."""

    policies: ClassVar[tuple[str, ...]] = ()
    """The policies that the layer offers, of those of `rtfs_framework.api.POLICIES`."""

    @abstractmethod
    def make(self, settings: CacheSettings, capacity: int) -> CacheLayer:
        """Return a new layer that holds `capacity` records, with the clock, ttl and directory of the settings."""

    def make_by(self, settings: CacheSettings, capacity: int, policy: str) -> CacheLayer:
        """Return a new layer that lets records go by one of `policies`."""
        raise NotImplementedError(policy)

    def make_weighed(self, settings: CacheSettings, capacity: int, capacity_bytes: int) -> CacheLayer | None:  # noqa: ARG002
        """Return a new layer that is bounded in bytes, too; None where layers of this kind are not."""
        return None

    def large_value(self, i: int, size: int) -> Any:
        """Return a value that takes about `size` bytes in a layer of `make_weighed`; different for different `i`."""
        return f"{i:08}" + "\N{SNOWMAN}".join(str(i * j % 1_009) for j in range(size // 6))

    def damage(self, directory: str) -> bool:  # noqa: ARG002
        """Change a byte of every value in a directory's files; False where a layer of this kind cannot tell."""
        return False

    def value(self, i: int) -> Any:
        """Return the `i`-th of some distinct values that the layer can hold."""
        return f"value {i} \N{SNOWMAN}"

    def layer(self, capacity: int = 3, ttl: float | None = None) -> tuple[CacheLayer, FakeClock]:
        """Return a layer without a directory, and its clock."""
        clock = FakeClock()
        return self.make(CacheSettings(clock=clock, ttl=ttl), capacity), clock

    def test_what_was_put_is_there(self) -> None:
        """A record has its value and the time at which it was stored."""
        layer, clock = self.layer()
        check(layer.get(cache_key(1)) is None, "a new layer already knows a key")
        layer.put(cache_key(1), self.value(1))
        record = layer.get(cache_key(1))
        check(record is not None and record.value == self.value(1), f"put {self.value(1)!r}, got {record!r}")
        check(record is not None and record.stored_at == clock.now(), "stored_at is not the time of the put")
        layer.close()

    def test_a_later_put_replaces(self) -> None:
        """One key has one value, and counts once."""
        layer, _ = self.layer()
        layer.put(cache_key(1), self.value(1))
        layer.put(cache_key(1), self.value(2))
        check(_value(layer, cache_key(1)) == self.value(2), "the older value is still there")
        check(layer.stats().size == 1, f"one key counts as {layer.stats().size} records")
        layer.close()

    def test_the_bound_is_never_exceeded(self) -> None:
        """Not by one, not for a moment that `stats` can see; and a full layer is full."""
        for capacity in (1, 2, 7):
            layer, _ = self.layer(capacity)
            for i in range(4 * capacity):
                layer.put(cache_key(i), self.value(i))
                size = layer.stats().size
                check(size <= capacity, f"{size} records in a layer for {capacity}")
                check(size == min(i + 1, capacity), f"{size} records after {i + 1} puts into a layer for {capacity}")
            live = sum(layer.get(cache_key(i)) is not None for i in range(4 * capacity))
            check(live == capacity, f"{live} records can be read from a layer for {capacity}")
            layer.close()

    def test_the_least_recently_used_goes_first(self) -> None:
        """A read is a use; the newest record is not the one that goes."""
        layer, _ = self.layer(3)
        for i in (1, 2, 3):
            layer.put(cache_key(i), self.value(i))
        layer.get(cache_key(1))
        layer.put(cache_key(4), self.value(4))
        left = [i for i in (1, 2, 3, 4) if layer.get(cache_key(i)) is not None]
        check(left == [1, 3, 4], f"of 1 2 3, with 1 read last, 2 makes room for 4; left are {left}")
        layer.close()

    def test_putting_again_is_a_use(self) -> None:
        """A replaced record is as young as its last put."""
        layer, _ = self.layer(2)
        for i in (1, 2, 1, 3):
            layer.put(cache_key(i), self.value(i))
        left = [i for i in (1, 2, 3) if layer.get(cache_key(i)) is not None]
        check(left == [1, 3], f"2 was used before 1 was put again; left are {left}")
        layer.close()

    def test_halves_of_keys_do_not_collide(self) -> None:
        """Swapped halves, equal halves and joined texts are different keys, and so are those that differ in one sign.

        The readable parts are no part of it.
        """
        keys = [CacheKey("a", "b"), CacheKey("b", "a"), CacheKey("a", "a"), CacheKey("b", "b"), CacheKey("", "ab")]
        keys += [CacheKey("ab", ""), cache_key("a", "b"), cache_key("b", "a"), cache_key("a", "a"), cache_key("b", "b")]
        long = cache_key(1).digest
        keys += [
            CacheKey("n", each) for each in (long, long[:-1] + "x", long[:-1], long + "0", long.upper(), f"{long} ")
        ]
        keys += [CacheKey(each, long) for each in ("N", "n ", "n\t", "n\0", "\u00e9", "e\u0301", "a%", "a_", "*")]
        layer, _ = self.layer(len(keys))
        for i, key in enumerate(keys):
            layer.put(key, self.value(i))
        for i, key in enumerate(keys):
            check(_value(layer, key) == self.value(i), f"{key!r} got another key's value")
            alike = CacheKey(key.namespace, key.digest, (("other", "part"),))
            check(_value(layer, alike) == self.value(i), f"{key!r} is another key with other readable parts")
        layer.close()

    def test_a_stale_read_is_a_miss(self) -> None:
        """At its time a record is gone: a miss and one expiry, never a hit, and its place is free."""
        layer, clock = self.layer(ttl=10.0)
        layer.put(cache_key(1), self.value(1))
        clock.advance(9.5)
        check(layer.get(cache_key(1)) is not None, "a record was gone before its time")
        clock.advance(0.5)
        check(layer.get(cache_key(1)) is None, "a record was served past its time")
        check(layer.get(cache_key(1)) is None, "a record was served past its time")
        stats = layer.stats()
        seen = (stats.hits, stats.misses, stats.expiries, stats.evictions, stats.size)
        check(seen == (1, 2, 1, 0, 0), f"hits, misses, expiries, evictions, size: {seen}, not (1, 2, 1, 0, 0)")
        layer.close()

    def test_a_put_may_bring_its_own_ttl(self) -> None:
        """It counts for that record alone, shorter or longer than the layer's; a new put starts anew."""
        layer, clock = self.layer(ttl=10.0)
        for i, ttl in ((1, 5.0), (2, None), (3, 20.0)):
            layer.put(cache_key(i), self.value(i), ttl)
        for passed, expected in ((6.0, [2, 3]), (6.0, [3])):
            clock.advance(passed)
            left = [i for i in (1, 2, 3) if layer.get(cache_key(i)) is not None]
            check(left == expected, f"after {clock.monotonic()} s there are {left}, not {expected}")
        layer.put(cache_key(1), self.value(1))
        check(layer.get(cache_key(1)) is not None, "a key whose time was over cannot be put again")
        layer.close()

    def test_without_a_ttl_nothing_grows_old(self) -> None:
        """A year is no time."""
        layer, clock = self.layer()
        layer.put(cache_key(1), self.value(1))
        clock.advance(366 * 86_400.0)
        check(layer.get(cache_key(1)) is not None, "a record without a ttl was forgotten")
        layer.close()

    def test_counters_add_up(self) -> None:
        """Every get is a hit or a miss; what was put is there, or was evicted, expired, or taken out."""
        layer, clock = self.layer(4, ttl=10.0)
        gets = 0
        for i in range(40):
            layer.put(cache_key(i), self.value(i))
            for j in range(max(0, i - 5), i + 1):
                layer.get(cache_key(j))
                gets += 1
            clock.advance(3.0)
        taken = sum(layer.invalidate(cache_key(i)) for i in range(40))
        stats = layer.stats()
        check(stats.hits + stats.misses == gets, f"{stats.hits} hits + {stats.misses} misses are not {gets} gets")
        check(stats.puts == 40, f"40 puts are counted as {stats.puts}")
        gone = stats.evictions + stats.expiries + taken
        check(stats.size == 0 and gone == 40, f"of 40 records {gone} went, and {stats.size} are left: {stats!r}")
        check(stats.capacity == 4, f"the capacity is 4, not {stats.capacity}")
        layer.close()

    def test_invalidate_forgets_one_key(self) -> None:
        """It tells whether the key was there, and leaves the others."""
        layer, _ = self.layer()
        for i in (1, 2):
            layer.put(cache_key(i), self.value(i))
        check(layer.invalidate(cache_key(1)) is True, "invalidating a known key says it was unknown")
        check(layer.invalidate(cache_key(1)) is False, "invalidating an unknown key says it was known")
        check(layer.get(cache_key(1)) is None, "an invalidated key is still there")
        check(layer.get(cache_key(2)) is not None, "invalidating a key took another one along")
        layer.close()

    def test_clear_forgets_everything_but_the_counters(self) -> None:
        """Records go; hits, misses and puts stay; the layer can be used on."""
        layer, _ = self.layer()
        layer.put(cache_key(1), self.value(1))
        layer.get(cache_key(1))
        layer.clear()
        stats = layer.stats()
        check((stats.size, stats.hits, stats.puts) == (0, 1, 1), f"after clear: {stats!r}")
        check(layer.get(cache_key(1)) is None, "a cleared layer still knows a key")
        layer.put(cache_key(1), self.value(2))
        check(_value(layer, cache_key(1)) == self.value(2), "a cleared layer takes no new record")
        layer.close()

    def test_a_later_put_has_its_own_time(self) -> None:
        """What is put again lives as long as the last put says; the layer's own time where that says none."""
        layer, clock = self.layer(ttl=10.0)
        for i, first, last in ((1, 5.0, 20.0), (2, 20.0, 5.0), (3, 5.0, None)):
            layer.put(cache_key(i), self.value(i), first)
            layer.put(cache_key(i), self.value(i), last)
        for passed, expected in ((6.0, [1, 3]), (6.0, [1]), (9.0, [])):
            clock.advance(passed)
            left = [i for i in (1, 2, 3) if layer.get(cache_key(i)) is not None]
            check(left == expected, f"after {clock.monotonic()} s there are {left}, not {expected}")
        layer.close()

    def test_what_is_known_of_a_value_is_handed_back(self) -> None:
        """All of it, by a look-up and by a scan; a later put brings its own; and nothing for nothing."""
        layer, _ = self.layer()
        layer.put(cache_key(1), self.value(1), None, FULL_INFO)
        layer.put(cache_key(2), self.value(2))
        layer.put(cache_key(3), self.value(3), None, FULL_INFO)
        layer.put(cache_key(3), self.value(3), None, CacheInfo(agent="another"))
        expected = {1: FULL_INFO, 2: NO_INFO, 3: CacheInfo(agent="another")}
        for i, info in expected.items():
            record = layer.get(cache_key(i))
            check(record is not None and record.info == info, f"put with {info!r}, got {record!r}")
        scanned = {item.key: item.record.info for item in layer.scan()}
        check(scanned == {cache_key(i): info for i, info in expected.items()}, f"a scan says {scanned!r}")
        layer.close()

    def test_a_scan_shows_what_is_there(self) -> None:
        """Each live record once, under its key, with its value and times; nothing stale, replaced or taken out."""
        layer, clock = self.layer(9, ttl=10.0)
        for i, ttl in ((1, None), (2, 3.0), (3, None), (4, None)):
            layer.put(cache_key(i), self.value(i), ttl)
        layer.put(cache_key(4), self.value(5))
        layer.invalidate(cache_key(3))
        clock.advance(5.0)
        items = list(layer.scan())
        found = {item.key: (item.record.value, item.record.stored_at, item.record.expires_at) for item in items}
        now = clock.now()
        expected = {
            cache_key(1): (self.value(1), now - 5.0, now + 5.0),
            cache_key(4): (self.value(5), now - 5.0, now + 5.0),
        }
        check(len(items) == len(found) and found == expected, f"a scan shows {found!r}, not {expected!r}")
        layer.clear()
        check(not list(layer.scan()), "a scan shows records of a cleared layer")
        layer.close()

    def test_a_scan_is_no_use(self) -> None:
        """It counts nothing, and saves no record from making room."""
        layer, _ = self.layer(2)
        for i in (2, 1):
            layer.put(cache_key(i), self.value(i))
        before = layer.stats()
        for item in layer.scan():
            check(item.record.value in (self.value(1), self.value(2)), f"a scan shows {item!r}")
        check(layer.stats() == before, f"a scan changed the counters: {before!r}, then {layer.stats()!r}")
        layer.put(cache_key(3), self.value(3))
        left = [i for i in (1, 2, 3) if layer.get(cache_key(i)) is not None]
        check(left == [1, 3], f"2 was used least lately, whatever a scan went through; left are {left}")
        layer.close()

    def test_what_is_taken_out_is_counted(self) -> None:
        """Each record that `invalidate` or `clear` takes out counts once; what was not there does not."""
        layer, _ = self.layer(5)
        for i in range(5):
            layer.put(cache_key(i), self.value(i))
        for i in (0, 0, 9):
            layer.invalidate(cache_key(i))
        check(layer.stats().invalidations == 1, f"one record was taken out, counted {layer.stats().invalidations}")
        layer.clear()
        layer.clear()
        stats = layer.stats()
        seen = (stats.invalidations, stats.evictions, stats.expiries, stats.errors, stats.puts)
        check(seen == (5, 0, 0, 0, 5), f"invalidations, evictions, expiries, errors, puts: {seen}, not (5, 0, 0, 0, 5)")
        check((stats.size, stats.size_bytes) == (0, 0), f"a cleared layer holds {stats.size}, {stats.size_bytes} bytes")
        layer.close()

    def test_bytes_are_bounded(self) -> None:
        """With `make_weighed`: never more, also where records are replaced; never more records than may be, either."""
        check_bytes(self.make_weighed, self.large_value)

    def test_what_is_too_large_is_not_kept(self) -> None:
        """With `make_weighed`: nor is the older value of its key, which would be served for it; others stay."""
        check_too_large(self.make_weighed, self.value, self.large_value)

    def test_policies_do_what_they_say(self) -> None:
        """For each of `policies`: which record makes room."""
        for policy in self.policies:
            check_policy(policy, self.make_by, self.value)

    def test_no_tenant_has_anothers_record(self) -> None:
        """In random operations, with evictions, expiries and invalidations, under keys that differ in the tenant."""
        layer, clock = self.layer(20, ttl=10.0)
        check_tenants(layer, clock, self.value, operations=1_500)
        layer.close()

    def test_a_damaged_record_is_a_miss_and_an_error(self, tmp_path: Path) -> None:
        """With `damage`: it is not served, it counts, and the layer goes on."""
        settings = CacheSettings(clock=FakeClock(), directory=str(tmp_path))
        first = self.make(settings, 3)
        first.put(cache_key(1), self.value(1), None, FULL_INFO)
        first.close()
        if not self.damage(str(tmp_path)):
            return
        second = self.make(settings, 3)
        check(second.get(cache_key(1)) is None, "a damaged record was served")
        stats = second.stats()
        check(
            (stats.errors, stats.misses) == (1, 1), f"one damaged record, counted {stats.errors}, {stats.misses} misses"
        )
        second.put(cache_key(1), self.value(2))
        check(_value(second, cache_key(1)) == self.value(2), "a layer takes no new record for a damaged one")
        second.close()

    def test_threads_share_a_layer(self) -> None:
        """No update is lost and the bound holds, however many threads use it."""
        layer, _ = self.layer(50)

        def work(worker: int) -> None:
            for i in range(200):
                layer.put(cache_key(worker, i % 20), self.value(i))
                layer.get(cache_key((worker + 1) % 8, i % 20))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        stats = layer.stats()
        check(stats.puts == 1_600, f"1600 puts are counted as {stats.puts}")
        check(stats.hits + stats.misses == 1_600, f"1600 gets are counted as {stats.hits + stats.misses}")
        check(stats.size <= 50, f"{stats.size} records in a layer for 50")
        layer.close()

    def test_a_persistent_layer_survives_its_end(self, tmp_path: Path) -> None:
        """What was put is there for the next run, with its time; a layer that is not persistent starts empty."""
        clock = FakeClock()
        settings = CacheSettings(clock=clock, ttl=10.0, directory=str(tmp_path))
        first = self.make(settings, 3)
        first.put(cache_key(1), self.value(1))
        first.close()
        clock.advance(5.0)
        second = self.make(settings, 3)
        found = _value(second, cache_key(1))
        check(found == (self.value(1) if self.persistent else None), f"the next run finds {found!r}")
        clock.advance(5.0)
        check(second.get(cache_key(1)) is None, "a record was served past its time by the next run")
        second.close()


def _value(layer: CacheLayer, key: CacheKey) -> Any:
    record = layer.get(key)
    return None if record is None else record.value
