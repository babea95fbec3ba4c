"""Making a journal's tables, and bringing older journals up to date, in place.

Version 3 has the same log, and gets what it lacks. Versions 1 and 2 hashed their rows without a key, run by run. Their
tables stay in the file as they are, are frozen by triggers, and the new log's first row holds a digest of all their
hashes: whatever is changed in them from then on is found. What was changed before cannot be, beyond what the old rule
finds.
"""

from __future__ import annotations

import sqlite3
import time
from hashlib import sha256
from os import urandom

from rtfs_framework.orchestrator.recording.journal import large
from rtfs_framework.orchestrator.recording.journal.chain import START, Keys, Row, canonical_json
from rtfs_framework.orchestrator.recording.journal.schema import INDEXES, INSERT_ROW, VERSION, refusing, statements

OLD = ("runs", "decisions", "entries", "drafts", "endings")
"""The tables of versions 1 and 2. `old` reads them."""

_HASHES = {
    "runs": "SELECT id, hash FROM runs ORDER BY id",
    "entries": "SELECT run, seq, hash FROM entries ORDER BY run, seq",
    "endings": "SELECT run, hash FROM endings ORDER BY run",
    "decisions": "SELECT digest, body FROM decisions ORDER BY digest",
    "drafts": "SELECT run, record, path, body FROM drafts ORDER BY run, record, path",
}
_VERSION_2 = (
    "ALTER TABLE entries ADD COLUMN branch TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE drafts (
        run TEXT NOT NULL, record INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (run, record, path)
    ) WITHOUT ROWID""",
)


def create(connection: sqlite3.Connection, secret: bytes) -> None:
    """Make the tables of a new file and its first row, within the caller's transaction."""
    _begin(connection, secret, {})


def extend(connection: sqlite3.Connection) -> None:
    """Give a file of version 3 what it lacks, within the caller's transaction; what it holds stays as it is."""
    for statement in (*INDEXES, *large.STATEMENTS):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")


def migrate(connection: sqlite3.Connection, secret: bytes, version: int) -> None:
    """Freeze the tables of an older version and begin the log beside them, within the caller's transaction."""
    if version == 1:
        for statement in _VERSION_2:
            connection.execute(statement)
    for table in OLD:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(refusing(table, verb, "the journal was brought up to date; start the program again"))
    runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    _begin(connection, secret, {"version": version, "runs": runs, "old": state_of_old(connection)})


def state_of_old(connection: sqlite3.Connection) -> str:
    """Return one digest of everything in the frozen tables: rows are covered by their own hashes."""
    made = sha256()
    for table, select in _HASHES.items():
        made.update(f"{table}\n".encode())
        for row in connection.execute(select):
            made.update(f"{tuple(row)!r}\n".encode("utf-8", "surrogatepass"))
    return made.hexdigest()


def _begin(connection: sqlite3.Connection, secret: bytes, migrated: dict[str, object]) -> None:
    for statement in (*statements(), *large.STATEMENTS):
        connection.execute(statement)
    journal = urandom(16).hex()
    facts: dict[str, object] = {"journal": journal, "when": time.time()}
    if migrated:
        facts["migrated"] = migrated
    row = Row(1, None, "journal", None, None, journal, canonical_json(facts))
    connection.execute(INSERT_ROW, (*row, Keys.of(secret, journal).row(row, START)))
    connection.execute(f"PRAGMA user_version={VERSION}")
