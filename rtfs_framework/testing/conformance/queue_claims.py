"""The contract of queues, where one item is leased by its id."""

from __future__ import annotations

from collections import Counter

from rtfs_framework.testing.conformance.base import check
from rtfs_framework.testing.conformance.queue_cases import QueueCases, item_of

_FEW = 12


class QueueClaims(QueueCases):
    """What claims promise; `QueueConformance` has these tests, too."""

    def test_one_item_can_be_claimed_by_its_id(self) -> None:
        """By whoever waits for just this one, before those that come first; nobody else has it then."""
        queue, clock = self.queue()
        for name in "abc":
            queue.put(item_of(name, priority=9 if name == "a" else 0, most_tries=2))
        lease = self.claimed(queue, "b")
        check((lease.item, lease.attempt, lease.tries) == (item_of("b", most_tries=2), 1, 1), f"claimed: {lease!r}")
        check(lease.until >= clock.now() + self.lease_seconds - 1, "the lease is shorter than was asked for")
        check(queue.claim("b", "other", self.lease_seconds) is None, "what is in other hands was claimed")
        check({each.item.id for each in self.lease(queue, 2)} == {"a", "c"}, "what is claimed was leased")
        check(queue.claim("a", "w", self.lease_seconds) is None, "what is leased was claimed")
        check(queue.claim("nothing", "w", self.lease_seconds) is None, "what is not there was claimed")
        self.state_of(queue, "b", "leased")
        queue.ack(queue.renew(lease, self.lease_seconds), b"the result")
        check(self.state_of(queue, "b", "done").result == b"the result", "the result is another one")
        check(queue.claim("b", "w", self.lease_seconds) is None, "what is done was claimed")
        check(not queue.lease("runs", "w", self.lease_seconds), "what is done was leased")
        queue.close()

    def test_what_was_claimed_is_given_back_to_all(self) -> None:
        """A release counts as no try; one that fails, or dies, counts as one; its time is kept."""
        queue, clock = self.queue()
        queue.put(item_of("a", most_tries=2))
        for attempt in (1, 2, 3):
            lease = self.claimed(queue, "a")
            check((lease.attempt, lease.tries) == (attempt, 1), f"after {attempt - 1} releases: {lease!r}")
            queue.release(lease, "not now")
        (lease,) = self.lease(queue)
        check((lease.attempt, lease.tries) == (4, 1), f"leased after it was claimed: {lease!r}")
        queue.release(lease, delay=self.lease_seconds)
        check(queue.claim("a", "w", self.lease_seconds) is None, "it was claimed before its time")
        self.pass_time(clock, self.lease_seconds + 0.5)
        old = self.claimed(queue, "a")
        self.pass_time(clock, self.lease_seconds + 0.5)
        lease = self.claimed(queue, "a")
        check(lease.tries == 2, f"a lease that ended is a try: {lease!r}")
        self.lost("an ack of an old claim", lambda: queue.ack(old))
        check(queue.nack(lease, "no luck") == "dead", "the last failure")
        check(queue.claim("a", "w", self.lease_seconds) is None, "what is dead was claimed")
        check(queue.requeue("a") == "queued", "what is dead could not begin anew")
        lease = self.claimed(queue, "a")
        check((lease.generation, lease.item.payload) == (1, b"what to do"), f"ordered anew: {lease!r}")
        queue.cancel("a")
        self.lost("an ack of what is cancelled", lambda: queue.ack(lease), cancelled=True)
        check(queue.claim("a", "w", self.lease_seconds) is None, "what is cancelled was claimed")
        queue.close()

    def test_claims_are_nobodys_turn(self) -> None:
        """So whoever does what it has ordered itself keeps no tenant waiting, and loses no turn by it."""
        queue, _ = self.queue()
        for place in range(2 * _FEW):
            queue.put(item_of(f"own{place}", tenant="own"))
        for place in range(4):
            queue.put(item_of(f"b{place}", tenant="b"))
        for place in range(_FEW):
            self.claimed(queue, f"own{place}")
        turns = Counter(self.lease(queue)[0].item.tenant for _ in range(4))
        check(turns["own"] == turns["b"] == 2, f"after claims the turns were {dict(turns)}")
        queue.close()
