"""One run in the journal: what it says of itself, its calls as they begin and end, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.orchestrator.recording.journal.rows import Ending, RunFacts
from rtfs_framework.orchestrator.recording.records import CallRecord, OpenRecord

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.recording.journal.feedback import Feedback
    from rtfs_framework.orchestrator.recording.journal.writer import Journal


@attrs.define(slots=True, eq=False)
class Chain:
    """Appends a run's rows, from any thread. Its first row goes to the file with the first of the others."""

    journal: Journal
    facts: RunFacts
    ended: bool = False
    calls: int = attrs.field(default=0, init=False)
    number: int | None = attrs.field(default=None, init=False)
    """Position of the run's first row; the journal sets it."""
    file: str = attrs.field(default="", init=False)
    """The journal in which that is: another may be put into its place."""
    _open: dict[int, OpenRecord] = attrs.field(factory=dict, init=False)
    """The calls that have begun and not ended, by identity: a record is the same object all the time."""

    @property
    def open_calls(self) -> int:
        """How many calls that cost or change something are under way."""
        return len(self._open)

    def begin(self, record: OpenRecord, of: OpenRecord | None = None) -> bool:
        """Write that a call begins which costs or changes something; `of` is the call's, where this is one request.

        Returns whether it is on disk; if not, `journal.written()` must be awaited before the call is made.

        Raises:
            JournalError: It cannot be written; the call must not be made.
        """
        self.journal.must_queue("begun", self, record)
        call = of or record
        self._open[id(call)] = call
        return self.journal.try_commit()

    def add(self, record: CallRecord) -> None:
        """Write that a call is over; it may wait in memory for rows that must not."""
        self._open.pop(id(record), None)
        self.calls += record.part == 0
        self.journal.queue("ended", self, record)
        self.journal.flush_if_due()

    def rate(self, feedback: Feedback) -> None:
        """Write what somebody says of a call of this run; it may wait in memory for rows that must not."""
        self.journal.queue("feedback", self, feedback)
        self.journal.flush_if_due()

    def end(self, status: str, error: BaseException | None = None, *, words: bool = True) -> None:
        """Close the run: `status` is "complete", "failed" or "interrupted". Later calls change nothing.

        `words` tells whether what the error says may be kept.
        """
        if self.ended:
            return
        self.ended = True
        self.journal.queue("end", self, Ending(status, self.journal.clock.now(), self.calls, error, words))
        self.journal.flush()
