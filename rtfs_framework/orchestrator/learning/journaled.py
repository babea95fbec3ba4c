"""Learning from the journal: rows are folded in their order, by one process at a time, and published when it is done.

Who folds holds the write lock of the store (`store`): inside one transaction the state is read, the rows after its
position are folded, and both are written. A thread does that, after 32 calls or each second while calls are made;
closing a host does what is left, within a bound: what is not folded then is folded by whoever comes next.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import attrs

from rtfs_framework.api.forks import free_at_forks, leave
from rtfs_framework.orchestrator.learning import store as kept_in
from rtfs_framework.orchestrator.learning.counts import counts
from rtfs_framework.orchestrator.learning.fold import Cell, Folding, Learner, Report
from rtfs_framework.orchestrator.learning.reading import Rows, Told, rows_of
from rtfs_framework.orchestrator.learning.shelf import PUBLISH_OUTCOMES, PUBLISH_SECONDS, Shelf
from rtfs_framework.orchestrator.learning.store import Kept, LearnedStore, Place, StoreError
from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    import sqlite3

    from rtfs_framework.api.learning import Stats
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.recording.records import CallRecord

_IDLE = 3
"""Rounds without news after which the thread ends; the next call begins another one."""
_OPEN: WeakSet[JournalLearning] = WeakSet()
"""Those of this process: in a child that is forked off, the thread of its parent does not run."""


def _forked() -> None:
    for each in tuple(_OPEN):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

CLOSING_SECONDS = 1.0
"""What a host that closes takes at most to fold what is left."""
_JOIN_SECONDS = 5.0


@attrs.define(slots=True, eq=False)
class _Held:
    """The state of one learner, as this process knows it."""

    folding: Folding
    position: int = -1
    """Up to where it is folded; -1 when it must be read first."""
    epoch: int = 0
    whole: bool = True
    """Whether all of it must be published, not what changed alone."""


@attrs.define(slots=True, eq=False)
class JournalLearning(Shelf):
    """What one host has learned from its journal, and goes on to learn."""

    path: Path
    """Of the journal."""
    home: Path
    """Of its key."""
    store: LearnedStore
    tenant: str
    report: Report
    failed: Callable[[str], None]
    """Told, in words, that what was learned cannot be read or kept; decisions go on with what is published."""
    learners: tuple[Learner, ...] = ()
    _held: list[_Held] = attrs.field(factory=list, init=False)
    _counting: bool = attrs.field(default=False, init=False)
    _waiting: int = attrs.field(default=0, init=False)
    """About how many calls ended since rows were folded; a count that is off by some costs a second at most."""
    _touched: bool = attrs.field(default=False, init=False)
    _lock: Any = attrs.field(factory=lambda: free_at_forks(threading.RLock()), init=False)
    _wake: threading.Event = attrs.field(factory=threading.Event, init=False)
    _thread: threading.Thread | None = attrs.field(default=None, init=False)
    _stopped: threading.Event = attrs.field(factory=threading.Event, init=False)

    def __attrs_post_init__(self) -> None:
        _OPEN.add(self)
        self._hold(self.learners)

    def forget(self) -> None:
        """Forget what is the parent's, in a child that was forked off: its thread, its locks and its open file."""
        self._lock, self._wake, self._thread = free_at_forks(threading.RLock()), threading.Event(), None
        leave(self.store)
        self.store = LearnedStore(self.store.path)
        for held in self._held:
            held.position, held.whole = -1, True

    @property
    def kept_at(self) -> Path | None:
        """The file in which it is kept."""
        return self.store.path

    def stats(self, symbol: str, target: ExecTarget) -> tuple[int, Stats | None]:
        """Return how calls of a function at a target ended so far; counting begins when somebody asks."""
        if not self._counting:
            with self._lock:
                if not self._counting:
                    self._counting = True
                    self._hold((counts(),))
            self._begin_work()
        return super().stats(symbol, target)

    def ended(self, _record: CallRecord) -> None:
        """Take note that a call is over: the journal tells how. It waits for nobody."""
        if not self._held:
            return
        self._touched = True
        self._waiting += 1
        if self._waiting >= PUBLISH_OUTCOMES:
            self._wake.set()
        if self._thread is None:
            self._begin_work()

    def rated(self, record: CallRecord, value: float) -> None:
        """Do nothing: the journal tells it, if the run has one."""

    def catch_up(self, seconds: float | None = None) -> bool:
        """Fold all that the journal tells by now, here; tell whether that is all. At most for some seconds."""
        until = None if seconds is None else monotonic() + seconds
        while self._round():
            if until is not None and monotonic() >= until:
                return False
        return True

    def close(self) -> None:
        """Fold what is left, within a bound, and close the file."""
        self._stopped.set()
        self._wake.set()
        thread = self._thread
        if thread is not None:
            thread.join(_JOIN_SECONDS)
        if thread is None or not thread.is_alive():
            if self._held and self._touched:
                self.catch_up(CLOSING_SECONDS)
            self.store.close()

    def _hold(self, learners: Iterable[Learner]) -> None:
        """Read what is kept of learners, and publish it."""
        new = [_Held(Folding(each)) for each in learners]
        self._held.extend(new)
        try:
            with rows_of(self.path, self.home) as rows:
                journal = "" if rows is None else rows.journal
            known = self.store.recall([self._place(held, journal) for held in new])
        except (StoreError, JournalError) as error:
            self.failed(str(error))
            known = [None] * len(new)
        for held, found in zip(new, known, strict=True):
            if found is None:
                held.folding.try_begin(self.report)
            else:
                _go_on(held, *found)
            self._show(held)

    def _place(self, held: _Held, journal: str) -> Place:
        learner = held.folding.learner
        return Place(journal, learner.name, self.tenant, learner.fingerprint)

    def _show(self, held: _Held) -> None:
        changed = held.folding.noted()
        if held.whole:
            self.replace(held.folding.learner.name, held.folding.cells, held.epoch)
            held.whole = False
        else:
            self.publish(held.folding.learner.name, changed, held.epoch)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _begin_work(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._work, name="rtfs learning", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        idle = 0
        while not self._stopped.is_set():
            self._wake.wait(PUBLISH_SECONDS)
            self._wake.clear()
            before, waiting = [held.position for held in self._held], self._waiting
            self._waiting = 0
            while self._round():
                if self._stopped.is_set():
                    return
            moved = before != [held.position for held in self._held]
            idle = 0 if moved or waiting else idle + 1
            with self._lock:
                if idle >= _IDLE and not self._waiting:
                    self._thread = None
                    return

    def _round(self) -> bool:
        """Fold a batch of rows and publish; tell whether there may be more."""
        try:
            with self._lock, rows_of(self.path, self.home) as rows:
                if rows is None:
                    return False
                found = rows
                more = self.store.change(lambda db: self._fold_all(db, found))
                for held in self._held:
                    self._show(held)
        except (StoreError, JournalError) as error:
            for held in self._held:  # what was folded is not kept: it is read and folded again
                held.position, held.whole = -1, True
            self.failed(str(error))
            return False
        return more

    def _fold_all(self, db: sqlite3.Connection, rows: Rows) -> bool:
        more = False
        states = {id(held): self._opened(db, held, rows.journal) for held in self._held}
        batches: dict[int, tuple[list[Told], int]] = {}
        for held in self._held:
            if held.position not in batches:
                batches[held.position] = rows.after(held.position, self.tenant)
            told, end = batches[held.position]
            if end > held.position:
                more = more or bool(told)
                for each in told:
                    take(held.folding, each, self.report)
                held.position = end
                self._save(db, held, states[id(held)])
        kept_in.prune(db)
        return more

    def _opened(self, db: sqlite3.Connection, held: _Held, journal: str) -> int:
        """See that what is held is what is kept; return the number of the state."""
        folding, place = held.folding, self._place(held, journal)
        found = kept_in.find(db, place)
        if found is None:
            found, base = kept_in.begin(db, place, str(folding.learner.part.provenance))
            if base is not None:
                folding.put(base)
            else:
                folding.try_begin(self.report)
            held.position, held.epoch, held.whole = 0, found.epoch, True
            folding.outcomes = folding.skipped = 0
            self._save(db, held, found.id, whole=True)
        elif (found.position, found.epoch) != (held.position, held.epoch):
            _go_on(held, found, kept_in.cells_of(db, found.id))
        return found.id

    @staticmethod
    def _save(db: sqlite3.Connection, held: _Held, state: int, *, whole: bool = False) -> None:
        folding = held.folding
        changed: dict[str, Cell | None] = {**folding.cells} if whole else folding.changed
        kept_in.save(db, state, held.position, folding, changed)


def _go_on(held: _Held, found: Kept, cells: dict[str, Cell]) -> None:
    """Go on from what is kept."""
    held.folding.put(cells)
    held.folding.outcomes, held.folding.skipped = found.outcomes, found.skipped
    held.position, held.epoch, held.whole = found.position, found.epoch, True


def take(folding: Folding, told: Told, report: Report) -> None:
    """Learn what one row tells; what a learner cannot fold is skipped, and told."""
    if told.forgotten is not None:
        if told.forgotten in ("", folding.learner.name):
            if told.cell:
                folding.forget(told.cell, told.position)
            else:
                folding.try_begin(report, told.position)
        return
    for outcome in told.outcomes:
        folding.try_take(outcome, told.position, report)
