"""Which runs are kept no longer, and removing them whole, rows and texts, some thousand rows at a time.

In: what `[journal]` says of ages and sizes, and the time. Out: the runs that are due, oldest first; `cut` removes them.
A run that has not ended for good is never due. What is removed is proved first: a changed row is not made to vanish.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import attrs

from rtfs_framework.orchestrator.recording.journal import large
from rtfs_framework.orchestrator.recording.journal.chain import Keys, Row
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.file import keys_of
from rtfs_framework.orchestrator.recording.journal.outside import ENDED
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading
from rtfs_framework.orchestrator.recording.journal.schema import ROWS
from rtfs_framework.orchestrator.recording.journal.stumps import Cutting, Stump, mark_of, named_since
from rtfs_framework.orchestrator.recording.journal.walk import before

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from rtfs_framework.orchestrator.config.model import JournalSpec
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

BATCH = 5_000
"""Rows that are removed in one transaction, or one run if it has more: others wait for no longer than that."""
_ROW = 120
"""Bytes that a row takes besides its text."""

_RUNS = """
SELECT r.position, r.id, e.body FROM log r JOIN log e ON e.what = 'end' AND e.run = r.position
WHERE r.what = 'run' ORDER BY r.position, e.position
"""
_MARKED = """
SELECT run, body FROM log WHERE run IN (SELECT value FROM json_each(?))
AND (instr(body, '"labels":') OR instr(body, '"brought":') OR instr(body, '"whole":'))
"""
_SIZES = f"""
SELECT l.run, sum(length(l.body) + {_ROW}
+ coalesce((SELECT sum(length(t.body)) FROM texts t WHERE t.position = l.position), 0)) AS bytes
FROM log l WHERE l.run IS NOT NULL GROUP BY l.run
"""  # noqa: S608 - a number of our own
_ROWS_OF = "SELECT position, run FROM log WHERE run IN (SELECT value FROM json_each(?)) ORDER BY position"


@attrs.frozen(slots=True, kw_only=True)
class Retention:
    """How long runs are kept that have ended; None and nothing for ever."""

    seconds: float | None = None
    most_bytes: int | None = None
    """Of the file; what lies beyond it goes, the oldest runs first."""
    marks: Mapping[str, float] = attrs.field(factory=dict)
    """By mark of a label: seconds for runs with a call that carries it."""

    @classmethod
    def of(cls, spec: JournalSpec) -> Retention:
        """Return what a configuration says."""
        return cls(seconds=spec.retain, most_bytes=spec.most_bytes, marks=spec.retain_labels)

    @property
    def says_anything(self) -> bool:
        """Tell whether anything is removed by it, ever."""
        return self.seconds is not None or self.most_bytes is not None or bool(self.marks)


class Due(NamedTuple):
    """A run that is kept no longer."""

    position: int
    run: str
    ended: float
    why: str
    """"age", "size", or the mark."""


def due(path: Path, rule: Retention, now: float) -> list[Due]:
    """Return the runs that are kept no longer, oldest first.

    Raises:
        JournalError: The journal cannot be read.
    """
    with reading(path) as connection:
        if not has_log(connection):
            return []
        over = {row[0]: (str(row[1]), parsed(row[2])) for row in connection.execute(_RUNS)}
        ended = [
            Due(position, run, float(body.get("ended") or 0.0), "age")
            for position, (run, body) in over.items()
            if body.get("status") in ENDED
        ]
        found = {each for each in ended if rule.seconds is not None and now - each.ended > rule.seconds}
        left = [each for each in ended if each not in found]
        found |= set(_by_mark(connection, rule, left, now))
        gone = {each.position for each in found}
        found |= set(_by_size(connection, rule, [each for each in left if each.position not in gone], gone))
    return sorted(found)


def _by_mark(connection: sqlite3.Connection, rule: Retention, runs: Sequence[Due], now: float) -> Iterator[Due]:
    shortest = min(rule.marks.values(), default=None)
    old = {each.position: each for each in runs if shortest is not None and now - each.ended > shortest}
    if not old:
        return
    for run, text in connection.execute(_MARKED, (json.dumps(list(old)),)):
        body = parsed(text)
        carried = {*body.get("labels", ()), *body.get("brought", ()), *body.get("whole", ())}
        each = old.get(run)
        mark = next((mark for mark in sorted(carried) if each and now - each.ended > rule.marks.get(mark, now)), None)
        if each is not None and mark is not None:
            del old[run]
            yield each._replace(why=mark)


def _by_size(connection: sqlite3.Connection, rule: Retention, runs: Sequence[Due], gone: set[int]) -> Iterator[Due]:
    if rule.most_bytes is None:
        return
    count, free, page = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    over = (count - free) * page - rule.most_bytes
    if over <= 0:
        return
    sizes = {row[0]: int(row[1]) for row in connection.execute(_SIZES)}
    for run, count in connection.execute(large.SIZES) if large.has_any(connection) else ():
        sizes[run] = sizes.get(run, 0) + int(count)
    over -= sum(sizes.get(position, 0) for position in gone)
    for each in runs:
        if over <= 0:
            return
        over -= sizes.get(each.position, 0)
        yield each._replace(why="size")


def cut(journal: Journal, runs: Sequence[Due]) -> Iterator[tuple[int, int]]:
    """Remove runs for good, a batch at a time; yield how many runs and rows each batch had.

    Whoever stops in between has removed some whole runs; the rest goes another time.

    Raises:
        JournalError: A row is not what was written, or the journal cannot be written.
    """
    with reading(journal.path) as connection:
        rows: dict[int, array[int]] = {each.position: array("q") for each in runs}
        for position, run in connection.execute(_ROWS_OF, (json.dumps(list(rows)),)):
            rows[run].append(position)
    for batch in _batches(rows):
        with reading(journal.path) as connection:
            keys = keys_of(connection, journal.path, journal.home)
            positions = sorted(position for run in batch for position in rows[run])
            stumps = tuple(_stumps(connection, journal.path, keys, positions))
        told = {"runs": len(batch), "rows": len(positions), "when": journal.clock.now()}
        _carry_out(journal, Cutting(stumps, (), told))
        yield len(batch), len(positions)
    _sweep(journal)


def _batches(rows: Mapping[int, array[int]]) -> Iterator[list[int]]:
    batch: list[int] = []
    count = 0
    for run, positions in rows.items():
        if batch and count + len(positions) > BATCH:
            yield batch
            batch, count = [], 0
        batch.append(run)
        count += len(positions)
    if batch:
        yield batch


def _stumps(connection: sqlite3.Connection, path: Path, keys: Keys, positions: list[int]) -> Iterator[Stump]:
    """Yield one stump for each group of rows without a hole, each row proved by the one before it."""
    for _, group in groupby(enumerate(positions), lambda each: each[1] - each[0]):
        range_ = [position for _, position in group]
        first, last = range_[0], range_[-1]
        parent = hash_ = before(connection, first)
        marks = bytearray()
        for found in connection.execute(ROWS, (first, last)):
            *row, own = found
            if keys.row(Row(*row), hash_) != own:
                problem = f"row {row[0]} was changed, so nothing is removed"
                raise JournalError(path, problem, "`rtfs runs verify --all` says what is wrong")
            hash_ = own
            marks += mark_of(own)
        yield Stump(first, last, parent, hash_, bytes(marks))


def _sweep(journal: Journal) -> None:
    """Remove the decisions that no row names any more; rows that come meanwhile are looked at while it is done."""
    with reading(journal.path) as connection:
        scanned = int(connection.execute("SELECT max(position) FROM log").fetchone()[0])
        named = named_since(connection, 0)
        plans = [str(row[0]) for row in connection.execute("SELECT digest FROM plans")]
    left = tuple(digest for digest in plans if digest not in named)
    if left:
        _carry_out(journal, Cutting((), left, {"decisions": len(left), "when": journal.clock.now()}, scanned))
    journal.shrink()


def _carry_out(journal: Journal, cutting: Cutting) -> None:
    journal.queue("cut", None, cutting)
    journal.commit()
