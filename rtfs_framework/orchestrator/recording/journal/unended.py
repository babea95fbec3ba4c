"""A run that has not ended, read back so that it can be gone on with: what is run, and what its calls were answered.

In: a journal, the folder of its key, and a run. Out: an `Unended`. Its rows are proved first: what is read here is told
to a program as answers that were paid for. Only rows and texts are read; nothing is computed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.kept import PROGRAM, REPLY, STATE, Job
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading
from rtfs_framework.orchestrator.recording.journal.redact import name_of
from rtfs_framework.orchestrator.recording.journal.rows import RunFacts
from rtfs_framework.orchestrator.recording.journal.schema import LAST
from rtfs_framework.orchestrator.recording.journal.sealing import other_key
from rtfs_framework.orchestrator.recording.journal.spent import HELD, InFlight, has_used, spent
from rtfs_framework.orchestrator.recording.journal.usual import Usual, end_of
from rtfs_framework.orchestrator.recording.journal.walk import Taken, Walk, before
from rtfs_framework.orchestrator.recording.purse import NOTHING_SPENT, Asker, Spending

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.orchestrator.recording.journal.chain import Keys

Id = tuple[int, int | None, str]
"""A call's: entry, record, path."""

_FIRST = "SELECT position, body FROM log WHERE what = 'run' AND id = ? ORDER BY position DESC LIMIT 2"
_PROGRESS = """
SELECT body FROM log WHERE what = 'progress' AND run = ? AND run > 0 AND position > ? ORDER BY position DESC LIMIT 1
"""
_NEXT = """
SELECT coalesce((SELECT min(position) FROM log WHERE position > m.last), m.last)
FROM (SELECT max(position) AS last FROM log WHERE run = ? AND run > 0 AND position >= ?) m
"""
"""The row behind a run's last: it shows that none is missing in between."""
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_STOPPED = '"stopped":true'
ENDED = {"complete": "is complete", "failed": "has failed", "cancelled": "was cancelled"}
"""How a run has ended for good, in words."""
_FACTS = ("program", "source", "policy", "version", "seed", "tenant", "host")
LISTED = "`rtfs runs list` shows the runs"


@attrs.define(slots=True, eq=False, weakref_slot=False)
class Begun:
    """A call of which rows are there."""

    latest: str | None = None
    """The row of its latest request that began, as JSON; None for one that needed no such row."""
    earlier: tuple[str, ...] = ()
    """The rows of those before."""
    whole: str | None = None
    """The row of its end, as JSON, where it is not a usual one."""
    usual: Usual | None = None
    """What is to be known of that row, where it is one: of many calls that is a fifth of the bytes."""
    reply: str | None = None
    """The text of what it was answered, if that is there."""
    transform: tuple[str, ...] = ()
    """The rules of redaction that its latest request went through."""
    position: int = 0
    """Of its latest row."""

    @property
    def is_over(self) -> bool:
        """Tell whether it is known how it ended."""
        return self.usual is not None or self.whole is not None

    @property
    def ended(self) -> str | None:
        """The row of its end, as JSON, with what is to be known of it; None while it is not known how it ended."""
        return self.whole if self.usual is None else end_of(self.usual)

    @property
    def begun(self) -> Mapping[str, Any] | None:
        """What its latest request says that began."""
        return None if self.latest is None else parsed(self.latest)

    @property
    def targets(self) -> set[str]:
        """Where all its requests that began were to go."""
        rows = self.earlier if self.latest is None else (*self.earlier, self.latest)
        return {str(parsed(row).get("target") or "") for row in rows}


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
    waits: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """The rows of its waits that have not ended, by their calls."""
    status: str = ""
    """Of its latest end; "" while it has none."""
    ended_calls: int = 0
    done: tuple[int | None, int] = (None, 0)
    """Of a stream the entry, and how many of its records are done: their calls are not here."""

    spent: Spending = NOTHING_SPENT
    """What its requests to models took, those of records that are done included, and may have taken (`held`)."""
    in_flight: dict[Id, InFlight] = attrs.field(factory=dict)
    """Its requests that a purse was asked for, and of whose end nothing is known."""

    @property
    def held(self) -> Mapping[Id, Spending]:
        """What may have been taken of which nobody knows, by call."""
        return {id_: each.held for id_, each in self.in_flight.items()}

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
        return attrs.evolve(
            self,
            calls=calls,
            notes=notes,
            done=(None, 0),
            spent=spent(each.whole for each in calls.values() if each.whole is not None),
            in_flight={},
        )

    def last(self, what: str) -> tuple[Mapping[str, Any], str | None] | None:
        """Return the latest of what happened to it, and the text that goes with it."""
        return next((note[2:] for note in reversed(self.notes) if note[1] == what), None)


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
        found = Unended(_facts(run, rows[0]), position, keys_of(connection, path, home))
        progress = connection.execute(_PROGRESS, (position, position)).fetchone()
        if progress is not None:
            body = parsed(progress["body"])
            found.done = body.get("entry"), int(body.get("done") or 0)
        stop = connection.execute(_NEXT, (position, position)).fetchone()[0]
        known = attrs.evolve(found, calls={}, consultations={}, notes=[], waits={}, in_flight={})
        walk, reading_ = _walked(connection, found, stop)
        if walk.problems:  # texts may have been removed on purpose: a row further on says so, or it is found missing
            walk, reading_ = _walked(connection, known, LAST)
            found = known
        _need(walk, path, position)
        found.spent = sum(found.held.values(), spent(reading_.paid) + reading_.lost)
        if reading_.program is not None:
            found.facts = attrs.evolve(found.facts, job=Job.of_text(reading_.program))
        for call in found.calls.values():
            if not call.is_over and (begun := call.begun) is not None:
                call.transform = _transform(connection, begun.get("decision"))
    if found.status in ENDED and not also_ended:
        how = ENDED[found.status]
        raise JournalError(path, f"run {run} {how}", "a run that has ended is not gone on with; run the program again")
    return found


def _walked(connection: sqlite3.Connection, found: Unended, stop: int) -> tuple[Walk, _Reading]:
    """Read a run up to a row."""
    reading_ = _Reading(found, found.position)
    parent = before(connection, found.position)
    walk = Walk(connection, found.keys, found.position, parent, found.facts.id, stop, reading_.take)
    with _no_collections():
        walk.go()
    return walk, reading_


@contextmanager
def _no_collections() -> Iterator[None]:
    """Look for no cycles while objects are made by the hundred thousand: a quarter of the time, to find none.

    Other threads make theirs meanwhile, and they are looked for a little later.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _need(walk: Walk, path: Path, run: int) -> None:
    """See that rows and texts of a run are what was written, before what they say is gone on with."""
    if run in walk.unreadable:
        raise other_key(path, "what was kept of the run is encrypted with a key that is not here, or was changed")
    if walk.problems:
        way_out = "`rtfs runs verify` says what is wrong; nothing is gone on with"
        raise JournalError(path, walk.problems[0][1], way_out)


def _facts(run: str, row: sqlite3.Row) -> RunFacts:
    body = parsed(row["body"])
    program, source, policy, version, seed, tenant, host = (str(body.get(name, "")) for name in _FACTS)
    asker = Asker(**{name: str(said) for name, said in dict(body.get("asked_by") or {}).items()})
    started = float(body.get("started") or 0.0)
    return RunFacts(run, program, source, started, policy, version, seed, tenant, host, asker)


def _transform(connection: sqlite3.Connection, digest: Any) -> tuple[str, ...]:
    row = None if digest is None else connection.execute(_PLAN, (digest,)).fetchone()
    return tuple(map(str, parsed(row["body"]).get("transform") or ())) if row is not None else ()


@attrs.define(slots=True, eq=False)
class _Reading:
    """Takes the rows of a run, as they are proved."""

    found: Unended
    first: int
    """The position of its first row."""
    program: str | None = None
    paid: list[str] = attrs.field(factory=list)
    """The ends of calls that used something, those of records that are done included."""
    lost: Spending = NOTHING_SPENT
    """What requests may have taken of processes that died at calls which have ended since."""
    heads: dict[str, str] = attrs.field(factory=dict)
    """What usual ends begin with, each once."""

    def take(self, values: Taken, texts: Mapping[str, str], usual: Usual | None) -> None:
        """Take note of a row."""
        position, run, what, entry, record, path, body, _ = values
        if run != self.first:
            return
        if what == "ended":
            self._ended(position, (entry, record, path), body, texts.get(REPLY), usual)
        elif what == "begun":
            if usual is None and HELD in body:
                self._used((entry, record, path), body, "begun")
            self._begun(position, (entry, record, path), body)
        elif position == self.first:
            self.program = texts.get(PROGRAM)
        elif what == "end":
            self.found.status = str(parsed(body).get("status", ""))
        elif what != "feedback":
            said = parsed(body)
            self.found.notes.append((position, what, said, texts.get(STATE)))
            if what == "waiting":
                self.found.waits[str(said.get("call"))] = said
            if what == "resumed":
                self._left_behind(said.get("not_done") or ())

    def _begun(self, position: int, id_: Id, body: str) -> None:
        """Take note of a request that began."""
        if id_[1] is not None and self._is_done(id_):
            return
        calls = self.found.calls
        call = calls.get(id_)
        if call is None:
            calls[id_] = Begun(body, position=position)
            return
        if call.latest is not None:
            call.earlier = (*call.earlier, call.latest)
        call.latest, call.position = body, position

    def _ended(self, position: int, id_: Id, body: str, reply: str | None, usual: Usual | None) -> None:
        """Take note of a call that is over."""
        found, part = self.found, "?" in id_[2]
        if usual is None and (has_used(body) or HELD in body):
            self._used(id_, body, "ended")
        if found.waits and _STOPPED not in body:
            found.waits.pop(f"{found.facts.id}:{name_of(*id_)}", None)
        if id_[1] is not None and self._is_done(id_):
            found.ended_calls += not part
            return
        call = found.calls.get(id_)
        if call is None:
            call = found.calls[id_] = Begun()
        call.position = position
        if part:
            of = (*id_[:2], id_[2].partition("?")[0])
            found.consultations[of] = found.consultations.get(of, 0) + 1
        if usual is not None:
            head, args = usual
            call.usual, call.whole, call.reply = (self.heads.setdefault(head, head), args), None, reply
            call.latest, call.earlier = None, ()  # how it began tells nobody anything now
            found.ended_calls += not part
        elif _STOPPED not in body:
            call.usual, call.whole, call.reply = None, body, reply
            found.ended_calls += not part

    def _is_done(self, id_: Id) -> bool:
        """Tell whether a call is of a record that is done."""
        entry, record, _ = id_
        done, count = self.found.done
        return record is not None and entry == done and record < count

    def _used(self, id_: Id, body: str, what: str) -> None:
        """Take note of a request, or of what those of a call took."""
        flying = self.found.in_flight
        if what == "begun":
            found = flying.setdefault(id_, InFlight())
            found.rows = (*found.rows, body)
        elif _STOPPED in body and id_ in flying:
            flying[id_].stopped = body
        else:
            self.paid.append(body)
            ended = flying.pop(id_, None)
            if ended is not None:
                self.lost += ended.lost

    def _left_behind(self, not_done: Iterable[str]) -> None:
        """Note that another process goes on with what is in flight; `not_done` says what a person says of it."""
        said = frozenset(not_done)
        for id_, each in self.found.in_flight.items():
            each.left_behind(made="" not in said and name_of(*id_) not in said)
