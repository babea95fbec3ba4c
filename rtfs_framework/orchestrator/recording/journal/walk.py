"""Walking over the rows of a log, one after the other, and finding what is not as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.chain import START, Head, Keys, Row
from rtfs_framework.orchestrator.recording.journal.decisions import decisions_of, parts_of
from rtfs_framework.orchestrator.recording.journal.kept import CUT
from rtfs_framework.orchestrator.recording.journal.schema import COLUMNS, ROWS, TYPES
from rtfs_framework.orchestrator.recording.journal.sealing import any_known, opened
from rtfs_framework.orchestrator.recording.journal.stumps import STUMP, Stump, follows

if TYPE_CHECKING:
    import sqlite3

_TEXTS = "SELECT position, name, body FROM texts WHERE position BETWEEN ? AND ? ORDER BY position"
_PLAN = "SELECT body FROM plans WHERE digest = ?"
_END = 2**63 - 1
_MOST = 20
"""Problems that are told."""
_CALLS = ("begun", "ended")
_NAMES = ('"texts":', '"decision":', '"situation":')
"""What a row has that names something that lies beside it: no JSON text of a value can have these letters in it."""
_decode = json.JSONDecoder().raw_decode
"""Our own texts have no spaces around them, which `json.loads` looks for."""
_GOOD: set[tuple[type, ...]] = set()
"""Types of columns that were found to fit."""


@attrs.define(slots=True, eq=False)
class Walk:
    """A walk from a row to the end; `parent` is the hash of the row before it. `run` counts one run's calls."""

    connection: sqlite3.Connection
    keys: Keys
    first: int
    parent: bytes
    run: str = ""
    stop: int = _END
    head: Head = attrs.field(factory=Head)
    rows: int = 0
    sealed: int = 0
    """Kept texts whose key is not known."""
    calls: int = 0
    runs: set[int] = attrs.field(factory=set)
    ends: set[int] = attrs.field(factory=set)
    migrated: dict[str, Any] | None = None
    since: Any = None
    problems: list[tuple[int | None, str]] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    _mine: set[int] = attrs.field(factory=set)
    _plans: dict[str, bool] = attrs.field(factory=dict)
    _missing: dict[int, set[str]] = attrs.field(factory=dict)
    _kept: dict[int, set[int]] = attrs.field(factory=dict)
    """Positions of rows whose texts go with their run, by the run's."""
    _texts: Iterator[sqlite3.Row] = attrs.field(factory=lambda: iter(()))
    """Kept texts that were not come to, in the order of their rows."""
    _text: sqlite3.Row | None = None

    @property
    def finished(self) -> bool:
        """Tell whether the run that is counted has ended."""
        return bool(self._mine) and max(self._mine) in self.ends

    def problem(self, position: int | None, text: str) -> None:
        """Note that something is wrong."""
        if len(self.problems) < _MOST:
            self.problems.append((position, text))

    def go(self) -> None:
        """Walk."""
        parent, expected = self.parent, self.first
        span = (self.first if self.first > 1 else -_END, self.stop)
        self._texts = self.connection.execute(_TEXTS, span)
        self._text = next(self._texts, None)
        for found in self.connection.execute(ROWS, span):
            values = tuple(found)
            hash_ = values[-1]
            row = Row._make(values[:-1])
            if _fits(values) and row.what == STUMP:
                stump = Stump.read(row.position, hash_, row.body, self.keys)
                if stump is None or not follows(stump, expected, parent):
                    self.problem(row.position, f"what stands for the rows cut before row {row.position} was changed")
            elif not _fits(values) or self.keys.row(row, parent) != hash_:
                gone = (
                    f" or rows {expected}-{row.position - 1} before it are missing" if row.position != expected else ""
                )
                self.problem(row.position, f"row {row.position} was changed{gone}")
            elif row.position != expected and row.what != "gap":
                self.problem(expected, f"rows {expected}-{row.position - 1} are missing")
            else:
                self._proved(row, expected - 1)
            self.rows += 1
            if not isinstance(hash_, bytes) or not isinstance(row.position, int):
                break
            parent, expected = hash_, row.position + 1
        else:
            self._looked_at_all()
        if self.rows and expected > self.first:
            self.head = Head(expected - 1, parent)

    def _looked_at_all(self) -> None:
        """Say what there is to say when the end was reached."""
        if self.sealed:
            self.notes.append(f"{self.sealed} kept texts were not looked at: their key is not here")
        for position, names in sorted(self._missing.items()):
            if names:
                self.problem(position, f"a kept text of row {position} is missing: {', '.join(sorted(names))}")

    def _proved(self, row: Row, before: int) -> None:
        """Look at a row that is as it was written."""
        if row.what in _CALLS:
            self._call(row)
            return
        body: dict[str, Any] = json.loads(row.body)
        if row.what == "run":
            self.runs.add(row.position)
            if row.id == self.run:
                self._mine.add(row.position)
        elif row.what == "end" and row.run is not None:
            self.ends.add(row.run)
            for position in self._kept.pop(row.run, ()) if body.get("cut") else ():
                self._missing.get(position, set()).difference_update(CUT)
        elif row.what == "journal":
            self.migrated, self.since = body.get("migrated"), body.get("when")
        elif row.what in ("gap", "cut", "lost"):
            self._less(row, body, before)
        elif row.what == "redacted":
            for position, names in body.get("texts", {}).items():
                self._missing.setdefault(int(position), set()).difference_update(names)
        self._beside(row, body)

    def _call(self, row: Row) -> None:
        """Look at a row of a call: most name nothing, and nothing lies beside them."""
        if row.what == "ended" and row.run in self._mine and "?" not in row.id:
            self.calls += 1
        if any(name in row.body for name in _NAMES):
            self._beside(row, _decode(row.body)[0])
        elif self._text is not None and self._text["position"] <= row.position:
            self._beside(row, {})

    def _beside(self, row: Row, body: dict[str, Any]) -> None:
        """Look at what a row names that lies beside it."""
        if not all(map(self._plan, decisions_of(body))):
            self.problem(row.position, f"the decision of row {row.position} was changed")
        self._look_at_texts(row.position, row.run, body.get("texts") if row.what != "redacted" else None)

    def _less(self, row: Row, body: dict[str, Any], before: int) -> None:
        """Tell of rows that are not there."""
        if row.what == "lost":
            self.notes.append(f"row {row.position}: {body.get('rows')} rows could not be written at that time")
        elif row.what == "gap":
            self._gap(row, body, before)
        elif "runs" in body:
            self.notes.append(f"row {row.position}: {body['runs']} runs were removed on purpose, {body['rows']} rows")

    def _gap(self, row: Row, body: dict[str, Any], before: int) -> None:
        if body.get("reason") == "missing rows":
            text = (
                f"rows {before + 1}-{row.position - 1} are missing: the file had been cut, or put back to an older copy"
            )
        else:
            text = f"another journal lay in this place before, and had come to row {body.get('position')}"
        self.problem(row.position, f"{text} (noticed by row {row.position})")

    def _plan(self, digest: str) -> bool:
        if digest not in self._plans:
            found = self.connection.execute(_PLAN, (digest,)).fetchone()
            text = None if found is None else found["body"]
            self._plans[digest] = (
                isinstance(text, str)
                and self.keys.text(text) == digest
                and all(self._plan(part) for part in parts_of(text).values())
            )
        return self._plans[digest]

    def _look_at_texts(self, position: int, run: int | None, named: dict[str, str] | None) -> None:
        """Compare what is kept beside a row with the digests in it."""
        missing = set(named or ())
        for name, body in self._texts_of(position):
            if not self._is_as_written(position, name, body, None if named is None else named.get(name)):
                self.problem(position, f"a kept text of row {position} was changed or added: {name}")
            missing.discard(name)
        if missing:
            self._missing[position] = missing
            if run is not None and not missing.isdisjoint(CUT):
                self._kept.setdefault(run, set()).add(position)

    def _texts_of(self, position: int) -> Iterator[tuple[Any, Any]]:
        """Yield names and bodies of the texts of a row; rows are asked for in their order."""
        while (text := self._text) is not None and text["position"] <= position:
            if text["position"] == position:
                yield text["name"], text["body"]
            self._text = next(self._texts, None)

    def _is_as_written(self, position: int, name: Any, body: Any, digest: str | None) -> bool:
        """Tell whether a kept text is what a row names by digest; a sealed one can be told only with its key."""
        if digest is None:
            return False
        if isinstance(body, bytes) and not any_known():
            self.sealed += 1
            return True
        try:
            text = opened(self.keys.journal, position, name, body)
        except ValueError:
            return False
        return text is not None and self.keys.text(text) == digest


def before(connection: sqlite3.Connection, position: int) -> bytes:
    """Return the hash of the row before a position."""
    select = "SELECT hash FROM log WHERE position < ? ORDER BY position DESC LIMIT 1"
    found = connection.execute(select, (position,)).fetchone()
    return START if found is None else found["hash"] if isinstance(found["hash"], bytes) else b"?"


def _fits(values: tuple[Any, ...]) -> bool:
    """Tell whether every column holds a value of its own type."""
    types = tuple(map(type, values))
    if types not in _GOOD:
        if not all(kind in TYPES[name] for name, kind in zip(COLUMNS, types, strict=True)):
            return False
        _GOOD.add(types)
    return True
