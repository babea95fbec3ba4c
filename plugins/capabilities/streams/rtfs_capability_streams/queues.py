"""Queues of the file: bounded rows, each of which one reader claims, and is removed when it has done with it.

All functions work inside of the transaction of whoever calls them.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import attrs

from rtfs_capability_streams import schema
from rtfs_capability_streams.rows import QueueFull, Stream, as_text
from rtfs_capability_streams.sources import MOST_AT_ONCE, Item, fitting, kept, type_of, wrong
from rtfs_framework.api import CapabilityError, Type, read_value


@attrs.frozen(slots=True)
class Queues:
    """The queues of all tenants."""

    capacity: int
    """Items that a queue holds unless it says otherwise."""

    def open(
        self, db: sqlite3.Connection, tenant: str, name: str, type_: str, capacity: int | None, marks: frozenset[str]
    ) -> tuple[str, frozenset[str]]:
        """Make a queue unless it is there; return the type of its items, and the marks of whoever said so.

        Raises:
            CapabilityError: It is there, and holds items of another type.
        """
        found = db.execute(schema.QUEUE, (tenant, name)).fetchone()
        if found is None:
            row = (tenant, name, capacity or self.capacity, type_, as_text(sorted(marks)))
            db.execute("insert into queues (tenant, name, capacity, type, marks) values (?, ?, ?, ?, ?)", row)
            return type_, marks
        if type_ not in (":any", found[0]):
            raise wrong(f"the queue {name!r} holds items of type {found[0]}, not {type_}")
        return str(found[0]), frozenset(json.loads(found[1]))

    def put(
        self,
        db: sqlite3.Connection,
        tenant: str,
        queue: str,
        key: str,
        values: tuple[Any, ...],
        marks: frozenset[str],
    ) -> None:
        """Append items, once for each key.

        Raises:
            QueueFull: They have no place; none was appended.
        """
        self.open(db, tenant, queue, ":any", None, marks)
        capacity, type_, closed = db.execute(
            "select capacity, type, closed from queues where tenant = ? and name = ?", (tenant, queue)
        ).fetchone()
        if key:
            same = "select 1 from put where tenant = ? and queue = ? and key = ?"
            if db.execute(same, (tenant, queue, key)).fetchone() is not None:
                return
        if closed:
            raise wrong(f"the queue {queue!r} is closed")
        if len(values) > capacity:
            raise wrong(f"{len(values)} items at once do not fit into the queue {queue!r}, which holds {capacity}")
        if db.execute(schema.LEFT, (tenant, queue)).fetchone()[0] + len(values) > capacity:
            raise QueueFull(queue)
        wanted, shown = type_of(type_), as_text(sorted(marks))
        rows = [(tenant, queue, kept(fitting(wanted, value)), shown) for value in values]
        db.executemany("insert into items (tenant, queue, value, marks) values (?, ?, ?, ?)", rows)
        if key:
            db.execute("insert into put (tenant, queue, key) values (?, ?, ?)", (tenant, queue, key))
            db.execute(schema.FORGET_KEYS, (tenant, queue, tenant, queue, schema.KEYS_KEPT))


def claimed(db: sqlite3.Connection, stream: Stream, queue: str, most: int, wanted: Type) -> tuple[list[Item], bool]:
    """Claim items for a stream; tell whether their size cut them off."""
    rows = db.execute(schema.FREE, (stream.tenant, queue, most)).fetchall()
    size, cut = 0, False
    for place, row in enumerate(rows):
        size += len(row[1])
        if size > MOST_AT_ONCE:
            rows, cut = rows[: place + 1], True
            break
    values = read_value(f"[{' '.join(text for _, text, _ in rows)}]")
    found: list[Item] = []
    try:
        found.extend((fitting(wanted, value), n) for value, (n, _, _) in zip(values, rows, strict=True))
    except CapabilityError:
        if not found:
            stream.marks |= frozenset(json.loads(rows[0][2]))
            raise
        rows, cut = rows[: len(found)], True  # it is the first of the next look
    db.executemany(schema.CLAIM, [(stream.id, n) for n, _, _ in rows])
    for marks in {marks for _, _, marks in rows}:
        stream.marks |= frozenset(json.loads(marks))
    return found, cut


def give_back(db: sqlite3.Connection, stream: Stream) -> None:
    """Let what a stream was given and has not done with be given again."""
    if stream.queue is not None:
        db.execute(schema.RELEASE, (stream.tenant, stream.queue, stream.id))
    stream.given = []


def closed(db: sqlite3.Connection, tenant: str, queue: str) -> bool:
    """Tell whether nothing more is put into a queue."""
    of = "select closed from queues where tenant = ? and name = ?"
    return bool(db.execute(of, (tenant, queue)).fetchone()[0])
