"""What the journal tells those that learn: outcomes, feedback and resets, in the order of its rows.

In: an open journal and a position. Out: `Told`s after it, a batch at a time, and how far that came. Nothing is proved
here: `rtfs runs verify` does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.learning.outcomes import of_feedback, of_row
from rtfs_framework.orchestrator.recording.journal.file import keys_of, translated
from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.api.learning import Outcome

BATCH = 512
"""Rows that are folded in one transaction."""
_ROWS = """
SELECT position, run, what, body FROM log WHERE position > ? AND position <= ?
AND (what IN ('feedback', 'forgotten') OR (what = 'ended' AND instr(body, '"decision":'))) ORDER BY position LIMIT ?
"""
_HEAD = "SELECT max(position) FROM log"
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_RUN = "SELECT body FROM log WHERE position = ?"
_MOST = 4_096
"""Decisions and runs that are remembered."""
LAST = 2**62


@attrs.frozen(slots=True)
class Told:
    """What one row tells."""

    position: int
    outcomes: tuple[Outcome, ...] = ()
    forgotten: str | None = None
    """The learner that begins anew here; "" for all."""
    cell: str = ""
    """The one cell of it that is forgotten; "" for all."""


@attrs.define(slots=True, eq=False)
class Rows:
    """The rows of one journal that somebody may learn from."""

    connection: sqlite3.Connection
    journal: str
    """Its id."""
    _plans: dict[str, dict[str, Any]] = attrs.field(factory=dict, init=False)
    _tenants: dict[int, str] = attrs.field(factory=dict, init=False)

    def after(self, position: int, tenant: str, *, to: int = LAST, most: int = BATCH) -> tuple[list[Told], int]:
        """Return what is told of a tenant after a position, and up to where that is all."""
        head = self.connection.execute(_HEAD).fetchone()[0] or 0
        rows = self.connection.execute(_ROWS, (position, min(to, head), most)).fetchall()
        end = rows[-1]["position"] if len(rows) == most else max(position, min(to, head))
        return [each for row in rows for each in self._told(row, tenant)], end

    def all(self, tenant: str, *, to: int = LAST) -> Iterator[Told]:
        """Yield all that is told of a tenant up to a position."""
        position, end = -1, 0
        while position < end:
            position = end
            told, end = self.after(position, tenant, to=to)
            yield from told

    def _told(self, row: sqlite3.Row, tenant: str) -> Iterator[Told]:
        body = parsed(row["body"])
        if row["what"] == "forgotten":
            if body.get("tenant", "") == tenant:
                engine, cell = str(body.get("engine", "")), str(body.get("cell", ""))
                yield Told(row["position"], forgotten=engine, cell=cell)
            return
        if self._tenant(row["run"]) == tenant:
            of = of_feedback if row["what"] == "feedback" else of_row
            outcomes = tuple(of(body, self._plan))
            if outcomes:
                yield Told(row["position"], outcomes)

    def _plan(self, digest: str) -> dict[str, Any]:
        known = self._plans.get(digest)
        if known is None:
            row = self.connection.execute(_PLAN, (digest,)).fetchone() if digest else None
            if len(self._plans) >= _MOST:
                self._plans.clear()
            known = self._plans[digest] = {} if row is None else parsed(row["body"])
        return known

    def _tenant(self, run: int | None) -> str:
        if run is None:
            return ""
        known = self._tenants.get(run)
        if known is None:
            row = self.connection.execute(_RUN, (run,)).fetchone()
            if len(self._tenants) >= _MOST:
                self._tenants.clear()
            known = self._tenants[run] = "" if row is None else str(parsed(row["body"]).get("tenant", ""))
        return known


@contextmanager
def rows_of(path: Path, home: Path) -> Iterator[Rows | None]:
    """Open a journal for a while; None where there is none yet, or it is of an older version.

    Raises:
        JournalError: It cannot be read with this key.
    """
    if not path.exists():
        yield None
        return
    with reading(path) as connection:
        if not has_log(connection):
            yield None
            return
        keys = keys_of(connection, path, home)
        with translated(path):
            yield Rows(connection, keys.journal)
