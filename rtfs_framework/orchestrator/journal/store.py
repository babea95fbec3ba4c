"""Writing the causal chain: entries are hashed when they happen and written in batches.

Memory is bounded by the batch; a batch is one transaction. `close` (also reached on Ctrl-C) writes what is left.
Nothing secret is ever written: known secrets are blotted out of every text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.journal.chain import row_hash
from rtfs_framework.orchestrator.journal.drafts import Drafts
from rtfs_framework.orchestrator.journal.rows import USUAL, WHOLE, is_usual, usual_values, whole_values
from rtfs_framework.orchestrator.journal.schema import CHAINED, ENDING_FIELDS, RUN_FIELDS, insert
from rtfs_framework.orchestrator.journal.texts import Blot, Texts, blotter
from rtfs_framework.orchestrator.records import CallRecord

if TYPE_CHECKING:
    import sqlite3

BATCH = 512
"""Entries per transaction."""

FLUSH_SECONDS = 1.0
"""Age at which a smaller batch is written all the same."""

_HASHED = ("hash",)
_INSERT_RUN = insert("runs", RUN_FIELDS + _HASHED)
_INSERT_ENDING = insert("endings", ENDING_FIELDS + CHAINED)
_INSERT_DECISION = insert("decisions", ("digest", "body"), or_ignore=True)


@attrs.define(slots=True, eq=False)
class Journal:
    """One host's journal file; opened by its first run."""

    path: Path
    clock: Clock
    keep_args: bool = False
    blot: Blot = attrs.field(factory=lambda: blotter(()))
    texts: Texts = attrs.field(init=False)
    _connection: sqlite3.Connection | None = attrs.field(default=None, init=False)
    _entries: list[tuple[Any, ...]] = attrs.field(factory=list, init=False)
    drafts: Drafts = attrs.field(factory=Drafts, init=False)
    _flushed: float = attrs.field(default=0.0, init=False)
    _broken: bool = attrs.field(default=False, init=False)

    @texts.default
    def _texts(self) -> Texts:
        return Texts(self.blot)

    def begin(self, run: str, program: str, source: str, policy: str, version: str) -> Chain:
        """Start a run's chain; its first row is on disk when this returns.

        Raises:
            JournalError: The file cannot be written.
        """
        values = (run, program, self.blot(source), self.clock.now(), policy, version)
        root = row_hash("runs", RUN_FIELDS, values, "")
        self._write(lambda connection: connection.execute(_INSERT_RUN, (*values, root)))
        return Chain(self, run, (root, 0))

    def queued(self, row: tuple[Any, ...]) -> bool:
        """Tell whether an entry is the last in the queue."""
        return bool(self._entries) and self._entries[-1] is row

    def queue(self, row: tuple[Any, ...]) -> None:
        """Queue an entry."""
        self._entries.append(row)

    def flush_if_due(self) -> None:
        """Write the batch when it is full or old."""
        now = self.clock.monotonic()
        if len(self._entries) >= BATCH or now - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def hold(self, run: str, record: CallRecord, values: Callable[[], tuple[Any, ...]]) -> None:
        """Keep a call whose turn has not come; see `drafts`."""
        self.drafts.hold(run, record, values)
        self.flush_if_due()

    def flush(self) -> None:
        """Write everything queued, in one transaction.

        Raises:
            JournalError: The file cannot be written; what was queued stays queued.
        """
        self._flushed = self.clock.monotonic()
        drafts = self.drafts.fresh()
        if not self._entries and not self.texts.new_decisions and not drafts:
            return

        def all_of_it(connection: sqlite3.Connection) -> None:
            connection.executemany(_INSERT_DECISION, self.texts.new_decisions)
            for form in (WHOLE, USUAL):
                width = len(form.columns) + len(CHAINED)
                connection.executemany(form.insert, [row for row in self._entries if len(row) == width])
            self.drafts.write(connection, drafts)

        self._write(all_of_it)
        self.drafts.wrote(drafts)
        self._entries.clear()
        self.texts.new_decisions.clear()

    def end(self, row: tuple[Any, ...]) -> None:
        """Write what is queued and a run's ending."""
        self.flush()
        self._write(lambda connection: connection.execute(_INSERT_ENDING, row))

    def close(self) -> None:
        """Write what is queued and close the file."""
        try:
            self.flush()
        finally:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write(self, use: Callable[[sqlite3.Connection], Any]) -> None:
        """Run one transaction. A journal that failed once is left alone: the error was raised, and is not repeated."""
        from rtfs_framework.api.sqlite_file import in_transaction
        from rtfs_framework.orchestrator.journal.database import JournalError, open_for_writing, translated

        if self._broken:
            return
        try:
            if self._connection is None:
                self._connection = open_for_writing(self.path)
            with translated(self.path):
                in_transaction(self._connection, use)
        except JournalError:
            self._broken = True
            raise


@attrs.define(slots=True, eq=False)
class Chain:
    """The chain of one run. Its state is one tuple and the row being added, so Ctrl-C between any two steps is safe."""

    journal: Journal
    run: str
    state: tuple[str, int]
    """The last hash, and how many entries there are."""
    ended: bool = False
    _adding: tuple[Any, ...] | None = attrs.field(default=None, init=False)

    def add(self, record: CallRecord) -> None:
        """Append a host call."""
        journal = self.journal
        parent, count = self.state if self._adding is None else self._settled()
        if journal.drafts.waiting:
            journal.drafts.release(self.run, record)
        if is_usual(record):
            values = usual_values(record, self.run, count, journal.texts)
            hash_ = USUAL.hash(values, parent)
        else:
            values = self._values(record, count)
            hash_ = WHOLE.hash(values, parent)
        row = (*values, parent, hash_)
        self._adding = row
        journal.queue(row)
        self.state = (hash_, count + 1)
        self._adding = None
        journal.flush_if_due()

    def hold(self, record: CallRecord) -> None:
        """Keep a call that will be added when its turn comes; if the process dies before, the file has it."""
        self.journal.hold(self.run, record, lambda: self._values(record, -1))

    def end(self, status: str, message: str = "") -> None:
        """Close the chain: `status` is "complete", "failed" or "interrupted". Later calls change nothing."""
        if self.ended:
            return
        self.ended = True
        parent, count = self._settled()
        values = (self.run, status, self.journal.clock.now(), count, self.journal.blot(message))
        self.journal.end((*values, parent, row_hash("endings", ENDING_FIELDS, values, parent)))

    def _settled(self) -> tuple[str, int]:
        """Return the state; an entry that was queued when Ctrl-C struck counts."""
        row = self._adding
        if row is not None and self.journal.queued(row):
            self.state = (row[-1], row[1] + 1)
        self._adding = None
        return self.state

    def _values(self, record: CallRecord, seq: int) -> tuple[Any, ...]:
        return whole_values(record, self.run, seq, self.journal.texts, keep_args=self.journal.keep_args)
