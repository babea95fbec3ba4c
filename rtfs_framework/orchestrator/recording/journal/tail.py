"""The rows of a journal as they come: for who watches it, or copies it.

In: a position. Out: the rows of runs and calls behind it, in the order in which they were written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading
from rtfs_framework.orchestrator.recording.journal.redact import name_of

_WHATS = "('run', 'begun', 'ended', 'end', 'feedback')"
_ROWS = f"""
SELECT l.position, l.what, l.entry, l.record, l.id, l.body, r.id AS run_id FROM log l
LEFT JOIN log r ON r.position = CASE l.what WHEN 'run' THEN l.position ELSE l.run END
WHERE l.position > ? AND l.what IN {_WHATS} ORDER BY l.position LIMIT ?
"""  # noqa: S608 - our own names
_BACK = f"SELECT position FROM log WHERE what IN {_WHATS} ORDER BY position DESC LIMIT 1 OFFSET ?"  # noqa: S608
_PIECE = 500
_WHEN = ("at", "ended", "decided_at", "started")


@attrs.frozen(slots=True, kw_only=True)
class Written:
    """One row."""

    position: int
    what: str
    """run, begun, ended, end, feedback."""
    run: str
    name: str
    """The call's id, "" for rows of a run."""
    body: Mapping[str, Any]

    @property
    def at(self) -> float | None:
        """When it was, in seconds since the epoch, as far as the row tells."""
        return next((float(self.body[each]) for each in _WHEN if isinstance(self.body.get(each), int | float)), None)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"position": self.position, "what": self.what, "run": self.run, "call": self.name, **self.body}


def latest(path: Path, count: int) -> int:
    """Return the position behind which the latest `count` rows lie.

    Raises:
        JournalError: The journal cannot be read.
    """
    with reading(path) as connection:
        found = connection.execute(_BACK, (count,)).fetchone() if has_log(connection) else None
    return 0 if found is None else int(found["position"])


def written_since(path: Path, after: int) -> Iterator[Written]:
    """Yield the rows behind a position, some hundreds at a time; the file is not held open meanwhile.

    Raises:
        JournalError: The journal cannot be read.
    """
    while True:
        with reading(path) as connection:
            rows = connection.execute(_ROWS, (after, _PIECE)).fetchall() if has_log(connection) else []
        for row in rows:
            after = int(row["position"])
            of_call = row["what"] not in ("run", "end")
            yield Written(
                position=after,
                what=row["what"],
                run=str(row["run_id"] or ""),
                name=name_of(row["entry"], row["record"], row["id"]) if of_call else "",
                body=parsed(row["body"]),
            )
        if len(rows) < _PIECE:
            return
