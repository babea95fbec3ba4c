"""Learning without a journal: from the records of calls as they end, for as long as the session lasts.

What earlier runs learned from the journal, if one is configured, is where it begins; nothing is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.orchestrator.learning.counts import counts
from rtfs_framework.orchestrator.learning.fold import Cell, Folding, Learner, Report
from rtfs_framework.orchestrator.learning.outcomes import of_record, rated
from rtfs_framework.orchestrator.learning.shelf import MemoryLearning
from rtfs_framework.orchestrator.learning.store import LearnedStore, Place, StoreError

if TYPE_CHECKING:
    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.recording.records import CallRecord


class RecordLearning(MemoryLearning):
    """What one host learns that writes no journal."""

    def __init__(
        self,
        learners: Sequence[Learner],
        clock: Clock,
        report: Report,
        failed: Callable[[str], None],
        *,
        tenant: str = "",
        store: LearnedStore | None = None,
    ) -> None:
        """Begin with what a store holds, which is not changed; `failed` is told, in words, that it cannot be read."""
        super().__init__({}, counting=False, now=clock.monotonic)
        self.report, self.clock, self.failed, self.tenant, self.store = report, clock, failed, tenant, store
        self.learners = tuple(learners)
        self._counting = False
        self._hold(learners)

    @property
    def kept_at(self) -> Path | None:
        """The file in which what earlier runs learned is kept."""
        return None if self.store is None else self.store.path

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far; counting begins when somebody asks."""
        if not self._counting:
            with self._lock:
                if not self._counting:
                    self._counting = True
                    self._hold((counts(),))
        return super().stats(symbol, target)

    def ended(self, record: CallRecord) -> None:
        """Learn from a call that is over."""
        if self.foldings:
            self.take(*of_record(record, self.clock.now()))

    def rated(self, record: CallRecord, value: float) -> None:
        """Learn what somebody said of a call."""
        if self.foldings:
            self.take(rated(record, value, self.clock.now()))

    def close(self) -> None:
        """Forget what was learned."""

    def _hold(self, learners: Sequence[Learner]) -> None:
        for learner, found in zip(learners, self._kept(learners), strict=True):
            folding = Folding(learner)
            if found is not None:
                folding.put(found)
                self.begin_at(max((cell.version for cell in found.values()), default=0))
            else:
                folding.try_begin(self.report)
            folding.noted()
            self.foldings = (*self.foldings, folding)
            self.replace(learner.name, folding.cells)

    def _kept(self, learners: Sequence[Learner]) -> list[dict[str, Cell] | None]:
        nothing: list[dict[str, Cell] | None] = [None] * len(learners)
        if self.store is None or not learners:
            return nothing
        try:
            known = self.store.recall([Place("", each.name, self.tenant, each.fingerprint) for each in learners])
        except StoreError as error:
            self.failed(str(error))
            return nothing
        finally:
            self.store.close()
        return [None if found is None else _with_epoch(found[1], found[0].epoch) for found in known]


def _with_epoch(cells: dict[str, Cell], epoch: int) -> dict[str, Cell]:
    return {name: Cell(cell.version + epoch, cell.value, cell.text) for name, cell in cells.items()}
