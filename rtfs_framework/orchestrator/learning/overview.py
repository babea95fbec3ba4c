"""What is kept of what was learned, for people and for `--json`; and beginning anew.

In: a host. Out: a `Learnt` for every state of its file; those that its configuration goes on with are `current`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.learning import store as kept_in
from rtfs_framework.orchestrator.learning.build import Learning
from rtfs_framework.orchestrator.learning.counts import NAME, counts
from rtfs_framework.orchestrator.learning.fold import Cell, Learner
from rtfs_framework.orchestrator.learning.journaled import JournalLearning
from rtfs_framework.orchestrator.learning.past import folded
from rtfs_framework.orchestrator.learning.reading import Rows, rows_of
from rtfs_framework.orchestrator.learning.store import Kept, LearnedStore
from rtfs_framework.orchestrator.recording.journal.feedback import Forgotten
from rtfs_framework.orchestrator.recording.journal.writer import Journal

FORMAT = "rtfs-learned 1"
_SECONDS = 30.0
"""What a command takes at most to fold what the journal tells and nobody has folded."""


@attrs.frozen(slots=True, kw_only=True)
class Learnt:
    """A state that is kept."""

    kept: Kept
    cells: Mapping[str, Cell]
    current: bool
    """Whether the configuration goes on with it; else it is of other settings, another version or another journal."""

    def to_json(self, *, cells: bool) -> dict[str, Any]:
        """Return JSON-ready data, with the learned cells or their number."""
        kept, place = self.kept, self.kept.place
        found = {
            "engine": place.learner,
            "tenant": place.tenant,
            "made_by": kept.who,
            "current": self.current,
            "outcomes": kept.outcomes,
            "skipped": kept.skipped,
            "position": kept.position,
            "changed": kept.changed,
            "journal": place.journal,
            "fingerprint": place.fingerprint,
        }
        if not cells:
            return {**found, "cells": len(self.cells)}
        return {
            "format": FORMAT,
            **found,
            "cells": {name: {"version": each.version, "value": each.value} for name, each in self.cells.items()},
        }


def caught_up(learning: Learning) -> None:
    """Fold what the journal tells and nobody has folded."""
    if isinstance(learning, JournalLearning):
        learning.catch_up(_SECONDS)


def overview(learning: Learning, journal: str, tenant: str) -> list[Learnt]:
    """Return all that is kept.

    Raises:
        StoreError: The file cannot be used.
    """
    if learning.kept_at is None:
        return []
    fingerprints = {each.name: each.fingerprint for each in (*learning.learners, counts())}
    with closing(LearnedStore(learning.kept_at)) as store:
        found = store.read(lambda db: [(each, kept_in.cells_of(db, each.id)) for each in kept_in.everything(db)])
    return [
        Learnt(
            kept=kept,
            cells=cells,
            current=kept.place.journal == journal
            and kept.place.tenant == tenant
            and fingerprints.get(kept.place.learner) == kept.place.fingerprint,
        )
        for kept, cells in found or ()
    ]


def journal_id(journal: Journal | None) -> str:
    """Return the id of a journal, "" where there is none yet.

    Raises:
        JournalError: It cannot be read with this key.
    """
    if journal is None:
        return ""
    with rows_of(journal.path, journal.home) as rows:
        return "" if rows is None else rows.journal


def is_what_the_journal_makes(learning: Learning, journal: Journal, learnt: Learnt) -> bool:
    """Tell whether folding the journal again gives a state bit for bit.

    Raises:
        JournalError: The journal cannot be read with this key.
    """
    learners: dict[str, Learner] = {each.name: each for each in (*learning.learners, counts())}
    kept = learnt.kept
    with rows_of(journal.path, journal.home) as rows:
        return rows is not None and _same(rows, learners[kept.place.learner], learnt)


def _same(rows: Rows, learner: Learner, learnt: Learnt) -> bool:
    kept = learnt.kept
    made = folded(rows, learner, kept.place.tenant, kept.base, to=kept.position)
    return list(made.cells.items()) == list(learnt.cells.items())


def forget(
    learning: Learning,
    journal: Journal,
    clock: Clock,
    engines: Sequence[str],
    tenant: str,
    cells: Sequence[str] = ("",),
) -> None:
    """Let engines begin anew, or forget some cells: a row of the journal says so, and what they knew counts no more.

    Raises:
        JournalError: The journal cannot be written.
    """
    for engine in engines:
        for cell in cells:
            journal.queue("forgotten", None, Forgotten(engine=engine, tenant=tenant, at=clock.now(), cell=cell))
    journal.commit()
    caught_up(learning)


__all__ = [
    "NAME",
    "Learnt",
    "caught_up",
    "forget",
    "is_what_the_journal_makes",
    "journal_id",
    "overview",
]
