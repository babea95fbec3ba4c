"""The queue: JetStream delivers, the bucket decides.

A message of the work queue says that an item may be there to do; whoever gets it changes the item's record by
compare-and-set, and only that makes a lease, ends one, or ends the item. So deliveries may come twice, late or never
acknowledged, and no two leases of an item hold. A message whose item was leased is asked to come back when the lease
ends (`-NAK` with a delay); then it is dropped if the item is done, and put off again if the lease was renewed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection
from contextlib import suppress

import attrs
from nats import errors
from nats.aio.msg import Msg
from nats.js.errors import APIError, KeyWrongLastSequenceError

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
from rtfs_queue_nats import records, steps
from rtfs_queue_nats.link import Link, Server, full_of
from rtfs_queue_nats.plugin import NatsSettings
from rtfs_queue_nats.records import Record
from rtfs_queue_nats.turns import Turns

_MOST_DROPPED = 200
"""Messages that one look at a subject passes by at most: it is bounded, and goes on the next time."""
_TAKING = 0.5
"""The part of the timeout after which one look takes nothing more: what it has is returned in time."""
_BROKEN = (errors.Error, OSError, asyncio.TimeoutError, asyncio.CancelledError)
_SHORT, _LONG, _AGAIN = 0.02, 0.3, 0.5
_NEXT_WAIT = 1.0
_NEXT = b'{"batch":1,"no_wait":true}'


class NatsQueue:
    """Items at a NATS server, which the first use looks for."""

    def __init__(self, settings: QueueSettings, own: NatsSettings) -> None:
        self._settings = settings
        self._prefix = own.prefix
        self._link = Link(settings, own)
        self._turns: dict[str, Turns] = {}
        self._empty: dict[str, int] = {}
        """By topic: the last message that was there when nothing could be leased."""
        self._seconds = own.timeout * _TAKING
        self._untold: dict[str, Lease] = {}
        """By token, those that may have been made when the server failed: nobody has them, so they are given back."""

    def put(self, item: QueueItem) -> Placed:
        """Place an item unless its id or key is there."""
        return self._link.call(lambda server: self._put(server, item))

    def lease(
        self, topic: str, worker: str, seconds: float, *, most: int = 1, tenants: Collection[str] | None = None
    ) -> list[Lease]:
        """Hand out items."""
        return self._link.call(lambda server: self._lease(server, topic, (worker, seconds), most, tenants))

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Let a lease end later."""
        until = self._now() + seconds
        self._link.call(lambda server: self._held(server, lease, lambda held: attrs.evolve(held, until=until)))
        return attrs.evolve(lease, until=until)

    def ack(self, lease: Lease, result: bytes = b"") -> None:
        """End an item as done."""
        checked_bytes("result", result)

        def done(held: Record) -> Record:
            return attrs.evolve(held, state="done", ended=self._now(), until=0.0, reason="", data=result)

        async def work(server: Server) -> None:
            await self._held(server, lease, done, again=True)
            await steps.reply(server, lease, b"+ACK")

        self._link.call(work)

    def nack(self, lease: Lease, reason: str = "", *, delay: float = 0.0, final: bool = False) -> ItemState:
        """Put an item back after a failure."""

        def failed(held: Record) -> Record:
            if final or held.tries >= held.most_tries:
                return attrs.evolve(
                    held, state="dead", ended=self._now(), until=0.0, reason=reason, data=lease.item.payload
                )
            return self._again(held, reason, delay)

        return self._link.call(lambda server: self._give_back(server, lease, failed, delay))

    def release(self, lease: Lease, reason: str = "", *, delay: float = 0.0) -> None:
        """Put an item back without counting the try."""
        self._link.call(lambda server: self._release(server, lease, reason, delay))

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
                if lanes and (self._empty.get(topic) != last or passed >= _AGAIN):
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

    def _again(self, held: Record, reason: str, delay: float) -> Record:
        return attrs.evolve(held, state="queued", until=0.0, due=self._now() + max(0.0, delay), reason=reason)

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
                self._again(found, "", 0.0), tries=0, generation=found.generation + (not unsent), ended=0.0,
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

    async def _held(
        self, server: Server, lease: Lease, change: Callable[[Record], Record], *, again: bool = False
    ) -> Record:
        """Change an item whose lease holds; `again`: this lease may have done it already."""
        token = lease.token.partition(" ")[0]
        while True:
            entry = await steps.entry(server, records.item_key(lease.item.id))
            found = None if entry is None else records.read(entry.value).now(self._now())
            if again and found is not None and (found.state, found.token) == ("done", token):
                return found
            if entry is None or found is None or found.state != "leased" or found.token != token:
                raise LeaseLostError(lease.item.id, cancelled=found is not None and found.state == "cancelled")
            changed = change(found)
            if await steps.write(server, changed, entry):
                return changed

    async def _give_back(
        self, server: Server, lease: Lease, change: Callable[[Record], Record], delay: float
    ) -> ItemState:
        changed = await self._held(server, lease, change)
        self._empty.pop(changed.topic, None)
        await steps.reply(server, lease, b"+ACK" if changed.state == "dead" else steps.later(delay))
        return changed.state

    async def _release(self, server: Server, lease: Lease, reason: str, delay: float) -> None:
        def released(held: Record) -> Record:
            return attrs.evolve(self._again(held, reason, delay), tries=held.tries - 1)

        await self._give_back(server, lease, released, delay)

    async def _lease(
        self, server: Server, topic: str, terms: tuple[str, float], most: int, tenants: Collection[str] | None
    ) -> list[Lease]:
        end = time.monotonic() + self._seconds
        await self._give_back_untold(server)
        lanes, last = await steps.waiting(server, self._prefix, topic)
        turns = self._turns.setdefault(topic, Turns(self._settings.weights))
        turns.keep(tenant for tenant, _ in lanes)
        lanes = {each for each in lanes if tenants is None or each[0] in tenants}
        leases: list[Lease] = []
        while lanes and len(leases) < most and not (leases and time.monotonic() >= end):
            tenant = turns.order({each for each, _ in lanes})[0]
            lane = max(each for each in lanes if each[0] == tenant)
            subject = f"{self._prefix}.work.{topic}.{records.token(tenant)}.{lane[1]}"
            try:
                lease = await self._next(server, subject, terms)
            except _BROKEN:  # what was leased before must reach who works on it; the next look tells what is wrong
                if not leases:
                    raise
                break
            if lease is None:
                lanes.discard(lane)
            else:
                leases.append(lease)
                turns.took(tenant)
        if not leases:
            self._empty[topic] = last
        return leases

    async def _give_back_untold(self, server: Server) -> None:
        for token, lease in tuple(self._untold.items()):
            with suppress(LeaseLostError):
                await self._release(server, lease, "the queue was lost as it was leased", 0.0)
            self._untold.pop(token, None)

    async def _next(self, server: Server, subject: str, terms: tuple[str, float]) -> Lease | None:
        """Return a lease of the first item of a subject that may be leased."""
        ask = f"$JS.API.CONSUMER.MSG.NEXT.{server.stream}.{records.consumer(subject)}"
        for _ in range(_MOST_DROPPED):
            if subject not in server.consumers:
                await steps.make_consumer(server, subject)
                server.consumers.add(subject)
            try:
                message = await server.client.request(ask, _NEXT, timeout=_NEXT_WAIT, old_style=True)
            except errors.TimeoutError:  # there is no such consumer any more, or the server is lost
                server.consumers.discard(subject)
                raise
            if not message.reply:  # a status: nothing is there now
                return None
            lease = await self._take(server, message, terms)
            if lease is not None:
                return lease
        return None

    async def _take(self, server: Server, message: Msg, terms: tuple[str, float]) -> Lease | None:
        told = records.of_message(message.headers)
        seq = message.metadata.sequence.stream
        while told is not None:
            entry = await steps.entry(server, records.item_key(told.id))
            now = self._now()
            found = attrs.evolve(told, seq=seq) if entry is None else records.read(entry.value).now(now)
            if found.nonce != told.nonce or found.state in ("done", "cancelled"):
                break
            later = found.until if found.state == "leased" else found.due
            if found.state != "dead" and later > now:
                await message.respond(steps.later(later - now))
                return None
            if found.state == "dead":
                if await steps.write(server, attrs.evolve(found, data=message.data), entry):
                    break
                continue
            taken = attrs.evolve(
                found, state="leased", attempt=found.attempt + 1, tries=found.tries + 1, worker=terms[0],
                until=now + terms[1], token=secrets.token_hex(8), seq=seq,
            )  # fmt: skip
            lease = Lease(
                item=taken.item(message.data), token=f"{taken.token} {message.reply}", attempt=taken.attempt,
                tries=taken.tries, until=taken.until, generation=taken.generation,
            )  # fmt: skip
            try:
                if await steps.write(server, taken, entry):
                    await message.respond(steps.later(terms[1]))
                    return lease
            except _BROKEN:
                self._untold[lease.token] = lease
                raise
        await message.respond(b"+ACK")
        return None
