"""What survives the machine: rows that are forced to disk, and those that wait for the next ones that are.

With `[journal] sync = "full"` a commit is forced to disk, which costs milliseconds. The end of a call that may be made
again without harm need not be: it is committed (so it survives the process), and is forced together with the next row
that is, at the latest before anything else with an effect begins, or a value or an error is told (`telling`). SQLite
forces the whole log of writes, so one forced commit covers all before it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import sqlite3


@attrs.define(slots=True, eq=False)
class Forcing:
    """Of one journal; its lock guards it."""

    full: bool
    """Whether anything is forced at all."""
    owed: bool = False
    """Whether the file has rows that are not."""
    wanted: bool = True
    """Whether the next commit is forced."""
    _forces: bool | None = attrs.field(default=True, init=False)
    """Whether commits of the open connection are forced now: one that was just opened does so (`file`). None: nobody
    knows, because Ctrl-C came while that was changed."""

    def opened(self) -> None:
        """Take note that there is another connection."""
        self._forces = True

    def begins(self, connection: sqlite3.Connection) -> None:
        """Let the next commit be as it is wanted; outside of transactions. Ctrl-C may come right behind that commit."""
        if not self.full:
            return
        if self.wanted is not self._forces:
            self._forces = None
            connection.execute(f"PRAGMA synchronous={'FULL' if self.wanted else 'NORMAL'}")
            self._forces = self.wanted
        if not self.wanted:
            self.owed = True

    def ended(self, path: Path, *, wrote: bool) -> None:
        """Take note of a commit: a forced one that wrote a row has forced all before it.

        Raises:
            OSError: The disk refuses.
        """
        if not self.wanted:
            return
        if wrote:
            self.owed = False
        else:
            self.make_up(path)

    def make_up(self, path: Path) -> None:
        """Force what is owed where there is nothing to commit. What was folded into the file is forced already.

        Raises:
            OSError: The disk refuses.
        """
        if not self.owed:
            return
        log = path.with_name(f"{path.name}-wal")  # SQLite holds no lock on it, so opening it once more undoes none
        if log.exists():
            handle = os.open(log, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        self.owed = False
