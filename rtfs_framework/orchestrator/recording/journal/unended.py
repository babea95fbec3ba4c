"""A run that has not ended, read back so that it can be gone on with: what is run, and what its calls were answered.

In: a journal, the folder of its key, and a run. Out: an `Unended`. Its rows are proved first: what is read here is told
to a program as answers that were paid for. Only rows and texts are read; nothing is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.kept import PROGRAM, REPLY, STATE, Job
from rtfs_framework.orchestrator.recording.journal.query import has_log, parsed, reading
from rtfs_framework.orchestrator.recording.journal.rows import RunFacts
from rtfs_framework.orchestrator.recording.journal.sealing import other_key
from rtfs_framework.orchestrator.recording.journal.walk import Walk, before
from rtfs_framework.orchestrator.recording.purse import NANO, NOTHING_SPENT, Asker, Spending

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.orchestrator.recording.journal.chain import Keys

Id = tuple[int, int | None, str]
"""A call's: entry, record, path."""

_FIRST = "SELECT position, body FROM log WHERE what = 'run' AND id = ? ORDER BY position DESC LIMIT 2"
_ROWS = f"""
SELECT l.position, l.what, l.entry, l.record, l.id, l.body, plain(l.position, t.name, t.body) AS text,
t.body IS NOT NULL AS kept FROM log l
LEFT JOIN texts t ON t.position = l.position AND t.name = CASE l.what WHEN 'ended' THEN '{REPLY}' ELSE '{STATE}' END
WHERE l.run = :run AND l.position > :run ORDER BY l.position
"""  # noqa: S608 - our own names
_PROGRESS = "SELECT body FROM log WHERE what = 'progress' AND run = ? AND position > ? ORDER BY position DESC LIMIT 1"
_SPENT = """
SELECT total(json_extract(body, '$.cost')), total(json_extract(body, '$.input_tokens')),
total(json_extract(body, '$.output_tokens')), count(json_extract(body, '$.model'))
FROM log WHERE what = 'ended' AND run = ? AND position > ?
"""
_TEXT = "SELECT plain(position, name, body) AS text, 1 AS kept FROM texts WHERE position = ? AND name = ?"
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_ENDED = {"complete": "is complete", "failed": "has failed", "cancelled": "was cancelled"}
_FACTS = ("program", "source", "policy", "version", "seed", "tenant", "host")
LISTED = "`rtfs runs list` shows the runs"


@attrs.define(slots=True, eq=False)
class Begun:
    """A call of which rows are there."""

    rows: tuple[str, ...] = ()
    """The rows of its requests that began, as JSON; none for one that needed no such row."""
    ended: str | None = None
    """The row of its end, as JSON; None while it is not known how it ended."""
    reply: str | None = None
    """The text of what it was answered, if that is there."""
    transform: tuple[str, ...] = ()
    """The rules of redaction that its latest request went through."""
    position: int = 0
    """Of its latest row."""

    @property
    def begun(self) -> Mapping[str, Any] | None:
        """What its latest request says that began."""
        return parsed(self.rows[-1]) if self.rows else None

    @property
    def targets(self) -> set[str]:
        """Where all its requests that began were to go."""
        return {str(parsed(row).get("target") or "") for row in self.rows}


@attrs.define(slots=True, eq=False)
class Unended:
    """A run and what is known of it."""

    facts: RunFacts
    position: int
    """Of its first row."""
    keys: Keys
    calls: dict[Id, Begun] = attrs.field(factory=dict)
    consultations: dict[Id, int] = attrs.field(factory=dict)
    """How many questions to models belong to a call."""
    notes: list[tuple[int, str, Mapping[str, Any], str | None]] = attrs.field(factory=list)
    """What else happened to it, in order: position, what, body, and the text of its state."""
    status: str = ""
    """Of its latest end; "" while it has none."""
    ended_calls: int = 0
    done: tuple[int | None, int] = (None, 0)
    """Of a stream the entry, and how many of its records are done: their calls are not here."""

    spent: Spending = NOTHING_SPENT
    """What its requests to models took, those of records that are done included."""

    @property
    def job(self) -> Job | None:
        """What is run: with the text of the program that took over last."""
        notes = (note for note in reversed(self.notes) if note[1] == "resumed" and "program" in note[2])
        latest = next(notes, None)
        if latest is None:
            return self.facts.job
        return None if latest[3] is None else Job.of_text(latest[3])  # a text that holds a secret is not kept

    def until(self, position: int) -> Unended:
        """Return what was known of it before a row was written."""
        calls = {id_: each for id_, each in self.calls.items() if each.position < position}
        notes = [note for note in self.notes if note[0] < position]
        return attrs.evolve(self, calls=calls, notes=notes, done=(None, 0), spent=_spent(calls.values()))

    def last(self, what: str) -> tuple[Mapping[str, Any], str | None] | None:
        """Return the latest of what happened to it, and the text that goes with it."""
        return next((note[2:] for note in reversed(self.notes) if note[1] == what), None)


def _spent(calls: Iterable[Begun]) -> Spending:
    """Return what some calls took."""
    rows = [parsed(each.ended) for each in calls if each.ended is not None]
    cost = sum(float(row.get("cost") or 0.0) for row in rows)
    tokens = sum(int(row.get("input_tokens") or 0) + int(row.get("output_tokens") or 0) for row in rows)
    return Spending(round(cost * NANO), tokens, sum("model" in row for row in rows))


def unended(path: Path, run: str, home: Path, *, also_ended: bool = False) -> Unended:
    """Return what is known of a run that can be gone on with; of one that has ended, too, for whoever begins another.

    Raises:
        JournalError: There is no such run, it has ended for good, or its rows are not what was written.
    """
    with reading(path) as connection:
        rows = connection.execute(_FIRST, (run,)).fetchall() if has_log(connection) else []
        if not rows:
            raise JournalError(path, f"no run is called '{run}'", LISTED)
        if len(rows) > 1:
            raise JournalError(path, f"run {run} was begun anew when the file had been cut", LISTED)
        position = int(rows[0]["position"])
        program = connection.execute(_TEXT, (position, PROGRAM)).fetchone()
        if program is not None:
            _need_text(path, program)
        found = Unended(_facts(run, rows[0]), position, keys_of(connection, path, home))
        progress = connection.execute(_PROGRESS, (position, position)).fetchone()
        if progress is not None:
            body = parsed(progress["body"])
            found.done = body.get("entry"), int(body.get("done") or 0)
        cost, given, taken, asked = connection.execute(_SPENT, (position, position)).fetchone()
        found.spent = Spending(round(cost * NANO), int(given + taken), asked)
        for row in connection.execute(_ROWS, {"run": position}):
            _need_text(path, row)
            _take(found, row)
        walk = Walk(connection, found.keys, position, before(connection, position), run=run)
        walk.go()
        if walk.problems:  # before what it says is understood
            way_out = "`rtfs runs verify` says what is wrong; nothing is gone on with"
            raise JournalError(path, walk.problems[0][1], way_out)
        if program is not None:
            found.facts = attrs.evolve(found.facts, job=Job.of_text(program["text"]))
        for call in found.calls.values():
            if call.ended is None and (begun := call.begun) is not None:
                call.transform = _transform(connection, begun.get("decision"))
    if found.status in _ENDED and not also_ended:
        how = _ENDED[found.status]
        raise JournalError(path, f"run {run} {how}", "a run that has ended is not gone on with; run the program again")
    return found


def _need_text(path: Path, row: sqlite3.Row) -> None:
    """See that a text that is there can be read."""
    if row["kept"] and row["text"] is None:
        raise other_key(path, "what was kept of the run is encrypted with a key that is not here, or was changed")


def _facts(run: str, row: sqlite3.Row) -> RunFacts:
    body = parsed(row["body"])
    program, source, policy, version, seed, tenant, host = (str(body.get(name, "")) for name in _FACTS)
    asker = Asker(**{name: str(said) for name, said in dict(body.get("asked_by") or {}).items()})
    started = float(body.get("started") or 0.0)
    return RunFacts(run, program, source, started, policy, version, seed, tenant, host, asker)


def _transform(connection: sqlite3.Connection, digest: Any) -> tuple[str, ...]:
    row = None if digest is None else connection.execute(_PLAN, (digest,)).fetchone()
    return tuple(map(str, parsed(row["body"]).get("transform") or ())) if row is not None else ()


def _take(found: Unended, row: sqlite3.Row) -> None:
    what, path = row["what"], str(row["id"])
    if what in ("begun", "ended"):
        entry, done = found.done
        if row["record"] is not None and row["entry"] == entry and row["record"] < done:
            found.ended_calls += what == "ended" and "?" not in path
            return
        call, _, part = path.partition("?")
        if part and what == "ended":
            known = found.consultations
            known[row["entry"], row["record"], call] = known.get((row["entry"], row["record"], call), 0) + 1
        id_ = (row["entry"], row["record"], path)
        begun = found.calls.get(id_)
        if begun is None:
            begun = found.calls[id_] = Begun()
        begun.position = int(row["position"])
        if what == "begun":
            begun.rows = (*begun.rows, row["body"])
        elif '"stopped":true' not in row["body"]:
            begun.ended, begun.reply = row["body"], row["text"]
            found.ended_calls += not part
    elif what == "end":
        found.status = str(parsed(row["body"]).get("status", ""))
    elif what != "feedback":
        found.notes.append((int(row["position"]), what, parsed(row["body"]), row["text"]))
