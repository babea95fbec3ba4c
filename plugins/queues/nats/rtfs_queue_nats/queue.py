"""The queue: JetStream delivers, the bucket decides.

A message of the work queue says that an item may be there to do; whoever gets it changes the item's record by
compare-and-set, and only that makes a lease, ends one, or ends the item (`leases`). So deliveries may come twice, late
or never acknowledged, and no two leases of an item hold.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection

import attrs
from nats.js.errors import APIError, KeyWrongLastSequenceError

from rtfs_framework.api import (
    ENDED,
    ItemCount,
    ItemFilter,
    ItemState,
    ItemStatus,
    Lease,
    Placed,
    QueueFullError,
    QueueItem,
    QueueSettings,
    checked_bytes,
)
from rtfs_queue_nats import records, steps
from rtfs_queue_nats.leases import Leases
from rtfs_queue_nats.link import Link, Server, full_of
from rtfs_queue_nats.plugin import NatsSettings
from rtfs_queue_nats.records import Record

_SHORT, _LONG, _AGAIN = 0.02, 0.3, 0.5


class NatsQueue:
    """Items at a NATS server, which the first use looks for."""

    def __init__(self, settings: QueueSettings, own: NatsSettings) -> None:
        self._settings = settings
        self._prefix = own.prefix
        self._link = Link(settings, own)
        self._leases = Leases(settings, own)

    def put(self, item: QueueItem) -> Placed:
        """Place an item unless its id or key is there."""
        return self._link.call(lambda server: self._put(server, item))

    def lease(
        self, topic: str, worker: str, seconds: float, *, most: int = 1, tenants: Collection[str] | None = None
    ) -> list[Lease]:
        """Hand out items."""
        return self._link.call(lambda server: self._leases.lease(server, topic, (worker, seconds), most, tenants))

    def claim(self, id_: str, worker: str, seconds: float) -> Lease | None:
        """Hand out one item."""
        return self._link.call(lambda server: self._leases.claim(server, id_, (worker, seconds)))

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Let a lease end later."""
        until = self._now() + seconds
        self._link.call(lambda server: self._leases.held(server, lease, lambda held: attrs.evolve(held, until=until)))
        return attrs.evolve(lease, until=until)

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        """End an item as done."""
        checked_bytes("result", result)
        self._link.call(lambda server: self._leases.done(server, lease, result))

    def nack(self, lease: Lease, reason: str = "", *, delay: float = 0.0, final: bool = False) -> ItemState:
        """Put an item back after a failure."""
        return self._link.call(lambda server: self._leases.failed(server, lease, reason, delay, final=final))

    def release(self, lease: Lease, reason: str = "", *, delay: float = 0.0) -> None:
        """Put an item back without counting the try."""
        self._link.call(lambda server: self._leases.release(server, lease, reason, delay))

    def cancel(self, id_: str) -> ItemState | None:
        """See that an item is not worked on any more."""

        async def work(server: Server) -> ItemState | None:
            while (entry := await steps.entry(server, records.item_key(id_))) is not None:
                found = records.read(entry.value).now(self._now())
                if found.state in ENDED:
                    return found.state
                payload = await steps.payload(server, found)
                gone = attrs.evolve(found, state="cancelled", ended=self._now(), until=0.0, data=payload)
                if await steps.write(server, gone, entry):
                    await steps.delete(server, found.seq)
                    return "cancelled"
            return None

        return self._link.call(work)

    def requeue(self, id_: str) -> ItemState | None:
        """Let an item begin anew."""
        return self._link.call(lambda server: self._requeue(server, id_))

    def get(self, id_: str) -> ItemStatus | None:
        """Return all that is known of an item; of one that is done the payload is not kept."""

        async def work(server: Server) -> ItemStatus | None:
            entry = await steps.entry(server, records.item_key(id_))
            if entry is None:
                return None
            found = records.read(entry.value).now(self._now())
            payload = None if found.state == "done" else await steps.payload(server, found)
            return found.status(payload, large=True)

        return self._link.call(work)

    def items(self, which: ItemFilter) -> list[ItemStatus]:
        """Return items, the oldest first. It reads all records: the bucket has no other order than that of changes."""
        found = [each for each in self._link.call(self._all, long=True) if which.fits(each.status(large=False))]
        found.sort(key=lambda each: (each.made, each.seq))
        return [each.status(large=False) for each in found[: which.most]]

    def counts(self, topic: str | None = None) -> list[ItemCount]:
        """Return how many items there are."""
        return records.counts_of(self._link.call(self._all, long=True), topic)

    def wait(self, topics: Collection[str], seconds: float) -> bool:
        """Wait until something may be leased; what only is in other hands may be told, twice a second."""
        start, pause = time.monotonic(), _SHORT
        while True:
            passed = time.monotonic() - start
            for topic in topics:
                lanes, last = self._link.call(lambda server: steps.waiting(server, self._prefix, topic))  # noqa: B023 - called at once
                if lanes and (self._leases.empty.get(topic) != last or passed >= _AGAIN):
                    return True
            if passed >= seconds:
                return False
            time.sleep(min(pause, max(0.0, seconds - passed)))
            pause = min(_LONG, pause * 2)

    def purge(self, before: float, topic: str | None = None) -> int:
        """Forget items that ended before a time."""

        async def work(server: Server) -> int:
            gone = [
                each
                for each in await self._all(server)
                if 0 < each.ended < before and topic in (None, each.topic) and each.state in ENDED
            ]
            for each in gone:
                await steps.forget(server, records.item_key(each.id))
                if each.key:
                    await steps.forget(server, records.once_key(each.topic, each.tenant, each.key))
            return len(gone)

        return self._link.call(work, long=True)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    # what the methods do at the server

    def _now(self) -> float:
        return self._settings.clock.now()

    async def _all(self, server: Server) -> list[Record]:
        return await steps.all_records(server, self._now())

    async def _put(self, server: Server, item: QueueItem) -> Placed:
        first, mine = await self._first_of_key(server, item)
        item = attrs.evolve(item, id=first)
        key = records.item_key(item.id)
        if await steps.entry(server, key) is not None:
            return Placed(item.id, new=False)
        record = records.of_item(item, self._now(), secrets.token_hex(8))
        try:
            seq = await self._publish(server, record, item.payload)
        except QueueFullError:
            if mine:
                await steps.forget(server, records.once_key(item.topic, item.tenant, item.key))
            raise
        try:
            await server.state.create(key, attrs.evolve(record, seq=seq).written())
        except KeyWrongLastSequenceError:  # another one put it just now, or somebody has leased it already
            entry = await steps.entry(server, key)
            new = entry is not None and records.read(entry.value).nonce == record.nonce
            if not new:
                await steps.delete(server, seq)
            return Placed(item.id, new)
        return Placed(item.id, new=True)

    async def _first_of_key(self, server: Server, item: QueueItem) -> tuple[str, bool]:
        """Return whose the idempotency key is, and whether it was taken just now."""
        if not item.key:
            return item.id, False
        key = records.once_key(item.topic, item.tenant, item.key)
        try:
            await server.state.create(key, item.id.encode())
        except KeyWrongLastSequenceError:
            entry = await steps.entry(server, key)
            return (item.id if entry is None else (entry.value or b"").decode()), False
        return item.id, True

    async def _publish(self, server: Server, record: Record, payload: bytes) -> int:
        to = records.subject(self._prefix, record)
        try:
            return (await server.js.publish(to, payload, headers=records.header(record))).seq
        except APIError as error:
            full = full_of(error)
            if full == "items":
                raise QueueFullError("items", self._settings.most_items) from error
            if full == "bytes":
                raise QueueFullError("bytes", self._settings.most_bytes) from error
            raise

    async def _requeue(self, server: Server, id_: str) -> ItemState | None:
        while (entry := await steps.entry(server, records.item_key(id_))) is not None:
            found = records.read(entry.value).now(self._now())
            unsent = found.state == "queued" and not found.seq  # whoever requeued it before did not come so far
            if found.state not in ("dead", "cancelled") and not unsent:
                return found.state
            payload = await steps.payload(server, found)
            anew = attrs.evolve(
                records.again(found, self._now()), tries=0, generation=found.generation + (not unsent), ended=0.0,
                data=payload, nonce=secrets.token_hex(8), seq=0,
            )  # fmt: skip
            if await steps.write(server, anew, entry):
                await self._send_anew(server, found, anew, payload)
                return "queued"
        return None

    async def _send_anew(self, server: Server, before: Record, anew: Record, payload: bytes) -> None:
        try:
            seq = await self._publish(server, anew, payload)
        except QueueFullError:
            await self._change(server, anew, lambda _: before)
            raise
        await self._change(server, anew, lambda now: attrs.evolve(now, seq=seq))
        await steps.delete(server, before.seq)

    async def _change(self, server: Server, of: Record, change: Callable[[Record], Record]) -> None:
        """Change a record for as long as it is delivered by the same message."""
        while (entry := await steps.entry(server, records.item_key(of.id))) is not None:
            found = records.read(entry.value)
            if found.nonce != of.nonce or await steps.write(server, change(found), entry):
                return
