"""Runs as lists show them, newest first: each by its first row and its end, and many rows read at once.

In: an open journal. Out: `RunRow`s, as they are asked for: whoever wants twenty of a million reads some hundred rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.frozen import maker
from rtfs_framework.orchestrator.recording.journal.parsing import parsed_all

if TYPE_CHECKING:
    import sqlite3

_RUNS = "SELECT position, id, body FROM log WHERE what = 'run' AND position BETWEEN ? AND ? ORDER BY position DESC"
_ENDS = "SELECT run, position, body FROM log WHERE what = 'end' AND run BETWEEN ? AND ? ORDER BY run, position"
_RESUMED = "SELECT run, max(position) FROM log WHERE what = 'resumed' AND run BETWEEN ? AND ? GROUP BY run"
_MESSAGE = "SELECT plain(position, name, body) FROM texts WHERE position = ? AND name = 'message'"
_TEXT = '"texts":'
_MANY = 200
"""Runs that are read at once."""

UNFINISHED = "unfinished"


@attrs.frozen(slots=True, kw_only=True, weakref_slot=False)  # see `maker`
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
    """How many calls it made, as its end says."""
    message: str
    tenant: str = ""
    asked_by: Mapping[str, str]
    """Who asked for it from elsewhere, as they said; empty for a run of this machine's own."""
    manifest: str = ""
    """The digest of the manifest that it was held to; "" for none."""
    waits: tuple[Mapping[str, Any], ...] | None = None
    """What it waits for, as its end says: it is gone on with later; None where that says nothing of it (`waits_of`)."""


_run_row = maker(RunRow)


def run_rows(connection: sqlite3.Connection, last: int, first: int = 1) -> Iterator[RunRow]:
    """Yield the runs whose first rows lie from one position to another, the latest first."""
    cursor = connection.cursor()
    cursor.row_factory = None  # bare tuples: others are made anew for each row
    cursor.execute(_RUNS, (first, last))
    while rows := cursor.fetchmany(_MANY):
        ends = _ends(connection, (rows[-1][0], rows[0][0]))
        endings = dict(zip(ends, parsed_all([body for _, body in ends.values()]), strict=True))
        for (position, id_, _), body in zip(rows, parsed_all([row[2] for row in rows]), strict=True):
            message = None
            if (end := ends.get(position)) is not None and end[1].__class__ is str and _TEXT in end[1]:
                found = connection.execute(_MESSAGE, (end[0],)).fetchone()
                message = None if found is None else found[0]
            yield _run(id_, body, endings.get(position, _NOTHING), message)


_NOTHING: Mapping[str, Any] = {}


def _ends(connection: sqlite3.Connection, span: tuple[int, int]) -> dict[int, tuple[int, Any]]:
    """Return position and text of the latest end of each run between two; none of one that was gone on with since."""
    cursor = connection.cursor()
    cursor.row_factory = None
    ends = {run: (position, body) for run, position, body in cursor.execute(_ENDS, span)}
    for run, position in cursor.execute(_RESUMED, span):
        if run in ends and ends[run][0] < position:
            del ends[run]
    return ends


def _run(id_: str, body: Mapping[str, Any], ending: Mapping[str, Any], message: Any) -> RunRow:
    said, asked, waits = body.get, body.get("asked_by"), ending.get("waits")
    return _run_row(
        id=id_, program=said("program", ""), source=said("source", ""), started=float(said("started") or 0.0),
        policy=said("policy", ""), version=said("version", ""), tenant=said("tenant", ""),
        manifest=said("manifest", ""), status=ending.get("status", UNFINISHED), ended=ending.get("ended"),
        entries=ending.get("calls"), message=_message(ending) if message is None else str(message),
        asked_by={str(name): str(text) for name, text in dict(asked).items()} if asked else {},
        waits=tuple(waits) if isinstance(waits, list) else None,
    )  # fmt: skip


def _message(ending: Mapping[str, Any]) -> str:
    """Return kind, code and place of why a run failed, where no message was kept."""
    error = ending.get("error")
    if not error:
        return ""
    if error.get("told"):
        return str(error["told"])
    code = f" [{error['code']}]" if error.get("code") else ""
    place = f" at {error['place']}" if error.get("place") else ""
    return f"{error.get('kind', '')}{code}{place}"
