"""The file: entries, what was served lately, and the evidence. Every statement that touches it.

Guarantees: WAL, so a crash leaves the last commit, and each put is one; transactions are short, so that processes share
the file; whatever SQLite refuses is a `PluginError`, after which the store stays closed. Totals are kept by triggers,
within the transaction that changes them. Numbers of entries are never used twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from rtfs_cache_similar.faults import FAULTS
from rtfs_cache_similar.rows import PURPOSE_OF_EVIDENCE, Entry, Place, Rows, Stored, purpose_of_served
from rtfs_framework.api import CacheFile, SqliteTables, in_transaction

FILE = "similar.sqlite"
_APPLICATION = 0x52544653
"""What marks the file as ours ("RTFS")."""
_VERSION = 1
_MOST_SERVED = 4_096
"""Served questions that feedback may speak of."""

_COUNTING = "create trigger {} on entries begin update totals set rows = rows + {}, bytes = bytes + {}; end"
_TABLES = SqliteTables(
    _APPLICATION,
    _VERSION,
    (
        (
            "create table entries (number integer primary key autoincrement, partition text not null, namespace text"
            " not null, digest text not null, stored_at real not null, expires_at real, sealed blob not null,"
            " used integer not null, size integer not null, unique (namespace, digest))"
        ),
        "create index entries_by_use on entries (used)",
        "create index entries_by_expiry on entries (expires_at) where expires_at is not null",
        "create table totals (rows integer not null, bytes integer not null)",
        "insert into totals values (0, 0)",
        _COUNTING.format("entries_in after insert", 1, "new.size"),
        _COUNTING.format("entries_out after delete", -1, "-old.size"),
        (
            "create table served (at integer primary key autoincrement, question text not null unique,"
            " entry integer not null, partition text not null, sealed blob not null)"
        ),
        "create table evidence (one integer primary key check (one = 1), sealed blob not null)",
    ),
)
_PLACE = "partition, namespace, digest, stored_at, expires_at"
_INSERT = f"insert into entries ({_PLACE}, sealed, used, size) values (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_GET = f"select {_PLACE}, sealed from entries where number = ?"  # noqa: S608
_AFTER = f"select number, {_PLACE}, sealed from entries where number > ? order by number limit ?"  # noqa: S608
_OLDEST = "select number, size from entries order by used"
_COUNTED = (
    "update totals set rows = (select count(*) from entries), bytes = (select coalesce(sum(size),0) from entries)"
)
_SERVED = "insert or replace into served (question, entry, partition, sealed) values (?, ?, ?, ?)"
_FORGET_SERVED = "delete from served where at <= (select max(at) from served) - ?"


@attrs.frozen(slots=True)
class Bounds:
    """What the file may hold."""

    rows: int
    bytes: int


@attrs.frozen(slots=True)
class Written:
    """What a put did."""

    number: int
    """Of the new entry, 0 where it alone is larger than the bound."""
    replaced: tuple[int, ...]
    """Of the entry that had this exact key, if there was one."""
    purged: tuple[int, ...]
    evicted: tuple[int, ...]


@attrs.frozen(slots=True)
class ServedRow:
    """A question that was served lately."""

    entry: int
    partition: str
    text: str
    similarity: float
    """Of both requests; 1.0 where they were the same."""


class Store(CacheFile):
    """The tables of one file (of memory alone, without one). Not thread-safe: the layer's lock guards it."""

    def __init__(self, directory: str | None, rows: Rows | None = None) -> None:
        """Open or make `similar.sqlite` in a folder, which is made if need be.

        Raises:
            PluginError: the file cannot be opened or made, is no SQLite file, or is another program's or version's.
        """
        self.damaged = 0
        """Rows that did not open."""
        self._rows = rows or Rows()
        super().__init__(None if directory is None else Path(directory) / FILE, FAULTS, _TABLES)

    def put(self, place: Place, entry: Entry, *, used: int, bounds: Bounds) -> Written:
        """Store an entry and make room, in one transaction; entries past their time go first, then the oldest used."""
        sealed = self._rows.closed(place, entry)
        size = len(sealed) + sum(map(len, place[:3])) + _BESIDE

        def work(db: sqlite3.Connection) -> Written:
            old = _take(db, "namespace = ? and digest = ?", place[1:3])
            if size > bounds.bytes:
                return Written(0, old, (), ())
            number = db.execute(_INSERT, (*place, sealed, used, size)).lastrowid or 0
            purged: tuple[int, ...] = ()
            evicted: tuple[int, ...] = ()
            rows, held = _totals(db)
            if rows > bounds.rows or held > bounds.bytes:
                purged = _take(db, "expires_at <= ?", (place.stored_at,))
                evicted = _make_room(db, bounds, number)
            return Written(number, old, purged, evicted)

        return self.do(lambda db: in_transaction(db, work))

    def get(self, number: int, *, vector: bool = True) -> tuple[Place, Entry] | None:
        """Return an entry, perhaps without its vector, whether or not its time is over.

        One that is not what was written is told and deleted.
        """
        found = self.do(lambda db: db.execute(_GET, (number,)).fetchone())
        return None if found is None else self._entry_of(number, found, vector=vector)

    def number(self, namespace: str, digest: str) -> int:
        """Return the number of the entry with an exact key, 0 for none."""
        text = "select number from entries where namespace = ? and digest = ?"
        found = self.do(lambda db: db.execute(text, (namespace, digest)).fetchone())
        return 0 if found is None else int(found[0])

    def after(self, number: int, count: int) -> tuple[list[Stored], int, int]:
        """Return entries with higher numbers, at most so many; the highest number, and how many were looked at."""
        found = self.do(lambda db: db.execute(_AFTER, (number, count)).fetchall())
        opened = [(each[0], self._entry_of(each[0], each[1:])) for each in found]
        return (
            [(each, *there) for each, there in opened if there is not None],
            found[-1][0] if found else number,
            len(found),
        )

    def drop(self, number: int) -> bool:
        """Delete an entry; tell whether it was there."""
        return self.do(lambda db: db.execute("delete from entries where number = ?", (number,)).rowcount) > 0

    def clear(self) -> int:
        """Delete every entry, and what was served; return how many there were. The evidence stays."""

        def work(db: sqlite3.Connection) -> int:
            db.execute("delete from served")
            return db.execute("delete from entries").rowcount

        return self.do(lambda db: in_transaction(db, work))

    def note_uses(self, uses: Iterable[tuple[int, int]]) -> None:
        """Write down when entries were used: (tick, number)."""
        text = "update entries set used = max(used, ?) where number = ?"
        self.do(lambda db: in_transaction(db, lambda db: db.executemany(text, uses)))

    def note_served(self, question: str, row: ServedRow) -> None:
        """Write down that an entry answered a question, so that feedback may speak of it; the oldest are forgotten."""
        purpose = purpose_of_served(question, row.entry, row.partition)
        sealed = self._rows.close(purpose, json.dumps([row.text, row.similarity]).encode())

        def work(db: sqlite3.Connection) -> None:
            db.execute(_SERVED, (question, row.entry, row.partition, sealed))
            db.execute(_FORGET_SERVED, (_MOST_SERVED,))

        self.do(lambda db: in_transaction(db, work))

    def take_served(self, question: str) -> ServedRow | None:
        """Return and forget what was served to a question: each is spoken of once."""

        def work(db: sqlite3.Connection) -> tuple[int, str, Any] | None:
            text = "select entry, partition, sealed from served where question = ?"
            found: tuple[int, str, Any] | None = db.execute(text, (question,)).fetchone()
            db.execute("delete from served where question = ?", (question,))
            return found

        found = self.do(lambda db: in_transaction(db, work))
        if found is None:
            return None
        entry, partition, sealed = found
        data = self._rows.open(purpose_of_served(question, entry, partition), sealed, self.path or "memory")
        return None if data is None else ServedRow(entry, partition, *json.loads(bytes(data)))

    def evidence(self) -> bytes | None:
        """Return the evidence as it was written; None where there is none, or somebody else wrote it."""
        found = self.do(lambda db: db.execute("select sealed from evidence").fetchone())
        data = None if found is None else self._rows.open(PURPOSE_OF_EVIDENCE, found[0], self.path or "memory")
        return None if data is None else bytes(data)

    def keep_evidence(self, data: bytes) -> None:
        """Write the evidence down."""
        sealed = self._rows.close(PURPOSE_OF_EVIDENCE, data)
        self.do(lambda db: db.execute("insert or replace into evidence values (1, ?)", (sealed,)))

    def totals(self) -> tuple[int, int]:
        """Return the number of entries, and the bytes that they take."""
        return self.do(_totals)

    def last_use(self) -> int:
        """Return the newest `used`, 0 without entries."""
        return self.do(lambda db: int(db.execute("select coalesce(max(used), 0) from entries").fetchone()[0]))

    def changes(self) -> int:
        """Return a number that differs once another process has written to the file."""
        return self.do(lambda db: int(db.execute("pragma data_version").fetchone()[0]))

    def _entry_of(self, number: int, found: tuple[Any, ...], *, vector: bool = True) -> tuple[Place, Entry] | None:
        place = Place(*found[:5])
        entry = self._rows.opened(place, found[5], self.path or "memory", vector=vector)
        if entry is None:
            self.damaged += 1
            self.drop(number)
            return None
        return place, entry

    def _settle(self, db: sqlite3.Connection) -> None:
        """Bound the log, and count the rows: whoever wrote them may have counted badly."""
        db.execute("pragma journal_size_limit = 16777216")
        in_transaction(db, lambda db: db.execute(_COUNTED))


_BESIDE = 64
"""Bytes of a row beside its texts, roughly."""


def _take(db: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> tuple[int, ...]:
    """Delete entries; return their numbers."""
    found = tuple(int(each[0]) for each in db.execute(f"select number from entries where {where}", values))  # noqa: S608
    if found:
        db.execute(f"delete from entries where {where}", values)  # noqa: S608
    return found


def _totals(db: sqlite3.Connection) -> tuple[int, int]:
    rows, size = db.execute("select rows, bytes from totals").fetchone()
    return int(rows), int(size)


def _make_room(db: sqlite3.Connection, bounds: Bounds, newest: int) -> tuple[int, ...]:
    """Delete the entries that were not used for longest until both bounds hold; the newest stays."""
    rows, held = _totals(db)
    victims: list[int] = []
    cursor = db.execute(_OLDEST)
    while rows > bounds.rows or held > bounds.bytes:
        number, size = cursor.fetchone()
        if number != newest:
            victims.append(number)
            rows, held = rows - 1, held - size
    cursor.close()
    db.executemany("delete from entries where number = ?", [(each,) for each in victims])
    return tuple(victims)
