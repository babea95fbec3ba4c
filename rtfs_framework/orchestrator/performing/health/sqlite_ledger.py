"""The ledger of signals in one SQLite file, shared by all processes of a user.

The file is made when there is something to write: while all targets answer, nobody opens it. What SQLite refuses is a
`LedgerError`, and the next use begins anew.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import attrs

from rtfs_framework.api.sqlite_file import SqliteTables, in_transaction
from rtfs_framework.api.sqlite_held import HeldFile
from rtfs_framework.orchestrator.performing.health.ledger import LedgerError, SignalRow

_WAIT = 0.1
"""Seconds for which another process is waited for: a signal is not worth more of a call's time."""
_KEPT = 30 * 86_400.0
"""Seconds after which a target that nobody asked is forgotten."""
_COLUMNS = "key, target, state, stage, opened, until, changed, reason, failed, calls, counted, p50, p95, version"
_ONE = f"select {_COLUMNS} from signals where key = ?"  # noqa: S608 - our own names
_ALL = f"select {_COLUMNS} from signals order by target, key"  # noqa: S608
_WRITE = f"insert or replace into signals ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_MEASURED = "update signals set failed = ?, calls = ?, counted = ?, p50 = ?, p95 = ? where key = ?"
_MAKE = """
create table signals (
  key text primary key, target text not null, state text not null, stage integer not null, opened integer not null,
  until real not null, changed real not null, reason text not null, failed integer not null, calls integer not null,
  counted real not null, p50 real, p95 real, version integer not null
) without rowid
"""
_TABLES = SqliteTables(application=0x52544668, version=1, statements=(_MAKE,))


@attrs.define(slots=True, eq=False)
class SqliteSignals:
    """The rows of one file."""

    path: Path
    _file: HeldFile = attrs.field(init=False)

    @_file.default
    def _held(self) -> HeldFile:
        return HeldFile(self.path, _TABLES, LedgerError, wait=_WAIT, damaged=(ValueError, TypeError))

    def read(self, key: str) -> SignalRow | None:
        """Return a row, None when there is none; where there is no file, none is made."""
        if not self._file.exists:
            return None
        return next(iter(self._file.do(lambda db: list(map(_row, db.execute(_ONE, (key,)))))), None)

    def change(self, row: SignalRow) -> bool:
        """Write a state over the version before it; tell whether that was still there."""
        return self._file.do(lambda db: in_transaction(db, lambda db: _change(db, row)))

    def measured(self, row: SignalRow) -> None:
        """Write the latency of a row alone, and the row where there is none."""
        self._file.do(lambda db: in_transaction(db, lambda db: _measured(db, row)))

    def rows(self) -> list[SignalRow]:
        """Return all rows, by target."""
        if not self._file.exists:
            return []
        return self._file.do(lambda db: list(map(_row, db.execute(_ALL))))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _row(found: tuple[object, ...]) -> SignalRow:
    """Return a row of the file; one that holds anything else than was written is refused.

    Raises:
        TypeError: It does.
    """
    row = SignalRow(**dict(zip(_COLUMNS.split(", "), found, strict=True)))  # type: ignore[arg-type]
    numbers = (row.stage, row.opened, row.failed, row.calls, row.version)
    times = (row.until, row.changed, row.counted, *(each for each in (row.p50, row.p95) if each is not None))
    if not all(isinstance(each, int) for each in numbers) or not all(isinstance(each, float) for each in times):
        raise TypeError("a row is damaged")
    return row


def _change(db: sqlite3.Connection, row: SignalRow) -> bool:
    known = db.execute("select version from signals where key = ?", (row.key,)).fetchone()
    if known is not None and known[0] != row.version - 1:
        return False
    db.execute(_WRITE, attrs.astuple(row))
    db.execute("delete from signals where changed < ?", (row.changed - _KEPT,))
    return True


def _measured(db: sqlite3.Connection, row: SignalRow) -> None:
    found = db.execute(_MEASURED, (row.failed, row.calls, row.counted, row.p50, row.p95, row.key))
    if not found.rowcount:
        db.execute(_WRITE, attrs.astuple(attrs.evolve(row, version=0)))
