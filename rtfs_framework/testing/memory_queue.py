"""A queue in memory: what tests use in place of one that lasts, and what the contract suite of queues is tried on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from threading import Condition
from typing import Any

import attrs

from rtfs_framework.api import (
    ENDED,
    ItemCount,
    ItemFilter,
    ItemState,
    ItemStatus,
    Lease,
    LeaseLostError,
    Placed,
    QueueFullError,
    QueueItem,
    QueueSettings,
    checked_bytes,
)


@attrs.define(slots=True)
class Kept:
    """An item, and what became of it."""

    item: QueueItem
    made: float
    due: float
    state: ItemState = "queued"
    attempt: int = 0
    tries: int = 0
    generation: int = 0
    token: str = ""
    worker: str = ""
    until: float = 0.0
    ended: float = 0.0
    reason: str = ""
    result: bytes | None = None


@attrs.define(slots=True)
class Shelf:
    """What several queues share."""

    items: dict[str, Kept] = attrs.field(factory=dict)
    finish: dict[tuple[str, str], float] = attrs.field(factory=dict)
    virtual: dict[str, float] = attrs.field(factory=dict)
    changed: Condition = attrs.field(factory=Condition)


_SHELVES: dict[str, Shelf] = {}


def shelf_of(name: str) -> Shelf:
    """Return the shelf of a name, which all queues of this process share."""
    return _SHELVES.setdefault(name, Shelf())


class MemoryQueue:
    """Items in a dict; queues that are given the same shelf share them."""

    def __init__(self, settings: QueueSettings, shelf: Shelf | None = None) -> None:
        """Make a queue on a shelf; on one of its own without any."""
        self._settings = settings
        self._shelf = shelf or Shelf()

    def put(self, item: QueueItem) -> Placed:
        """Place an item unless its id or key is there."""
        with self._shelf.changed:
            same = self._same(item)
            if same is not None:
                return Placed(same, new=False)
            self._room(len(item.payload))
            self._shelf.items[item.id] = Kept(item, self._now(), item.not_before)
            self._shelf.changed.notify_all()
            return Placed(item.id, new=True)

    def lease(
        self, topic: str, worker: str, seconds: float, *, most: int = 1, tenants: Collection[str] | None = None
    ) -> list[Lease]:
        """Hand out items."""
        with self._shelf.changed:
            self._catch_up()
            found = (self._next(topic, worker, seconds, tenants) for _ in range(most))
            return [each for each in found if each is not None]

    def claim(self, id_: str, worker: str, seconds: float) -> Lease | None:
        """Hand out one item."""
        with self._shelf.changed:
            self._catch_up()
            kept = self._shelf.items.get(id_)
            return None if kept is None or not self._may_go(kept) else self._taken(kept, worker, seconds)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Let a lease end later."""
        with self._shelf.changed:
            kept = self._held(lease)
            kept.until = self._now() + seconds
            return attrs.evolve(lease, until=kept.until)

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        """End an item as done."""
        checked_bytes("result", result)
        with self._shelf.changed:
            found = self._shelf.items.get(lease.item.id)
            if found is None or (found.state, found.token) != ("done", lease.token):
                self._end(self._held(lease), "done", result=result)

    def nack(self, lease: Lease, reason: str = "", *, delay: float = 0.0, final: bool = False) -> ItemState:
        """Put an item back after a failure."""
        with self._shelf.changed:
            kept = self._held(lease)
            if final or kept.tries >= kept.item.most_tries:
                self._end(kept, "dead", reason)
            else:
                self._again(kept, reason, delay)
            return kept.state

    def release(self, lease: Lease, reason: str = "", *, delay: float = 0.0) -> None:
        """Put an item back without counting the try."""
        with self._shelf.changed:
            kept = self._held(lease)
            kept.tries -= 1
            self._again(kept, reason, delay)

    def cancel(self, id_: str) -> ItemState | None:
        """See that an item is not worked on any more."""
        with self._shelf.changed:
            self._catch_up()
            kept = self._shelf.items.get(id_)
            if kept is not None and kept.state not in ENDED:
                self._end(kept, "cancelled")
            return None if kept is None else kept.state

    def requeue(self, id_: str) -> ItemState | None:
        """Let an item begin anew."""
        with self._shelf.changed:
            kept = self._shelf.items.get(id_)
            if kept is not None and kept.state in ("dead", "cancelled"):
                self._room(len(kept.item.payload))
                kept.tries, kept.ended, kept.generation = 0, 0.0, kept.generation + 1
                self._again(kept, "", 0.0)
            return None if kept is None else kept.state

    def get(self, id_: str) -> ItemStatus | None:
        """Return all that is known of an item."""
        with self._shelf.changed:
            self._catch_up()
            kept = self._shelf.items.get(id_)
            return None if kept is None else _status(kept, payload=kept.item.payload, result=kept.result)

    def items(self, which: ItemFilter) -> list[ItemStatus]:
        """Return items, the oldest first."""
        with self._shelf.changed:
            self._catch_up()
            return [each for each in map(_status, self._shelf.items.values()) if which.fits(each)][: which.most]

    def counts(self, topic: str | None = None) -> list[ItemCount]:
        """Return how many items there are."""
        number: Counter[tuple[str, str, ItemState]] = Counter()
        size: Counter[tuple[str, str, ItemState]] = Counter()
        for each in self.items(ItemFilter(topic=topic, most=len(self._shelf.items))):
            key = each.topic, each.tenant, each.state
            number[key] += 1
            size[key] += each.size
        return [
            ItemCount(topic=key[0], tenant=key[1], state=key[2], items=count, bytes=size[key])
            for key, count in sorted(number.items())
        ]

    def wait(self, topics: Collection[str], seconds: float) -> bool:
        """Wait until something may be leased."""
        end = time.monotonic() + seconds
        with self._shelf.changed:
            while not any(self._ready(topic, None) for topic in topics):
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._shelf.changed.wait(left)
            return True

    def purge(self, before: float, topic: str | None = None) -> int:
        """Forget items that ended before a time."""
        with self._shelf.changed:
            gone = [
                id_
                for id_, kept in self._shelf.items.items()
                if 0 < kept.ended < before and topic in (None, kept.item.topic)
            ]
            for id_ in gone:
                del self._shelf.items[id_]
            return len(gone)

    def close(self) -> None:
        """Do nothing."""

    # the steps, each of which a queue that breaks the contract may get wrong

    def _same(self, item: QueueItem) -> str | None:
        """Return the id of what is there in place of an item."""
        if item.id in self._shelf.items:
            return item.id
        same = (id_ for id_, kept in self._shelf.items.items() if self._once(kept.item) == self._once(item))
        return next(same, None) if item.key else None

    def _once(self, item: QueueItem) -> tuple[str, ...]:
        """Return whose key an item's key is."""
        return item.topic, item.tenant, item.key

    def _room(self, size: int) -> None:
        waiting = [len(each.item.payload) for each in self._shelf.items.values() if each.state not in ENDED]
        if len(waiting) >= self._settings.most_items:
            raise QueueFullError("items", self._settings.most_items)
        if sum(waiting) + size > self._settings.most_bytes:
            raise QueueFullError("bytes", self._settings.most_bytes)

    def _held(self, lease: Lease) -> Kept:
        self._catch_up()
        kept = self._shelf.items.get(lease.item.id)
        if kept is None or kept.state != "leased" or kept.token != lease.token:
            raise LeaseLostError(lease.item.id, cancelled=kept is not None and kept.state == "cancelled")
        return kept

    def _catch_up(self) -> None:
        for kept in self._shelf.items.values():
            if kept.state == "leased" and kept.until <= self._now():
                if kept.tries >= kept.item.most_tries:
                    self._end(kept, "dead", "its last lease ended")
                else:
                    self._again(kept, "its lease ended", 0.0)

    def _end(self, kept: Kept, state: ItemState, reason: str = "", *, result: bytes | None = None) -> None:
        kept.state, kept.ended, kept.until, kept.reason, kept.result = state, self._now(), 0.0, reason, result

    def _again(self, kept: Kept, reason: str, delay: float) -> None:
        kept.state, kept.due, kept.until, kept.reason = "queued", self._now() + delay, 0.0, reason
        self._shelf.changed.notify_all()

    def _ready(self, topic: str, tenants: Collection[str] | None) -> list[Kept]:
        return [
            kept
            for kept in self._shelf.items.values()
            if kept.item.topic == topic and self._may_go(kept) and (tenants is None or kept.item.tenant in tenants)
        ]

    def _may_go(self, kept: Kept) -> bool:
        return kept.state == "queued" and kept.due <= self._now()

    def _order(self, kept: Kept) -> Any:
        """Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), then by priority; sorting keeps the age."""
        return self._start(kept), kept.item.tenant, -kept.item.priority

    def _start(self, kept: Kept) -> float:
        key = kept.item.topic, kept.item.tenant
        return max(self._shelf.virtual.get(kept.item.topic, 0.0), self._shelf.finish.get(key, 0.0))

    def _next(self, topic: str, worker: str, seconds: float, tenants: Collection[str] | None) -> Lease | None:
        kept = min(self._ready(topic, tenants), key=self._order, default=None)
        if kept is None:
            return None
        start, tenant = self._start(kept), kept.item.tenant
        self._shelf.virtual[topic] = start
        self._shelf.finish[topic, tenant] = start + 1 / self._settings.weights.get(tenant, 1.0)
        return self._taken(kept, worker, seconds)

    def _taken(self, kept: Kept, worker: str, seconds: float) -> Lease:
        kept.attempt, kept.tries = kept.attempt + 1, kept.tries + 1
        kept.state, kept.worker, kept.until = "leased", worker, self._now() + seconds
        kept.token = self._token(kept)
        return Lease(
            item=kept.item, token=kept.token, attempt=kept.attempt, tries=kept.tries, until=kept.until,
            generation=kept.generation,
        )  # fmt: skip

    def _token(self, kept: Kept) -> str:
        return f"{id(kept)}.{kept.attempt}"

    @property
    def _now(self) -> Callable[[], float]:
        return self._settings.clock.now


def _status(kept: Kept, **large: bytes | None) -> ItemStatus:
    item = kept.item
    return ItemStatus(
        id=item.id, topic=item.topic, tenant=item.tenant, priority=item.priority, state=kept.state, key=item.key,
        size=len(item.payload), made=kept.made, not_before=kept.due, attempt=kept.attempt, tries=kept.tries,
        most_tries=item.most_tries, generation=kept.generation, worker=kept.worker, until=kept.until, ended=kept.ended,
        reason=kept.reason, **large,
    )  # fmt: skip
