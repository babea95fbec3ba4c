"""Runs of versions 1 and 2: read and verified by the rule under which they were written, SHA-256 without a key.

Their rows are chained run by run; an ending with the count closes the chain. Who could write the file could compute
such hashes anew; so the old rule finds accidents and clumsy changes, no more. After a migration the tables are frozen,
and `verify` compares them with what the log's first row says of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from rtfs_framework.orchestrator.recording.journal.chain import canonical_json, text_digest

RUN_FIELDS = ("id", "program", "source", "started", "policy", "version")
ENTRY_FIELDS = (
    "run", "seq", "call", "record", "kind", "symbol", "place", "args_digest", "args", "decision", "decided_at",
    "target", "reply_digest", "micros", "input_tokens", "output_tokens", "cost", "cache", "model", "explanation",
    "error_kind", "error", "branch",
)  # fmt: skip
ENDING_FIELDS = ("run", "status", "ended", "entries", "message")

_LIST = (
    "SELECT r.id, r.program, r.source, r.started, r.policy, r.version, e.status, e.ended, e.entries, e.message"
    " FROM runs r LEFT JOIN endings e ON e.run = r.id"
)
_ENTRIES = (
    "SELECT e.*, d.body FROM entries e LEFT JOIN decisions d ON d.digest = e.decision WHERE e.run = ? ORDER BY seq"
)


def has_old(connection: sqlite3.Connection) -> bool:
    """Tell whether a journal has tables of an older version."""
    return _table(connection, "runs")


def runs(connection: sqlite3.Connection, limit: int) -> list[sqlite3.Row]:
    """Return the latest runs, newest first."""
    return connection.execute(f"{_LIST} ORDER BY r.started DESC, r.rowid DESC LIMIT ?", (limit,)).fetchall()


def run_of(connection: sqlite3.Connection, run: str) -> sqlite3.Row | None:
    """Return a run's row."""
    found: sqlite3.Row | None = connection.execute(f"{_LIST} WHERE r.id = ?", (run,)).fetchone()
    return found


def ids(connection: sqlite3.Connection, prefix: str) -> list[str]:
    """Return at most two ids that begin so."""
    found = connection.execute("SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 2", (len(prefix), prefix))
    return [str(row[0]) for row in found]


def entries(connection: sqlite3.Connection, run: str) -> Iterator[dict[str, Any]]:
    """Yield a run's calls as JSON-ready data; after them those that were done when its process died ("drafts")."""
    for row in connection.execute(_ENTRIES, (run,)):
        entry = {name: _column(row, name) for name in (*ENTRY_FIELDS, "parent", "hash")}
        entry["decision"] = None if row["body"] is None else json.loads(row["body"])
        yield _shown(entry, "ended")
    if _table(connection, "drafts"):
        for row in connection.execute("SELECT body FROM drafts WHERE run = ? ORDER BY record, path", (run,)):
            yield _shown({**json.loads(row["body"]), "seq": None, "decision": None}, "draft")


def verify(connection: sqlite3.Connection, run: str) -> tuple[int, int | None, str, bool]:
    """Recompute a run's chain: its calls, the first broken one, what is wrong ("" if nothing), whether it ended."""
    head = connection.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
    parent = row_hash("runs", RUN_FIELDS, _values(head, RUN_FIELDS), "")
    if parent != head["hash"]:
        return 0, None, "the run's own row was changed", True
    count = 0
    for row in connection.execute(_ENTRIES, (run,)):
        reason = _broken(row, count, parent)
        if reason is not None:
            return count, count, reason, True
        parent, count = row["hash"], count + 1
    ending = connection.execute("SELECT * FROM endings WHERE run = ?", (run,)).fetchone()
    if ending is None:
        return count, None, "", False
    if row_hash("endings", ENDING_FIELDS, _values(ending, ENDING_FIELDS), ending["parent"]) != ending["hash"]:
        return count, None, "the run's ending was changed", True
    if ending["entries"] != count or ending["parent"] != parent:
        missing = f"entry {count} is missing" if ending["entries"] > count else "the ending belongs to another chain"
        return count, count, missing, True
    return count, None, "", True


def row_hash(table: str, fields: Sequence[str], values: Sequence[Any], parent: str) -> str:
    """Return the hash of a row that follows `parent`; version 1 had no branches, and "" is hashed as it was there."""
    if fields[-1] == "branch" and values[-1] == "":
        fields, values = fields[:-1], values[:-1]
    pairs = [[field, value] for field, value in zip(fields, values, strict=True)]
    try:
        text = canonical_json([table, pairs, parent])
    except (TypeError, ValueError):  # bytes, or a number that JSON has not: nothing that was ever written
        return ""
    return sha256(text.encode()).hexdigest()


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


def _shown(entry: dict[str, Any], state: str) -> dict[str, Any]:
    branch = f"{entry['branch']}." if entry["branch"] else ""
    return {**entry, "entry": None, "path": f"{branch}{entry['call']}", "state": state}


def _values(row: sqlite3.Row, fields: Sequence[str]) -> list[Any]:
    return [_column(row, name) for name in fields]


def _column(row: sqlite3.Row, name: str) -> Any:
    return row[name] if name != "branch" or "branch" in row.keys() else ""  # noqa: SIM118 - a row is no mapping


def _table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None
