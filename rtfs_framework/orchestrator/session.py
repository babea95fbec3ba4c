"""The session: what the command line, servers and tests use. Opens a host once, runs programs, explains, keeps records.

    with Session.open() as session:
        result = session.run(Source("hello.rtfs", text))

Nothing that a program does not need is imported: a pure program meets no event loop, no SQLite and no TOML reader.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.source import Source, source_of
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.config.security import NO_QUOTA
from rtfs_framework.orchestrator.explaining.front import Explaining
from rtfs_framework.orchestrator.host import Host, build_host
from rtfs_framework.orchestrator.performing.people import asked_by
from rtfs_framework.orchestrator.recording.purse import status_of
from rtfs_framework.orchestrator.recording.records import CallRecord, RunResult
from rtfs_framework.orchestrator.running.beginning import begin, called
from rtfs_framework.orchestrator.running.linking import Linked, link
from rtfs_framework.orchestrator.running.portal import Portal
from rtfs_framework.orchestrator.running.program import LoadedProgram, ProgramRun, kept
from rtfs_framework.orchestrator.running.progress import BEGINNING, Start
from rtfs_framework.orchestrator.running.stream import Stream
from rtfs_framework.orchestrator.running.uses import Use

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.api.approval import Approver
    from rtfs_framework.api.cache import CacheStats
    from rtfs_framework.api.caller import DelegationMetadata
    from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
    from rtfs_framework.orchestrator.performing.people import Answerer
    from rtfs_framework.orchestrator.running.resuming import Resumed, Resuming
    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.faults import PluginFault
    from rtfs_framework.registry.problems import PluginProblem


@attrs.define(slots=True, eq=False)
class Session(Explaining):
    """A host in use, by any number of threads and of tasks of any event loops at once.

    Close it (or use it with `with` or `async with`): that waits for what runs and writes the journal's last entries.
    """

    _programs: dict[str, LoadedProgram] = attrs.field(factory=dict, init=False)
    """Those that were loaded and not closed, by run."""

    @classmethod
    def open(  # noqa: PLR0913 - keywords, each of which somebody sets alone
        cls,
        *,
        config_path: str | Path | None = None,
        program_dir: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        catalog: Catalog | None = None,
        journal: bool = True,
        limits: Limits | None = None,
        parallel: int | None = None,
        tenant: str | None = None,
        approver: Approver | None = None,
        answerer: Answerer | None = None,
        plan: str | Path | None = None,
        manifest: str | Path | None = None,
    ) -> Self:
        """Open a session.

        Args:
            config_path: A configuration that is laid over the user's own and the `delegation.toml` found beside the
                program or in the current directory. `session.host.config.notices` says what was ignored of a found
                one that nobody has trusted.
            program_dir: The folder of the program that will run.
            environ: The environment: keys, RTFS_HOME, RTFS_LOG, RTFS_PLUGINS, RTFS_TRUST, single settings; that of the
                process when None.
            clock: The clock; the machine's when None.
            catalog: The plugins; those installed when None.
            journal: Whether the causal chain is written.
            limits: The bounds of every run; None for those of the configuration's [limits].
            parallel: How many branches of fan-outs may be under way at once; None for what the configuration says.
            tenant: For whom: whose rules, routes and budgets count, and whose replies are kept apart; None for whom the
                variable RTFS_TENANT names, "" for nobody in particular.
            approver: Says whether a call that waits for a person may be made: a function of an `ApprovalRequest`, or a
                coroutine function; True is yes, all else no. It is called in a thread. None for `rtfs approve`.
            answerer: Puts the questions of programs (`ccos.user.ask`) to a person: a function of the question and of
                what an empty answer stands for (None for nothing); None is no answer. It is called in a thread. None
                for `rtfs runs signal`.
            plan: A file that `rtfs plan` wrote: where the calls of the program go that will run. It is refused for any
                other, and where a function, the policy or a target has changed since. None for what the configuration
                names, which other programs leave alone.
            manifest: A file that `rtfs manifest` wrote and somebody signed off: nothing beyond it is allowed.

        Raises:
            ConfigError: The configuration, plan or manifest has mistakes, each with its place; or goes beyond it.
            PluginError: The configured engine cannot be made.
        """
        from rtfs_framework.orchestrator.config.load import load_config

        environ = os.environ if environ is None else environ
        asked = None if config_path is None else Path(config_path)
        if catalog is None:
            from rtfs_framework.orchestrator.config.permitted import installed

            catalog = installed(environ, asked)
        broken: list[PluginFault] = []
        beside = None if program_dir is None else Path(program_dir)
        config = load_config(asked, beside, environ, catalog, broken.append, tenant)
        if parallel is not None:
            config = attrs.evolve(config, parallel=parallel)
        host = build_host(config, catalog, environ, clock or SystemClock(), journal=journal)
        if config.security.quota != NO_QUOTA:
            host.mind_purses()
        host.dispatcher.approvals.approver = approver
        host.people.begin = None if answerer is None else asked_by(answerer)
        if plan or config.plan or manifest:
            from rtfs_framework.orchestrator.running.signing import bounded_by

            try:
                host = bounded_by(host, plan, manifest, beside)
            except BaseException:  # nobody gets the session, so nobody would close what it holds
                host.close()
                raise
        for problem in catalog.problems:
            host.events.faults.add(problem)
        for fault in broken:
            host.events.plugin_failed(fault.part, fault, instead="there is no such instance")
        return cls(host, Portal(host.io), limits or config.limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close("complete" if error is None else status_of(error), wait=error is None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        await self.aclose("complete" if error is None else status_of(error), wait=error is None)

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """What is wrong with plugins, each kind once with its count: those that did not load, and those that broke."""
        return self.host.events.faults.problems

    @property
    def authorizer(self) -> SecurityAuthorizer:
        """What judges by the rules of this session: `[security]` of its configuration, and its tenant's."""
        return self.host.dispatcher.capabilities.security

    def cache_stats(self) -> dict[str, CacheStats]:
        """Return the counters of the cache layers, by name."""
        return self.host.caches.stats()

    def link(self, source: Source | str) -> Linked:
        """Compile and link a program without running any of it.

        Raises:
            LanguageError: The program is malformed, has names nobody knows, or hints that name no configured target.
        """
        return self.portal.call(lambda _: self._link(source))

    def run(
        self,
        source: Source | Linked | str,
        args: tuple[Any, ...] = (),
        *,
        entry: str | None = None,
        metadata: DelegationMetadata | None = None,
    ) -> RunResult:
        """Run a program: its top-level forms, then `entry` (`main` when there are arguments) with the arguments.

        `metadata` is what is said of the calls that it makes; engines read it (`CallContext.metadata`).

        What `link` returned is run as it is; it is good for one run. Inside a running event loop this works and holds
        the loop up; there, better await `run_async`. Arguments of Python's own become values (`handover`).

        Raises:
            ArgumentError: No program can hold an argument.
            LanguageError: The program was refused before anything ran.
            ProgramError: The program did not catch an error.
            SessionClosedError: The session was closed, before or meanwhile.
        """
        return self.portal.call(self._run, source, args, entry, metadata)

    async def run_async(
        self,
        source: Source | Linked | str,
        args: tuple[Any, ...] = (),
        *,
        entry: str | None = None,
        metadata: DelegationMetadata | None = None,
    ) -> RunResult:
        """Run a program from an event loop, which it never holds up; the same as `run` otherwise.

        Everything is done in threads of the session. When this is cancelled the run is, and has ended when this does.
        """
        return await self.portal.call_async(self._run_async, source, args, entry, metadata)

    def load(
        self,
        source: Source | Linked | str,
        *,
        metadata: DelegationMetadata | None = None,
        how: Mapping[str, Any] | None = None,
    ) -> LoadedProgram:
        """Evaluate a program's top-level forms once and keep it for calls. The session closes it at the latest.

        `metadata` is what is said of all calls that it ever makes; `how`, JSON-ready data, what will be done with it,
        for whoever goes on with its run (`resuming`).
        """
        return self.portal.call(self._load, source, metadata, None if how is None else lambda: how)

    async def load_async(
        self, source: Source | Linked | str, *, metadata: DelegationMetadata | None = None
    ) -> LoadedProgram:
        """Load a program from an event loop, which it never holds up."""
        return await self.portal.call_async(self._load_async, source, metadata)

    def resume(self, wanted: Resuming) -> RunResult:
        """Go on with a run that has not ended, where another process left it, and return its result.

        Every call that was answered is answered the same without being made; `calls` of the result are those that were
        made now. A run of records (`--input`) is gone on with by the command line, or by `reopen`.

        Raises:
            JournalError: There is no such run, it has ended, or its rows are not what was written.
            ResumeError: It cannot be gone on with: its text is not kept, somebody else is at it, a call is not the one
                that is written down, or nobody knows whether one was carried out.
            ProgramError: The program did not catch an error.
        """
        resumed = self.reopen(wanted)
        with resumed.program as program:
            return resumed.called(program)

    def park(self, after: float | None = 0.0) -> None:
        """Do not wait with runs that must: one that has waited for `after` seconds ends in RunParked, to be resumed.

        None, as at first, waits as long as it takes.
        """
        self.host.dispatcher.approvals.waits.park = after

    def reopen(self, wanted: Resuming) -> Resumed:
        """Return a run that has not ended, its program loaded, for whoever calls it again as it was called.

        Raises:
            JournalError, ResumeError: As `resume`.
        """
        return self.portal.call(self._reopen, wanted)

    def stream(
        self,
        program: LoadedProgram,
        name: str,
        records: Iterable[Any],
        *,
        concurrency: int | None = None,
        start: Start = BEGINNING,
    ) -> Stream:
        """Call a function of a loaded program once per record, in order; see `Stream`. `start`: where one goes on.

        A record that no program can hold has an ArgumentError as its error, and the stream goes on.
        """
        return Stream.over(program, name, records, concurrency, start)

    def rate(self, run: str, call: str | CallRecord, value: float | str) -> None:
        """Say what a call's answer was worth, from 0 to 1; `rtfs runs show` has its id. See `explaining.rating`."""
        from rtfs_framework.orchestrator.explaining.rating import rate

        rate(self.host, run, call, value)

    def close(self, status: str = "complete", *, wait: bool = True, timeout: float | None = None) -> None:
        """End what is still open and release everything; from any thread, and as often as one likes.

        Args:
            status: The journal's word for programs that are still loaded.
            wait: Whether runs under way may end by themselves. Otherwise they are cancelled: each ends in
                SessionClosedError, and is "interrupted" in the journal. A `with` that is left by an error cancels them.
            timeout: Seconds to wait before they are cancelled; None for as long as their own deadlines let them.

        Raises:
            RtfsError: Called by a run of this session, which would wait for itself.
        """
        uses = self.portal.uses
        if not uses.foreign:
            uses.close(lambda: self._release(status), wait=wait, timeout=timeout)

    async def aclose(self, status: str = "complete", *, wait: bool = True, timeout: float | None = None) -> None:
        """Close the session without holding an event loop up; the same as `close` otherwise."""
        import asyncio

        await asyncio.to_thread(self.close, status, wait=wait, timeout=timeout)

    def _release(self, status: str) -> None:
        with ExitStack() as last_first:
            last_first.callback(self.host.close)
            last_first.callback(self.portal.close)
            if self.host.io.used:
                last_first.callback(lambda: self.host.io.wait(self.host.pool.aclose()))
            while self._programs:
                _, program = self._programs.popitem()
                last_first.callback(program.close, status)

    def _load_on(self, host: Host, source: Source | str) -> LoadedProgram:
        return Session(host, self.portal, self.limits).load(source)

    def _link(self, source: Source | str) -> Linked:
        return link(self.host, source_of(source), self.limits)

    def _run(
        self,
        use: Use,
        source: Source | Linked | str,
        args: tuple[Any, ...],
        entry: str | None,
        metadata: DelegationMetadata | None,
    ) -> RunResult:
        program, loading = self._begin(source, metadata, called(entry, args))
        with program:
            program.value = loading.settle(program.instance.start(), use)
            if entry is None and not args:
                return loading.result(program, program.value)
            result = program.call_within(use, entry or "main", args)
            return attrs.evolve(result, calls=(*loading.sorted_calls, *result.calls), summary=program.summary)

    async def _run_async(
        self,
        use: Use,
        source: Source | Linked | str,
        args: tuple[Any, ...],
        entry: str | None,
        metadata: DelegationMetadata | None,
    ) -> RunResult:
        program, loading = self._begin(source, metadata, called(entry, args))
        with program:
            program.value = await loading.drive(program.instance.start())
            if entry is None and not args:
                return loading.result(program, program.value)
            result = await program.call_async_within(use, entry or "main", args)
            return attrs.evolve(result, calls=(*loading.sorted_calls, *result.calls), summary=program.summary)

    def _reopen(self, use: Use, wanted: Resuming) -> Resumed:
        from rtfs_framework.orchestrator.running.resuming import reopen

        resumed = reopen(self.host, self.portal, self.limits, wanted)
        with kept(resumed.program):
            resumed.program.value = resumed.loading.settle(resumed.program.instance.start(), use)
        self._loaded(resumed.program)
        return resumed

    def _load(
        self,
        use: Use,
        source: Source | Linked | str,
        metadata: DelegationMetadata | None,
        how: Callable[[], Mapping[str, Any]] | None = None,
    ) -> LoadedProgram:
        program, loading = self._begin(source, metadata, how or _loaded)
        with kept(program):
            program.value, program.calls = loading.settle(program.instance.start(), use), loading.sorted_calls
        return self._loaded(program)

    async def _load_async(
        self, _use: Use, source: Source | Linked | str, metadata: DelegationMetadata | None
    ) -> LoadedProgram:
        program, loading = self._begin(source, metadata, _loaded)
        with kept(program):
            program.value, program.calls = await loading.drive(program.instance.start()), loading.sorted_calls
        return self._loaded(program)

    def _loaded(self, program: LoadedProgram) -> LoadedProgram:
        for key, each in tuple(self._programs.items()):
            if each.closed:
                self._programs.pop(key, None)
        self._programs[program.run_id] = program
        return program

    def _begin(
        self, given: Source | Linked | str, metadata: DelegationMetadata | None, how: Callable[[], Mapping[str, Any]]
    ) -> tuple[LoadedProgram, ProgramRun]:
        linked = given.take() if isinstance(given, Linked) else self._link(given)
        return begin(self.host, self.portal, linked, metadata, how)


def _loaded() -> Mapping[str, Any]:
    return {"loaded": True}
