"""The file: entries of tenants with versions and marks, what each tenant keeps in all, and replies to recent calls.

In: a connection within a transaction. Versions count the changes of a tenant, so none comes again, not even after a key
was deleted and put anew. An entry that a marked run deleted stays as a hole with these marks: that nothing is there is
then told together with them. Triggers keep the totals, so no statement can forget to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import attrs

from rtfs_framework.api import SqliteTables

MOST_REPLIES = 10_000
"""Calls whose replies are known again: those that were changed last, of all tenants."""

_APPLICATION = 0x52544B56
"""What marks the file as ours ("RTKV")."""

TABLES = SqliteTables(
    _APPLICATION,
    1,
    (
        """create table entries (tenant text not null, key text not null, version integer not null, value text,
            marks text not null, size integer not null, primary key (tenant, key)) without rowid""",
        """create table tenants (tenant text primary key not null, version integer not null default 0,
            keys integer not null default 0, bytes integer not null default 0) without rowid""",
        "create table replies (seq integer primary key autoincrement, call text not null unique, reply text not null)",
        """create trigger entries_put after insert on entries begin
            update tenants set keys = keys + 1, bytes = bytes + new.size where tenant = new.tenant;
        end""",
        """create trigger entries_changed after update of size on entries begin
            update tenants set bytes = bytes + new.size - old.size where tenant = new.tenant;
        end""",
        """create trigger entries_gone after delete on entries begin
            update tenants set keys = keys - 1, bytes = bytes - old.size where tenant = old.tenant;
        end""",
    ),
)

_NEXT = (
    "insert into tenants (tenant, version) values (?, 1) on conflict do update set version = version + 1 "
    "returning version"
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


NOTHING = Kept()


def look(db: sqlite3.Connection, tenant: str, key: str) -> Kept:
    """Return what is kept under a key."""
    ask = "select value, version, marks from entries where tenant = ? and key = ?"
    row = db.execute(ask, (tenant, key)).fetchone()
    return NOTHING if row is None else _kept(*row)


def put(db: sqlite3.Connection, tenant: str, key: str, text: str | None, marks: frozenset[str]) -> int:
    """Keep a text under a key, or a hole; return the version."""
    version: int = db.execute(_NEXT, (tenant,)).fetchone()[0]
    size = len(key.encode()) + len((text or "").encode())
    db.execute(_PUT, (tenant, key, version, text, "\n".join(sorted(marks)), size))
    return version


def delete(db: sqlite3.Connection, tenant: str, key: str, marks: frozenset[str]) -> None:
    """Take away what is under a key; with marks a hole stays."""
    if marks:
        put(db, tenant, key, None, marks)
        return
    db.execute(_NEXT, (tenant,)).fetchone()
    db.execute("delete from entries where tenant = ? and key = ?", (tenant, key))


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


def reply(db: sqlite3.Connection, call: str, text: str) -> None:
    """Note what a call is answered, and forget the oldest beyond `MOST_REPLIES`."""
    seq = db.execute("insert into replies (call, reply) values (?, ?)", (call, text)).lastrowid
    db.execute("delete from replies where seq <= ?", ((seq or 0) - MOST_REPLIES,))


def _kept(text: str | None, version: int, marks: str) -> Kept:
    return Kept(text, version, _marks(marks))


def _marks(text: str) -> frozenset[str]:
    return frozenset(text.split("\n")) if text else frozenset()
