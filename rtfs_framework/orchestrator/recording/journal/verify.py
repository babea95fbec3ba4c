"""Verifying a journal: every row is what was written, follows the one before it, and none is missing.

In: the journal and the folder of its key. Out: verdicts. A run is proved from its first row to the end of the file, so
that whatever was cut off after it is found; `verify_all` proves the whole file. The head file beside the key tells how
far the journal had come; a head that was written down elsewhere (`against`) tells the same even when the head file and
the journal were both put back. Who holds the key can write anything: no verdict speaks of them.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal import large, old
from rtfs_framework.orchestrator.recording.journal.anchor import Anchor, Anchored, understood
from rtfs_framework.orchestrator.recording.journal.chain import START, Head
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.migrate import state_of_old
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading
from rtfs_framework.orchestrator.recording.journal.stumps import has_head
from rtfs_framework.orchestrator.recording.journal.walk import Walk, before

if TYPE_CHECKING:
    import sqlite3

OLD_RULE = "of an older version of the journal: its hashes have no key and find accidents only"
_FIRST = "SELECT min(position) FROM log WHERE what = 'run' AND id = ?"


@attrs.frozen(slots=True, kw_only=True)
class Verdict:
    """The outcome for a run: `reason` says what is wrong, `broken` is its row (of an old run, its entry)."""

    run: str
    ok: bool
    entries: int
    """Calls of the run."""
    broken: int | None = None
    reason: str = ""
    finished: bool = True
    note: str = ""
    """What the verdict does not cover."""


@attrs.frozen(slots=True, kw_only=True)
class FileVerdict:
    """The outcome for a whole journal."""

    ok: bool
    runs: int
    unfinished: int
    rows: int
    head: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def head_of(path: Path, home: Path) -> Head:
    """Return the head of a journal: it stands for all that is in it.

    Raises:
        JournalError: There is none, or its last rows are not what was written.
    """
    with reading(path) as connection:
        _need_log(connection, path)
        keys = keys_of(connection, path, home)
        last = connection.execute("SELECT max(position) FROM log").fetchone()[0]
        walk = Walk(connection, keys, last, before(connection, last))
        walk.go()
    if walk.problems:
        raise JournalError(path, walk.problems[0][1], "`rtfs runs verify --all` says what is wrong")
    return walk.head


def holds(path: Path, head: Head) -> bool:
    """Tell whether a head is in a journal, at its place.

    Raises:
        JournalError: The journal cannot be read.
    """
    with reading(path) as connection:
        return has_log(connection) and has_head(connection, head, None)


def verify(path: Path, run: str, home: Path) -> Verdict:
    """Prove a run, and that nothing after it was cut off.

    Raises:
        JournalError: There is no such run, or the journal cannot be read with this key.
    """
    kept = Anchor.of(home, path).raw()
    with reading(path) as connection:
        first = connection.execute(_FIRST, (run,)).fetchone()[0] if has_log(connection) else None
        if first is None:
            return _verify_old(connection, path, run, home)
        keys = keys_of(connection, path, home)
        walk = Walk(connection, keys, first, before(connection, first), run=run)
        walk.go()
        _compare(connection, walk, understood(kept, keys))
    broken, reason = walk.problems[0] if walk.problems else (None, "")
    finished = walk.finished
    if not reason and not finished:
        reason = "the run never ended"
    return Verdict(
        run=run, ok=broken is None and not walk.problems, entries=walk.calls, broken=broken, reason=reason,
        finished=finished, note="; ".join(walk.notes),
    )  # fmt: skip


def verify_all(path: Path, home: Path, against: Head | None = None) -> FileVerdict:
    """Prove a whole journal, and that it goes on from a head that was taken earlier.

    Raises:
        JournalError: It cannot be read with this key.
    """
    kept = Anchor.of(home, path).raw()
    with reading(path) as connection:
        if not has_log(connection):
            if against is not None:
                _need_log(connection, path)
            return _all_old(connection)
        keys = keys_of(connection, path, home)
        walk = Walk(connection, keys, 1, START)
        walk.go()
        _compare(connection, walk, understood(kept, keys))
        problems = [text for _, text in walk.problems] + _frozen(connection, walk.migrated)
        if stray := large.stray(connection):
            problems.append(f"{stray} kept texts were added: no row names them")
        if against is not None and not has_head(connection, against, keys):
            problems.append(f"row {against.position} is not there, or not what it was when the head was taken")
        runs, unfinished = len(walk.runs), len(walk.runs - walk.ends)
        notes = list(walk.notes)
        if walk.migrated is not None:
            runs += int(walk.migrated.get("runs", 0))
            unfinished += sum(not old.verify(connection, row["id"])[3] for row in old.runs(connection, -1))
            since = f"the proof holds since {when(walk.since)}"
            notes.append(f"{walk.migrated.get('runs', 0)} runs are {OLD_RULE}; {since}")
    return FileVerdict(
        ok=not problems, runs=runs, unfinished=unfinished, rows=walk.rows, head=str(walk.head),
        problems=tuple(problems), notes=tuple(notes),
    )  # fmt: skip


def _verify_old(connection: sqlite3.Connection, path: Path, run: str, home: Path) -> Verdict:
    if not old.has_old(connection) or old.run_of(connection, run) is None:
        raise JournalError(path, f"no run is called '{run}'", "`rtfs runs list` shows the runs")
    calls, broken, reason, finished = old.verify(connection, run)
    note = OLD_RULE
    if not reason and has_log(connection):
        keys = keys_of(connection, path, home)
        walk = Walk(connection, keys, 1, START, stop=1)
        walk.go()
        reason = next(iter([text for _, text in walk.problems] + _frozen(connection, walk.migrated)), "")
        note = f"{OLD_RULE}; unchanged since {when(walk.since)}, when it was brought up to date"
    ok = not reason
    if ok and not finished:
        reason = "the run never ended"
    return Verdict(run=run, ok=ok, entries=calls, broken=broken, reason=reason, finished=finished, note=note)


def _all_old(connection: sqlite3.Connection) -> FileVerdict:
    problems, unfinished, rows = [], 0, old.runs(connection, -1)
    for row in rows:
        _, _, reason, finished = old.verify(connection, row["id"])
        unfinished += not finished
        if reason:
            problems.append(f"run {row['id']}: {reason}")
    return FileVerdict(
        ok=not problems, runs=len(rows), unfinished=unfinished, rows=0, head="", problems=tuple(problems),
        notes=(f"all runs are {OLD_RULE}",),
    )  # fmt: skip


def _frozen(connection: sqlite3.Connection, migrated: dict[str, Any] | None) -> list[str]:
    """Return what is wrong with the tables of an older version beside the log."""
    there = old.has_old(connection)
    if migrated is None:
        return ["tables of an older version were added to the file"] if there else []
    if not there or state_of_old(connection) != migrated.get("old"):
        return ["the runs of the older version were changed after the journal was brought up to date"]
    wrong = ((row["id"], old.verify(connection, row["id"])[2]) for row in old.runs(connection, -1))
    return [f"run {run}: {reason}" for run, reason in wrong if reason]


def _compare(connection: sqlite3.Connection, walk: Walk, anchored: Anchored) -> None:
    """Compare a journal with its head file, which was read before: it never says more than was committed then."""
    if anchored.state == "here":
        head = anchored.head
        if head.position <= walk.head.position and not has_head(connection, head, walk.keys):
            walk.problem(head.position, f"row {head.position} is not what it was when it was written")
        elif head.position > walk.head.position:
            there = f"the file ends at row {walk.head.position}, but had come to row {head.position}"
            text = f"{there}: rows were cut off, or it is an older copy"
            walk.problem(head.position, text)
    elif anchored.state == "other":
        walk.problem(0, f"another journal lay in this place before, and had come to row {anchored.head.position}")
    else:
        walk.notes.append(f"the head file is {anchored.state}: rows cut off at the end are found only by --against")


def _need_log(connection: sqlite3.Connection, path: Path) -> None:
    if not has_log(connection):
        raise JournalError(
            path, "it is of an older version, which has no head", "run a program with it: that brings it up to date"
        )


def when(stamp: Any) -> str:
    """Return a time of a row as people read it."""
    try:
        return datetime.fromtimestamp(stamp, timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (TypeError, ValueError, OverflowError, OSError):
        return "at no known time"
