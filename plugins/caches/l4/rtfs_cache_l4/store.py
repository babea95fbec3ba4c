"""The file `l4.sqlite`: one table, and every statement that touches it; transactions are short."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from rtfs_framework.api import CacheFaults, CacheFile, SqliteTables, in_transaction, private_folder

FILE = "l4.sqlite"
_FAULTS = CacheFaults("rtfs-cache-l4", "l4", "the compiled programs")
_APPLICATION = 0x52544634
"""What marks the file as ours ("RTF4")."""
_VERSION = 1

_TABLE = (
    "create table entries (namespace text not null, digest text not null, value blob not null,"
    " stored_at real not null, expires_at real, used integer not null, size integer not null, info blob,"
    " primary key (namespace, digest))"
)
_TABLES = SqliteTables(_APPLICATION, _VERSION, (_TABLE, "create index entries_by_use on entries (used, size)"))
_HAS_INFO = "select count(*) from pragma_table_info('entries') where name = 'info'"
_ADD_INFO = "alter table entries add column info blob"
"""For files that were made before entries had it."""
_GET = "select value, stored_at, expires_at, used, info from entries where namespace = ? and digest = ?"
_PUT = (
    "insert into entries (namespace, digest, value, stored_at, expires_at, used, info, size)"
    " values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set value = excluded.value, stored_at = excluded.stored_at,"
    " expires_at = excluded.expires_at, used = excluded.used, info = excluded.info, size = excluded.size"
)
_USE = "update entries set used = max(used, ?) where namespace = ? and digest = ?"
_DROP = "delete from entries where namespace = ? and digest = ?"
_EVICT = (
    "delete from entries where rowid in (select rowid from (select rowid, row_number() over newest as place,"
    " sum(size) over newest as total from entries window newest as (order by used desc)) where place > ? or total > ?)"
)

Slot = tuple[str, str]
"""Namespace and digest."""
Row = tuple[bytes, float, float | None, int, bytes | None]
"""Value, stored at, expires at (seconds since the epoch), used (microseconds), what is known of it."""
Put = tuple[str, str, bytes, float, float | None, int, bytes | None]


class Unwritable(Exception):
    """Why no file can be kept in a folder."""


class Store(CacheFile):
    """The table of one file (of memory alone, without a folder). Not thread-safe: the layer's lock guards it."""

    def __init__(self, directory: str | None) -> None:
        """Open or make the file, in a folder that is made if need be.

        Raises:
            Unwritable: the folder or the file cannot be written.
            PluginError: the file is no SQLite file, or is another program's or version's.
        """
        path = None if directory is None else Path(directory) / FILE
        if path is not None:
            try:
                private_folder(path.parent)
            except OSError as error:
                raise Unwritable(str(error)) from error
            if not os.access(path if path.exists() else path.parent, os.W_OK):
                raise Unwritable(f"{path} may not be written")
        super().__init__(path, _FAULTS, _TABLES)

    def get(self, slot: Slot) -> Row | None:
        """Return a row, whether or not its time is over."""
        found: Row | None = self.do(lambda db: db.execute(_GET, slot).fetchone())
        return found

    def put(self, row: Put, *, rows: int, size: int) -> int:
        """Store a row; return how many made room so that no more than `rows` of `size` bytes are left."""

        def work(db: sqlite3.Connection) -> int:
            db.execute(_PUT, (*row, len(row[2]) + len(row[6] or b"")))
            return db.execute(_EVICT, (rows, size)).rowcount

        return self.do(lambda db: in_transaction(db, work))

    def use(self, uses: Iterable[tuple[int, str, str]]) -> None:
        """Note when rows were used."""
        self.do(lambda db: db.executemany(_USE, uses))

    def drop(self, slot: Slot) -> bool:
        """Delete a row; tell whether it was there."""
        return self.do(lambda db: db.execute(_DROP, slot).rowcount) > 0

    def clear(self) -> int:
        """Delete every row; return how many there were."""
        return self.do(lambda db: db.execute("delete from entries").rowcount)

    def totals(self) -> tuple[int, int]:
        """Return the number of rows, and of their bytes."""
        rows, size = self.do(lambda db: db.execute("select count(*), coalesce(sum(size), 0) from entries").fetchone())
        return int(rows), int(size)

    def slots(self) -> list[Slot]:
        """Return where every row lies."""
        return self.do(lambda db: list(db.execute("select namespace, digest from entries")))

    def last_use(self) -> int:
        """Return the newest `used`, 0 without rows."""
        return self.do(lambda db: int(db.execute("select coalesce(max(used), 0) from entries").fetchone()[0]))

    def _opened(self, tables: SqliteTables) -> sqlite3.Connection:
        try:
            return _with_info(super()._opened(tables))
        except sqlite3.Error as error:
            if "unable to open" in str(error):
                raise Unwritable(f"{self.path}: {error}") from error
            raise


def _with_info(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return a connection to a table that has all columns.

    Raises:
        sqlite3.Error: It cannot be given them.
    """

    def add(db: sqlite3.Connection) -> None:
        if not db.execute(_HAS_INFO).fetchone()[0]:  # looked at again: another process may have been faster
            db.execute(_ADD_INFO)

    try:
        if not db.execute(_HAS_INFO).fetchone()[0]:
            in_transaction(db, add)
    except BaseException:
        db.close()
        raise
    return db
