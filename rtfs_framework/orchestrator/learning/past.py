"""What had been learned in a version: the rows of the journal folded again, up to the version's position.

In: an open journal, those that learn by the policy of now, and versions that decisions named. Out: the cell's value
then, or why nobody knows it. All versions that the journal's decisions named are found in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.learning import store as kept_in
from rtfs_framework.orchestrator.learning.counts import NAME, cell_of, counts, stats_of
from rtfs_framework.orchestrator.learning.experienced import NAME as EXPERIENCE
from rtfs_framework.orchestrator.learning.fold import FIRST, Cell, Folding, Learner
from rtfs_framework.orchestrator.learning.journaled import take
from rtfs_framework.orchestrator.learning.reading import Rows
from rtfs_framework.orchestrator.learning.store import EPOCH, Kept, LearnedStore, Place
from rtfs_framework.orchestrator.recording.journal.parsing import parsed

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.api.targets import ExecTarget

_NAMED = """
SELECT body FROM plans WHERE instr(body, '"read":["state",') OR instr(body, '"read":["stats",')
OR instr(body, '"read":["experience",')
"""
_OTHER = "it was learned from a journal that is not there any more"
_NOBODY = "no engine of that name learns by the policy of now"

EVERY = "\x7fevery"
"""Stands for all cells together."""

Wanted = tuple[int, str]
"""A position, and the name of a cell."""


def _nobody(*_: object) -> None:
    """Report nothing: who learned then was told then."""


def folded(rows: Rows, learner: Learner, tenant: str, base: Mapping[str, Any] | None, *, to: int) -> Folding:
    """Return the state that the rows up to a position make."""
    folding = _begun(learner, base)
    for told in rows.all(tenant, to=to):
        take(folding, told, _nobody)
    return folding


def _begun(learner: Learner, base: Mapping[str, Any] | None) -> Folding:
    from rtfs_framework.orchestrator.recording.journal.chain import canonical_json

    folding = Folding(learner)
    if base is None:
        folding.try_begin(_nobody)
    else:
        folding.put({name: Cell(FIRST, value, canonical_json(value)) for name, value in base.items()})
    return folding


@attrs.define(slots=True, eq=False)
class PastLearning:
    """Knows what had been learned, by version."""

    rows: Rows
    learners: Mapping[str, Learner]
    store: LearnedStore | None
    """Knows what a state began with, where the journal before was replaced; None where nothing is kept."""
    _named: dict[str, set[Wanted]] | None = attrs.field(default=None, init=False)
    _states: dict[tuple[Place, int], Kept | None] = attrs.field(factory=dict, init=False)
    _values: dict[tuple[str, str], dict[Wanted, Any]] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, rows: Rows, learners: Iterable[Learner], store: LearnedStore | None) -> PastLearning:
        """Return what knows the past of some engines, and of the host."""
        return cls(rows, {each.name: each for each in (*learners, counts())}, store)

    def value(self, tenant: str, engine: str, cell: str, version: int) -> tuple[Any, str]:
        """Return a cell of an engine as it was in a version, and "", or why nobody knows."""
        learner = self.learners.get(engine)
        if version == 0:
            return None, ""
        if learner is None:
            return None, _NOBODY
        place = Place(self.rows.journal, engine, tenant, learner.fingerprint)
        kept = self._state(place, version // EPOCH)
        position = version % EPOCH
        if kept is None and version >= EPOCH:
            return None, _OTHER
        if kept is not None and kept.place.journal != self.rows.journal:
            return self._of_another(kept, cell, position)
        return self._folded(learner, tenant, kept)[position, cell], ""

    def close(self) -> None:
        """Close the file."""
        if self.store is not None:
            self.store.close()

    def _state(self, place: Place, number: int) -> Kept | None:
        """Return the state in whose numbers versions are."""
        if (place, number) not in self._states:
            store = self.store
            self._states[place, number] = None if store is None else store.read(lambda db: _found(db, place, number))
        return self._states[place, number]

    def experience(self, tenant: str, version: int) -> tuple[Mapping[str, Any], str]:
        """Return all cells of experience as they were in a version, and "", or why nobody knows."""
        found, lack = self.value(tenant, EXPERIENCE, EVERY, version)
        return found or {}, lack

    def stats(self, tenant: str, symbol: str, target: ExecTarget, version: int) -> tuple[Any, str]:
        """Return how calls of a function at a target had ended in a version, and "", or why nobody knows."""
        found, lack = self.value(tenant, NAME, cell_of(symbol, target), version)
        return stats_of(found), lack

    def _of_another(self, kept: Kept, cell: str, position: int) -> tuple[Any, str]:
        cells = None if self.store is None else self.store.read(lambda db: kept_in.cells_of(db, kept.id))
        if cell == EVERY:
            whole = max((each.version for each in (cells or {}).values()), default=0) == position
            return ({name: each.value for name, each in (cells or {}).items()}, "") if whole else (None, _OTHER)
        found = (cells or {}).get(cell)
        return (found.value, "") if found is not None and found.version == position else (None, _OTHER)

    def _folded(self, learner: Learner, tenant: str, kept: Kept | None) -> dict[Wanted, Any]:
        """Return the cells of all versions that decisions named."""
        place = learner.name, tenant
        known = self._values.get(place)
        if known is None:
            base = None if kept is None else kept.base
            known = self._values[place] = _Unwanted(self._at(learner, tenant, base))
        return known

    def _at(self, learner: Learner, tenant: str, base: Mapping[str, Any] | None) -> dict[Wanted, Any]:
        wanted, found = sorted(self._wanted(learner.name), reverse=True), {}
        folding = _begun(learner, base)
        for told in self.rows.all(tenant):
            while wanted and wanted[-1][0] < told.position:
                at, cell = wanted.pop()
                found[at, cell] = _value(folding, cell)
            if not wanted:
                break
            take(folding, told, _nobody)
        return {**found, **{(at, cell): _value(folding, cell) for at, cell in wanted}}

    def _wanted(self, engine: str) -> set[Wanted]:
        if self._named is None:
            self._named = {}
            for (body,) in self.rows.connection.execute(_NAMED):
                for read in parsed(body).get("reads", ()):
                    name, *more = read["read"]
                    version = read.get("value")
                    if name == "experience" and isinstance(version, list) and version:
                        self._named.setdefault(EXPERIENCE, set()).add((version[0] % EPOCH, EVERY))
                    if name in ("state", "stats") and isinstance(version, int):
                        who, cell = (more[0], more[1]) if name == "state" else (NAME, _cell(*more))
                        self._named.setdefault(who, set()).add((version % EPOCH, cell))
        return self._named.get(engine, set())


class _Unwanted(dict[Wanted, Any]):
    """Values by version; what no decision of the journal named is not there."""

    def __missing__(self, _wanted: Wanted) -> None:
        return None


def _cell(symbol: str, kind: str, id_: str) -> str:
    from rtfs_framework.orchestrator.deciding.readings import target_of

    return cell_of(symbol, target_of(kind, id_))


def _value(folding: Folding, cell: str) -> Any:
    if cell == EVERY:
        return {name: each.value for name, each in folding.cells.items()}
    found = folding.cells.get(cell)
    return None if found is None else found.value


def _found(db: sqlite3.Connection, place: Place, number: int) -> Kept | None:
    """Return the state in whose numbers versions are: this journal's, or that of an earlier one."""
    own = kept_in.find(db, place)
    if own is not None and own.number - 1 == number:
        return own
    for each in kept_in.everything(db):
        same = (each.place.learner, each.place.tenant) == (place.learner, place.tenant)
        if same and each.number - 1 == number:
            return each
    return None
