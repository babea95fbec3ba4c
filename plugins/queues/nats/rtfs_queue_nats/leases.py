"""Leases: made of what a message tells of, or of one item by its id, and ended.

A message whose item was leased is asked to come back when the lease ends (`-NAK` with a delay); then it is dropped if
the item is done, and put off again if the lease was renewed. One whose item was claimed by its id may lie anywhere: it
is put off for a moment each time, until the item is put back, and deleted when the item has ended.
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
from nats.js.kv import KeyValue

from rtfs_framework.api import ItemState, Lease, LeaseLostError, QueueSettings
from rtfs_queue_nats import records, steps
from rtfs_queue_nats.link import Server
from rtfs_queue_nats.plugin import NatsSettings
from rtfs_queue_nats.records import Record
from rtfs_queue_nats.turns import Turns

_MOST_DROPPED = 200
"""Messages that one look at a subject passes by at most: it is bounded, and goes on the next time."""
_TAKING = 0.5
"""The part of the timeout after which one look takes nothing more: what it has is returned in time."""
_BY_ID = 1.0
"""Seconds after which workers look again at an item that was claimed by its id: so soon they see that it is back."""
_BROKEN = (errors.Error, OSError, asyncio.TimeoutError, asyncio.CancelledError)
_NEXT_WAIT = 1.0
_NEXT = b'{"batch":1,"no_wait":true}'


class Leases:
    """The leases of a queue."""

    def __init__(self, settings: QueueSettings, own: NatsSettings) -> None:
        self._settings = settings
        self._prefix = own.prefix
        self._turns: dict[str, Turns] = {}
        self.empty: dict[str, int] = {}
        """By topic: the last message that was there when nothing could be leased."""
        self._seconds = own.timeout * _TAKING
        self._untold: dict[str, Lease] = {}
        """By token, those that may have been made when the server failed: nobody has them, so they are given back."""

    async def held(
        self, server: Server, lease: Lease, change: Callable[[Record], Record], *, again: bool = False
    ) -> Record:
        """Change an item whose lease holds; `again`: this lease may have done it already.

        Raises:
            LeaseLostError: It does not.
        """
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

    async def done(self, server: Server, lease: Lease, result: bytes) -> None:
        """End an item as done."""

        def ended(held: Record) -> Record:
            return attrs.evolve(held, state="done", ended=self._now(), until=0.0, reason="", data=result)

        await self._removed(server, lease, await self.held(server, lease, ended, again=True))

    async def failed(self, server: Server, lease: Lease, reason: str, delay: float, *, final: bool) -> ItemState:
        """Put an item back after a failure, or end it as dead."""

        def changed(held: Record) -> Record:
            if final or held.tries >= held.most_tries:
                return attrs.evolve(
                    held, state="dead", ended=self._now(), until=0.0, reason=reason, data=lease.item.payload
                )
            return records.again(held, self._now() + max(0.0, delay), reason)

        return await self._given_back(server, lease, changed, delay)

    async def release(self, server: Server, lease: Lease, reason: str, delay: float) -> None:
        """Put an item back without counting the try."""

        def released(held: Record) -> Record:
            return attrs.evolve(records.again(held, self._now() + max(0.0, delay), reason), tries=held.tries - 1)

        await self._given_back(server, lease, released, delay)

    async def _given_back(
        self, server: Server, lease: Lease, change: Callable[[Record], Record], delay: float
    ) -> ItemState:
        changed = await self.held(server, lease, change)
        self.empty.pop(changed.topic, None)
        if changed.state == "dead":
            await self._removed(server, lease, changed)
        elif not changed.by_id:
            await steps.reply(server, lease, steps.later(delay))
        return changed.state

    async def _removed(self, server: Server, lease: Lease, ended: Record) -> None:
        """See that nobody is told of an item that has ended."""
        if ended.by_id:
            await steps.delete(server, ended.seq)
        else:
            await steps.reply(server, lease, b"+ACK")

    async def lease(
        self, server: Server, topic: str, terms: tuple[str, float], most: int, tenants: Collection[str] | None
    ) -> list[Lease]:
        """Hand out items."""
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
            self.empty[topic] = last
        return leases

    async def claim(self, server: Server, id_: str, terms: tuple[str, float]) -> Lease | None:
        """Hand out one item; its message stays where it is."""
        await self._give_back_untold(server)
        while (entry := await steps.entry(server, records.item_key(id_))) is not None:
            now = self._now()
            found = records.read(entry.value).now(now)
            if found.state != "queued" or found.due > now:
                return None
            lease = await self._taken(server, found, entry, await steps.payload(server, found), terms)
            if lease is not None:
                return lease
        return None

    async def _give_back_untold(self, server: Server) -> None:
        for token, lease in tuple(self._untold.items()):
            with suppress(LeaseLostError):
                await self.release(server, lease, "the queue was lost as it was leased", 0.0)
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
                put_off = min(later - now, _BY_ID) if found.state == "leased" and found.by_id else later - now
                await message.respond(steps.later(put_off))
                return None
            if found.state == "dead":
                if await steps.write(server, attrs.evolve(found, data=message.data), entry):
                    break
                continue
            lease = await self._taken(server, found, entry, message.data, terms, message.reply)
            if lease is not None:
                await message.respond(steps.later(terms[1]))
                return lease
        await message.respond(b"+ACK")
        return None

    async def _taken(
        self, server: Server, found: Record, entry: KeyValue.Entry | None, payload: bytes, terms: tuple[str, float],
        reply: str = "",
    ) -> Lease | None:  # fmt: skip
        """Make a lease of what was found; None when somebody was faster. `reply`: to the message that told of it."""
        taken = attrs.evolve(
            found, state="leased", attempt=found.attempt + 1, tries=found.tries + 1, worker=terms[0],
            until=self._now() + terms[1], token=secrets.token_hex(8), by_id=not reply,
        )  # fmt: skip
        lease = Lease(
            item=taken.item(payload), token=f"{taken.token} {reply}", attempt=taken.attempt,
            tries=taken.tries, until=taken.until, generation=taken.generation,
        )  # fmt: skip
        try:
            return lease if await steps.write(server, taken, entry) else None
        except _BROKEN:
            self._untold[lease.token] = lease
            raise

    def _now(self) -> float:
        return self._settings.clock.now()
