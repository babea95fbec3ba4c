"""One learned state, and the fold that makes it. In: outcomes by position. Out: cells, each with its version.

A cell's version is the position of the outcome that changed it last: so a version names a value whatever was folded
together, and whoever folds the same outcomes again has the same cells. What an engine returns is taken as JSON says it
and read back, so that what is kept in a file and what is kept in memory are the same, and nothing is shared with the
engine. Cells are in the order of their last change, the one that nobody touched for longest first: an engine that must
forget something may take that one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.registry.faults import Part, PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.api.learning import LearningEngine, Outcome, State

MOST_CELLS = 4_096
"""Cells of one state."""
MOST_CHARACTERS = 4 << 20
"""JSON text of all cells of one state."""
SKIPPED = "the outcome was skipped"
Report = Callable[[Part, "BaseException | str", str, str], None]
"""Told when a plug-in broke."""

GONE = "\x7fgone"
"""The cell whose version is that of the cell that was forgotten last by itself. Nobody reads it."""

FIRST = 1
"""The version of what was there before anything was learned: no outcome has it, for a journal begins with a row."""


@attrs.frozen(slots=True)
class Cell:
    """A cell as it is now."""

    version: int
    value: Any
    text: str = ""
    """The value as canonical JSON; empty where nobody checks."""


@attrs.frozen(slots=True)
class Learner:
    """Who learns: an engine of a plug-in under its name in the configuration, or the host itself."""

    name: str
    part: Part
    initial: Callable[[], State]
    fold: Callable[[State, Outcome], State]
    fingerprint: str = ""
    """Of its version and settings: a state is that of one of them."""

    @classmethod
    def of(cls, name: str, engine: LearningEngine, part: Part, fingerprint: str = "") -> Learner:
        """Return an engine as one who learns."""
        return cls(name, part, engine.initial, engine.fold, fingerprint)


@attrs.define(slots=True, eq=False)
class Folding:
    """The state of one learner. Not safe for threads: who keeps it holds a lock."""

    learner: Learner
    checked: bool = True
    """Whether what is returned is checked and read back; a simulation may trust its engine, and is faster."""
    cells: dict[str, Cell] = attrs.field(factory=dict, init=False)
    outcomes: int = attrs.field(default=0, init=False)
    skipped: int = attrs.field(default=0, init=False)
    changed: dict[str, Cell | None] = attrs.field(factory=dict, init=False)
    """What changed since somebody took note of it; None for cells that are gone."""
    _values: dict[str, Any] = attrs.field(factory=dict, init=False)
    _seen: Mapping[str, Any] = attrs.field(init=False)
    _size: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._seen = MappingProxyType(self._values)

    def begin(self, version: int = FIRST) -> None:
        """Begin with what the learner knows before it has learned anything.

        Raises:
            PluginFault: It does not say, or that is no state.
        """
        doing = "`initial`"
        made = self._state(ask(self.learner.part, doing, self.learner.initial), doing)
        cells = {name: self._cell(name, made[name], version, doing) for name in _sorted(made)}
        self._check_size(sum(len(cell.text) for cell in cells.values()), doing)
        self.put(cells)
        self.outcomes = self.skipped = 0

    def put(self, cells: Mapping[str, Cell]) -> None:
        """Go on from cells that were kept, in their order."""
        gone = dict.fromkeys(name for name in self.cells if name not in cells)
        self.changed.update({**gone, **{name: each for name, each in cells.items() if self.cells.get(name) != each}})
        self.cells.clear()
        self._values.clear()
        self._size = 0
        self._enter(cells)

    def take(self, outcome: Outcome, position: int) -> None:
        """Learn of one more outcome.

        Raises:
            PluginFault: The learner cannot, or what it returned is no state; the outcome changed nothing.
        """
        self.outcomes += 1
        try:
            made = ask(self.learner.part, "`fold`", self.learner.fold, self._seen, outcome)
            found = self._changes(made, self._values, position, "`fold`")
        except PluginFault:
            self.skipped += 1
            raise
        if found:
            self.changed.update(found)
            self._enter(found)
            self._settle(position)

    def forget(self, cell: str, position: int) -> None:
        """Forget one cell, at the position of whoever said so: an empty cell stands for it, so versions go on."""
        if cell in self.cells:
            found: dict[str, Cell | None] = {cell: None, GONE: Cell(position, position, str(position))}
            self.changed.update(found)
            self._enter(found)

    def try_begin(self, report: Report, version: int = FIRST) -> bool:
        """Begin, or go on as it is and tell that the learner cannot; tell whether it could."""
        try:
            self.begin(version)
        except PluginFault as fault:
            report(fault.part, fault, "", "it goes on with what it had")
            return False
        return True

    def try_take(self, outcome: Outcome, position: int, report: Report) -> None:
        """Learn of one more outcome; one that cannot be folded is skipped, and told."""
        try:
            self.take(outcome, position)
        except PluginFault as fault:
            report(fault.part, fault, "", SKIPPED)

    def noted(self) -> dict[str, Cell | None]:
        """Return what changed since the last time, and take note of it."""
        found, self.changed = self.changed, {}
        return found

    def _changes(self, answer: object, before: Mapping[str, Any], position: int, doing: str) -> dict[str, Cell | None]:
        """Return the cells that are others than before, None for those that are gone, sorted by name.

        Raises:
            PluginFault: This is no state.
        """
        if answer is self._seen:
            return {}
        made = self._state(answer, doing)
        new = {name: value for name, value in made.items() if name not in before or value is not before[name]}
        found: dict[str, Cell | None] = {name: self._cell(name, new[name], position, doing) for name in _sorted(new)}
        if len(made) < len(before) + len(new):
            found.update({name: None for name in sorted(before) if name not in made})
        found = {name: cell for name, cell in found.items() if cell is None or not self._same(name, cell)}
        grown = sum((0 if cell is None else len(cell.text)) - self._length(name) for name, cell in found.items())
        self._check_size(self._size + grown, doing)
        return found

    def _state(self, made: object, doing: str) -> Mapping[Any, Any]:
        if not isinstance(made, Mapping):
            raise self._fault(doing, f"returned a {type(made).__name__}, which is no state: it maps names to data")
        if len(made) > MOST_CELLS:
            raise self._fault(doing, f"returned {len(made):,} cells, and at most {MOST_CELLS:,} are kept")
        return made

    def _check_size(self, size: int, doing: str) -> None:
        if size > MOST_CHARACTERS:
            raise self._fault(doing, f"returned more than {MOST_CHARACTERS >> 20} MiB of data, which are not kept")

    def _same(self, name: str, cell: Cell) -> bool:
        """Tell whether a cell holds what it held before."""
        known = self.cells.get(name)
        return known is not None and self.checked and known.text == cell.text

    def _length(self, name: str) -> int:
        known = self.cells.get(name)
        return 0 if known is None else len(known.text)

    def _cell(self, name: object, value: object, position: int, doing: str) -> Cell:
        if not self.checked:
            return Cell(position, value)
        if not isinstance(name, str):
            raise self._fault(doing, f"returned a cell whose name is a {type(name).__name__}, and no text")
        try:
            text = canonical_json(value)
            read: Any = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise self._fault(doing, f"returned a cell that JSON cannot say ({error})") from None
        if read != value:
            raise self._fault(doing, "returned a cell that JSON does not say as it is (a tuple, say)")
        return Cell(position, read, text)

    def _fault(self, doing: str, wrong: str) -> PluginFault:
        return PluginFault(self.learner.part, doing, wrong)

    def _settle(self, position: int) -> None:
        """Put what changed at one position into the order of names, as it is when it is read back."""
        latest = []
        for name in reversed(self.cells):
            if self.cells[name].version != position:
                break
            latest.append(name)
        if len(latest) > 1:
            self._enter({name: self.cells[name] for name in sorted(latest)})

    def _enter(self, found: Mapping[str, Cell | None]) -> None:
        for name, cell in found.items():
            known = self.cells.pop(name, None)
            self._values.pop(name, None)
            self._size -= 0 if known is None else len(known.text)
            if cell is not None:
                self.cells[name] = cell
                self._values[name] = cell.value
                self._size += len(cell.text)


def _sorted(names: Mapping[Any, Any]) -> Iterator[Any]:
    return iter(sorted(names, key=str))
