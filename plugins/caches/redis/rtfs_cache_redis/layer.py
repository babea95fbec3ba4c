"""The layer: records at one server, copies of them in each node's memory, and one rule that keeps all nodes coherent.

**The rule.** A node gives a record out only within `lease` after it *sent* the request whose answer said that the
record is there; an invalidation is acknowledged only `lease` after the server has carried it out.

**Why that is sound.** Let an invalidation be carried out at d, so it is acknowledged at a >= d + lease. Whatever a node
gives out rests on an answer that the server made before d (scripts are atomic, and after d the record is gone: a value
that was made of what was known before cannot be put again, see below). Its request was sent before that answer was
made, so before d; so the node gives it out before d + lease <= a. The node counts by a clock that goes on while its
process is stopped (CLOCK_BOOTTIME): one that was frozen by SIGSTOP, between any two steps, finds the lease over and
asks again. Clocks that run at different rates are allowed for by `_SLACK`. The lease that counts is the longest that
any node has announced, with its gets, in the same step in which it was told of a record.
What is left is the instant between the last look at the clock and the return of `get`; no cache can close that one.

**Values made before an invalidation.** A miss notes the version of that moment. A put brings it along, and the server
refuses what was invalidated since (`gone`, `floor`). So a slow model cannot bring back what was taken out meanwhile.

**Servers that begin anew.** Each connection first runs `HELLO`: where the server's process is another one, all records
go, since what it restored may be older than what was acknowledged. Lives have names, so nothing of an old one counts.

**A server that is lost.** The node says so once, and goes on with what it makes itself from then on (`Alone`): at most
`alone` seconds old, since nobody can tell it of invalidations. Copies from before are given out for their lease only.
When the server is back, first its own invalidations are carried out, and then what it made is put as after a
miss: what was invalidated meanwhile is refused. An invalidation that cannot reach the server raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any

import attrs

from rtfs_cache_redis import scripts
from rtfs_cache_redis.claims import RedisClaim, claim
from rtfs_cache_redis.counting import Counts
from rtfs_cache_redis.faults import Away, Full, unacknowledged
from rtfs_cache_redis.link import Address, Link, steady
from rtfs_cache_redis.near import Alone, Copy, Misses, Near, Own
from rtfs_cache_redis.sealing import Rows, slot_of
from rtfs_framework.api import NO_INFO, CacheInfo, CacheItem, CacheKey, CacheRecord, CacheStats, Clock

_SLACK = 1.02
LONGEST_LEASE = 60.0
"""Seconds: what a node announces at most, so nobody waits longer, whatever stands at the server."""
_TRIES = 3
_LONGEST = 10 * 366 * 86_400.0
_PAGE = 128
_TELLING = frozenset({"get", "put", "invalidate", "clear"})
"""Scripts whose answer begins with the life of the server and the version of the layer."""
_OWED = 4096
"""Invalidations that wait for the server one by one; of more, everything is cleared."""


@attrs.frozen(slots=True, kw_only=True)
class Terms:
    """What a layer is made with. Times in seconds, sizes in bytes."""

    name: str
    prefix: str = "rtfs"
    capacity: int = 2_000
    ttl: float | None = None
    lease: float = 0.2
    near: int = 16 << 20
    alone: float = 60.0

    @property
    def base(self) -> str:
        """What the names of all keys begin with; the braces keep them on one node of a cluster."""
        return f"{self.prefix}:{{{self.name}}}:"


class RedisCache:
    """At most `capacity` texts at a server, each for `ttl` seconds (None: until it is evicted)."""

    def __init__(
        self,
        address: Address,
        rows: Rows,
        terms: Terms,
        clock: Clock,
        report: Callable[[str], None] = lambda _: None,
        *,
        now: Callable[[], float] = steady,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make no connection yet. `now` counts leases, `sleep` waits until other nodes' are over."""
        self._records = f"{terms.base}r:"
        keys = [terms.base + name for name in scripts.KEYS]
        self._link = Link(address, scripts.ALL, keys, (scripts.HELLO, self._records), now=now)
        self._rows, self._terms, self._clock, self._report = rows, terms, clock, report
        self._now, self._sleep = now, sleep
        self._near, self._alone, self._misses = Near(terms.near), Alone(terms.near), Misses()
        self._counts = Counts()
        self._seen: tuple[str, int] | None = None
        self._apart = self._full = False
        self._owed: dict[str, None] = {}
        self._lock, self._joining = Lock(), Lock()

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        near = self.at_hand(key)
        if near is not None:
            return near
        slot = slot_of(key)
        try:
            found = self._look(slot)
        except Away:
            found = self._own(slot)
        self._counts.add(hits=found is not None, misses=found is None)
        return found

    def at_hand(self, key: CacheKey) -> CacheRecord | None:
        """Return this node's own copy, if it was asked for within the lease."""
        copy = self._near.find(slot_of(key))
        if copy is None or not self._fresh(copy.record) or self._now() - copy.checked >= self._terms.lease:
            return None
        self._counts.add(hits=1)
        return copy.record

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a text for `ttl` seconds, None for the layer's own; the least recently used records make room.

        Raises:
            TypeError: The value is no text.
        """
        if not isinstance(value, str):
            raise TypeError(f"the cache {self._terms.name} keeps text, not {type(value).__name__}")
        lifetime = self._terms.ttl if ttl is None else ttl
        now = self._clock.now()
        expires = None if lifetime is None else now + lifetime
        record = CacheRecord(value=value, stored_at=now, expires_at=expires, info=info)
        slot = slot_of(key)
        seen = self._misses.put(slot)
        self._counts.add(puts=1)
        self._near.forget(slot)
        try:
            _, _, kind, expired, evicted = self._ask("put", *self._sent(key, record, seen))
        except Full as full:
            self._drop(full)
            return
        except Away:
            self._alone.keep(slot, Own(key, record, self._now(), seen or self._seen))
            return
        self._full = False
        self._near.forget(slot)
        self._counts.add(expiries=expired, evictions=evicted, invalidations=kind == b"refused")

    def invalidate(self, key: CacheKey) -> bool:
        """Forget one key, at all nodes; tell whether it was there. Waits until no node gives it out any more.

        Raises:
            PluginError: The server is away, so nobody else knows of it. This node has forgotten it all the same.
        """
        return self.invalidate_all([key]) == 1

    def invalidate_all(self, keys: Iterable[CacheKey]) -> int:
        """Forget many keys as `invalidate` forgets one, and wait once; return how many were there.

        Raises:
            PluginError: The server is away, so nobody else knows of it. This node has forgotten them all the same.
        """
        slots = list(dict.fromkeys(map(slot_of, keys)))
        for slot in slots:
            self._near.forget(slot)
            self._alone.forget(slot)
        count = 0
        try:
            for start in range(0, len(slots), _PAGE):
                count += self._take_out(slots[start : start + _PAGE])
        except Away as error:
            self._owed.update(dict.fromkeys(slots))
            raise unacknowledged(self._link.address.shown, error) from error
        self._counts.add(invalidations=count)
        return count

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live records, by the server's cursor; nothing while it is away."""
        cursor, seen = b"0", set[str]()
        while True:
            try:
                cursor, page = self._ask("slots", cursor, _PAGE)
                slots = [each for each in (slot.decode("utf-8", "replace") for slot in page) if each not in seen]
                seen.update(slots)
                while slots:
                    rows = self._ask("peek", repr(self._clock.now()), *slots)
                    yield from self._items(slots, rows)
                    slots = slots[len(rows) :]
            except Away:
                return
            if cursor == b"0":
                return

    def clear(self) -> None:
        """Forget everything, at all nodes (counters stay). Waits until no node gives anything out any more.

        Raises:
            PluginError: The server is away, so nobody else knows of it. This node has forgotten everything.
        """
        self._near.clear()
        self._alone.clear()
        try:
            _, _, lease, count = self._ask("clear")
        except Away as error:
            self._owed.update((str(i), None) for i in range(_OWED + 1))
            raise unacknowledged(self._link.address.shown, error) from error
        self._near.clear()
        self._wait(lease)
        self._counts.add(invalidations=int(count))

    def stats(self) -> CacheStats:
        """Return this node's counters; `size` is that of the server, of what was made alone while it is away."""
        try:
            size = int(self._link.do(lambda: self._link.client.zcard(self._terms.base + "used")))
        except Away:
            return self._counts.stats(size=len(self._alone.all()), capacity=self._terms.capacity, away=True)
        return self._counts.stats(size=size, capacity=self._terms.capacity)

    def close(self) -> None:
        """Close the connections."""
        self._link.close()

    def claim(self, key: CacheKey, lease: float) -> RedisClaim | None:
        """Take the right to make a key's value; None while another has it, and where it is there by now.

        While the server is away, each takes it.
        """
        slot = slot_of(key)
        taken = claim(self._link, self._records, slot, lease)
        if taken is None or not taken.token:
            return taken
        try:
            is_there = self._look(slot) is not None
        except Away:
            return taken
        if is_there:
            taken.release()
            return None
        return taken

    def _items(self, slots: list[str], rows: list[Any]) -> Iterator[CacheItem]:
        for slot, row in zip(slots, rows, strict=False):
            opened = self._rows.opened(slot, (row[1], row[2], row[3])) if row else None
            if opened is not None and self._fresh(opened.record):
                yield CacheItem(opened.key, opened.record)

    def _fresh(self, record: CacheRecord) -> bool:
        return record.expires_at is None or self._clock.now() < record.expires_at

    def _look(self, slot: str) -> CacheRecord | None:
        """Ask the server, until an answer comes within the lease.

        Raises:
            Away: The server cannot be used now.
        """
        lease = self._terms.lease
        for _ in range(_TRIES):
            sent, copy = self._now(), self._near.find(slot)
            known = "" if copy is None else copy.known
            answer = self._ask("get", slot, repr(self._clock.now()), int(lease * 1000) + 1, known)
            found = self._answered(slot, copy, sent, answer)
            if self._now() - sent < lease or found is None:
                return found
        return None

    def _answered(self, slot: str, copy: Copy | None, sent: float, answer: list[Any]) -> CacheRecord | None:
        life, version, kind = answer[0].decode(), int(answer[1]), answer[2]
        if kind == b"same" and copy is not None:
            self._near.keep(slot, Copy(copy.known, sent, copy.record))
            return copy.record
        self._near.forget(slot)
        if kind == b"row":
            opened = self._rows.opened(slot, (answer[4], answer[5], answer[6]))
            if opened is None:
                self._refuse(slot, answer[3])
            elif self._fresh(opened.record):
                self._near.keep(slot, Copy(f"{life} {answer[3].decode()}", sent, opened.record))
                return opened.record
        self._counts.add(expiries=kind == b"stale", evictions=kind == b"lost", errors=kind == b"bad")
        self._misses.note(slot, (life, version), self._now())
        return None

    def _refuse(self, slot: str, stamp: bytes) -> None:
        self._counts.add(errors=1)
        where = self._link.address.shown
        self._report(f"a record at {where} is not what was kept there: it was changed, moved or planted")
        self._ask("drop", slot, stamp)

    def _own(self, slot: str) -> CacheRecord | None:
        """Return what this node made while it was alone, if it is young enough: nobody could tell of invalidations."""
        own = self._alone.find(slot)
        if own is None or self._now() - own.since >= self._terms.alone or not self._fresh(own.record):
            return None
        return own.record

    def _sent(self, key: CacheKey, record: CacheRecord, seen: tuple[str, int] | None) -> tuple[Any, ...]:
        """Return the arguments of a put."""
        stored, expires, blob = self._rows.closed(key, record)
        blob = blob if len(blob) <= scripts.LARGEST else b""  # it is not kept, and neither is what was there before
        now = self._clock.now()
        left = None if record.expires_at is None else record.expires_at - now
        px = "" if left is None or left > _LONGEST else max(1, int(left * 1000) + 1)
        life, version = ("", "") if seen is None else seen
        return slot_of(key), repr(now), expires, px, self._terms.capacity, life, version, stored, expires, blob

    def _take_out(self, slots: list[str]) -> int:
        _, _, lease, there = self._ask("invalidate", repr(self._clock.now()), *slots)
        for slot in slots:
            self._near.forget(slot)
        self._wait(lease)
        self._counts.add(expiries=there.count(2))
        return int(there.count(1))

    def _wait(self, lease: bytes) -> None:
        """Wait until no node that was told of a record before can still give it out."""
        self._sleep(min(max(int(lease) / 1000, self._terms.lease), LONGEST_LEASE) * _SLACK)

    def _ask(self, name: str, *arguments: Any) -> Any:
        """Run a script; note what life and version it tells, and when the server is lost or back.

        Raises:
            Away: The server cannot be used now.
        """
        try:
            if self._apart:
                self._rejoin()
            answer = self._link.ask(name, self._records, *arguments)
        except Full:
            raise
        except Away as error:
            self._leave(error)
            raise
        if name in _TELLING:
            self._seen = answer[0].decode(), int(answer[1])
        return answer

    def _drop(self, full: Full) -> None:
        """Say once that what is new is not kept."""
        self._counts.add(errors=1)
        if not self._full:
            self._full = True
            where = self._link.address.shown
            self._report(f"the server at {where} keeps nothing new: {full.why} ({full.way_out})")

    def _leave(self, error: Away) -> None:
        with self._lock:
            if self._apart:
                return
            self._apart = True
            self._alone.clear()
        where, alone = self._link.address.shown, f"{self._terms.alone:g}"
        self._report(
            f"the server at {where} is lost: {error.why}; this process goes on with what it makes itself, for at most "
            f"{alone} s each, and tries again ({error.way_out})"
        )

    def _rejoin(self) -> None:
        """Bring the server what it does not know: invalidations first, then what was made since.

        Raises:
            Away: It is still away, or another thread is about it.
        """
        if not self._link.due() or not self._joining.acquire(blocking=False):
            raise Away("it was lost", "it is tried again soon")
        try:
            self._link.ask("peek", self._records, repr(self._clock.now()))
            if len(self._owed) > _OWED:
                self._link.ask("clear", self._records)
                self._owed.clear()
            for slot in list(self._owed):
                self._link.ask("invalidate", self._records, repr(self._clock.now()), slot)
                self._owed.pop(slot, None)
            for own in self._alone.all():
                if own.seen is not None and self._fresh(own.record):
                    with suppress(Full):
                        self._link.ask("put", self._records, *self._sent(own.key, own.record, own.seen))
                self._alone.forget(slot_of(own.key))
            with self._lock:
                self._apart = False
        finally:
            self._joining.release()
