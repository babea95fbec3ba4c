"""A program run once per record of an input: rows as they come, a progress bar, and a summary at the end.

Memory does not grow with the input: nothing of a record is kept but the messages of those under way.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.cli.commands.run_once import check_arity, check_records, go_on, linked_with_notices
from rtfs_framework.cli.faults import FAILED, FINE, INTERRUPTED
from rtfs_framework.cli.notices import problems_json
from rtfs_framework.cli.options import environment, warn
from rtfs_framework.cli.output import Output
from rtfs_framework.cli.problems import OTHER_INPUT, USAGE, InputError, problem
from rtfs_framework.cli.program_errors import error_json
from rtfs_framework.cli.records.open import Records, Wanted, open_records
from rtfs_framework.cli.records.parse import KEY
from rtfs_framework.cli.shown.account import Account
from rtfs_framework.cli.shown.data import put_json, value_json
from rtfs_framework.cli.shown.progress import Progress
from rtfs_framework.cli.shown.rows import Rows
from rtfs_framework.cli.shown.summary import soundness, summary_json, summary_lines
from rtfs_framework.cli.terminal import put, say
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.printer import display, write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.recording.purse import Terms
from rtfs_framework.orchestrator.recording.records import RecordResult, call_json
from rtfs_framework.orchestrator.running.fold import END, STEP, Fold
from rtfs_framework.orchestrator.running.progress import BEGINNING, START, Start, after
from rtfs_framework.orchestrator.running.stream import Stream

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.running.program import LoadedProgram
    from rtfs_framework.orchestrator.running.resuming import Resumed
    from rtfs_framework.orchestrator.session import Session
    from rtfs_framework.orchestrator.spreading.spread import Spread

    Begun = Stream | Spread

_SHOWN_BAD = 10
_PIPE_WIDTH = 160


@attrs.frozen(slots=True, kw_only=True)
class How:
    """What the command line says about the output."""

    as_json: bool = False
    output: str | None = None
    progress: bool = False
    concurrency: int | None = None
    folds: bool = False
    """Whether a state is carried over the records."""
    on: tuple[str, str] | None = None
    """The executor over which they are spread, and its address; None for this process."""
    marks: Label = PUBLIC
    """Those that the program's text carries; for this process alone."""


@attrs.frozen(slots=True)
class _End:
    """What a state came to, or why it came to nothing."""

    data: dict[str, Any] = attrs.field(factory=dict)
    failed: ProgramError | LimitError | None = None


@attrs.define(slots=True, eq=False)
class _Bad:
    """Says what is wrong with the records that are left out; after a few, counts only."""

    count: int = 0

    def __call__(self, error: InputError) -> None:
        self.count += 1
        if self.count <= _SHOWN_BAD:
            warn(f"left out: {error}")
        elif self.count == _SHOWN_BAD + 1:
            warn("more bad records are left out and only counted")


def run_stream(session: Session, source: Source, wanted: Wanted, how: How) -> int:
    """Run a program over an input; return the exit code.

    Raises:
        InputError: The input cannot be used; records before a bad one were run and shown.
        LanguageError: The program was refused.
        ProgramError: The program's top-level forms failed.
    """
    linked = linked_with_notices(session, source)
    if how.marks:
        linked = attrs.evolve(linked, terms=Terms(marks=how.marks))
    how = attrs.evolve(how, folds=folds(linked))
    if how.folds and (how.concurrency or 1) > 1:
        raise click.UsageError("a fold takes one record at a time: leave --concurrency out")
    if how.folds and how.on is not None:
        raise click.UsageError("a fold carries one state from record to record, which --on cannot spread")
    if not how.folds:
        check_records(linked)
    begin = _beginning(session, linked, wanted, how)
    with closing(open_records(wanted, _Bad())) as records:
        return _run(session, begin, records, wanted, how)


def _beginning(session: Session, linked: Linked, wanted: Wanted, how: How) -> Callable[[Iterable[Any]], Begun]:
    """Return what begins a stream of records."""
    told = {
        "records": {**attrs.asdict(wanted), "path": _whole(wanted.path)},
        "output": None if how.output is None else _whole(how.output),
        "concurrency": how.concurrency,
        "folds": how.folds,
    }
    if how.on is not None:
        from rtfs_framework.orchestrator.spreading.spread import Spread

        on, environ, concurrency = how.on, environment(), how.concurrency
        return lambda records: Spread.over(session, linked, records, on, environ, concurrency, how=told)
    return _stream_of(session, session.load(linked, how=told), how)


def _stream_of(
    session: Session, program: LoadedProgram, how: How, start: Start = BEGINNING
) -> Callable[[Iterable[Any]], Begun]:
    if how.folds:
        return partial(program.fold, start=start)
    return partial(session.stream, program, "main", concurrency=how.concurrency, start=start)


def resume_stream(session: Session, resumed: Resumed, wanted: Wanted, how: How) -> int:
    """Go on with a run over an input, behind the records that are done; return the exit code.

    Raises:
        InputError: The input cannot be used, or is not the one that it was.
    """
    start = resumed.start
    with closing(open_records(wanted, _Bad())) as records:
        _skipped(records, start)
        return _run(session, _stream_of(session, resumed.program, how, start), records, wanted, how, start)


def _skipped(records: Records, start: Start) -> None:
    """Read past the records that are done.

    Raises:
        InputError: E0929, they are not what they were.
    """
    seen = START
    for _ in range(start.done):
        record = next(records, None)
        seen = seen if record is None else after(seen, digest(record))
    if start.done and seen.hex() != start.seen:
        message = f"{records.name} is another input: its first {start.done:,} records are not those that are done"
        raise problem(OTHER_INPUT, message, "name the right one with --input, or begin a new run", exit_code=USAGE)


def _whole(path: str) -> str:
    return path if path == "-" else str(Path(path).absolute())


def folds(linked: Linked) -> bool:
    """Tell whether a program carries a state over the records, and see that it can.

    Raises:
        InputError: E0908, its functions take other numbers of arguments.
    """
    if linked.instance.function("main") is not None:
        return False
    source = linked.artifact.source
    step, end = (linked.instance.function(name) for name in (STEP, END))
    if step is None:
        return False
    check_arity(step, source, 2, "but it is given the state and a record", "write (defn fold [state record] ...)")
    if end is not None:
        check_arity(end, source, 1, "but it is given the last state", "write (defn finish [state] ...)")
    return True


def _run(
    session: Session,
    begin: Callable[[Iterable[Any]], Begun],
    records: Records,
    wanted: Wanted,
    how: How,
    start: Start = BEGINNING,
) -> int:
    messages: dict[int, str] = {}
    account = Account()
    noted = _noted(records, messages, start.done)
    stream = begin(noted)
    program = stream.program
    with ExitStack() as held:
        if not isinstance(stream, Stream):
            held.callback(stream.close)
        output = held.enter_context(Output.open(how.output, wanted.path, start.beside.get("output")))
        if isinstance(stream, Stream) and stream.progress is not None:
            stream.progress.beside = output.said
        _show(stream, records, messages, account, output, how)
        end = _finished(stream, records, how) if isinstance(stream, Fold) else _End()
        summary, sound = stream.summary, soundness(session, account)
        told = summary_json(summary, account, records.skipped, sound)
        data = {**end.data, "summary": told, "problems": problems_json()}
        output.write(data)
    if how.as_json:
        put_json(data)
    elif summary.records or records.skipped or stream.interrupted:
        say()
        for text in summary_lines(summary, account, records.skipped, sound):
            say(text)
    well = records.stopped is None and end.failed is None
    program.close("interrupted" if stream.interrupted else "complete" if well else "failed", end.failed)
    if stream.interrupted:
        if go_on(program):
            warn(f"interrupted{go_on(program)}")
        return INTERRUPTED
    if records.stopped is not None:
        raise records.stopped
    records.check_any()
    if end.failed is not None:
        raise end.failed
    return FAILED if summary.record_errors else FINE


def _finished(stream: Fold, records: Records, how: How) -> _End:
    """Print what the state came to; of records that were not all read, the state itself."""
    if stream.interrupted or records.stopped is not None:
        if not how.as_json:
            put(f"stopped early, with this state: {write(stream.state)}")
        return _End({"state": value_json(stream.state)["value"]})
    try:
        value = stream.finish().value
    except (ProgramError, LimitError) as error:
        return _End({"value": None, "state": value_json(stream.state)["value"]}, error)
    if not how.as_json:
        put(write(value))
    return _End(value_json(value))


def _noted(records: Records, messages: dict[int, str], first: int) -> Iterator[Any]:
    """Yield records, and keep the messages of those under way."""
    for index, record in enumerate(records, first):
        messages[index] = display(record.get(KEY))
        yield record


def _show(
    stream: Begun, records: Records, messages: dict[int, str], account: Account, output: Output, how: How
) -> None:
    width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns
    with Progress(how.progress, records.total, records.position) as progress:
        rows = Rows(progress.emit, width)

        def show(result: RecordResult) -> None:
            message = messages.pop(result.index)  # before anything is written: it never comes twice
            account.add(result)
            shown = result.error is not None or not how.folds  # of what is folded, only what went wrong
            if shown and (how.as_json or output.wanted):
                data = record_json(message, result)
                output.write(data)
                if how.as_json:
                    put_json(data)
            if shown and not how.as_json:
                rows.add(message, result)
            progress.update(result.index + 1)

        latest: RecordResult | None = None
        try:
            for latest in stream:
                show(latest)
            rows.flush()
        except KeyboardInterrupt:
            stream.interrupt()
            if latest is not None and latest.index in messages:
                show(latest)  # it was not shown yet
            for result in stream:  # what workers had done by then
                show(result)
        except BaseException:
            stream.interrupt()
            raise
        if stream.interrupted:
            rows.flush()
        elif isinstance(stream, Stream):
            stream.note_progress(now=True)


def record_json(message: str, result: RecordResult) -> dict[str, Any]:
    """Return a record's result as JSON-ready data."""
    return {
        "record": result.index,
        "text": message,
        **(value_json(result.value) if result.error is None else {"value": None}),
        "error": None if result.error is None else error_json(result.error),
        "calls": [call_json(call) for call in result.calls],
        "seconds": result.seconds,
    }
