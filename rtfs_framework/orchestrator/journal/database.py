"""Opening the journal's file: making or checking the schema, and turning SQLite's errors into ones with a way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.orchestrator.journal.schema import MIGRATIONS, TABLES, VERSION, triggers

_BUSY_SECONDS = 10.0
WAY_OUT = (
    "free some space or make it writable, or choose another place with [journal] path or RTFS_HOME, "
    "or switch the journal off with [journal] enabled = false"
)


class JournalError(RtfsError):
    """A journal that cannot be written or read; says what to do."""

    code = "E0720"

    def __init__(self, path: Path, problem: str, way_out: str = WAY_OUT) -> None:
        super().__init__(f"error[{self.code}]: the journal {path}: {problem}\n  help: {way_out}")
        self.path = path
        self.problem = problem
        self.way_out = way_out


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `JournalError`s."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise JournalError(path, str(error)) from error


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open a journal, made when it is not there.

    Raises:
        JournalError: The place is not writable, or the file is no journal of this version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(path, f"its folder cannot be made: {error.strerror or error}") from error
    with translated(path):
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing journal without changing it.

    Raises:
        JournalError: There is no such file, or it is no journal of this version.
    """
    if not path.exists():
        raise JournalError(path, "there is no such file", "run a program first, or name the journal's place")
    with translated(path):
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only=ON")
            _check_version(connection, path)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. SQLite's own waiting does not cover this: two new users may have to try again."""
    tries = 100
    while not _switched(connection, is_last=tries == 1):
        tries -= 1
        sleep(_BUSY_SECONDS / 100)


def _switched(connection: sqlite3.Connection, *, is_last: bool) -> bool:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if is_last or "locked" not in str(error):
            raise
        return False
    return True


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            _create(connection, path)
        elif found in MIGRATIONS:
            for statement in MIGRATIONS[found]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _check_version(connection, path)


def _create(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise JournalError(path, "it is an SQLite file, but no journal", "choose another [journal] path")
    for statement in (*TABLES.split(";\n"), *triggers().split("\n")):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found in MIGRATIONS:
        problem = f"its schema is version {found}, this program reads version {VERSION}"
        raise JournalError(path, problem, "run a program with this journal: that brings it up to date")
    if found != VERSION:
        raise JournalError(
            path,
            f"its schema is version {found}, this program knows version {VERSION}",
            "use the release that wrote it, or choose another [journal] path",
        )
