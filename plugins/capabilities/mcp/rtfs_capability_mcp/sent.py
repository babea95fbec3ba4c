"""The marks of what servers were sent, by server and tenant: kept beyond the host, for servers keep things, too.

A server is known by the name that the configuration gives it, and by its command or URL: under another name it is the
same, and under the same name another one may have what the first was told.
They are written before anything is sent. Without a folder of the host's own they are known to this host alone.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from rtfs_framework.api import CapabilityError, FailureKind, HeldFile, SqliteTables, in_transaction

FILE = "mcp-marks.sqlite"
_MARK = re.compile(r"[A-Za-z][A-Za-z0-9_.?!*+<>=/-]*")
"""What `[labels]` lets a mark be."""
_TABLES = SqliteTables(
    application=0x52464D4D,
    version=1,
    statements=(
        """create table sent (
            server text not null, tenant text not null, mark text not null,
            primary key (server, tenant, mark)) without rowid""",
    ),
)
_SENT = "select mark from sent where server = ? and tenant = ?"
_SEND = "insert or ignore into sent values (?, ?, ?)"


class Sent:
    """See above."""

    def __init__(self, directory: str) -> None:
        self._seen: dict[tuple[str, str], frozenset[str]] = {}
        self._file = HeldFile(Path(directory, FILE), _TABLES, _unusable) if directory else None

    def marks(self, server: str, reach: Iterable[str], tenant: str, more: frozenset[str]) -> frozenset[str]:
        """Return the marks of all that a server was sent for a tenant, `more` included, which are kept.

        `reach` is its command, or its URL alone.

        Raises:
            CapabilityError: They cannot be kept, or what is kept are no marks, so nothing may be sent.
        """
        places = ((server, tenant), (_known_by(reach), tenant))
        seen = more.union(*(self._seen.get(place, ()) for place in places))
        file = self._file
        if file is not None and (more or file.exists):

            def work(db: sqlite3.Connection) -> frozenset[str]:
                rows = [row for place in places for row in db.execute(_SENT, place)]
                known = frozenset(mark for (mark,) in rows)
                wrong = [each for each in known if not isinstance(each, str) or _MARK.fullmatch(each) is None]
                if wrong:
                    raise _unusable(f"{FILE} has what is no mark: {wrong[0]!r:.80}")
                db.executemany(_SEND, [(*place, mark) for place in places for mark in more | known])
                return known

            seen |= file.do(lambda db: in_transaction(db, work))
        self._seen.update(dict.fromkeys(places, seen))
        return seen

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


def _known_by(reach: Iterable[str]) -> str:
    """Return what stands for a command or URL; no server is called so, for names have no colon."""
    return f"sha256:{sha256(chr(0).join(reach).encode('utf-8', 'surrogatepass')).hexdigest()}"


def _unusable(problem: str) -> CapabilityError:
    words = f"the marks of what MCP servers were sent cannot be kept: {problem}"
    return CapabilityError(words, "StorageError", failure=FailureKind.SAFE)
