"""Batches that a reader was given ahead of its program, inside of a transaction of the file.

Of a stream with a name a slot says how many items of a batch were given to the program (`slots.py`): whoever else comes
goes on after them, and the reader's batch ends there. Of one without, nobody knows that before its reader says so: who
comes before is given the whole batch again, the first reader is overtaken, which is kept, and told when it says what it
used, however late that is.
"""

from __future__ import annotations

import sqlite3
import sys

from rtfs_capability_streams import queues, schema
from rtfs_capability_streams.giving import Giver, overtaken
from rtfs_capability_streams.rows import Stream
from rtfs_capability_streams.slots import Slots, token_of
from rtfs_capability_streams.tables import save

AHEAD = "ahead "
"""What the key of such a pull begins with in the stream's row."""
SLOT = "slot "
"""What it begins with where a slot says how much is used; then comes the batch's name."""


def key_of(db: sqlite3.Connection, slots: Slots, stream: Stream, key: str) -> str | None:
    """Return what the row of a stream says of a batch fetched ahead; None where it is read item by item."""
    if not stream.named:
        return AHEAD + key
    if stream.queue is not None or not slots.usable:
        return None
    return SLOT + token_of(db.execute(schema.NUMBER, (stream.tenant, stream.id)).fetchone()[0], key)


def is_pulled(stream: Stream, key: str) -> bool:
    """Tell whether what was given last is what the call of a key was given."""
    return stream.key in (key, AHEAD + key) or (
        stream.key.startswith(SLOT) and stream.key.endswith(token_of(0, key).partition(":")[2])
    )


def batch_of(stream: Stream) -> str:
    """Return the name of the batch that is out of a stream, if a slot knows it."""
    out = stream.key.startswith(SLOT) and len(stream.given) > 1 and not stream.running
    return stream.key.removeprefix(SLOT) if out else ""


def reached(db: sqlite3.Connection, slots: Slots, stream: Stream, after: int | None) -> None:
    """Look whether a reader that was given all up to `after` ahead is the last; one without it overtakes any other.

    Raises:
        CapabilityError: Somebody else has gone on.
    """
    if after is None:
        overtake(db, slots, stream)
    elif stream.running or after != stream.seq + len(stream.given):
        raise overtaken(stream)


def overtake(db: sqlite3.Connection, slots: Slots, stream: Stream) -> None:
    """Take back what was given ahead and is not used, or of which nobody has said whether it is."""
    if batch_of(stream):
        end(db, slots, stream)
    elif _is_lent(stream):
        db.execute(schema.OVERTAKE, (stream.tenant, stream.id, _place(stream.seq), stream.seq))
        queues.give_back(db, stream)


def end(db: sqlite3.Connection, slots: Slots, stream: Stream) -> None:
    """Let nothing more be given of a batch that a slot knows, and keep for its reader where it ended."""
    token = batch_of(stream)
    if not token:
        return
    used = min(slots.end(token) or 0, len(stream.given))
    if used < len(stream.given):
        db.execute(schema.OVERTAKE, (stream.tenant, _ends(stream.id), token, used))
        db.execute(schema.FORGET_ENDS, (stream.tenant, _ends(stream.id), schema.ENDS_KEPT))
    if used:
        Giver.commit(db, stream, used - 1)  # the last is done with when the next one is asked for
    stream.given = stream.given[: 1 if used else 0]


def seen(slots: Slots, stream: Stream) -> Stream:
    """Return a stream as it is seen: without what was fetched ahead and not given."""
    token = batch_of(stream)
    known = slots.take(token, 0) if token else None
    done = 0 if known is None else min(known.given, len(stream.given)) - 1
    if done > 0:
        stream.seq, stream.position = stream.seq + done, stream.given[done - 1]
    return stream


def may_have(db: sqlite3.Connection, slots: Slots, of: tuple[str, str], token: str, count: int) -> tuple[int, bool]:
    """Give so many items of a batch in all, if they are its reader's.

    Returns how many are, and whether this is so for good: nobody else can be given any of them.
    """
    known = slots.take(token, count)
    if known is not None:
        return known.given, known.over
    row = db.execute(schema.GET, of).fetchone()
    if row is not None and batch_of(Stream.of(row)) == token:  # the slots were lost
        slots.lend(token)
        slots.take(token, count)
        return count, False
    found = db.execute(schema.PULLED, (of[0], _ends(of[1]), token)).fetchone()
    return (sys.maxsize if found is None else found[0]), True


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


def _ends(id_: str) -> str:
    """Return the name under which it is kept where batches of a stream ended: no stream has it."""
    return f"\0ends\0{id_}"
