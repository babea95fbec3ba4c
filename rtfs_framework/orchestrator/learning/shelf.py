"""What decisions read of what was learned: the versions that were published last, each swapped as a whole.

Nothing of a decision waits for a fold. `MemoryLearning` learns from what it is handed, for as long as it lives: for
sessions that keep no journal, for simulations and for tests:

    learning = MemoryLearning({"learned": engine}, checked=False)
    reads = call_reads("f", learned=learning, ...)    # testing/fakes.py; what the engine reads in `decide`
    learning.take(Outcome(symbol="f", target=..., success=True, seconds=0.2, cost=0.001, note=plan.note))
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.learning.counts import NAME, cell_of, counts, stats_of
from rtfs_framework.orchestrator.learning.fold import FIRST, Cell, Folding, Learner, Report
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance

if TYPE_CHECKING:
    from rtfs_framework.api.experience import Situation
    from rtfs_framework.api.learning import LearningEngine, Outcome, Stats
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.deciding.facts import AnyEmbedder
    from rtfs_framework.orchestrator.deciding.learned import Experiences as Found
    from rtfs_framework.orchestrator.learning.experienced import Experiences

PUBLISH_OUTCOMES = 32
PUBLISH_SECONDS = 1.0
"""Versions are published after so many outcomes, or so long after the first that is not."""

_ABSENT: tuple[int, Any] = (0, None)
"""Of a cell that is not there."""
_NO_CELLS: Mapping[str, tuple[int, Any]] = {}


@attrs.define(slots=True, eq=False)
class Shelf:
    """Published cells, by learner."""

    experiences: Experiences | None = attrs.field(default=None, init=False)
    """What the host remembers of situations; None where no layer of level L3 is on."""
    _cells: dict[str, dict[str, tuple[int, Any]]] = attrs.field(factory=dict, init=False)

    def state(self, engine: str, cell: str) -> tuple[int, Any]:
        """Return one cell of an engine's own state, and its version."""
        cells = self._cells.get(engine)
        return _ABSENT if cells is None else cells.get(cell, _ABSENT)

    def cells(self, engine: str) -> Mapping[str, tuple[int, Any]]:
        """Return all cells of an engine's own state, each with its version; another mapping where one has changed."""
        return self._cells.get(engine, _NO_CELLS)

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far, and which version that is."""
        version, cell = self.state(NAME, cell_of(symbol, target))
        return version, stats_of(cell)

    @property
    def experienced(self) -> bool:
        """Whether a layer of level L3 is on."""
        return self.experiences is not None

    def experience(
        self, situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> tuple[Hashable, Found] | None:
        """Return the experiences nearest to a situation, and which version that is; None where the layer fails."""
        return (0, ()) if self.experiences is None else self.experiences.nearest(situation, most, embedder)

    def recall(
        self, cells: Mapping[str, Any], gone: int, situation: Situation, most: int, embedder: AnyEmbedder | None
    ) -> Found | None:
        """Return the experiences that were nearest when these cells were published, and the `gone` oldest over."""
        return () if self.experiences is None else self.experiences.recall(cells, gone, situation, most, embedder)

    def replace(self, name: str, cells: Mapping[str, Cell], epoch: int = 0) -> None:
        """Put a whole state on the shelf."""
        made = {cell: (found.version + epoch, found.value) for cell, found in cells.items()}
        self._cells = {**self._cells, name: made}

    def publish(self, name: str, changed: Mapping[str, Cell | None], epoch: int = 0) -> None:
        """Put what changed of a state on the shelf; `epoch` is added to versions, so that they name values for good."""
        if not changed:
            self._cells.setdefault(name, {})
            return
        made = dict(self._cells.get(name, {}))
        for cell, found in changed.items():
            if found is None:
                made.pop(cell, None)
            else:
                made[cell] = (found.version + epoch, found.value)
        self._cells = {**self._cells, name: made}


def told_nobody(*_: object) -> None:
    """Report nothing."""


@attrs.define(slots=True, eq=False, init=False)
class MemoryLearning(Shelf):
    """Learns from outcomes that it is handed; nothing is kept."""

    foldings: tuple[Folding, ...]
    report: Report
    every: int
    now: Callable[[], float]
    _position: int
    _pending: int
    _since: float
    _lock: RLock

    def __init__(
        self,
        engines: Mapping[str, LearningEngine],
        *,
        checked: bool = True,
        counting: bool = True,
        every: int = PUBLISH_OUTCOMES,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Learn for engines by their names in the configuration.

        Args:
            engines: Those that learn.
            checked: Whether states are checked and read back from JSON, as a host does; a simulation may leave it out.
            counting: Whether `stats` is counted, too.
            every: Outcomes after which versions are published.
            now: A clock, for versions that are published by time.
        """
        parts = ((name, Part("engine", name, Provenance("", "", ""))) for name in engines)
        learners = [Learner.of(name, engines[name], part) for name, part in parts]
        self._begin([*learners, *([counts()] if counting else [])], told_nobody, now, checked=checked, every=every)

    @classmethod
    def of(cls, learners: Iterable[Learner], report: Report, now: Callable[[], float]) -> MemoryLearning:
        """Return what a host learns with that keeps no journal."""
        made = cls.__new__(cls)
        made._begin(learners, report, now)
        return made

    def _begin(
        self,
        learners: Iterable[Learner],
        report: Report,
        now: Callable[[], float],
        *,
        checked: bool = True,
        every: int = PUBLISH_OUTCOMES,
    ) -> None:
        Shelf.__init__(self)
        self.foldings = tuple(Folding(each, checked) for each in learners)
        self.report, self.every, self.now = report, every, now
        self._position, self._pending, self._since, self._lock = FIRST, 0, 0.0, RLock()
        for folding in self.foldings:
            folding.try_begin(report)
        self.publish_all()

    def take(self, *outcomes: Outcome) -> None:
        """Learn from outcomes; publish when that is due."""
        with self._lock:
            for outcome in outcomes:
                self._position += 1
                for folding in self.foldings:
                    folding.try_take(outcome, self._position, self.report)
            self._since = self._since if self._pending else self.now()
            self._pending += len(outcomes)
            if self._pending >= self.every or self.now() - self._since >= PUBLISH_SECONDS:
                self.publish_all()

    def begin_at(self, position: int) -> None:
        """Go on after a position: what was learned before has versions up to it."""
        self._position = max(self._position, position)

    def publish_all(self) -> None:
        """Publish what was learned, now."""
        with self._lock:
            self._pending = 0
            for folding in self.foldings:
                self.publish(folding.learner.name, folding.noted())
