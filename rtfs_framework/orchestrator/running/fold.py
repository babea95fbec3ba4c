"""One state carried over a stream of records: `fold` is called with the state and each record, and gives the next.

Memory holds the state and the record under way, so records are taken in order, one at a time. A record whose call fails
leaves the state as it was and is counted, as in any stream. What the state was made of goes with it: the marks of all
records so far, and the replies that they were given, count for each later call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.orchestrator.boundary.exact import from_text
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.records import RecordResult, RunResult
from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun
from rtfs_framework.orchestrator.running.progress import BEGINNING, Start
from rtfs_framework.orchestrator.running.stream import Stream, Under

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.running.uses import Use

STEP, END = "fold", "finish"
"""The functions of a program that folds; the second may be left out."""


@attrs.define(slots=True, eq=False)
class Fold(Stream):
    """An iterator over `RecordResult`s whose values are the states, each made of the one before it and a record."""

    state: Any = None
    """The latest; nil before the first record."""
    _marks: Label = attrs.field(default=PUBLIC, init=False)
    _sources: tuple[str, ...] = attrs.field(default=(), init=False)
    """The replies that the state may rest on."""

    @classmethod
    def of_records(cls, program: LoadedProgram, records: Iterable[Any], start: Start = BEGINNING) -> Fold:
        """Return one over records.

        Raises:
            ProgramError: The program defines no `fold`.
        """
        program.instance.value(STEP)
        made = cls(program, STEP, iter(records), start=start)
        made._take_over(start.state)
        program.streams.append(made)
        return made

    def finish(self) -> RunResult:
        """Call `finish` with the state and return its result; without such a function, that of the state.

        Raises:
            ProgramError: The program did not catch an error.
            SessionClosedError: The program or its session was closed.
        """
        program = self.program
        if program.function(END) is not None:
            return program.portal.call(self._ended)
        return RunResult(value=self.state, run_id=program.run_id, calls=(), summary=program.summary, marks=self._marks)

    def _ended(self, use: Use) -> RunResult:
        run, program_run = self.program.open_call(END, (self.state,))
        self._carry(program_run)
        return program_run.result(self.program, program_run.settle(run, use))

    def _given(self, program_run: ProgramRun, record: Any) -> tuple[Any, ...]:
        given = (self.state, record)
        program_run.given(self.name, given)
        self._carry(program_run)
        return given

    def _result(self, under: Under) -> RecordResult:
        if under.error is None:
            self.state = under.value
        self._count(under.program_run)
        return super()._result(under)

    def note_progress(self, *, now: bool = False) -> None:
        """Write down how far it has come, if that is due, with its state, its marks and what it rests on."""
        if self.progress is not None and not self.program.closed:
            self.progress.write(self._text, now=now)

    def _text(self) -> str | None:
        floating = self.program.floating
        if floating is not None and not floating.keeps(self._marks):
            return None
        state = value_text(self.state)
        if state is None:
            return None
        return json.dumps({"state": state, "marks": sorted(self._marks), "sources": list(self._sources)})

    def _take_over(self, text: str | None) -> None:
        """Go on with the state of a process before."""
        if text is not None:
            found = json.loads(text)
            self.state = from_text(found["state"])
            self._marks, self._sources = frozenset(found["marks"]), tuple(found["sources"])

    def _count(self, made_by: ProgramRun) -> None:
        """Count what a record was given; that of one that failed as well, for a state that stayed tells that it did."""
        scope = made_by.scope
        if scope.floating is not None:
            self._marks |= scope.floating.label
        if scope.lineage is not None:
            self._sources = scope.lineage.sources

    def _carry(self, program_run: ProgramRun) -> None:
        """Count for a call what its state was made of."""
        floating, lineage = program_run.scope.floating, program_run.scope.lineage
        if floating is not None and self._marks:
            floating.add(self._marks)
            floating.flows = None  # they tell of one call, and the state is of many
        if lineage is not None:
            for each in self._sources:
                lineage.add(each)
