"""Rows of streams in the file, read and written inside of the transaction of whoever calls these functions."""

from __future__ import annotations

import sqlite3

from rtfs_capability_streams import queues, schema
from rtfs_capability_streams.rows import Batch, Stream
from rtfs_capability_streams.sources import kept, wrong


def remember(db: sqlite3.Connection, batch: Batch, key: str) -> None:
    """Keep the reply to a pull, and no more of those before than there is room for."""
    of, text = (batch.stream.tenant, batch.stream.id), kept(batch.items)
    db.execute(schema.PULL, (*of, key, batch.seq, text, batch.done, len(text)))
    count, size = db.execute(schema.PULLS, of).fetchone()
    while count > schema.PULLS_KEPT or (size > schema.PULLS_SIZE and count > 1):
        n, less = db.execute(schema.OLDEST_PULL, of).fetchone()
        db.execute(schema.FORGET_PULL, (n,))
        count, size = count - 1, size - less


def found(db: sqlite3.Connection, tenant: str, id_: str) -> Stream:
    """Return a stream.

    Raises:
        CapabilityError: There is none of this id.
    """
    row = db.execute(schema.GET, (tenant, id_)).fetchone()
    if row is None:
        raise wrong(f"there is no stream {id_!r}: start it by (stream-source ...) or (mcp-stream ...)")
    return Stream.of(row)


def remove(db: sqlite3.Connection, stream: Stream) -> None:
    """Remove a stream, and the queue that is its own alone."""
    queues.give_back(db, stream)
    if stream.asks and stream.queue is not None:
        for words in schema.FORGET_QUEUE:
            db.execute(words, (stream.tenant, stream.queue))
    db.execute(schema.LAST_EPOCH, (stream.epoch,))
    for words in (schema.FORGET, schema.FORGET_PULLS):
        db.execute(words, (stream.tenant, stream.id))


_CHANGED = ("state", "position", "seq", "status", "epoch", "given", "key", "marks", "reader", "running")
_PLACES = tuple(schema.FIELDS.index(name) for name in (*_CHANGED, "tenant", "id"))


def save(db: sqlite3.Connection, stream: Stream) -> None:
    """Keep what has changed of a stream; where nothing has, the file stays as it is, and nobody who waits looks."""
    row = stream.row()
    if row != stream.kept:
        db.execute(schema.SAVE, tuple(row[place] for place in _PLACES))
        stream.kept = row
