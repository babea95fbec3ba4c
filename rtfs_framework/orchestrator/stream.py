"""Calling a function for every record of a stream: order kept, memory bounded, errors counted, Ctrl-C survived.

Up to `concurrency` records are under way at once, so slow remote answers overlap; results come in the order of the
records all the same. With a bound of 1 a record starts when the one before it has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.answers import KernelRun
from rtfs_framework.orchestrator.driver import drive
from rtfs_framework.orchestrator.program import LoadedProgram, Page
from rtfs_framework.orchestrator.records import RecordResult, Summary

if TYPE_CHECKING:
    import asyncio


@attrs.define(slots=True, eq=False)
class _Under:
    """A record under way: a task, or its outcome."""

    index: int
    page: Page
    run: KernelRun | None = None
    task: asyncio.Task[Any] | None = None
    value: Any = None
    error: ErrorValue | None = None
    seconds: float | None = None


@attrs.define(slots=True, eq=False)
class Stream:
    """An iterator over `RecordResult`s; `summary` holds the totals so far, after Ctrl-C the partial ones."""

    program: LoadedProgram
    name: str
    records: Iterator[Any]
    concurrency: int = 1
    _entry: int = attrs.field(init=False)
    """All records of a stream are one entry into the program."""
    _window: deque[_Under] = attrs.field(factory=deque, init=False)
    _next: int = attrs.field(default=0, init=False)
    _dry: bool = attrs.field(default=False, init=False)

    @_entry.default
    def _next_entry(self) -> int:
        return next(self.program.entries)

    @classmethod
    def over(cls, program: LoadedProgram, name: str, records: Iterable[Any], concurrency: int | None = None) -> Stream:
        """Return a stream that calls `name` with each record as its one argument.

        Raises:
            ProgramError: The program defines no such name.
        """
        program.instance.value(name)
        return cls(program, name, iter(records), program.host.concurrency if concurrency is None else concurrency)

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> RecordResult:
        try:
            found = None if self.interrupted else self._take()
        except KeyboardInterrupt:
            self.interrupt()
            found = None
        except BaseException:
            self.interrupt()
            raise
        if found is None:
            raise StopIteration
        return found

    @property
    def interrupted(self) -> bool:
        """Tell whether the stream was stopped before its end."""
        return self.program.ledger.tally.interrupted

    @property
    def summary(self) -> Summary:
        """The totals so far."""
        return self.program.summary

    def interrupt(self) -> Summary:
        """Stop: cancel what is under way, and return the totals so far."""
        tally = self.program.ledger.tally
        if not tally.interrupted:
            tally.interrupted = True
            self.program.front.cancel([each.task for each in self._window if each.task is not None])
            while self._window:
                each = self._window.popleft()
                if each.run is not None:
                    each.run.close()
            self.program.close("interrupted")
        return self.summary

    def _take(self) -> RecordResult | None:
        """Return the next record's result, None at the end."""
        self._fill()
        if not self._window:
            return None
        first = self._window[0]
        self._finish(first)
        self._window.popleft()
        return self._result(first)

    def _fill(self) -> None:
        while not self._dry and len(self._window) < self.concurrency:
            try:
                record = next(self.records)
            except StopIteration:
                self._dry = True
                return
            self._window.append(self._begin(record))

    def _begin(self, record: Any) -> _Under:
        page = self.program.page(self._next, entry=self._entry)
        under = _Under(self._next, page)
        self._next += 1
        try:
            run = self.program.instance.call(self.name, (record,))
            under.run = run
            state = page.begin(run)
            if isinstance(state, Complete):
                under.value, under.seconds = state.value, page.seconds
            else:
                under.task = self.program.front.start(drive(run, state, page.agent))
        except (ProgramError, LimitError) as error:
            under.error, under.seconds = as_value(error), page.seconds
        return under

    def _finish(self, under: _Under) -> None:
        if under.task is None:
            return
        try:
            under.value = self.program.front.wait(under.task)
        except (ProgramError, LimitError) as error:
            under.error = as_value(error)
        under.seconds = under.page.seconds

    def _result(self, under: _Under) -> RecordResult:
        tally = self.program.ledger.tally
        tally.records += 1
        tally.record_errors += under.error is not None
        return RecordResult(
            index=under.index,
            value=under.value,
            error=under.error,
            calls=under.page.sorted_calls,
            seconds=under.seconds or 0.0,
        )


def as_value(error: ProgramError | LimitError) -> ErrorValue:
    """Return the error of a record as a value; limits have a kind of their own."""
    if isinstance(error, ProgramError):
        return error.value
    return ErrorValue("LimitError", str(error))
