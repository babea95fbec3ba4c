"""Reading the causal chain: runs, their entries, and the proof that nothing was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.journal.chain import row_hash, text_digest
from rtfs_framework.orchestrator.journal.database import JournalError, open_for_reading, translated
from rtfs_framework.orchestrator.journal.rows import UNKNOWN_COST
from rtfs_framework.orchestrator.journal.schema import ENDING_FIELDS, ENTRY_FIELDS, RUN_FIELDS

if TYPE_CHECKING:
    import sqlite3

_LIST = """
SELECT r.id, r.program, r.source, r.started, r.policy, r.version, e.status, e.ended, e.entries, e.message
FROM runs r LEFT JOIN endings e ON e.run = r.id ORDER BY r.started DESC, r.rowid DESC LIMIT ?
"""
_ENTRIES = """
SELECT e.*, d.body FROM entries e LEFT JOIN decisions d ON d.digest = e.decision WHERE e.run = ? ORDER BY e.seq
"""


@attrs.frozen(slots=True, kw_only=True)
class RunRow:
    """A run as the journal knows it; `status` is "unfinished" when its end was never written."""

    id: str
    program: str
    source: str
    started: float
    policy: str
    version: str
    status: str
    ended: float | None
    entries: int | None
    message: str


@attrs.frozen(slots=True, kw_only=True)
class Verdict:
    """The outcome of `verify`: the first broken entry's number, or None; `reason` says what is wrong with it."""

    run: str
    ok: bool
    entries: int
    broken: int | None = None
    reason: str = ""
    finished: bool = True


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_reading(path)
    try:
        with translated(path):
            yield connection
    finally:
        connection.close()


def list_runs(path: Path, limit: int = 50) -> list[RunRow]:
    """Return the latest runs, newest first."""
    with _open(path) as connection:
        return [_run(row) for row in connection.execute(_LIST, (limit,))]


def find_run(path: Path, prefix: str) -> str:
    """Return the id of the run that a prefix names; "last" is the newest.

    Raises:
        JournalError: No run fits, or more than one.
    """
    with _open(path) as connection:
        if prefix == "last":
            rows = connection.execute("SELECT id FROM runs ORDER BY started DESC, rowid DESC LIMIT 1").fetchall()
        else:
            rows = connection.execute(
                "SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 2", (len(prefix), prefix)
            ).fetchall()
    if len(rows) != 1:
        problem = f"no run is called '{prefix}'" if not rows else f"more than one run begins with '{prefix}'"
        raise JournalError(path, problem, "`rtfs runs list` shows the runs")
    return str(rows[0]["id"])


def show_run(path: Path, run: str) -> tuple[RunRow, Iterator[dict[str, Any]]]:
    """Return a run and an iterator over its entries as JSON-ready data, in order (one at a time from the file)."""
    with _open(path) as connection:
        found = connection.execute(_LIST.replace("ORDER BY", "WHERE r.id = ? ORDER BY"), (run, 1)).fetchone()
    if found is None:
        raise JournalError(path, f"no run is called '{run}'", "`rtfs runs list` shows the runs")
    return _run(found), entries_of(path, run)


def entries_of(path: Path, run: str) -> Iterator[dict[str, Any]]:
    """Yield a run's entries as JSON-ready data."""
    with _open(path) as connection:
        for row in connection.execute(_ENTRIES, (run,)):
            entry = {name: row[name] for name in (*ENTRY_FIELDS, "parent", "hash")}
            entry["cost"] = None if entry["cost"] == UNKNOWN_COST else entry["cost"]
            entry["decision"] = None if row["body"] is None else json.loads(row["body"])
            yield entry


def drafts_of(path: Path, run: str) -> list[dict[str, Any]]:
    """Return the calls of a run that were done when its process died, but are not in its chain: nothing proves them."""
    with _open(path) as connection:
        rows = connection.execute("SELECT body FROM drafts WHERE run = ? ORDER BY record, path", (run,)).fetchall()
    return [{**json.loads(row["body"]), "seq": None, "decision": None} for row in rows]


def verify(path: Path, run: str) -> Verdict:
    """Recompute a run's chain; the verdict names the first entry that is not what was written."""
    with _open(path) as connection:
        head = connection.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
        if head is None:
            raise JournalError(path, f"no run is called '{run}'", "`rtfs runs list` shows the runs")
        parent = row_hash("runs", RUN_FIELDS, _values(head, RUN_FIELDS), "")
        if parent != head["hash"]:
            return Verdict(run=run, ok=False, entries=0, reason="the run's own row was changed")
        count = 0
        for row in connection.execute(_ENTRIES, (run,)):
            reason = _broken(row, count, parent)
            if reason is not None:
                return Verdict(run=run, ok=False, entries=count, broken=count, reason=reason)
            parent, count = row["hash"], count + 1
        ending = connection.execute("SELECT * FROM endings WHERE run = ?", (run,)).fetchone()
    return _closed(run, count, parent, ending)


def _broken(row: sqlite3.Row, seq: int, parent: str) -> str | None:
    if row["seq"] != seq:
        return f"entry {seq} is missing"
    if row["parent"] != parent:
        return f"entry {seq} does not follow the entry before it"
    if row_hash("entries", ENTRY_FIELDS, _values(row, ENTRY_FIELDS), parent) != row["hash"]:
        return f"entry {seq} was changed"
    if row["decision"] is not None and (row["body"] is None or text_digest(row["body"]) != row["decision"]):
        return f"the decision of entry {seq} was changed"
    return None


def _closed(run: str, count: int, parent: str, ending: sqlite3.Row | None) -> Verdict:
    if ending is None:
        return Verdict(run=run, ok=True, entries=count, finished=False, reason="the run never ended")
    if row_hash("endings", ENDING_FIELDS, _values(ending, ENDING_FIELDS), ending["parent"]) != ending["hash"]:
        return Verdict(run=run, ok=False, entries=count, reason="the run's ending was changed")
    if ending["entries"] != count or ending["parent"] != parent:
        missing = f"entry {count} is missing" if ending["entries"] > count else "the ending belongs to another chain"
        return Verdict(run=run, ok=False, entries=count, broken=count, reason=missing)
    return Verdict(run=run, ok=True, entries=count)


def _values(row: sqlite3.Row, fields: tuple[str, ...]) -> list[Any]:
    return [row[name] for name in fields]


def _run(row: sqlite3.Row) -> RunRow:
    return RunRow(
        id=row["id"],
        program=row["program"],
        source=row["source"],
        started=row["started"],
        policy=row["policy"],
        version=row["version"],
        status=row["status"] or "unfinished",
        ended=row["ended"],
        entries=row["entries"],
        message=row["message"] or "",
    )
