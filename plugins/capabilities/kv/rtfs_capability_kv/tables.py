"""The file: entries of tenants with versions and marks, what each tenant keeps in all, and replies to recent calls.

In: a connection within a transaction. Versions are moments of change, each later than the one before in its tenant, so
none comes again, not even after a key was deleted and put anew, and none tells how often others changed something. An
entry that a marked run deleted stays as a hole with these marks: that nothing is there is then told together with them.
Holes are no keys, and beyond `MOST_HOLES` of a tenant all are given up for their marks: those are told of whatever is
not there. Triggers keep the totals, so no statement can forget to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from time import time_ns

import attrs

from rtfs_framework.api import SqliteTables

MOST_REPLIES = 10_000
"""Calls of one tenant whose replies are known again: those that were changed last."""
MOST_HOLES = 1_000
"""Of one tenant."""

_APPLICATION = 0x52544B56
"""What marks the file as ours ("RTKV")."""

TABLES = SqliteTables(
    _APPLICATION,
    2,
    (
        """create table entries (tenant text not null, key text not null, version integer not null, value text,
            marks text not null, size integer not null, primary key (tenant, key)) without rowid""",
        """create table tenants (tenant text primary key not null, version integer not null default 0,
            keys integer not null default 0, bytes integer not null default 0, holes integer not null default 0,
            marks text not null default '') without rowid""",
        """create table replies (seq integer primary key autoincrement, tenant text not null, call text not null unique,
            reply text not null)""",
        "create index replies_of on replies (tenant, seq)",
        """create trigger entries_put after insert on entries begin
            update tenants set keys = keys + (new.value is not null), holes = holes + (new.value is null),
                bytes = bytes + new.size where tenant = new.tenant;
        end""",
        """create trigger entries_changed after update of value, size on entries begin
            update tenants set keys = keys + (new.value is not null) - (old.value is not null),
                holes = holes + (new.value is null) - (old.value is null), bytes = bytes + new.size - old.size
                where tenant = new.tenant;
        end""",
        """create trigger entries_gone after delete on entries begin
            update tenants set keys = keys - (old.value is not null), holes = holes - (old.value is null),
                bytes = bytes - old.size where tenant = old.tenant;
        end""",
    ),
)

_NEXT = (
    "insert into tenants (tenant, version) values (?, max(1, ?)) "
    "on conflict do update set version = max(version + 1, excluded.version) returning version"
)
_PUT = (
    "insert into entries (tenant, key, version, value, marks, size) values (?, ?, ?, ?, ?, ?) on conflict do update "
    "set version = excluded.version, value = excluded.value, marks = excluded.marks, size = excluded.size"
)


@attrs.frozen(slots=True)
class Kept:
    """What is kept under a key."""

    text: str | None = None
    """The value as RTFS text; None where nothing is there."""
    version: int = 0
    marks: frozenset[str] = frozenset()


def look(db: sqlite3.Connection, tenant: str, key: str) -> Kept:
    """Return what is kept under a key."""
    ask = "select value, version, marks from entries where tenant = ? and key = ?"
    row = db.execute(ask, (tenant, key)).fetchone()
    return Kept(marks=absent(db, tenant)) if row is None else Kept(row[0], row[1], _marks(row[2]))


def absent(db: sqlite3.Connection, tenant: str) -> frozenset[str]:
    """Return the marks of whatever is not there, and left no hole."""
    row = db.execute("select marks from tenants where tenant = ?", (tenant,)).fetchone()
    return frozenset() if row is None else _marks(row[0])


def every(db: sqlite3.Connection, tenant: str) -> frozenset[str]:
    """Return the marks of all that a tenant keeps, together."""
    rows = db.execute("select distinct marks from entries where tenant = ?", (tenant,))
    return absent(db, tenant).union(*(_marks(row[0]) for row in rows))


def put(db: sqlite3.Connection, tenant: str, key: str, text: str | None, marks: frozenset[str]) -> int:
    """Keep a text under a key, or a hole; return the version."""
    version = _next(db, tenant)
    size = 0 if text is None else len(key.encode()) + len(text.encode())
    db.execute(_PUT, (tenant, key, version, text, _joined(marks), size))
    return version


def _next(db: sqlite3.Connection, tenant: str) -> int:
    """Return the version of a change: microseconds since the epoch, more where the clock was set back."""
    version: int = db.execute(_NEXT, (tenant, time_ns() // 1000)).fetchone()[0]
    return version


def delete(db: sqlite3.Connection, tenant: str, key: str, marks: frozenset[str]) -> None:
    """Take away what is under a key; with marks a hole stays."""
    if marks:
        put(db, tenant, key, None, marks)
        _fold(db, tenant)
        return
    _next(db, tenant)
    db.execute("delete from entries where tenant = ? and key = ?", (tenant, key))


def _fold(db: sqlite3.Connection, tenant: str) -> None:
    """Give up a tenant's holes where they are too many: their marks are those of whatever is not there."""
    if db.execute("select holes from tenants where tenant = ?", (tenant,)).fetchone()[0] <= MOST_HOLES:
        return
    rows = db.execute("select distinct marks from entries where tenant = ? and value is null", (tenant,)).fetchall()
    marks = absent(db, tenant).union(*(_marks(row[0]) for row in rows))
    db.execute("update tenants set marks = ? where tenant = ?", (_joined(marks), tenant))
    db.execute("delete from entries where tenant = ? and value is null", (tenant,))


def totals(db: sqlite3.Connection, tenant: str) -> tuple[int, int]:
    """Return how many keys a tenant has, and how many bytes they take."""
    row = db.execute("select keys, bytes from tenants where tenant = ?", (tenant,)).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


def entries(db: sqlite3.Connection, tenant: str, prefix: str, after: str) -> Iterator[tuple[str, bool, frozenset[str]]]:
    """Yield keys that begin with a prefix and come after another, in order: whether anything is there, and marks."""
    ask = "select key, value is not null, marks from entries where tenant = ? and key >= ? and key > ? order by key"
    for key, there, marks in db.execute(ask, (tenant, prefix, after)):
        if not key.startswith(prefix):
            return
        yield key, bool(there), _marks(marks)


def replied(db: sqlite3.Connection, call: str) -> str | None:
    """Return what a call was answered before, None when it is new."""
    row = db.execute("select reply from replies where call = ?", (call,)).fetchone()
    return None if row is None else str(row[0])


def reply(db: sqlite3.Connection, tenant: str, call: str, text: str) -> None:
    """Note what a tenant's call is answered, and forget its oldest beyond `MOST_REPLIES`."""
    db.execute("insert into replies (tenant, call, reply) values (?, ?, ?)", (tenant, call, text))
    forget = (
        "delete from replies where tenant = ? and seq <= "
        "(select seq from replies where tenant = ? order by seq desc limit 1 offset ?)"
    )
    db.execute(forget, (tenant, tenant, MOST_REPLIES))


def _joined(marks: frozenset[str]) -> str:
    return "\n".join(sorted(marks))


def _marks(text: str) -> frozenset[str]:
    return frozenset(text.split("\n")) if text else frozenset()
