"""The contract of queues: nothing acknowledged is lost, no old lease ends anything, every tenant has its turn.

A queue whose server has a clock of its own overrides `pass_time`, which then really waits, and makes `lease_seconds`
short. What a server tells its clients only after a while is waited for (`patience`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from rtfs_framework.api import (
    MOST_PAYLOAD,
    ItemFilter,
    Lease,
    Queue,
    QueueFullError,
    QueueSettings,
)
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import Conformance, check
from rtfs_framework.testing.conformance.queue_cases import item_of
from rtfs_framework.testing.conformance.queue_claims import QueueClaims

_ODD = ("run-1/0.3", "a b.c>*", "größe/漢字", "x" * 256)
_FEW = 48
_LOAD = b"x" * 100_000


class QueueConformance(QueueClaims, Conformance):
    """Inherit, and give `make`."""

    def test_an_item_is_done_once_and_its_result_is_kept(self) -> None:
        """What is leased is what was put; nobody else has it; an ack that is said again counts once."""
        queue, clock = self.queue()
        ordered = item_of("a", tenant="acme", priority=3, most_tries=7, key="k")
        placed = queue.put(ordered)
        check((placed.id, placed.new) == ("a", True), f"placed: {placed!r}")
        (lease,) = self.lease(queue)
        check(lease.item == ordered, f"another item was leased: {lease.item!r}")
        check((lease.attempt, lease.tries) == (1, 1), f"the first lease: {lease!r}")
        check(lease.until >= clock.now() + self.lease_seconds - 1, "the lease is shorter than was asked for")
        check(not queue.lease("runs", "other", self.lease_seconds), "an item was leased twice")
        status = self.state_of(queue, "a", "leased")
        check((status.worker, status.payload) == ("w", b"what to do"), f"what can be seen: {status!r}")
        queue.ack(lease, b"the result")
        queue.ack(lease, b"the result")
        status = self.state_of(queue, "a", "done")
        check(status.result == b"the result", f"what is kept: {status!r}")
        check(status.payload in (None, b"what to do"), f"another payload is kept: {status!r}")
        check(not queue.lease("runs", "other", self.lease_seconds), "what is done was leased")
        queue.close()

    def test_the_same_id_or_key_is_placed_once(self) -> None:
        """In whatever state the first one is; keys are a topic's own, and a tenant's."""
        queue, _ = self.queue()
        queue.put(item_of("a", key="k"))
        for again in (item_of("a"), item_of("b", key="k")):
            placed = queue.put(again)
            check((placed.id, placed.new) == ("a", False), f"placed again: {placed!r}")
        (lease,) = self.lease(queue)
        queue.ack(lease)
        self.state_of(queue, "a", "done")
        check(not queue.put(item_of("a")).new, "what is done was placed again")
        check(queue.put(item_of("c", topic="other", key="k")).new, "another topic's key counts")
        check(queue.put(item_of("d", topic="other", tenant="acme", key="k")).new, "another tenant's key counts")
        placed = queue.put(item_of("e", topic="other", tenant="acme", key="k"))
        check((placed.id, placed.new) == ("d", False), f"a tenant's key is placed again: {placed!r}")
        check(not queue.lease("runs", "w", self.lease_seconds), "something was placed twice")
        queue.close()

    def test_an_old_lease_ends_nothing(self) -> None:
        """A worker that was frozen finds its lease over: whoever has the item now ends it."""
        queue, clock = self.queue()
        queue.put(item_of("a"))
        (old,) = self.lease(queue, worker="frozen")
        self.pass_time(clock, self.lease_seconds + 0.5)
        (new,) = self.lease(queue, worker="awake")
        check((new.attempt, new.tries, new.item.id) == (2, 2, "a"), f"the second lease: {new!r}")
        for what, use in (
            ("an ack", lambda: queue.ack(old, b"old")),
            ("a renewal", lambda: queue.renew(old, 60)),
            ("a nack", lambda: queue.nack(old)),
            ("a release", lambda: queue.release(old)),
        ):
            self.lost(f"{what} of an old lease", use)
        check(self.state_of(queue, "a", "leased").worker == "awake", "an old lease changed something")
        queue.ack(new, b"new")
        self.lost("an ack after another's", lambda: queue.ack(old, b"old"))
        check(self.state_of(queue, "a", "done").result == b"new", "an old lease's result is kept")
        queue.close()

    def test_a_lease_that_is_renewed_holds(self) -> None:
        """For as long as it is renewed in time."""
        queue, clock = self.queue()
        queue.put(item_of("a"))
        (lease,) = self.lease(queue)
        for _ in range(3):
            self.pass_time(clock, self.lease_seconds * 0.6)
            lease = queue.renew(lease, self.lease_seconds)
            check(not queue.lease("runs", "other", self.lease_seconds), "a renewed lease did not hold")
        queue.ack(lease)
        self.state_of(queue, "a", "done")
        queue.close()

    def test_what_fails_is_tried_again_and_then_dead(self) -> None:
        """After its delay, as often as it may; a person may let it begin anew."""
        queue, clock = self.queue()
        queue.put(item_of("a", most_tries=2))
        (lease,) = self.lease(queue)
        check(lease.generation == 0, f"nobody ordered it anew: {lease!r}")
        check(queue.nack(lease, "no luck", delay=self.lease_seconds) == "queued", "the first failure")
        check(not queue.lease("runs", "w", self.lease_seconds), "a delay was not kept")
        check(self.state_of(queue, "a", "queued").reason == "no luck", "nobody can see why")
        self.pass_time(clock, self.lease_seconds + 0.5)
        (lease,) = self.lease(queue)
        check(queue.nack(lease, "again") == "dead", "the last failure")
        status = self.state_of(queue, "a", "dead")
        check((status.reason, status.tries) == ("again", 2), f"what is dead: {status!r}")
        check(not queue.lease("runs", "w", self.lease_seconds), "what is dead was leased")
        check(queue.requeue("a") == "queued", "what is dead could not begin anew")
        (lease,) = self.lease(queue)
        check((lease.tries, lease.attempt) == (1, 3), f"tries begin anew, attempts do not: {lease!r}")
        check(lease.generation == 1, f"it was ordered anew: {lease!r}")
        queue.release(lease)
        (lease,) = self.lease(queue)
        check(lease.generation == 1, f"no lease makes another generation: {lease!r}")
        check(queue.nack(lease, "hopeless", final=True) == "dead", "what failed for good")
        check(self.state_of(queue, "a", "dead").generation == 1, "its generation cannot be seen")
        check((queue.requeue("a"), queue.requeue("a")) == ("queued", "queued"), "what is dead could not begin anew")
        check(self.state_of(queue, "a", "queued").generation == 2, "what waits was ordered anew once more")
        check(queue.requeue("nothing") is None, "an unknown item was requeued")
        queue.close()

    def test_a_worker_that_dies_costs_a_try_and_one_that_gives_back_does_not(self) -> None:
        """So what kills its workers ends, and what only waits does not."""
        queue, clock = self.queue()
        queue.put(item_of("a", most_tries=1))
        for attempt in (1, 2, 3):
            (lease,) = self.lease(queue)
            check((lease.attempt, lease.tries) == (attempt, 1), f"after {attempt - 1} releases: {lease!r}")
            queue.release(lease, "the worker ends")
        self.lease(queue)
        self.pass_time(clock, self.lease_seconds + 0.5)
        check(not queue.lease("runs", "w", self.lease_seconds), "an item without tries was leased")
        check(bool(self.state_of(queue, "a", "dead").reason), "nobody can see why it is dead")
        queue.close()

    def test_what_is_cancelled_is_not_worked_on(self) -> None:
        """What waits is gone; who has it is told; what has ended stays."""
        queue, _ = self.queue()
        for name in "abc":
            queue.put(item_of(name))
        check(queue.cancel("b") == "cancelled", "what waits could not be cancelled")
        leases = {each.item.id: each for each in self.lease(queue, 2)}
        check(set(leases) == {"a", "c"}, f"leased: {sorted(leases)}")
        queue.ack(leases["a"])
        check((queue.cancel("a"), queue.cancel("nothing")) == ("done", None), "what has ended was cancelled")
        check(queue.cancel("c") == "cancelled", "what is leased could not be cancelled")
        self.lost("a renewal", lambda: queue.renew(leases["c"], 60), cancelled=True)
        self.lost("an ack", lambda: queue.ack(leases["c"], b"late"), cancelled=True)
        check(self.state_of(queue, "c", "cancelled").result is None, "what is cancelled has a result")
        check(queue.requeue("c") == "queued", "what is cancelled could not begin anew")
        self.lost("an ack of before", lambda: queue.ack(leases["c"], b"late"))
        check([each.item.id for each in self.lease(queue)] == ["c"], "what began anew is not leased")
        queue.close()

    def test_nothing_is_leased_before_its_time(self) -> None:
        """And it waits as queued meanwhile."""
        queue, clock = self.queue()
        start = clock.now()
        queue.put(item_of("later", not_before=start + self.lease_seconds))
        queue.put(item_of("now"))
        check([each.item.id for each in self.lease(queue)] == ["now"], "what may be leased was not")
        check(not queue.lease("runs", "w", self.lease_seconds), "something was leased before its time")
        self.state_of(queue, "later", "queued")
        self.pass_time(clock, self.lease_seconds + 0.5)
        (lease,) = [each for each in self.lease(queue, 2) if each.item.id == "later"]
        check(lease.item.not_before == start + self.lease_seconds, "its time was forgotten")
        queue.close()

    def test_higher_priorities_come_first_and_then_the_oldest(self) -> None:
        """Within one tenant, where one worker asks."""
        queue, _ = self.queue()
        for place, priority in enumerate((0, 5, 9, 5, 0)):
            queue.put(item_of(f"{place}", priority=priority))
        order = "".join(self.lease(queue)[0].item.id for _ in range(5))
        check(order == "21304", f"leased in the order {order}")
        queue.close()

    def test_turns_are_shared_among_tenants(self) -> None:
        """One who orders much keeps nobody waiting, and weights count."""
        queue, _ = self.queue(weights={"heavy": 3.0})
        for place in range(_FEW):
            queue.put(item_of(f"h{place}", tenant="heavy"))
        for place in range(_FEW // 4):
            queue.put(item_of(f"l{place}", tenant="light"))
        turns = Counter(self.lease(queue)[0].item.tenant for _ in range(_FEW // 2))
        check(abs(turns["light"] - _FEW // 8) <= 2, f"of 3 to 1 the turns were {dict(turns)}")
        queue.close()

    def test_a_worker_may_serve_some_tenants_alone(self) -> None:
        """Those that it names."""
        queue, _ = self.queue()
        for tenant in ("a", "b", ""):
            queue.put(item_of(f"of {tenant}", tenant=tenant))
        check([each.item.id for each in self.lease(queue, 1, tenants=["b"])] == ["of b"], "another tenant's was leased")
        check(not queue.lease("runs", "w", self.lease_seconds, most=9, tenants=["b"]), "another tenant's was leased")
        check(not queue.lease("runs", "w", self.lease_seconds, most=9, tenants=[]), "nobody's was leased")
        check([each.item.id for each in self.lease(queue, 1, tenants=[""])] == ["of "], "nobody's tenant is none")
        queue.close()

    def test_a_full_queue_refuses_and_places_nothing(self) -> None:
        """By number and by size; what has ended makes room."""
        self._fills("items", 2, most_items=2)
        self._fills("bytes", 250_000, most_bytes=250_000)

    def _fills(self, what: str, bound: int, **settings: int) -> None:
        queue, _ = self.queue(**settings)
        for place in range(2):
            queue.put(item_of(f"{what}{place}", payload=_LOAD))
        try:
            queue.put(item_of(f"{what}2", payload=_LOAD))
        except QueueFullError as error:
            check((error.what, error.bound) == (what, bound), f"it says {error}")
        else:
            check(False, f"a queue that is full of {what} took another")
        check(queue.get(f"{what}2") is None, "what was refused is there")
        check(not queue.put(item_of(f"{what}0")).new, "what is there already was refused")
        for lease in self.lease(queue, 2):
            queue.ack(lease)
        check(self.soon(lambda: _takes(queue, f"{what}2")), "what has ended makes no room")
        for lease in self.lease(queue):
            queue.ack(lease)
        queue.close()

    def test_items_can_be_listed_and_counted(self) -> None:
        """By topic, state, tenant, id and age, the oldest first; without what is large."""
        queue, clock = self.queue()
        queue.put(item_of("r1/0", tenant="acme", payload=b"12345"))
        first = clock.now()
        clock.advance(100)
        queue.put(item_of("r1/1", not_before=clock.now() + 1e6))
        queue.put(item_of("r2/0", topic="tickets", tenant="acme"))
        (lease,) = self.lease(queue)
        queue.ack(lease, b"!")
        self.state_of(queue, "r1/0", "done")
        for which, right in (
            (ItemFilter(), ["r1/0", "r1/1", "r2/0"]),
            (ItemFilter(topic="runs"), ["r1/0", "r1/1"]),
            (ItemFilter(states=["queued"]), ["r1/1", "r2/0"]),
            (ItemFilter(states=["done", "dead"]), ["r1/0"]),
            (ItemFilter(tenant="acme", topic="tickets"), ["r2/0"]),
            (ItemFilter(tenant=""), ["r1/1"]),
            (ItemFilter(prefix="r1/"), ["r1/0", "r1/1"]),
            (ItemFilter(before=first + 50), ["r1/0"]),
            (ItemFilter(since=first + 50), ["r1/1", "r2/0"]),
            (ItemFilter(most=1), ["r1/0"]),
        ):
            found = queue.items(which)
            check([each.id for each in found] == right, f"{which!r} lists {[each.id for each in found]}")
            check(all(each.payload is None and each.result is None for each in found), "lists hold what is large")
        counted = {(each.topic, each.tenant, each.state, each.items, each.bytes) for each in queue.counts()}
        right_counts = {
            ("runs", "acme", "done", 1, 5),
            ("runs", "", "queued", 1, 10),
            ("tickets", "acme", "queued", 1, 10),
        }
        check(counted == right_counts, f"counted: {counted}")
        check({each.topic for each in queue.counts("tickets")} == {"tickets"}, "another topic was counted")
        queue.close()

    def test_what_ended_long_ago_can_be_forgotten(self) -> None:
        """Its id is free then; what has not ended stays."""
        queue, clock = self.queue()
        for name in ("a", "b"):
            queue.put(item_of(name, key=name))
        (lease,) = self.lease(queue)
        queue.ack(lease)
        self.state_of(queue, "a", "done")
        check(queue.purge(clock.now() - 10) == 0, "what ended just now was forgotten")
        check(queue.purge(clock.now() + 10, "tickets") == 0, "another topic's was forgotten")
        check(queue.purge(clock.now() + 10) == 1, "what ended was not forgotten")
        check(queue.get("a") is None, "what was forgotten is there")
        check(queue.put(item_of("a", key="a")).new, "an id is not free")
        check(not queue.put(item_of("b")).new, "what waits was forgotten")
        self.lost("an ack of before", lambda: queue.ack(lease))
        queue.close()

    def test_names_and_bytes_are_kept_as_they_are(self) -> None:
        """Whatever a name is made of, and however large or small the bytes."""
        queue, _ = self.queue()
        loads = (b"", bytes(range(256)), b"\xff" * MOST_PAYLOAD, b"{}")
        for name, load in zip(_ODD, loads, strict=True):
            queue.put(item_of(name, tenant=name, payload=load, key=name))
        got = {each.item.id: each for each in self.lease(queue, len(_ODD))}
        check({name: each.item.payload for name, each in got.items()} == dict(zip(_ODD, loads, strict=True)), "bytes")
        check({name: each.item.tenant for name, each in got.items()} == {name: name for name in _ODD}, "tenants")
        for lease in got.values():
            queue.ack(lease, lease.item.payload)
        check(self.state_of(queue, _ODD[2], "done").result == loads[2], "a large result is another one")
        try:
            queue.ack(got[_ODD[0]], b"x" * (MOST_PAYLOAD + 1))
        except ValueError:
            pass
        else:
            check(False, "a result beyond the bound was taken")
        queue.close()

    def test_what_was_put_survives_whoever_put_it(self) -> None:
        """Another queue on the same items sees all, and ends what another one leased."""
        queue, clock = self.queue()
        queue.put(item_of("a"))
        (lease,) = self.lease(queue)
        queue.close()
        other = self.make(QueueSettings(clock=clock))
        other.ack(lease, b"elsewhere")
        check(self.state_of(other, "a", "done").result == b"elsewhere", "the result is another one")
        other.close()

    def test_waiting_ends_when_there_is_something(self) -> None:
        """Put by another one; and it ends when there is nothing."""
        queue, clock = self.queue()
        check(not queue.wait(["runs"], 0.05), "something came of nothing")
        other = self.make(QueueSettings(clock=clock))
        with ThreadPoolExecutor(1) as pool:
            waited = pool.submit(queue.wait, ["runs", "tickets"], self.patience)
            other.put(item_of("a", topic="tickets"))
            check(waited.result(), "what came was not seen")
        check(not queue.wait(["runs"], 0.01), "another topic's item was seen")
        other.close()
        queue.close()

    def test_many_workers_do_each_item_once(self) -> None:
        """Two queues on the same items, four threads, one of which claims: every item is acknowledged once."""
        clock = FakeClock()
        queues = [self.make(QueueSettings(clock=clock)) for _ in range(2)]
        for place in range(_FEW):
            queues[place % 2].put(item_of(f"{place}", tenant=f"t{place % 3}"))
        done: list[str] = []

        def work(number: int) -> None:
            queue = queues[number % 2]
            end = time.monotonic() + self.patience
            while len(done) < _FEW and time.monotonic() < end:
                for lease in _some(queue, number, done):
                    queue.ack(lease, lease.item.id.encode())
                    done.append(lease.item.id)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        check(sorted(done, key=int) == [str(place) for place in range(_FEW)], f"done: {sorted(done, key=int)}")
        check(
            sum(each.items for each in queues[0].counts() if each.state == "done") == _FEW, "the count is another one"
        )
        for each in queues:
            each.close()


def _some(queue: Queue, number: int, done: Collection[str]) -> list[Lease]:
    if number:
        return queue.lease("runs", f"w{number}", 600.0, most=3)
    left = [f"{place}" for place in range(_FEW) if f"{place}" not in done]
    claims = (queue.claim(each, "w0", 600.0) for each in left[-2:])
    return [each for each in claims if each is not None]


def _takes(queue: Queue, id_: str) -> bool:
    try:
        queue.put(item_of(id_, payload=_LOAD))
    except QueueFullError:
        return False
    return True
