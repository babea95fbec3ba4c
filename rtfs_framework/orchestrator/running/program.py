"""A loaded program: its top-level forms were evaluated once, its functions can be called many times.

All of its calls are one journal run, begun by the first program text that can leave the kernel and ended by `close`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from operator import attrgetter
from os import urandom
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.caller import NO_METADATA, of_python
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.answers import KernelRun, Waiting
from rtfs_framework.orchestrator.boundary.arguments import taken_all
from rtfs_framework.orchestrator.concurrency.program_lock import ProgramLock
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.journal.alive import release
from rtfs_framework.orchestrator.recording.lineage import Lineage
from rtfs_framework.orchestrator.recording.purse import USUAL_TERMS, RunStopped, Terms, status_of
from rtfs_framework.orchestrator.recording.records import CallRecord, RunResult, Summary
from rtfs_framework.orchestrator.recording.run_scope import Calls, RunScope
from rtfs_framework.orchestrator.recording.tally import MOST_CALLS, Ledger, Tally, noting
from rtfs_framework.orchestrator.running.driver import advance, drive
from rtfs_framework.orchestrator.running.portal import Portal
from rtfs_framework.orchestrator.running.progress import BEGINNING, Start
from rtfs_framework.orchestrator.running.scoped_host import ScopedHost
from rtfs_framework.orchestrator.running.uses import SessionClosedError, Use

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.seat import Seat
    from rtfs_framework.lang.flows.model import Flows
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.orchestrator.boundary.conversing import Listener
    from rtfs_framework.orchestrator.recording.floating import Floating, Gathered
    from rtfs_framework.orchestrator.recording.journal.run import Chain
    from rtfs_framework.orchestrator.running.ahead import Ahead
    from rtfs_framework.orchestrator.running.fold import Fold
    from rtfs_framework.orchestrator.running.past_calls import PastCalls
    from rtfs_framework.orchestrator.running.stream import Stream
    from rtfs_framework.orchestrator.running.tickets import Tickets

UNFINISHED = object()
"""What a call gives that was to be brief and is not."""


@attrs.define(slots=True, eq=False)
class LoadedProgram:
    """A program that is ready to be called. `value` is that of its last top-level form.

    Any thread and any task may call it, also at once: calls overlap where they wait, and take turns where they compute.
    """

    host: Host
    portal: Portal
    instance: Instance
    lookup: Lookup
    run_id: str
    chain: Chain | None
    ledger: Ledger
    started: float
    value: object = None
    calls: tuple[CallRecord, ...] = ()
    """The latest that its top-level forms made."""
    closed: bool = False
    seed: str = attrs.field(factory=lambda: urandom(16).hex())
    """Of the run's draws."""
    context: dict[str, Any] = attrs.field(factory=dict)
    """Host context values: the configuration's, and those that the top-level forms set."""
    metadata: DelegationMetadata = NO_METADATA
    """What is said of all its calls."""
    terms: Terms = USUAL_TERMS
    """On which it was asked for."""
    past: PastCalls | None = None
    """What its calls were answered in a process before; None for a run that is begun here."""
    unfit: Callable[[Any], str | None] | None = None
    """What is wrong with an answer to its functions though it is of the declared type; None where nothing can be."""
    floating: Floating | None = None
    """The marks of all that its top-level forms were given; None where nothing carries marks."""
    seen: Gathered | None = None
    """The marks of all that it was ever given, in any call into it."""
    lineage: Lineage | None = attrs.field(init=False)
    """The replies that its top-level forms were given; None where no layer keeps replies."""
    entries: Iterator[int] = attrs.field(factory=count, init=False)
    """The numbers of the calls into the program: the top-level forms are number 0."""
    streams: list[Stream] = attrs.field(factory=list, init=False)
    """Those that are read and have not ended."""
    lock: ProgramLock = attrs.field(init=False)

    @lineage.default
    def _lineage(self) -> Lineage | None:
        names = (name for _, name in self.instance.artifact.builtins)
        return Lineage.of_program(names) if self.host.caches.keeps_replies else None

    @lock.default
    def _lock(self) -> ProgramLock:
        return ProgramLock(self.instance.frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close("complete" if error is None else status_of(error), error)

    def function(self, name: str) -> FunctionSignature | None:
        """Return the signature of a top-level function."""
        return self.instance.function(name)

    @property
    def summary(self) -> Summary:
        """The totals of everything that the program did so far."""
        return self.ledger.tally.summary(self.host.clock.monotonic() - self.started, self.host.events.faults.problems)

    def call(self, name: str, args: tuple[Any, ...] = (), *, metadata: DelegationMetadata | None = None) -> RunResult:
        """Call a top-level function and return its result. Arguments of Python's own become values (`handover`).

        `metadata` is what is said of the calls that it makes, over what was said when it was loaded.

        Raises:
            ArgumentError: No program can hold an argument.
            ProgramError: The program did not catch an error.
            SessionClosedError: The program or its session was closed.
        """
        return self.portal.call(self.call_within, name, args, metadata)

    async def call_async(
        self, name: str, args: tuple[Any, ...] = (), *, metadata: DelegationMetadata | None = None
    ) -> RunResult:
        """Call a top-level function from an event loop, which it never holds up."""
        return await self.portal.call_async(self.call_async_within, name, args, metadata)

    def fold(self, records: Iterable[Any], *, start: Start = BEGINNING) -> Fold:
        """Carry a state over records by the program's `fold`; see `Fold`. `start` is where a process before left it.

        Raises:
            ProgramError: The program defines no `fold`.
        """
        from rtfs_framework.orchestrator.running.fold import Fold

        return Fold.of_records(self, records, start)

    def call_within(
        self, use: Use, name: str, args: tuple[Any, ...], metadata: DelegationMetadata | None = None
    ) -> RunResult:
        """Call a function as a part of a use of the session."""
        run, program_run = self.open_call(name, args, metadata)
        return program_run.result(self, program_run.settle(run, use))

    async def call_async_within(
        self, _use: Use, name: str, args: tuple[Any, ...], metadata: DelegationMetadata | None = None
    ) -> RunResult:
        """Call a function as a part of a use of the session, in the thread `runs`."""
        run, program_run = self.open_call(name, args, metadata)
        return program_run.result(self, await program_run.drive(run))

    def call_briefly(self, name: str, args: tuple[Any, ...] = (), seat: Seat | None = None) -> Any:
        """Call a function of a program that asks nothing of its host here, in the `seat` of this thread, if any.

        Returns its value, or `UNFINISHED` where it takes more than one slice of steps: then nothing has happened, and
        it may be called in any other way. It is no use of the session that anybody could wait for: it is over at once.

        Raises:
            ProgramError: The program did not catch an error.
            SessionClosedError: The program or its session was closed.
        """
        if self.closed or self.portal.uses.closing:
            raise SessionClosedError("the program was closed", "load it again: session.load(...)")
        run = self.instance.call(name, taken_all(self.instance, name, args), seat)
        with self.lock:
            try:
                outcome = run.step(concurrent=True, sliced=True)
            except BaseException:
                run.close()
                raise
            if isinstance(outcome, Complete):
                return outcome.value
            run.close()
        return UNFINISHED

    def open_call(
        self,
        name: str,
        args: tuple[Any, ...],
        metadata: DelegationMetadata | None = None,
        listener: Listener | None = None,
    ) -> tuple[KernelRun, ProgramRun]:
        """Return a run of a function that has not started, and what keeps its calls.

        `listener` is told the pieces of what models say to its conversations, as they arrive.
        """
        if self.closed:
            raise SessionClosedError("the program was closed", "load it again: session.load(...)")
        program_run = self.new_run()
        program_run.scope.listener = listener
        if metadata is not None:
            program_run.scope.metadata = of_python(metadata).over(self.metadata)
        given = taken_all(self.instance, name, args)
        program_run.given(name, given)
        return self.instance.call(name, given), program_run

    def new_run(self, record: int | None = None, *, entry: int | None = None, own_context: bool = True) -> ProgramRun:
        """Return a fresh one; its context changes stay its own unless `own_context` is off.

        It is an entry of its own, unless it is one record of the entry that is given.
        """
        program_run = ProgramRun(self, tally=Tally(self.host.config.tenant))
        journal = self.host.journal
        program_run.scope = RunScope(
            sink=noting(program_run.tally, program_run.calls, self.ledger),
            chain=self.chain,
            lookup=self.lookup,
            context=dict(self.context) if own_context else self.context,
            entry=next(self.entries) if entry is None else entry,
            record=record,
            run=self.run_id,
            tenant=self.host.config.tenant,
            seed=self.seed,
            keep_digests=self.chain is not None,
            keep_args=journal is not None and journal.keep_args,
            metadata=self.metadata,
            purse=self.terms.purse,
            journey=self.terms.journey,
            program=self.instance.artifact.source,
            past=self.past,
            calls=Calls(program_run.calls),
            unfit=self.unfit,
            floating=self._label(own=own_context),
            lineage=self.lineage.entry() if self.lineage is not None and own_context else self.lineage,
        )
        return program_run

    def begin_labels(self, digest: str, flows: Flows | None = None) -> None:
        """Let the label of a program with this digest float, where data carries marks."""
        labelling = self.host.dispatcher.labelling
        if labelling is not None:
            from rtfs_framework.orchestrator.recording.floating import Gathered

            self.seen = Gathered(self.terms.carried)
            if self.terms.marks:
                flows = None  # the text of the program carries them, too, and of that no flow tells
            self.floating = labelling.floating(digest, self.context, flows)
            self.floating.gathered = self.seen
            self.floating.add(self.terms.marks)
            if flows is None or flows.remembers:
                self.floating.shared = self.seen

    def _label(self, *, own: bool) -> Floating | None:
        """Return the label of a run: what the top-level forms were given counts for all that comes later."""
        if self.floating is None or not own or self.seen is None:
            return self.floating
        return self.floating.entry(self.seen)

    def close(self, status: str = "complete", error: BaseException | None = None) -> None:
        """End the program's run in the journal; later calls of this method do nothing.

        What streams have under way is cancelled, whoever reads them. With calls under way no run is "complete".
        """
        if self.closed or self.portal.uses.foreign:
            return
        self.closed = True
        cut = [stream.let_go() for stream in tuple(self.streams)]
        chain = self.chain
        if status == "complete" and chain is not None and chain.parked:
            status = "waiting"
        cut.append(self.past is not None and self.past.left)
        still_open = chain is not None and chain.open_calls
        if status == "complete" and (any(cut) or still_open or self.ledger.tally.interrupted):
            status = "interrupted"
        stopping = self.terms.stopping
        if status == "interrupted" and stopping is not None and stopping.why:
            error = RunStopped(stopping.why)
        if self.host.events.active:
            self.host.events.emit("run.ended", {"run": self.run_id, "status": status, **self._ended()})
        if chain is not None:
            words = self.floating is None or self.seen is None or self.floating.keeps(self.seen.label)
            try:
                chain.end(status, error, words=words)
            finally:  # also where its end cannot be written: whoever goes on with it must not find it taken
                release(chain.journal.home, self.run_id)

    def _ended(self) -> dict[str, Any]:
        """Return what observers hear of the run's end, and of the caches then."""
        stats = self.host.caches.stats()
        return {"summary": self.summary.to_json(), "caches": {name: attrs.asdict(each) for name, each in stats.items()}}


@attrs.define(slots=True, eq=False)
class ProgramRun:
    """The calls of one kernel run, in the order in which they ended."""

    program: LoadedProgram
    calls: list[CallRecord] = attrs.field(factory=list)
    tally: Tally = attrs.field(factory=Tally)
    scope: RunScope = attrs.field(init=False)
    tickets: list[Tickets] = attrs.field(factory=list)
    """Its calls that are under way while it goes on, once it has made any."""
    ahead: list[Ahead] = attrs.field(factory=list)
    started: float = attrs.field(init=False)

    @started.default
    def _now(self) -> float:
        return self.program.host.clock.monotonic()

    @property
    def sorted_calls(self) -> tuple[CallRecord, ...]:
        """The latest calls, in the order of their ids."""
        return tuple(sorted(self.calls[-MOST_CALLS:], key=attrgetter("order")))

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return self.program.host.clock.monotonic() - self.started

    def begin(self, run: KernelRun) -> Complete | Waiting:
        """Start a run and go as far as nothing must be waited for."""
        with self.program.lock:
            return self._begin(run, sliced=False)

    def start(self, run: KernelRun) -> Complete | Waiting:
        """Start a run and go as far as nothing must be waited for, for one slice; the program's lock is held."""
        return self._begin(run, sliced=True)

    def _begin(self, run: KernelRun, *, sliced: bool) -> Complete | Waiting:
        try:
            return advance(run, run.step(concurrent=True, sliced=sliced), self.agent)
        except BaseException:
            run.close()
            raise

    def given(self, name: str, args: tuple[Any, ...]) -> None:
        """Count the marks of a function's arguments."""
        floating, labelling = self.scope.floating, self.program.host.dispatcher.labelling
        if floating is not None and labelling is not None:
            labelling.given(floating, self.program.function(name), args)
            if floating.flows is not None and name not in floating.flows.entries:
                floating.flows = None  # nobody has looked at what happens when the host calls this one

    @property
    def agent(self) -> ScopedHost:
        """The host as this run sees it."""
        return ScopedHost(
            self.program.host.dispatcher, self.scope, self.program.lock, self.tickets, self.ahead, main=True
        )

    def settle(self, run: KernelRun, use: Use) -> Any:
        """Drive a run to its value from synchronous code."""
        with self.scope.telling(), use.ended_by(run.cancel):
            state = self.begin(run)
            if isinstance(state, Waiting) or self.scope.beside:
                return self.program.portal.run(drive(run, state, self.agent, self.scope.beside), use)
            return state.value

    async def drive(self, run: KernelRun) -> Any:
        """Drive a run to its value in the thread `runs`, in slices."""
        return await self.scope.told(self._driven(run))

    async def _driven(self, run: KernelRun) -> Any:
        async with self.program.lock:
            state = self._begin(run, sliced=True)
        return await drive(run, state, self.agent, self.scope.beside)

    def result(self, program: LoadedProgram, value: object) -> RunResult:
        """Return the result of a run."""
        summary = self.tally.summary(self.seconds, program.host.events.faults.problems)
        marks = PUBLIC if self.scope.floating is None else self.scope.floating.label
        return RunResult(value=value, run_id=program.run_id, calls=self.sorted_calls, summary=summary, marks=marks)


@contextmanager
def kept(program: LoadedProgram) -> Iterator[None]:
    """Close a program that cannot be loaded."""
    try:
        yield
    except BaseException as error:
        program.close(status_of(error), error)
        raise
