"""Opening the journal's file: made, brought up to date or recognised; SQLite's errors become ones with a way out.

In: where the file lies, and the folder of its key. Out: an `OpenFile` (a connection with the journal's keys), or a
`JournalError`. Nothing here waits for other writers: who is told that they are busy tries again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from rtfs_framework.api.private import private_folder
from rtfs_framework.api.sqlite_file import connect, in_transaction, make_private, write_ahead
from rtfs_framework.orchestrator.config.folders import key_file
from rtfs_framework.orchestrator.config.keyfile import KeyFileError, make_key, read_key
from rtfs_framework.orchestrator.recording.journal.anchor import Anchor
from rtfs_framework.orchestrator.recording.journal.chain import START, Keys, Row
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.migrate import create, extend, migrate
from rtfs_framework.orchestrator.recording.journal.schema import LOG, ROW_AT, VERSION
from rtfs_framework.orchestrator.recording.journal.sealing import check, readable

_WAIT = 10.0
_KEY_WAY_OUT = (
    "put the key back that was there when the journal was begun, or move the journal away and begin a new one"
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the system into `JournalError`s."""
    try:
        yield
    except Exception as error:
        fault = fault_of(path, error)
        if fault is None or fault is error:
            raise
        raise fault from error


def fault_of(path: Path, error: Exception) -> JournalError | None:
    """Return what an error of SQLite or of the system means for a journal; None for any other."""
    if isinstance(error, JournalError):
        return error
    if isinstance(error, sqlite3.Error):
        return JournalError(path, str(error), busy=_is_busy(error))
    if isinstance(error, KeyFileError):
        return JournalError(path, f"its key: {error}", _KEY_WAY_OUT)
    if isinstance(error, OSError):
        return JournalError(path, f"it cannot be used: {error.strerror or error}")
    return None


def _is_busy(error: sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


@attrs.frozen(slots=True)
class OpenFile:
    """A journal that is open for writing."""

    connection: sqlite3.Connection
    keys: Keys
    anchor: Anchor
    paths: tuple[str, ...]
    """Of the file, and of its log of writes."""
    nodes: tuple[tuple[int, ...] | None, ...]
    process: int

    def is_there(self) -> bool:
        """Tell whether what is open is still what lies in its place, and in the process that opened it."""
        return self.process == os.getpid() and _nodes(self.paths) == self.nodes


def open_for_writing(path: Path, home: Path, *, full: bool = False, sealed: bool = False) -> OpenFile:
    """Open a journal, made when it is not there. `full`: every commit survives the machine, not only the process.

    `sealed`: its texts are encrypted, with a key that the file must fit.

    Raises:
        JournalError: The place is not writable, the file is no journal, or its key is not there.
    """
    with translated(path):
        private_folder(home)
        if not path.parent.exists():
            private_folder(path.parent)
        make_private(path)
        connection = connect(path, wait=0.0)
        try:
            write_ahead(connection, wait=0.0)
            connection.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            connection.execute("PRAGMA secure_delete=ON")  # texts that are removed are overwritten
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA journal_size_limit=16777216")
            keys = _prepared(connection, path, home)
            connection.execute("SELECT 1 FROM log LIMIT 1").fetchone()
            if sealed:
                check(connection, path)
            anchor, paths = Anchor.of(home, path), (str(path), f"{path}-wal")
            anchor.tighten()
            return OpenFile(connection, keys, anchor, paths, _nodes(paths), os.getpid())
        except BaseException:
            connection.close()
            raise


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing journal, of any version, without changing it.

    Raises:
        JournalError: There is no such file, or it is no journal.
    """
    if not path.exists():
        raise JournalError(path, "there is no such file", "run a program first, or name the journal's place")
    with translated(path):
        connection = connect(path, wait=_WAIT)
        try:
            connection.execute("PRAGMA query_only=ON")
            if _known_version(connection, path) >= LOG:
                readable(connection)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
    return connection


def keys_of(connection: sqlite3.Connection, path: Path, home: Path) -> Keys:
    """Return the keys of an open journal.

    Raises:
        JournalError: Its first row is not there, or it was not written with this key.
    """
    with translated(path):
        secret = read_key(str(key_file(home)))
        keys = _first_row(connection, secret)
    if keys is None:
        problem = f"its first row was changed, or {key_file(home)} is not the key that it was written with"
        raise JournalError(path, problem, _KEY_WAY_OUT)
    return keys


def _first_row(connection: sqlite3.Connection, secret: bytes) -> Keys | None:
    """Return the keys that the first row names and proves."""
    found = connection.execute(ROW_AT, (1,)).fetchone()
    if found is None or not isinstance(found[5], str):
        return None
    *row, hash_ = found
    keys = Keys.of(secret, found[5])
    return keys if keys.row(Row(*row), START) == hash_ else None


def _prepared(connection: sqlite3.Connection, path: Path, home: Path) -> Keys:
    """Make or migrate the tables if need be; return the keys."""
    version = _known_version(connection, path)
    if version >= LOG:
        keys_of(connection, path, home)  # nothing is changed in a file that is another key's
    if version != VERSION:
        secret = make_key(str(key_file(home)))
        in_transaction(connection, lambda connection: _brought_up(connection, path, secret))
    return keys_of(connection, path, home)


def _brought_up(connection: sqlite3.Connection, path: Path, secret: bytes) -> None:
    """Do what another process may have done meanwhile: the lock is held now."""
    version = _known_version(connection, path)
    if version == 0:
        create(connection, secret)
    elif LOG <= version < VERSION:
        extend(connection)
    elif version != VERSION:
        migrate(connection, secret, version)


def _known_version(connection: sqlite3.Connection, path: Path) -> int:
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise JournalError(path, "it is an SQLite file, but no journal", "choose another [journal] path")
    if not 0 <= found <= VERSION:
        problem = f"its schema is version {found}, this program knows version {VERSION}"
        raise JournalError(path, problem, "use the release that wrote it, or choose another [journal] path")
    return found


def _nodes(paths: tuple[str, ...]) -> tuple[tuple[int, ...] | None, ...]:
    """Return what tells that files are no others than before."""
    return tuple(map(_node, paths))


def _node(path: str) -> tuple[int, int] | None:
    try:
        known = os.stat(path)  # noqa: PTH116 - asked twice per transaction: pathlib takes longer than the system does
    except OSError:
        return None
    return known.st_dev, known.st_ino
