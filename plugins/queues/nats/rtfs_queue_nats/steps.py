"""What the queue does at the server, step by step: records are compared and set, messages asked for and removed."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from rtfs_framework.api import Lease
from rtfs_queue_nats import records
from rtfs_queue_nats.link import Server
from rtfs_queue_nats.records import Record

ACK_WAIT = 2.0
"""Seconds after which a message comes back that nobody answered: whoever gets one does so at once, or has died."""
MOST_WAIT = 30.0
"""Seconds for which the next record of all is waited for."""
_IDLE_CONSUMER = 86_400.0
"""Seconds after which the server forgets a consumer that nobody asks; it is made again."""
_MANY = 1_000_000
_MOST_DELAY = 86_400.0
"""Seconds for which a message is put off at most, then once more: the server counts in nanoseconds, of 64 bits."""

Lane = tuple[str, int]
"""A tenant's items of one priority."""


def later(seconds: float) -> bytes:
    """Return what asks for a message to come back."""
    return b"-NAK " + json.dumps({"delay": max(1, round(min(seconds, _MOST_DELAY) * 1e9))}).encode()


async def reply(server: Server, lease: Lease, word: bytes) -> None:
    """Tell the server about the message of a lease. If it does not hear, it delivers again, and that is dropped."""
    await server.client.publish(lease.token.partition(" ")[2], word)


async def entry(server: Server, key: str) -> KeyValue.Entry | None:
    """Return what is in the bucket under a key, None where nothing is."""
    try:
        return await server.state.get(key)
    except KeyNotFoundError:
        return None


async def write(server: Server, record: Record, entry: KeyValue.Entry | None) -> bool:
    """Write a record in the place of what was read; False when somebody else was faster."""
    key, value = records.item_key(record.id), record.written()
    try:
        await (server.state.create(key, value) if entry is None else server.state.update(key, value, entry.revision))
    except KeyWrongLastSequenceError:
        return False
    return True


async def forget(server: Server, key: str) -> None:
    """Take a key out of the bucket, so that it may be made anew."""
    await server.js.purge_stream(server.bucket, subject=f"$KV.{server.bucket.removeprefix('KV_')}.{key}")


async def payload(server: Server, record: Record) -> bytes:
    """Return the payload of an item that is not done."""
    if record.data or not record.seq:
        return record.data
    with suppress(NotFoundError):
        return (await server.js.get_msg(server.stream, seq=record.seq)).data or b""
    return b""


async def delete(server: Server, seq: int) -> None:
    """Take a message away that nobody needs any more."""
    if seq:
        with suppress(APIError):
            await server.js.delete_msg(server.stream, seq)


async def make_consumer(server: Server, subject: str) -> None:
    """See that the messages of a subject can be asked for."""
    config = ConsumerConfig(
        durable_name=records.consumer(subject),
        filter_subject=subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_deliver=-1,
        max_ack_pending=_MANY,
        inactive_threshold=_IDLE_CONSUMER,
    )
    await server.js.add_consumer(server.stream, config)


async def waiting(server: Server, prefix: str, topic: str) -> tuple[set[Lane], int]:
    """Return who has messages, and the newest message's number."""
    start = f"{prefix}.work.{topic}."
    state = (await server.js.stream_info(server.stream, subjects_filter=f"{start}>")).state
    parts = (each[len(start) :].split(".") for each in state.subjects or ())
    return {(records.text(tenant), int(priority)) for tenant, priority in parts}, state.last_seq


async def all_records(server: Server, now: float) -> list[Record]:
    """Return the records of all items as they are at a time."""
    watcher: Any = await server.state.watch("item.>", ignore_deletes=True)
    found = []
    try:
        while (entry := await watcher.updates(timeout=MOST_WAIT)) is not None:
            found.append(records.read(entry.value).now(now))
    finally:
        await watcher.stop()
    return found
