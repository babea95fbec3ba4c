"""The store: two tables of one file, every change a transaction of its own.

The file is in WAL mode, so a process that is killed loses nothing that was acknowledged, readers never wait, and nobody
sees half a change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rtfs_framework.api import (
    HeldFile,
    PluginError,
    SqliteTables,
    StoreFaults,
    blob_path,
    in_transaction,
    name_path,
    path_digest,
    path_name,
)

_APPLICATION = 0x52544653
"""What marks the file as ours ("RTFS")."""
_TABLES = SqliteTables(
    _APPLICATION,
    1,
    (
        "create table blobs (digest text primary key not null, data blob not null)",
        "create table names (name text primary key not null, data blob not null)",
    ),
)
_HAS = "select 1 from blobs where digest = ?"
_GET = "select length(data), case when length(data) <= ? then data end from blobs where digest = ?"
_READ = "select length(data), case when length(data) <= ? then data end from names where name = ?"
_PUT = "insert into blobs values (?, ?) on conflict do update set data = excluded.data where data is not excluded.data"
_POINT = "insert into names values (?, ?) on conflict do update set data = excluded.data"
_NAMES = "select name from names where name >= :first and name < :first || char(127) order by name"
_DAMAGE = ("malformed", "not a database", "marks")

Result = TypeVar("Result")


class SqliteStore:
    """Blobs and names in a file, which the first use makes."""

    def __init__(self, path: Path, faults: StoreFaults, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self._faults = faults
        self._file = HeldFile(path, _TABLES, self._fault)

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Return which blobs are not here."""
        wanted = [self._faults.digest(digest) for digest in digests]
        return self._do(lambda db: [digest for digest in wanted if db.execute(_HAS, (digest,)).fetchone() is None])

    def get(self, digest: str, most: int) -> bytes | None:
        """Return a blob, None where there is none; its size is known before it is read."""
        return self._one(_GET, f"the blob {digest}", self._faults.digest(digest), most)

    def put(self, digest: str, data: bytes) -> None:
        """Write a blob, unless these bytes are here already: one that was damaged is mended."""
        self._writable()
        row = (digest, self._faults.blob(digest, data))
        self._do(lambda db: db.execute(_PUT, row))

    def read(self, name: str, most: int) -> bytes | None:
        """Return what a name points to, None where there is no such name."""
        return self._one(_READ, f"the name {name}", self._faults.name(name), most)

    def point(self, name: str, data: bytes) -> None:
        """Set a name."""
        self._writable()
        row = (self._faults.name(name), data)
        self._do(lambda db: db.execute(_POINT, row))

    def names(self, prefix: str) -> Iterator[str]:
        """Return the names that begin with a prefix, sorted."""
        first = self._faults.prefix(prefix)
        found = self._do(lambda db: [name for (name,) in db.execute(_NAMES, {"first": first})])
        return iter([name for name in found if isinstance(name, str) and path_name(name_path(name)) == name])

    def blobs(self) -> Iterator[str]:
        """Return the digests of all blobs, sorted."""
        found = self._do(lambda db: [digest for (digest,) in db.execute("select digest from blobs order by 1")])
        return iter([each for each in found if isinstance(each, str) and path_digest(blob_path(each)) == each])

    def forget(self, names: Iterable[str], digests: Iterable[str]) -> None:
        """Delete names and blobs in one transaction."""
        self._writable()
        gone = [(self._faults.name(name),) for name in names]
        lost = [(self._faults.digest(digest),) for digest in digests]

        def work(db: sqlite3.Connection) -> None:
            db.executemany("delete from names where name = ?", gone)
            db.executemany("delete from blobs where digest = ?", lost)

        self._do(lambda db: in_transaction(db, work))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _one(self, statement: str, what: str, key: str, most: int) -> bytes | None:
        row: tuple[int, bytes | None] | None = self._do(lambda db: db.execute(statement, (most, key)).fetchone())
        if row is None:
            return None
        size, data = row
        self._faults.within(what, size, most)
        if not isinstance(data, bytes):  # SQLite keeps any value in any column
            raise self._faults.damaged(f"{what} is no bytes")
        return data

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if self.read_only and not self._file.exists:
            way_out = "see that `path` is right and that what it lies on is mounted"
            raise self._faults.unreachable(f"there is no file {self._file.path}", way_out)
        return self._file.do(work)

    def _writable(self) -> None:
        if self.read_only:
            raise self._faults.read_only()

    def _fault(self, problem: str) -> PluginError:
        if any(word in problem for word in _DAMAGE):
            return self._faults.damaged(problem, "name another file by `path`, or take this one away and publish again")
        return self._faults.unreachable(problem, "see that this user may read and write it, and that there is room")
