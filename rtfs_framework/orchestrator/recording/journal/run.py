"""One run in the journal: what it says of itself, its calls as they begin and end, and its end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.kept import Answered, Job
from rtfs_framework.orchestrator.recording.journal.rows import Ending, Noted, RunFacts
from rtfs_framework.orchestrator.recording.purse import NO_ASKER, Asker
from rtfs_framework.orchestrator.recording.records import CallRecord, OpenRecord

if TYPE_CHECKING:
    from rtfs_framework.lang.values import ErrorValue
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
    parked: bool = attrs.field(default=False, init=False)
    """Whether a call into it ended because it must wait, to be gone on with: whoever catches that does not end it."""
    since: int = attrs.field(default=0, init=False)
    """The position behind which somebody may ask something of it: what was asked of a process before is over."""
    kept: bool = attrs.field(default=False, init=False)
    """Whether the file has texts of it that go when it has ended; the journal sets it."""
    waits: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """What it waits for: the rows of the waits that have not ended, by their calls."""
    _answered: dict[int, Answered] = attrs.field(factory=dict, init=False)
    """What calls were answered that are not added yet, by their records' identity."""
    _open: dict[int, OpenRecord] = attrs.field(factory=dict, init=False)
    """The calls that have begun and not ended, by identity: a record is the same object all the time."""

    @property
    def open_calls(self) -> int:
        """How many calls that cost or change something are under way."""
        return len(self._open)

    def under_way(self, besides: Collection[int]) -> bool:
        """Tell whether a call that costs or changes something is, besides those of these records' identities."""
        return any(each not in besides for each in tuple(self._open))

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

    def answered(
        self, record: OpenRecord, value: Any, error: ErrorValue | None, said: Mapping[str, Any] | None = None
    ) -> None:
        """Say what a call was answered, before it is added: whoever goes on with the run is told the same."""
        self._answered[id(record)] = Answered(record, value, error, said)  # type: ignore[arg-type]  # soon sealed

    def add(self, record: CallRecord) -> None:
        """Write that a call is over; it may wait in memory for rows that must not."""
        self._open.pop(id(record), None)
        self.calls += record.part == 0
        if self.waits and not record.stopped:
            from rtfs_framework.orchestrator.recording.journal.redact import name_of

            name = name_of(record.entry, record.record, record.path)
            self.waits.pop(f"{self.facts.id}:{name}", None)
        self.journal.queue("ended", self, self._answered.pop(id(record), None) or record)
        self.journal.flush_if_due()

    def note(self, what: str, body: Mapping[str, Any], text: str | None = None) -> None:
        """Write something else that happens to the run, such as "waiting"; with a text of its state."""
        if what == "waiting":
            self.waits[str(body.get("call"))] = body
        self.journal.queue(what, self, Noted(what, body, text))
        self.journal.flush_if_due()

    def rate(self, feedback: Feedback) -> None:
        """Write what somebody says of a call of this run; it may wait in memory for rows that must not."""
        self.journal.queue("feedback", self, feedback)
        self.journal.flush_if_due()

    def end(self, status: str, error: BaseException | None = None, *, words: bool = True) -> None:
        """Close the run: `status` is "complete", "failed", "interrupted" or "waiting". Later calls change nothing.

        `words` tells whether what the error says may be kept.
        """
        if self.ended:
            return
        self.ended = True
        now, waits = self.journal.clock.now(), tuple(self.waits.values())
        self.journal.queue("end", self, Ending(status, now, self.calls, error, words, waits))
        self.journal.flush()


def begun(
    journal: Journal | None,
    tenant: str,
    policy: str,
    *what: str,
    asker: Asker = NO_ASKER,
    job: Job | None = None,
    manifest: str = "",
) -> Chain | None:
    """Begin a run, None where no journal is kept; `what` is its id, its program's digest and name, and its seed."""
    if journal is None:
        return None
    from rtfs_framework import __version__

    run, program, source, seed = what
    facts = (run, program, source, policy, __version__)
    return journal.begin(*facts, seed=seed, tenant=tenant, asker=asker, job=job, manifest=manifest)
