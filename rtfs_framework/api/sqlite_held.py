"""A SQLite file that one object keeps open, and opens anew whenever what it has is not its own any more.

A connection belongs to the process that made it and to the file that it was made for: after a fork, or when the file
was taken away, another one is made. After anything that went wrong the next use begins anew, too.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TypeVar

import attrs

from rtfs_framework.api.forks import free_at_forks, leave
from rtfs_framework.api.private import private_folder
from rtfs_framework.api.sqlite_file import WAIT, NotOurFileError, SqliteTables, open_sqlite

Result = TypeVar("Result")


@attrs.define(slots=True, eq=False)
class HeldFile:
    """One file, used by one thread at a time. It is made by the first use."""

    path: Path
    tables: SqliteTables
    refused: Callable[[str], Exception]
    """From what is wrong with the file to the error of whoever keeps it."""
    wait: float = WAIT
    """Seconds for which another process that writes is waited for."""
    damaged: tuple[type[Exception], ...] = ()
    """What else tells that the file cannot be used: what reading rows raises that others wrote."""
    _db: sqlite3.Connection | None = attrs.field(default=None, init=False)
    _mark: tuple[int, int, int] | None = attrs.field(default=None, init=False)
    """The process that opened the file, and the file's identity."""
    _lock: RLock = attrs.field(  # type: ignore[valid-type,unused-ignore]
        factory=lambda: free_at_forks(RLock()), init=False
    )

    @property
    def exists(self) -> bool:
        """Tell whether there is a file.

        Raises:
            Exception: What `refused` makes: nobody can tell.
        """
        try:
            return self.path.exists()
        except OSError as error:
            raise self.refused(f"{self.path}: {error.strerror or error}") from error

    def do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something with the file.

        Raises:
            Exception: What `refused` makes: the file cannot be used. Whatever `work` raises itself goes on.
        """
        unusable: tuple[type[Exception], ...] = (sqlite3.Error, OSError, NotOurFileError, *self.damaged)
        try:
            with self._lock:
                try:
                    return work(self._open())
                except BaseException:
                    self._forget()
                    raise
        except unusable as error:
            raise self.refused(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            self._forget()

    def _open(self) -> sqlite3.Connection:
        if self._db is None or self._mark != self._marks():
            self._forget()
            private_folder(self.path.parent)
            self._db = open_sqlite(self.path, self.tables, wait=self.wait)
            self._mark = self._marks()
        return self._db

    def _marks(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return os.getpid(), found.st_dev, found.st_ino

    def _forget(self) -> None:
        db, self._db = self._db, None
        if db is None:
            return
        if self._mark is not None and self._mark[0] != os.getpid():
            leave(db)
            return
        with suppress(sqlite3.Error):
            db.close()
