"""The SQLite file of a cache layer, and what goes wrong with it: errors with the file, what happened and the way out.

Guarantees: WAL, so readers never wait for the writer and a crash leaves the last commit. Whatever SQLite refuses is a
`PluginError`, after which the file stays closed: its layer is broken, and the host makes another one when it is time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.forks import leave
from rtfs_framework.api.private import private_folder
from rtfs_framework.api.sqlite_file import NotOurFileError, SqliteTables, open_sqlite

if TYPE_CHECKING:
    from rtfs_framework.api.cache import CacheSettings, Seal

CODE = "E0811"

_DELETE = "delete it (with its -wal and -shm): it is only a memory and is made anew"
_FOLDER = "see that its folder exists and is writable"
_WAYS_OUT = (
    ("not a database", _DELETE),
    ("malformed", _DELETE),
    ("no such", _DELETE),
    ("unable to open", _FOLDER),
    ("readonly", _FOLDER),
    ("disk i/o", "see whether the disk is sound, and on a network drive choose a local cache folder"),
    ("full", "free some disk space"),
    ("locked", "another process has been writing to it for seconds; end that one, or try again later"),
)

Result = TypeVar("Result")


@attrs.frozen(slots=True)
class CacheFaults:
    """Makes the errors of one layer: `distribution` offers it, `layer` is its name, `kept` says what it keeps."""

    distribution: str
    layer: str
    kept: str

    def unusable(self, path: Path | None, error: Exception) -> PluginError:
        """Return the error for what SQLite or the file system refused."""
        words = str(error)
        known = (way_out for sign, way_out in _WAYS_OUT if sign in words.lower())
        otherwise = _FOLDER if isinstance(error, OSError) else _DELETE
        return self._fault(path, f"cannot be used: {words}", next(known, otherwise))

    def foreign(self, path: Path | None) -> PluginError:
        """Return the error for a file that is another program's, or another version's."""
        return self._fault(path, f"is not of this version of {self.distribution}", f"move it away, or {_DELETE}")

    def closed(self, path: Path | None) -> PluginError:
        """Return the error for a use after the end."""
        return self.other(f"{path or self.kept} was closed by its host")

    def other(self, problem: str) -> PluginError:
        """Return the error for whatever else is wrong with the layer."""
        return PluginError(self.distribution, problem, code=CODE)

    def seal(self, settings: CacheSettings) -> Seal | None:
        """Return the seal of a layer's rows, None for one that keeps no file.

        Raises:
            PluginError: There can be none. Then nothing is kept, for what is could not be told from what others wrote.
        """
        if settings.directory is None:
            return None
        if settings.seal is None:
            raise self._unsealed("the host gives none")
        try:
            return settings.seal()
        except ValueError as error:
            raise self._unsealed(str(error)) from error

    def _unsealed(self, why: str) -> PluginError:
        way_out = "see that the key is a file of yours that nobody else may read, or delete it: a new one is made"
        return self._fault(None, f"cannot be sealed: {why}", way_out)

    def _fault(self, path: Path | None, what: str, way_out: str) -> PluginError:
        off = f"or switch the layer off: `enabled = false` under [caches.{self.layer}]"
        return self.other(f"{path or self.kept} {what}\n  help: {way_out}; {off}")


class CacheFile:
    """One open file, or memory alone. Not thread-safe: the layer's lock guards it (`free_at_forks`).

    A child that is forked off opens the file for itself; memory is a copy of what it was.
    """

    def __init__(self, path: Path | None, faults: CacheFaults, tables: SqliteTables) -> None:
        """Open a file, or make it and its folder.

        Raises:
            PluginError: It cannot be opened or made, is no SQLite file, or is another program's or version's.
        """
        self.path = path
        self.faults = faults
        self._tables = tables
        self._process = os.getpid()
        self._broken: PluginError | None = None
        self._db: sqlite3.Connection | None = None
        try:
            if path is not None:
                private_folder(path.parent)
            self._open()
        except NotOurFileError as error:
            raise faults.foreign(path) from error
        except (sqlite3.Error, OSError) as error:
            raise faults.unusable(path, error) from error

    @property
    def is_open(self) -> bool:
        """Whether the file can be used: it was not closed, and nothing was wrong with it."""
        return self._db is not None

    def do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do some work on the connection.

        Raises:
            PluginError: SQLite refused, and closed it is from now on; or it is closed.
        """
        db = self._db
        if db is None:
            raise self._broken or self.faults.closed(self.path)
        try:
            if self._process != os.getpid() and self.path is not None:
                leave(db)
                db = self._open()
            return work(db)
        except (sqlite3.Error, NotOurFileError) as error:
            self.close()
            is_foreign = isinstance(error, NotOurFileError)
            self._broken = self.faults.foreign(self.path) if is_foreign else self.faults.unusable(self.path, error)
            raise self._broken from error

    def close(self) -> None:
        """Close the file. Further use is a PluginError."""
        db, self._db = self._db, None
        if db is None:
            return
        if self._process == os.getpid():
            db.close()
        else:
            leave(db)

    def _open(self) -> sqlite3.Connection:
        self._process = os.getpid()
        self._db = None
        db = self._opened(self._tables)
        try:
            self._settle(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        return db

    def _opened(self, tables: SqliteTables) -> sqlite3.Connection:
        """Return a connection; a layer that must mend older files does it here."""
        return open_sqlite(self.path, tables)

    def _settle(self, db: sqlite3.Connection) -> None:
        """Do what a layer does with each new connection."""
