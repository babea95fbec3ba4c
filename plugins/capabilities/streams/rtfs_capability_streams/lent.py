"""Batches that a reader was given ahead of its program, inside of a transaction of the file.

Nobody knows how many of a batch are used before its reader says so. Whoever else comes before that is given the whole
batch again: the first reader is overtaken, which is kept, and told when it says what it used, however late that is.
"""

from __future__ import annotations

import sqlite3

from rtfs_capability_streams import queues, schema
from rtfs_capability_streams.giving import Giver, overtaken
from rtfs_capability_streams.rows import Stream
from rtfs_capability_streams.tables import save

AHEAD = "ahead "
"""What the key of such a pull begins with in the stream's row."""


def reached(db: sqlite3.Connection, stream: Stream, after: int | None) -> None:
    """Look whether a reader that was given all up to `after` ahead is the last; one without it overtakes any other.

    Raises:
        CapabilityError: Somebody else has gone on.
    """
    if after is None:
        overtake(db, stream)
    elif stream.running or after != stream.seq + len(stream.given):
        raise overtaken(stream)


def overtake(db: sqlite3.Connection, stream: Stream) -> None:
    """Take back what was given ahead, if nobody has said what of it is used."""
    if _is_lent(stream):
        db.execute(schema.OVERTAKE, (stream.tenant, stream.id, _place(stream.seq), stream.seq))
        queues.give_back(db, stream)


def settle(db: sqlite3.Connection, stream: Stream, seq: int, used: int) -> str:
    """Note how many of a batch that began at `seq` were used; return "", or why its reader may not go on.

    The last of them is not done with before the next one is asked for, as where items are given one by one. What was
    said before may be said again, as by a run that is gone on with: it changes nothing.
    """
    if _is_lent(stream) and stream.seq == seq and used <= len(stream.given):
        Giver.commit(db, stream, used - 1)
        stream.given = stream.given[:1]
        save(db, stream)
        return ""
    gone = db.execute(schema.PULLED, (stream.tenant, stream.id, _place(seq))).fetchone()
    return "" if gone is None else str(overtaken(stream))


def _is_lent(stream: Stream) -> bool:
    """Tell whether nobody knows how much of what was given is used; of one item, that is known."""
    return stream.key.startswith(AHEAD) and len(stream.given) > 1 and not stream.running


def _place(seq: int) -> str:
    return f"overtaken {seq}"
