"""Where learned states are kept: one SQLite file per user, a row per state, a row per cell.

A state is that of a journal, a learner, a tenant, and a version of the engine with its settings. State, position and
all of these change in one transaction, which is the lease, too: SQLite lets one process write at a time, and when that
process dies nothing of its transaction has happened. So whoever folds next folds the same rows again, and none twice.

Where a journal was replaced (its rows were cut), a state goes on from what was learned by the one before: that is its
base, which is kept beside it, for whoever rebuilds it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs

from rtfs_framework.api.sqlite_file import SqliteTables, in_transaction
from rtfs_framework.api.sqlite_held import HeldFile
from rtfs_framework.orchestrator.learning.fold import FIRST, Cell, Folding

Result = TypeVar("Result")

EPOCH = 1 << 40
"""Added to versions for each journal after a user's first: positions begin anew there, and versions must not."""
_WAIT = 2.0
_MOST_STATES = 256
"""States that are kept; those that nobody changed for longest go first."""
_TABLES = SqliteTables(
    application=0x5254464C,
    version=1,
    statements=(
        "create table journals (number integer primary key, id text not null unique)",
        """create table states (
          id integer primary key, journal integer not null, learner text not null, tenant text not null,
          fingerprint text not null, who text not null, position integer not null, outcomes integer not null,
          skipped integer not null, changed real not null, base text,
          unique (journal, learner, tenant, fingerprint)
        )""",
        """create table cells (
          state integer not null, name text not null, version integer not null, value text not null,
          primary key (state, name)
        ) without rowid""",
    ),
)
_COLUMNS = (
    "s.id, j.id, j.number, s.learner, s.tenant, s.fingerprint, s.who, s.position, s.outcomes, s.skipped, s.changed, "
    "s.base"
)
_OF = f"select {_COLUMNS} from states s join journals j on j.number = s.journal"  # noqa: S608 - our own names
_ONE = f"{_OF} where j.id = ? and s.learner = ? and s.tenant = ? and s.fingerprint = ?"
_EARLIER = f"{_OF} where j.id != ? and s.learner = ? and s.tenant = ? and s.fingerprint = ? order by s.changed desc"
_ALL = f"{_OF} order by s.learner, s.tenant, s.changed desc"
_TYPES = (int, str, int, str, str, str, str, int, int, int, (int, float), (str, type(None)))
"""Of the columns: a table without `strict` takes whatever somebody writes."""
_CELLS = "select name, version, value from cells where state = ? order by version, name"


class StoreError(Exception):
    """The file cannot be used."""


@attrs.frozen(slots=True)
class Place:
    """Whose state it is."""

    journal: str
    learner: str
    tenant: str
    fingerprint: str


@attrs.frozen(slots=True, kw_only=True)
class Kept:
    """A state as it is kept, without its cells."""

    id: int
    place: Place
    number: int
    """Of its journal, from 1."""
    who: str
    """The engine's distribution and version."""
    position: int
    outcomes: int
    skipped: int
    changed: float
    base: Mapping[str, Any] | None

    @property
    def epoch(self) -> int:
        """What is added to versions before decisions see them."""
        return (self.number - 1) * EPOCH


@attrs.define(slots=True, eq=False)
class LearnedStore:
    """The states of one file, which is made when there is something to keep."""

    path: Path
    _file: HeldFile = attrs.field(init=False)

    @_file.default
    def _held(self) -> HeldFile:
        return HeldFile(self.path, _TABLES, StoreError, wait=_WAIT)

    def change(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something in one transaction, alone.

        Raises:
            StoreError: The file cannot be used, or others write all the time.
        """
        return self._file.do(lambda db: in_transaction(db, work))

    def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Read something as it is at one moment; None where there is no file.

        Raises:
            StoreError: The file cannot be used.
        """
        if not self._file.exists:
            return None
        return self._file.do(lambda db: in_transaction(db, work, "begin"))

    def recall(self, places: Sequence[Place]) -> list[tuple[Kept, dict[str, Cell]] | None]:
        """Return states with their cells; where there is none of this journal, that of the one before.

        Raises:
            StoreError: The file cannot be used.
        """
        return self.read(lambda db: [_recalled(db, place) for place in places]) or [None] * len(places)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def find(db: sqlite3.Connection, place: Place) -> Kept | None:
    """Return a state."""
    row = db.execute(_ONE, attrs.astuple(place)).fetchone()
    return None if row is None else _kept(row)


def everything(db: sqlite3.Connection) -> list[Kept]:
    """Return all states."""
    return [_kept(row) for row in db.execute(_ALL)]


def _recalled(db: sqlite3.Connection, place: Place) -> tuple[Kept, dict[str, Cell]] | None:
    found = find(db, place)
    if found is None:
        row = db.execute(_EARLIER, attrs.astuple(place)).fetchone()
        found = None if row is None else _kept(row)
    return None if found is None else (found, cells_of(db, found.id))


def cells_of(db: sqlite3.Connection, state: int) -> dict[str, Cell]:
    """Return the cells of a state, in the order of their last change.

    Raises:
        StoreError: One is damaged: SQLite holds whatever was written, of whatever type.
    """
    found: dict[str, Cell] = {}
    for row in db.execute(_CELLS, (state,)):
        _see_types(row, (str, int, str), "a learned cell")
        name, version, text = row
        found[name] = Cell(version, _read(text, "a learned cell"), text)
    return found


def begin(db: sqlite3.Connection, place: Place, who: str) -> tuple[Kept, dict[str, Cell] | None]:
    """Make a state's row. Return its base, too: the cells of the journal before, None where there are none."""
    db.execute("insert or ignore into journals (id) values (?)", (place.journal,))
    row = db.execute(_EARLIER, attrs.astuple(place)).fetchone()
    found = None if row is None else cells_of(db, row[0])
    cells = None if found is None else {name: attrs.evolve(found[name], version=FIRST) for name in sorted(found)}
    base = None if cells is None else json.dumps({name: each.value for name, each in cells.items()})
    db.execute(
        "insert into states (journal, learner, tenant, fingerprint, who, position, outcomes, skipped, changed, base) "
        "select number, ?, ?, ?, ?, 0, 0, 0, ?, ? from journals where id = ?",
        (place.learner, place.tenant, place.fingerprint, who, time.time(), base, place.journal),
    )
    made = find(db, place)
    if made is None:
        raise AssertionError("a row that was just written is not there")
    return made, cells


def save(
    db: sqlite3.Connection, state: int, position: int, folding: Folding, changed: Mapping[str, Cell | None]
) -> None:
    """Write what changed of a state, and how far it has come."""
    gone = [(state, name) for name, cell in changed.items() if cell is None]
    new = [(state, name, cell.version, cell.text) for name, cell in changed.items() if cell is not None]
    db.executemany("delete from cells where state = ? and name = ?", gone)
    db.executemany("insert or replace into cells (state, name, version, value) values (?, ?, ?, ?)", new)
    db.execute(
        "update states set position = ?, outcomes = ?, skipped = ?, changed = ? where id = ?",
        (position, folding.outcomes, folding.skipped, time.time(), state),
    )


def prune(db: sqlite3.Connection) -> None:
    """Forget the states that nobody changed for longest, where there are too many."""
    old = "select id from states order by changed desc limit -1 offset ?"
    for (state,) in db.execute(old, (_MOST_STATES,)).fetchall():
        db.execute("delete from cells where state = ?", (state,))
        db.execute("delete from states where id = ?", (state,))


def _kept(row: tuple[Any, ...]) -> Kept:
    _see_types(row, _TYPES, "a learned state")
    id_, journal, number, learner, tenant, fingerprint, who, position, outcomes, skipped, changed, base = row
    begun = None if base is None else _read(base, "the base of a learned state")
    if begun is not None and not isinstance(begun, dict):
        raise StoreError("the base of a learned state is damaged: it is no JSON object")
    return Kept(
        id=id_,
        place=Place(journal, learner, tenant, fingerprint),
        number=number,
        who=who,
        position=position,
        outcomes=outcomes,
        skipped=skipped,
        changed=changed,
        base=begun,
    )


def _see_types(row: tuple[Any, ...], types: Sequence[type | tuple[type, ...]], what: str) -> None:
    for value, wanted in zip(row, types, strict=True):
        if not isinstance(value, wanted):
            raise StoreError(f"{what} is damaged: it has a {type(value).__name__} in a wrong place")


def _read(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{what} is damaged: {error}") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number that is kept")
