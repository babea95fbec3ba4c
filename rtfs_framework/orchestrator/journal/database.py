"""Opening the journal's file: making or checking the schema, and turning SQLite's errors into ones with a way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rtfs_framework.api.sqlite_file import connect, in_transaction, write_ahead
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
        connection = connect(path, wait=_BUSY_SECONDS)
        try:
            write_ahead(connection, wait=_BUSY_SECONDS)
            connection.execute("PRAGMA synchronous=NORMAL")
            in_transaction(connection, lambda connection: _prepare(connection, path))
            _check_version(connection, path)
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
        connection = connect(path, wait=_BUSY_SECONDS)
        try:
            connection.execute("PRAGMA query_only=ON")
            _check_version(connection, path)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        _create(connection, path)
    elif found in MIGRATIONS:
        for statement in MIGRATIONS[found]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")


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
