"""SQLite files that several processes share: opened, marked with whose they are, changed in short transactions.

In: a path (None for memory alone) and the tables that a new file gets. Out: a connection in autocommit mode. Files are
private (mode 0600, `private`) and in WAL mode, so readers never wait for the writer and a crash leaves the last commit.
What SQLite refuses is raised as its own `sqlite3.Error`; who keeps the file says what that means to a user.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import TypeVar

import attrs

from rtfs_framework.api.private import private_file

WAIT = 5.0
"""Seconds for which one process waits while another one writes, which takes milliseconds."""

_TRIES = 100

Result = TypeVar("Result")


@attrs.frozen(slots=True)
class SqliteTables:
    """What a new file gets, and the marks by which it is known again."""

    application: int
    """SQLite's `application_id`: whose file it is; not 0."""
    version: int
    statements: tuple[str, ...]


class NotOurFileError(Exception):
    """The file is another program's, or of another version."""


def open_sqlite(path: Path | None, tables: SqliteTables, *, wait: float = WAIT) -> sqlite3.Connection:
    """Open a file, or make it, while other processes may be doing the same. Its folder exists.

    Raises:
        sqlite3.Error: SQLite cannot open or make it, or it belongs to another user.
        NotOurFileError: it has other marks; it was not changed.
    """
    if path is not None:
        make_private(path)
    db = connect(path, wait=wait)
    try:
        _claim(db, tables, wait)
        db.execute("pragma synchronous = normal")
    except BaseException:
        db.close()
        raise
    return db


def make_private(path: Path) -> None:
    """See that nobody but this user may read a file of SQLite's, which is made when it is not there.

    Raises:
        sqlite3.OperationalError: That cannot be.
    """
    try:
        private_file(path)
    except OSError as error:
        raise sqlite3.OperationalError(f"unable to open database file: {error.strerror or error}") from error


def connect(path: Path | None, *, wait: float = WAIT) -> sqlite3.Connection:
    """Return a connection without transactions of Python's; it may be used by several threads, one at a time.

    The file is there (`make_private` makes it): SQLite would make one that others may read.

    Raises:
        sqlite3.OperationalError: It is not.
    """
    where = ":memory:" if path is None else f"file://{_address(path)}?mode=rw"
    return sqlite3.connect(where, timeout=wait, isolation_level=None, check_same_thread=False, uri=path is not None)


def _address(path: Path) -> str:
    """Return a path as SQLite reads it in an address: from the root, and with a slash before a drive's letter."""
    found = path.absolute().as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return found if found.startswith("/") else f"/{found}"


def write_ahead(db: sqlite3.Connection, *, wait: float = WAIT) -> None:
    """Switch to the write-ahead log. SQLite's own waiting does not cover this: two new users may have to try again.

    Raises:
        sqlite3.OperationalError: the file was locked all the time.
    """
    tries = _TRIES
    while not _switched(db, is_last=tries == 1):
        tries -= 1
        sleep(wait / _TRIES)


def in_transaction(
    db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result], begin: str = "begin immediate"
) -> Result:
    """Do some work in one transaction; whatever interrupts it undoes it."""
    db.execute(begin)
    try:
        result = work(db)
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return result


def _claim(db: sqlite3.Connection, tables: SqliteTables, wait: float) -> None:
    """Make the tables in a new file, or see that an old one is ours."""
    # One transaction: another process may be writing right now. A file that is not ours keeps its journal mode, too.
    marks, is_new = in_transaction(db, lambda db: (_marks(db), _is_new(db)), "begin")
    if is_new:
        write_ahead(db, wait=wait)
        marks = in_transaction(db, lambda db: _make(db, tables))
    if marks != (tables.application, tables.version):
        raise NotOurFileError(f"it has the marks {marks}, not {(tables.application, tables.version)}")


def _switched(db: sqlite3.Connection, *, is_last: bool) -> bool:
    try:
        db.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError as error:
        if is_last or "locked" not in str(error):
            raise
        return False
    return True


def _marks(db: sqlite3.Connection) -> tuple[int, int]:
    application, version = (db.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version"))
    return application, version


def _is_new(db: sqlite3.Connection) -> bool:
    return _marks(db) == (0, 0) and not db.execute("select 1 from sqlite_master limit 1").fetchone()


def _make(db: sqlite3.Connection, tables: SqliteTables) -> tuple[int, int]:
    """Make the tables, unless another process was faster or the file holds another program's."""
    if _is_new(db):
        for statement in tables.statements:
            db.execute(statement)
        db.execute(f"pragma application_id = {tables.application}")
        db.execute(f"pragma user_version = {tables.version}")
    return _marks(db)
