"""Calling a function for every record of a stream: order kept, memory bounded, errors counted, Ctrl-C survived.

Up to `concurrency` records are under way at once, so slow remote answers overlap; results come in the order of the
records all the same. With a bound of 1 a record starts when the one before it has ended.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import LimitError, ProgramError, RtfsError
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.boundary.answers import KernelRun
from rtfs_framework.orchestrator.boundary.arguments import taken
from rtfs_framework.orchestrator.concurrency.lanes import a_loop_runs_here, in_other_thread
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.telling import force
from rtfs_framework.orchestrator.recording.records import RecordResult, Summary
from rtfs_framework.orchestrator.running.driver import drive
from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun
from rtfs_framework.orchestrator.running.progress import BEGINNING, Progress, Start
from rtfs_framework.orchestrator.running.uses import STOP_SECONDS, SessionClosedError, Use

if TYPE_CHECKING:
    import asyncio

    from rtfs_framework.orchestrator.concurrency.lanes import Lane


@attrs.define(slots=True, eq=False)
class Under:
    """A record under way: a task, or its outcome."""

    index: int
    program_run: ProgramRun
    run: KernelRun | None = None
    task: asyncio.Task[Any] | None = None
    value: Any = None
    error: ErrorValue | None = None
    seconds: float | None = None
    digest: str = ""
    """Of the record, where somebody may go on with the stream."""


@attrs.define(slots=True, eq=False)
class Stream:
    """An iterator over `RecordResult`s; `summary` holds the totals so far, after Ctrl-C the partial ones.

    One thread reads it, the first that does: records under way belong to that thread. Several streams of a program may
    be read at once, each by a thread of its own. Any thread may end it.
    """

    program: LoadedProgram
    name: str
    records: Iterator[Any]
    concurrency: int = 1
    _entry: int = attrs.field(init=False)
    """All records of a stream are one entry into the program."""
    start: Start = BEGINNING
    """Where it begins; records before that were done by a process before, and are not among `records`."""
    progress: Progress | None = attrs.field(init=False)
    """How far it has come; None where nobody can go on with it."""
    _window: deque[Under] = attrs.field(factory=deque, init=False)
    _next: int = attrs.field(init=False)
    _dry: bool = attrs.field(default=False, init=False)
    _reader: int | None = attrs.field(default=None, init=False)
    """The thread that reads."""
    _lane: Lane | None = attrs.field(default=None, init=False)
    _use: Use | None = attrs.field(default=None, init=False)
    """That of the result which is being waited for."""
    _cut: bool = attrs.field(default=False, init=False)
    """Whether records were let go that had begun."""
    _broken: bool = attrs.field(default=False, init=False)
    """Whether a record was stopped while it was under way."""
    _one: threading.RLock = attrs.field(factory=threading.RLock, init=False)
    """Held by who reads, or lets go."""

    @_entry.default
    def _next_entry(self) -> int:
        return next(self.program.entries)

    @_next.default
    def _first(self) -> int:
        return self.start.done

    @progress.default
    def _progress(self) -> Progress | None:
        chain, start = self.program.chain, self.start
        if chain is None or chain.facts.job is None:
            return None
        made = Progress(chain, self.program.host.clock, self._entry, start.done, start.failed)
        if start.seen:
            made.seen = bytes.fromhex(start.seen)
        tally = self.program.ledger.tally
        tally.records, tally.record_errors = tally.records + start.done, tally.record_errors + start.failed
        return made

    @classmethod
    def over(
        cls,
        program: LoadedProgram,
        name: str,
        records: Iterable[Any],
        concurrency: int | None = None,
        start: Start = BEGINNING,
        *,
        first: int = 0,
        entry: int | None = None,
    ) -> Stream:
        """Return a stream that calls `name` with each record as its one argument.

        `first` is the position of the first, and `entry` the number of their entry, where they are a part of others.

        Raises:
            ProgramError: The program defines no such name.
        """
        program.instance.value(name)
        many = program.host.concurrency if concurrency is None else concurrency
        made = cls(program, name, iter(records), many, start)
        if entry is not None:  # of another process, which knows how far it is
            made._entry, made._next, made.progress = entry, first, None
        program.streams.append(made)
        return made

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> RecordResult:
        self._claim()
        self.note_progress()
        try:
            found = None if self.interrupted else self.program.portal.call_here(self._take)
        except KeyboardInterrupt:
            self._stopped()
            found = None
        except BaseException:
            self._stopped()
            raise
        if found is None:
            self.let_go()
            raise StopIteration
        return found

    def _claim(self) -> None:
        me = threading.get_ident()
        if self._reader not in (None, me):
            raise RtfsError(
                "another thread reads this stream; read it where it was begun, or make one for every thread: "
                "session.stream(...)"
            )
        self._reader = me

    def _stopped(self) -> None:
        """Note how far it came, and stop."""
        with suppress(JournalError):
            self.note_progress(now=True)
        self.interrupt()

    def note_progress(self, *, now: bool = False) -> None:
        """Write down how far it has come, if that is due: all results so far were taken."""
        if self.progress is not None and not self.program.closed:
            self.progress.write(now=now)

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
            self.let_go()
            self.program.close("interrupted")
        return self.summary

    def let_go(self) -> bool:
        """Cancel what is under way, from any thread, and wait until its calls are written down; tell whether any was.

        A thread that waits for a result is stopped first. If it does not stop, it is left to it to let go.
        """
        if self._use is not None:
            self._use.stop()
        if not self._one.acquire(timeout=0 if self.program.portal.uses.inside else STOP_SECONDS):
            return True
        try:
            if self._use is None:
                self._drop()
            return self._use is not None or self._broken
        finally:
            self._one.release()

    def _drop(self) -> None:
        tasks = [each.task for each in self._window if each.task is not None]
        self._broken = self._broken or any(not task.done() for task in tasks)
        self._cut = self._cut or bool(self._window)
        lane, self._lane = self._lane, None
        if lane is not None:
            if a_loop_runs_here():
                in_other_thread(lambda: lane.cancel(tasks), _nothing, _nothing)
            else:
                lane.cancel(tasks)
            self.program.portal.lanes.give_back(lane)
        runs = [each.run for each in self._window if each.run is not None]
        self._window.clear()
        if runs:
            with self.program.lock:  # another call into the program may be computing, in another thread
                for run in runs:
                    run.close()
        if self in self.program.streams:
            self.program.streams.remove(self)

    def _take(self, use: Use) -> RecordResult | None:
        """Return the next record's result, None at the end."""
        with self._one:
            self._use = use
            try:
                return self._read(use)
            except BaseException as error:
                self._broken = True
                if isinstance(error, Exception):
                    with suppress(JournalError):
                        force(self.program.chain)
                raise
            finally:
                self._use = None

    def _read(self, use: Use) -> RecordResult | None:
        if self._cut:
            raise _closed()
        self._fill(use)
        if not self._window:
            return None
        first = self._window[0]
        with first.program_run.scope.telling():
            self._finish(first, use)
        self._window.popleft()
        return self._result(first)

    def _fill(self, use: Use) -> None:
        while not self._dry and len(self._window) < self.concurrency:
            try:
                record = next(self.records)
            except StopIteration:
                self._dry = True
                return
            self._window.append(self._begin(record, use))

    def _begin(self, record: Any, use: Use) -> Under:
        if self.program.closed:
            raise _closed()
        program_run = self.program.new_run(self._next, entry=self._entry)
        under = Under(self._next, program_run)
        self._next += 1
        try:
            instance = self.program.instance
            made = taken(instance, record, f"record {under.index}")
            if self.progress is not None:
                under.digest = digest(made)
            given = self._given(program_run, made)
            run = under.run = instance.call(self.name, given)
            with use.ended_by(run.cancel):
                state = program_run.begin(run)
            if isinstance(state, Complete):
                under.value, under.seconds = state.value, program_run.seconds
            else:
                if self._lane is None:
                    self._lane = self.program.portal.borrow()
                under.task = self._lane.start(drive(run, state, program_run.agent, program_run.scope.beside))
        except (ProgramError, LimitError) as error:
            under.error, under.seconds = as_value(error), program_run.seconds
        return under

    def _given(self, program_run: ProgramRun, record: Any) -> tuple[Any, ...]:
        """Return the arguments of a record's call, whose marks are counted."""
        program_run.given(self.name, (record,))
        return (record,)

    def _finish(self, under: Under, use: Use) -> None:
        if under.task is None or self._lane is None:
            return
        try:
            with use.ended_by(self._lane.stopper(under.task)):
                under.value = self._lane.wait(under.task)
        except (ProgramError, LimitError) as error:
            under.error = as_value(error)
        under.seconds = under.program_run.seconds

    def _result(self, under: Under) -> RecordResult:
        self.program.ledger.count_record(failed=under.error is not None)
        if self.progress is not None:
            self.progress.count(under.digest, failed=under.error is not None)
        return RecordResult(
            index=under.index,
            value=under.value,
            error=under.error,
            calls=under.program_run.sorted_calls,
            seconds=under.seconds or 0.0,
        )


def _nothing() -> None: ...


def _closed() -> SessionClosedError:
    return SessionClosedError("the program was closed", "load it again: session.load(...)")


def as_value(error: ProgramError | LimitError) -> ErrorValue:
    """Return the error of a record as a value; limits have a kind of their own."""
    if isinstance(error, ProgramError):
        return error.value
    return ErrorValue("LimitError", str(error))
