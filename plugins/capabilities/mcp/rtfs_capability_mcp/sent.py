"""The marks of what servers were sent, by server and tenant: kept beyond the host, for servers keep things, too.

They are written before anything is sent. Without a folder of the host's own they are known to this host alone.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from rtfs_framework.api import CapabilityError, FailureKind, HeldFile, SqliteTables, in_transaction

FILE = "mcp-marks.sqlite"
_TABLES = SqliteTables(
    application=0x52464D4D,
    version=1,
    statements=(
        """create table sent (
            server text not null, tenant text not null, mark text not null,
            primary key (server, tenant, mark)) without rowid""",
    ),
)


class Sent:
    """See above."""

    def __init__(self, directory: str) -> None:
        self._seen: dict[tuple[str, str], frozenset[str]] = {}
        self._file = HeldFile(Path(directory, FILE), _TABLES, _unusable) if directory else None

    def marks(self, server: str, tenant: str, more: frozenset[str]) -> frozenset[str]:
        """Return the marks of all that a server was sent for a tenant, `more` included, which are kept.

        Raises:
            CapabilityError: They cannot be kept, so nothing may be sent.
        """
        place = (server, tenant)
        seen = self._seen.get(place, frozenset()) | more
        file = self._file
        if file is not None and (more or file.exists):

            def work(db: sqlite3.Connection) -> frozenset[str]:
                rows = db.execute("select mark from sent where server = ? and tenant = ?", place).fetchall()
                known = frozenset(mark for (mark,) in rows)
                db.executemany("insert into sent values (?, ?, ?)", [(*place, mark) for mark in more - known])
                return known

            seen |= file.do(lambda db: in_transaction(db, work))
        self._seen[place] = seen
        return seen

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


def _unusable(problem: str) -> CapabilityError:
    words = f"the marks of what MCP servers were sent cannot be kept: {problem}"
    return CapabilityError(words, "StorageError", failure=FailureKind.SAFE)
