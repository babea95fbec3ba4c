"""Removing what was kept of a run: arguments and messages go, the rows that name them by digest stay and still hold."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtfs_framework.orchestrator.journal.fault import JournalError
from rtfs_framework.orchestrator.journal.query import has_log, reading

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.journal.writer import Journal

_TEXTS = """
SELECT t.position, t.name, l.what, l.entry, l.record, l.id FROM texts t JOIN log l ON l.position = t.position
WHERE l.run IN (SELECT position FROM log WHERE what = 'run' AND id = ?) ORDER BY t.position, t.name
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
        journal.remove(found, {"run": run, "texts": texts, "when": time.time()})
    return len(found)


def _found(path: Path, run: str, calls: Collection[str] | None) -> list[tuple[int, str]]:
    with reading(path) as connection:
        rows = connection.execute(_TEXTS, (run,)).fetchall() if has_log(connection) else []
    if calls is None:
        return [(row["position"], row["name"]) for row in rows]
    known = {call: [row for row in rows if _is(row, call)] for call in calls}
    unknown = [call for call, its in known.items() if not its]
    if unknown:
        raise JournalError(path, f"nothing is kept of a call {unknown[0]}", "`rtfs runs show` names the calls of a run")
    return sorted({(row["position"], row["name"]) for its in known.values() for row in its})


def _is(row: Any, call: str) -> bool:
    return row["what"] != "end" and name_of(row["entry"], row["record"], row["id"]) == call


def name_of(entry: int | None, record: int | None, path: str) -> str:
    """Return a call's id as people write it: entry, record (if any), path, such as "1:0.2" or "1:7:0"."""
    return ":".join(str(part) for part in (entry, record, path) if part is not None)
