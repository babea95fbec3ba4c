"""Removing what was kept of a run: arguments and messages go, the rows that name them by digest stay and still hold."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.orchestrator.recording.journal import old
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading, span
from rtfs_framework.orchestrator.recording.journal.rows import Removal

OLD = "of an older version of the journal, from whose rows no text can be taken without breaking their hashes"

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

_ROWS = """
SELECT l.position, l.what, l.entry, l.record, l.id, t.name FROM log l LEFT JOIN texts t ON t.position = l.position
WHERE l.position BETWEEN ? AND ? AND l.run IN (SELECT position FROM log WHERE what = 'run' AND id = ?)
ORDER BY l.position, t.name
"""


def redact(journal: Journal, run: str, calls: Collection[str] | None = None) -> int:
    """Remove the kept texts of a run, or of some of its calls, for good; return how many there were.

    Raises:
        JournalError: No such run or call, or the journal cannot be written.
    """
    found = _found(journal.path, run, calls)
    texts: dict[str, list[str]] = {}
    for position, name in found:
        texts.setdefault(str(position), []).append(name)
    if found:
        journal.queue("redacted", None, Removal(found, {"run": run, "texts": texts, "when": time.time()}))
        journal.commit()
        journal.shrink()
    return len(found)


def _found(path: Path, run: str, calls: Collection[str] | None) -> list[tuple[int, str]]:
    with reading(path) as connection:
        if not has_log(connection) or (old.has_old(connection) and old.run_of(connection, run) is not None):
            raise JournalError(path, f"run {run} is {OLD}", "delete the file, or export what you need of it")
        wanted, known, found = None if calls is None else set(calls), set[str](), list[tuple[int, str]]()
        for row in connection.execute(_ROWS, (*span(connection, run), run)):
            name = name_of(row["entry"], row["record"], row["id"]) if row["what"] in ("begun", "ended") else ""
            known.add(name)
            if row["name"] is not None and (wanted is None or name in wanted):
                found.append((row["position"], row["name"]))
    for call in calls or ():
        if call not in known:
            raise JournalError(path, f"run {run} has no call {call}", "`rtfs runs show` names the calls of a run")
    return found


def name_of(entry: int | None, record: int | None, path: str) -> str:
    """Return a call's id as people write it: entry, record (if any), path, such as "1:0.2" or "1:7:0"."""
    return ":".join(str(part) for part in (entry, record, path) if part is not None)
