"""The file: one table, every statement that touches it. `faults` says what SQLite's errors mean to a user.

Guarantees: WAL, so readers never wait for the writer and a crash leaves the last commit; transactions are short, so
that two processes share the file; whatever SQLite refuses is a `PluginError`, after which the store stays closed.
`used` orders rows by last use: microseconds that only grow, so that the uses of two processes compare.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from rtfs_cache_l2.faults import CODE, DISTRIBUTION, explain, foreign
from rtfs_cache_l2.rows import Row, Rows, Slot
from rtfs_framework.api import NotOurFileError, PluginError, SqliteTables, in_transaction, open_sqlite, private_folder

FILE = "l2.sqlite"
_APPLICATION = 0x52544632
"""What marks the file as ours ("RTF2")."""
_VERSION = 1

_TABLE = (
    "create table replies (namespace text not null, digest text not null, value text not null, stored_at real not null,"
    " expires_at real, used integer not null, primary key (namespace, digest))"
)
_TABLES = SqliteTables(
    _APPLICATION,
    _VERSION,
    (
        _TABLE,
        "create index replies_by_use on replies (used)",
        "create index replies_by_expiry on replies (expires_at) where expires_at is not null",
    ),
)
_GET = "select value, stored_at, expires_at from replies where namespace = ? and digest = ?"
_PUT = (
    "insert into replies values (?, ?, ?, ?, ?, ?) on conflict do update set value = excluded.value,"
    " stored_at = excluded.stored_at, expires_at = excluded.expires_at, used = excluded.used"
)
_USE = "update replies set used = max(used, ?) where namespace = ? and digest = ?"
_DROP_STALE = "delete from replies where namespace = ? and digest = ? and expires_at <= ?"
_DROP = "delete from replies where namespace = ? and digest = ?"
_PURGE = "delete from replies where expires_at <= ?"
_EVICT = "delete from replies where rowid in (select rowid from replies order by used limit ?)"
_COUNT = "select count(*) from replies"

Put = tuple[Slot, Row, int]
"""Where, what, and when it was used."""
Result = TypeVar("Result")


class Store:
    """The table of one file (of memory alone, without one). Not thread-safe: the layer's lock guards it."""

    def __init__(self, directory: str | None, sealing: Rows | None = None) -> None:
        """Open or make `l2.sqlite` in a folder, which is made if need be. `sealing` closes and opens its rows.

        Raises:
            PluginError: the file cannot be opened or made, is no SQLite file, or is another program's or version's.
        """
        self.path = None if directory is None else Path(directory) / FILE
        self._sealing = sealing or Rows()
        self._broken: PluginError | None = None
        if self.path is not None:
            try:
                private_folder(self.path.parent)
            except OSError as error:
                raise explain(self.path, error) from error
        self._db: sqlite3.Connection | None = self._open()
        self._do(_settle)

    def get(self, slot: Slot) -> Row | None:
        """Return a row, whether or not its time is over; one that is not what was written is reported and deleted."""
        found = self._do(lambda db: db.execute(_GET, slot).fetchone())
        if found is None:
            return None
        row = self._sealing.opened(slot, found, self.path or "memory")
        if row is None:
            self.drop(slot)
        return row

    def write(
        self, puts: Iterable[Put], used: Iterable[tuple[int, str, str]], *, now: float, keep: int, room: int
    ) -> tuple[int, int, int]:
        """Store rows and note uses, then make room, in one transaction.

        With more than `keep` rows, those past their time go, and if that is not enough, the least recently used until
        `room` are left. Returns (rows left, purged, evicted).
        """
        rows_made = [(*slot, self._sealing.closed(slot, row), *row[1:], used_at) for slot, row, used_at in puts]

        def work(db: sqlite3.Connection) -> tuple[int, int, int]:
            db.executemany(_USE, used)
            db.executemany(_PUT, rows_made)
            rows = _count(db)
            if rows <= keep:
                return rows, 0, 0
            purged = db.execute(_PURGE, (now,)).rowcount
            rows -= purged
            evicted = db.execute(_EVICT, (rows - room,)).rowcount if rows > keep else 0
            return rows - evicted, purged, evicted

        return self._do(lambda db: in_transaction(db, work))

    def drop(self, slot: Slot) -> bool:
        """Delete a row; tell whether it was there."""
        return self._do(lambda db: db.execute(_DROP, slot).rowcount) > 0

    def drop_stale(self, slot: Slot, now: float) -> bool:
        """Delete a row whose time is over, unless another process has renewed it meanwhile; tell whether it went."""
        return self._do(lambda db: db.execute(_DROP_STALE, (*slot, now)).rowcount) > 0

    def clear(self) -> None:
        """Delete every row."""
        self._do(lambda db: db.execute("delete from replies"))

    def rows(self) -> int:
        """Return the number of rows."""
        return self._do(_count)

    def slots(self) -> list[Slot]:
        """Return where every row lies."""
        return self._do(lambda db: list(db.execute("select namespace, digest from replies")))

    def last_use(self) -> int:
        """Return the newest `used`, 0 without rows."""
        return self._do(lambda db: int(db.execute("select coalesce(max(used), 0) from replies").fetchone()[0]))

    @property
    def is_open(self) -> bool:
        """Whether the file can be used: it was not closed, and nothing was wrong with it."""
        return self._db is not None

    def close(self) -> None:
        """Close the file. Further use is a PluginError."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self) -> sqlite3.Connection:
        try:
            return open_sqlite(self.path, _TABLES)
        except sqlite3.Error as error:
            raise explain(self.path, error) from error
        except NotOurFileError as error:
            raise foreign(self.path) from error

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do some work on the connection; what SQLite refuses closes it, and becomes a PluginError."""
        try:
            return work(self._connection())
        except sqlite3.Error as error:
            self.close()
            self._broken = explain(self.path, error)
            raise self._broken from error

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise self._broken or PluginError(DISTRIBUTION, f"{self.path or FILE} was closed by its host", code=CODE)
        return self._db


def _settle(db: sqlite3.Connection) -> None:
    """Bound the log, and see that the table can be read."""
    db.execute("pragma journal_size_limit = 16777216")
    _count(db)


def _count(db: sqlite3.Connection) -> int:
    return int(db.execute(_COUNT).fetchone()[0])
