"""Reading the journal: its runs, and the calls of a run, in the order of their ids whatever the timing was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from itertools import dropwhile, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.orchestrator.recording.journal import old
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import open_for_reading, translated
from rtfs_framework.orchestrator.recording.journal.kept import REPLY
from rtfs_framework.orchestrator.recording.journal.listed import UNFINISHED, RunRow, run_rows
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.schema import LAST, LOG, SPAN

if TYPE_CHECKING:
    import sqlite3

_RUNS = "SELECT position, id, body FROM log WHERE what = 'run'"
_CALLS = """
SELECT position, what, entry, record, id, body FROM log
WHERE position BETWEEN ? AND ? AND what IN ('begun', 'ended')
AND run IN (SELECT position FROM log WHERE what = 'run' AND id = ?)
ORDER BY entry, ifnull(record, -1), in_order(id), position
"""
_CALLED = """
SELECT body FROM log WHERE position BETWEEN ? AND ? AND what IN ('begun', 'ended')
AND run IN (SELECT position FROM log WHERE what = 'run' AND id = ?)
"""
_FEEDBACK = """
SELECT entry, record, id, body FROM log WHERE what = 'feedback'
AND run IN (SELECT position FROM log WHERE what = 'run' AND id = ?) ORDER BY position
"""
_TEXTS = "SELECT name, plain(position, name, body) AS body FROM texts WHERE position = ?"
_KEPT = """
SELECT r.id, plain(t.position, t.name, t.body) AS body FROM texts t JOIN log l ON l.position = t.position
JOIN log r ON r.position = CASE l.what WHEN 'run' THEN l.position ELSE l.run END
"""
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_PLACE = "SELECT max(position) FROM log WHERE what = 'run' AND id = ?"
_WIDTH = 20
_ALL = 2**31 - 1
_CAPABILITY = CallKind.CAPABILITY.value

_ATTEMPT: dict[str, Any] = {
    "target": "", "kind": "", "reason": "", "guard": "", "retry_after": None, "elsewhere": [], "seconds": 0.0,
    "cost": 0.0, "input_tokens": 0, "output_tokens": 0, "decision": "", "signals": 0,
}  # fmt: skip
"""What a row leaves out of an attempt, because it says nothing."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for a while, as it is at this moment.

    Raises:
        JournalError: There is none, or it cannot be read.
    """
    connection = open_for_reading(path)
    try:
        with translated(path):
            connection.create_function("in_order", 1, _in_order, deterministic=True)
            connection.execute("BEGIN")
            yield connection
    finally:
        connection.close()


@attrs.frozen(slots=True, kw_only=True)
class Wanted:
    """Which runs are wanted; what is None does not matter. Patterns are those of a shell: `*`, `?`, `[abc]`."""

    since: float | None = None
    """Seconds since the epoch."""
    until: float | None = None
    status: str | None = None
    source: str | None = None
    """A pattern of the program's name."""
    tenant: str | None = None
    symbol: str | None = None
    """A pattern of what at least one of its calls is of."""
    target: str | None = None
    """A pattern of where at least one of its calls went, in any attempt."""
    search: str | None = None
    """A text that is part of what is kept of it, in any case of letters; what was removed, or has no key, has none."""

    def fits(self, run: RunRow) -> bool:
        """Tell whether a run is wanted, as far as its first and last rows say."""
        return (
            (self.since is None or run.started >= self.since)
            and (self.until is None or run.started < self.until)
            and (self.status is None or run.status == self.status)
            and (self.source is None or fnmatchcase(run.source, self.source))
            and (self.tenant is None or run.tenant == self.tenant)
        )

    def calls(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether a call is one of those that a wanted run has."""
        targets = [entry.get("target"), *(each.get("target") for each in entry.get("attempts") or ())]
        return (self.symbol is None or fnmatchcase(str(entry.get("symbol") or ""), self.symbol)) and (
            self.target is None or any(fnmatchcase(str(each or ""), self.target) for each in targets)
        )

    @property
    def looks_at_calls(self) -> bool:
        """Tell whether it depends on the calls of a run."""
        return self.symbol is not None or self.target is not None


ANY_RUN = Wanted()


def list_runs(path: Path, limit: int = 50, wanted: Wanted = ANY_RUN, before: str = "") -> list[RunRow]:
    """Return the latest runs that are wanted, newest first; `before`: those older than this run."""
    with reading(path) as connection:
        named = None if wanted.search is None else _holding(connection, wanted.search)
        runs = _runs(connection, before)
        if wanted != ANY_RUN:
            kept = (each for each in runs if named is None or each.id in named)
            runs = (each for each in kept if _is_wanted(connection, each, wanted))
        return list(islice(runs, limit))


def _holding(connection: sqlite3.Connection, text: str) -> set[str]:
    """Return the ids of the runs of which a text is kept that has this one in it.

    It looks through all that is kept: an index of people's words would be a second copy, in the clear.
    """
    looked_for, found = text.casefold(), set[str]()
    for row in connection.execute(_KEPT) if has_log(connection) else ():
        if row["id"] not in found and row["body"] is not None and looked_for in row["body"].casefold():
            found.add(row["id"])
    return found


def _runs(connection: sqlite3.Connection, before: str = "") -> Iterator[RunRow]:
    """Yield all runs that are older than the one of an id, newest first."""
    found = None
    if has_log(connection):
        found = connection.execute(_PLACE, (before,)).fetchone()[0]
        if not before or found is not None:
            yield from run_rows(connection, LAST if found is None else found - 1)
    if old.has_old(connection):
        rows = iter(old.runs(connection, _ALL))
        if before and found is None:
            next(rows := dropwhile(lambda row: row["id"] != before, rows), None)
        yield from map(_old_run, rows)


def _is_wanted(connection: sqlite3.Connection, run: RunRow, wanted: Wanted) -> bool:
    if not wanted.fits(run):
        return False
    if not wanted.looks_at_calls:
        return True
    if old.has_old(connection) and old.run_of(connection, run.id) is not None:
        return any(map(wanted.calls, old.entries(connection, run.id)))
    rows = connection.execute(_CALLED, (*span(connection, run.id), run.id))
    return any(wanted.calls(parsed(row["body"])) for row in rows)


def runs_since(path: Path, since: float) -> list[str]:
    """Return the ids of the runs that began at a time or later, in the order in which they began."""
    found: list[str] = []
    with reading(path) as connection:
        for row in connection.execute(f"{_RUNS} ORDER BY position DESC") if has_log(connection) else ():
            if float(parsed(row["body"]).get("started") or 0.0) < since:
                break
            found.append(str(row["id"]))
    return list(dict.fromkeys(reversed(found)))


def find_run(path: Path, prefix: str) -> str:
    """Return the id of the run that a prefix names; "last" is the newest.

    Raises:
        JournalError: No run fits, or more than one.
    """
    with reading(path) as connection:
        rows = _last(connection) if prefix == "last" else _beginning(connection, prefix)
    if len(rows) != 1:
        problem = f"no run is called '{prefix}'" if not rows else f"more than one run begins with '{prefix}'"
        raise JournalError(path, problem, "`rtfs runs list` shows the runs")
    return rows[0]


def show_run(path: Path, run: str) -> tuple[RunRow, Iterator[dict[str, Any]]]:
    """Return a run and an iterator over its calls as JSON-ready data, sorted by id (one at a time from the file)."""
    with reading(path) as connection:
        if has_log(connection):
            position = connection.execute(_PLACE, (run,)).fetchone()[0]
            if position is not None:
                return next(run_rows(connection, position, position)), entries_of(path, run)
        found = old.run_of(connection, run) if old.has_old(connection) else None
    if found is None:
        raise JournalError(path, f"no run is called '{run}'", "`rtfs runs list` shows the runs")
    return _old_run(found), entries_of(path, run)


def entries_of(path: Path, run: str) -> Iterator[dict[str, Any]]:
    """Yield a run's calls as JSON-ready data. `state` is "begun" for one of which no end is known."""
    with reading(path) as connection:
        if old.has_old(connection) and old.run_of(connection, run) is not None:
            yield from old.entries(connection, run)
        if has_log(connection):
            yield from entries_within(connection, run)


def entries_within(connection: sqlite3.Connection, run: str) -> Iterator[dict[str, Any]]:
    """Yield the calls of a run of the log."""
    latest: sqlite3.Row | None = None
    said = _feedback(connection, run)
    for row in connection.execute(_CALLS, (*span(connection, run), run)):
        if latest is not None and _id(row) != _id(latest):
            yield _entry(connection, latest, said)
        latest = row  # each attempt of a call begins, and one that was stopped is made again: the latest row says most
    if latest is not None:
        yield _entry(connection, latest, said)


def span(connection: sqlite3.Connection, run: str) -> tuple[int, int]:
    """Return between which positions the rows of a run lie."""
    first, last = connection.execute(SPAN, (LAST, run)).fetchone()
    return first or 0, last or 0


def has_log(connection: sqlite3.Connection) -> bool:
    """Tell whether a journal has the log; older ones can be read all the same."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) >= LOG


def _last(connection: sqlite3.Connection) -> list[str]:
    if has_log(connection):
        row = connection.execute(f"{_RUNS} ORDER BY position DESC LIMIT 1").fetchone()
        if row is not None:
            return [str(row["id"])]
    return [str(row["id"]) for row in old.runs(connection, 1)] if old.has_old(connection) else []


def _beginning(connection: sqlite3.Connection, prefix: str) -> list[str]:
    found: list[str] = []
    if has_log(connection):
        select = "SELECT DISTINCT id FROM log WHERE what = 'run' AND substr(id, 1, ?) = ? LIMIT 2"
        found = [str(row["id"]) for row in connection.execute(select, (len(prefix), prefix))]
    return [*found, *(old.ids(connection, prefix) if old.has_old(connection) else ())]


def _id(row: sqlite3.Row) -> tuple[Any, ...]:
    return row["entry"], row["record"], row["id"]


def _in_order(path: Any) -> str:
    """Return a text that sorts as the numbers of a path do."""
    where, _, part = str(path).partition("?")
    numbers = ".".join(number.rjust(_WIDTH, "0") for number in where.split("."))
    return f"{numbers}.{part.rjust(_WIDTH, '0') if part else '~'}"  # a call comes after its consultations


Said = Mapping[tuple[Any, ...], list[dict[str, Any]]]
"""By the call's id: what was said of it, in the order in which it was."""


def _feedback(connection: sqlite3.Connection, run: str) -> Said:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in connection.execute(_FEEDBACK, (run,)):
        body = parsed(row["body"])
        found.setdefault(_id(row), []).append({name: body.get(name) for name in ("value", "by", "at")})
    return found


def _entry(connection: sqlite3.Connection, row: sqlite3.Row, said: Said) -> dict[str, Any]:
    """Return a call as people see it."""
    body = parsed(row["body"])
    kept = {each["name"]: each["body"] for each in connection.execute(_TEXTS, (row["position"],))}
    error = body.get("error") or {}
    path = str(row["id"])
    *branch, call = path.partition("?")[0].split(".")
    return {
        "position": row["position"],
        "state": row["what"],
        "entry": row["entry"],
        "record": row["record"],
        "path": path,
        "branch": ".".join(branch),
        "call": int(call) if call.isdecimal() else None,
        **{name: body.get(name) for name in ("kind", "symbol", "place", "target", "outcome", "decided_at", "micros")},
        "args_digest": body.get("args", ""),
        "reply_digest": body.get("reply", ""),
        "decision": _plan(connection, body.get("decision")),
        "decision_digest": body.get("decision", ""),
        "situation_digest": body.get("situation", ""),
        "attempts": [{**_ATTEMPT, **each} for each in body.get("attempts", [])],
        "exhausted": body.get("exhausted", ""),
        "hints": body.get("hints", []),
        "shadow": body.get("shadow"),
        "remote": body.get("remote"),
        "similar": body.get("similar"),
        **{name: body.get(name, 0) for name in ("input_tokens", "output_tokens")},
        "cost": body.get("cost", 0 if row["what"] == "ended" or body.get("kind") == _CAPABILITY else None),
        **{name: body.get(name, "") for name in ("cache", "model")},
        "error_kind": error.get("kind", ""),
        "error_code": error.get("code", ""),
        "args": kept.get("args"),
        **{name: kept.get(name) or "" for name in ("error", "explanation", "heard")},
        "signals": body.get("signals", 0),
        "said_around": body.get("said_around", False),
        **{name: body.get(name, []) for name in ("labels", "whole", "brought")},
        "freed": body.get("freed"),
        "attempt": body.get("attempt", 0),
        "feedback": said.get(_id(row), []),
        "reply": kept.get(REPLY),
        "removed": sorted(set(body.get("texts", ())) - set(kept) - {REPLY}),
        "sealed": sorted(name for name, text in kept.items() if text is None),
    }


def _plan(connection: sqlite3.Connection, digest: Any) -> Any:
    found = None if digest is None else connection.execute(_PLAN, (digest,)).fetchone()
    return None if found is None else parsed(found["body"])


def _old_run(row: sqlite3.Row) -> RunRow:
    names = ("id", "program", "source", "started", "policy", "version", "ended", "entries")
    told = {name: row[name] for name in names}
    return RunRow(**told, status=row["status"] or UNFINISHED, message=row["message"] or "", asked_by={})
