"""Rating a call of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.feedback import Feedback
from rtfs_framework.orchestrator.recording.journal.query import entries_within, has_log, reading
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.similar_mark import served_of

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.orchestrator.recording.journal.writer import Journal

_LATEST_RUN = "SELECT position FROM log WHERE what = 'run' AND id = ? ORDER BY position DESC LIMIT 1"
_OF_CALL = ("symbol", "target", "outcome", "micros", "cost", "input_tokens", "output_tokens")


def rate(journal: Journal, run: str, call: str, value: float, by: str) -> Feedback:
    """Write down what somebody says of a call of an earlier run.

    Raises:
        JournalError: No such run or call, it is not over or was not decided, or the journal cannot be written.
    """
    journal.commit()  # the run may be one of this process, and its rows may wait
    with reading(journal.path) as connection:
        found = _found(connection, journal.path, run, call)
    made = attrs.evolve(found, value=value, by=by, at=journal.clock.now())
    journal.queue("feedback", None, made)
    journal.commit()
    return made


def _found(connection: sqlite3.Connection, path: Path, run: str, call: str) -> Feedback:
    row = connection.execute(_LATEST_RUN, (run,)).fetchone() if has_log(connection) else None
    if row is not None:
        for entry in entries_within(connection, run):
            if name_of(entry["entry"], entry["record"], entry["path"]) == call:
                return _of_entry(path, call, entry, row["position"])
    raise JournalError(path, f"run {run} has no call {call}", "`rtfs runs show` names the calls of a run")


def _of_entry(path: Path, call: str, entry: Mapping[str, Any], run: int) -> Feedback:
    if entry["state"] != "ended" or not entry["decision_digest"]:
        why = "is not over" if entry["state"] != "ended" else "was not decided by an engine, a route or a rule"
        raise JournalError(path, f"call {call} {why}: nobody learns from what is said of it", "rate another call")
    return Feedback(
        entry=entry["entry"],
        record=entry["record"],
        path=entry["path"],
        value=0.0,
        by="",
        at=0.0,
        call={name: entry[name] for name in _OF_CALL},
        decision=entry["decision_digest"],
        situation=entry["situation_digest"] or None,
        run=run,
        served=served_of(entry["similar"]),
    )
