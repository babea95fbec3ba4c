"""The session: what the command line, servers and tests use. Opens a host once, runs programs, explains, keeps records.

    with Session.open() as session:
        result = session.run(Source("hello.rtfs", text))

Nothing that a program does not need is imported: a pure program meets no event loop, no SQLite and no TOML reader.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.clock import SystemClock
from rtfs_framework.orchestrator.front import Front
from rtfs_framework.orchestrator.host import Host, build_host
from rtfs_framework.orchestrator.linking import Linked, link
from rtfs_framework.orchestrator.program import LoadedProgram, Page, status_of
from rtfs_framework.orchestrator.records import RunResult
from rtfs_framework.orchestrator.stream import Stream
from rtfs_framework.orchestrator.tally import Ledger

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.api.cache import CacheStats
    from rtfs_framework.orchestrator.checking import Checked
    from rtfs_framework.orchestrator.explain import ExplainedSite
    from rtfs_framework.registry.catalog import Catalog
    from rtfs_framework.registry.faults import PluginFault
    from rtfs_framework.registry.problems import PluginProblem


@attrs.define(slots=True, eq=False)
class Session:
    """A host in use. Close it (or use it as a context manager): that writes the journal's last entries."""

    host: Host
    front: Front = attrs.field(factory=Front)
    limits: Limits = attrs.field(factory=Limits)
    _programs: list[LoadedProgram] = attrs.field(factory=list, init=False)

    @classmethod
    def open(
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
    ) -> Session:
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

        Raises:
            ConfigError: The configuration has mistakes; each has its place.
            PluginError: The configured engine cannot be made.
        """
        from rtfs_framework.orchestrator.config.load import load_config

        environ = os.environ if environ is None else environ
        if catalog is None:
            from rtfs_framework.registry.load import load_catalog

            catalog = load_catalog(environ)
        broken: list[PluginFault] = []
        asked = None if config_path is None else Path(config_path)
        beside = None if program_dir is None else Path(program_dir)
        config = load_config(asked, beside, environ, catalog, broken.append)
        if parallel is not None:
            config = attrs.evolve(config, parallel=parallel)
        host = build_host(config, catalog, environ, clock or SystemClock(), journal=journal)
        for problem in catalog.problems:
            host.events.faults.add(problem)
        for fault in broken:
            host.events.plugin_failed(fault.part, fault, instead="there is no such instance")
        return cls(host, limits=limits or config.limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close("complete" if error is None else status_of(error))

    @property
    def problems(self) -> tuple[PluginProblem, ...]:
        """What is wrong with plugins, each kind once with its count: those that did not load, and those that broke."""
        return self.host.events.faults.problems

    def cache_stats(self) -> dict[str, CacheStats]:
        """Return the counters of the cache layers, by name."""
        return self.host.caches.stats()

    def link(self, source: Source) -> Linked:
        """Compile and link a program without running any of it.

        Raises:
            LanguageError: The program has mistakes, names nobody knows, or hints that name no configured target.
        """
        return link(self.host, source, self.limits)

    def run(self, source: Source | Linked, args: tuple[Any, ...] = (), *, entry: str | None = None) -> RunResult:
        """Run a program: its top-level forms, then `entry` (`main` when there are arguments) with the arguments.

        What `link` returned is run as it is; it is good for one run.

        Raises:
            LanguageError: The program was refused before anything ran.
            ProgramError: The program did not catch an error.
        """
        program, loading = self._begin(source)
        with program:
            program.value = loading.settle(program.instance.start())
            if entry is None and not args:
                return loading.result(program, program.value)
            result = program.call(entry or "main", args)
            return attrs.evolve(result, calls=(*loading.sorted_calls, *result.calls), summary=program.summary)

    async def run_async(self, source: Source, args: tuple[Any, ...] = (), *, entry: str | None = None) -> RunResult:
        """Run a program inside a running event loop; the same as `run` otherwise."""
        program, loading = self._begin(source)
        with program:
            program.value = await loading.drive(program.instance.start())
            if entry is None and not args:
                return loading.result(program, program.value)
            result = await program.call_async(entry or "main", args)
            return attrs.evolve(result, calls=(*loading.sorted_calls, *result.calls), summary=program.summary)

    def load(self, source: Source) -> LoadedProgram:
        """Evaluate a program's top-level forms once and keep it for calls. The session closes it at the latest."""
        program, loading = self._begin(source)
        try:
            program.value = loading.settle(program.instance.start())
        except BaseException as error:
            program.close(status_of(error), error)
            raise
        self._programs.append(program)
        return program

    def stream(
        self, program: LoadedProgram, name: str, records: Iterable[Any], *, concurrency: int | None = None
    ) -> Stream:
        """Call a function of a loaded program once per record, in order; see `Stream`."""
        return Stream.over(program, name, records, concurrency)

    def check(self, source: Source) -> list[Diagnostic]:
        """Return everything found wrong with a program without running it; warnings and hints included."""
        return list(self.examine(source).diagnostics)

    def examine(self, source: Source) -> Checked:
        """Return what is known of a program without running it: findings, purity of its functions, where calls go."""
        from rtfs_framework.orchestrator.checking import check

        return check(self.host, source, self.limits)

    def explain(self, source: Source) -> list[ExplainedSite]:
        """Return every call of a program that can leave the kernel, where it would go, and why. Runs nothing."""
        from rtfs_framework.orchestrator.explain import explain

        return explain(self.host, source, self.limits)

    def explain_call(self, source: Source, call: Source) -> ExplainedSite:
        """Return where one call, such as `(f "x")`, would go. Runs nothing but the engine.

        Raises:
            LanguageError: The program was refused, or the text is no call of a function of it with literals.
        """
        from rtfs_framework.orchestrator.explain import explain_call

        return explain_call(self.host, source, call, self.limits)

    def close(self, status: str = "complete") -> None:
        """End what is still open and release everything."""
        for program in self._programs:
            program.close(status)
        self._programs.clear()
        if self.front.used:
            self.front.run(self.host.pool.aclose())
            self.front.close()
        self.host.close()

    async def aclose(self, status: str = "complete") -> None:
        """Close a session that was used with `run_async`."""
        await self.host.pool.aclose()
        self.close(status)

    def _begin(self, given: Source | Linked) -> tuple[LoadedProgram, Page]:
        from rtfs_framework import __version__

        host = self.host
        linked = self.link(given) if isinstance(given, Source) else given
        source = linked.artifact.source
        run_id, chain = os.urandom(16).hex(), None
        if host.journal is not None and linked.leaves_kernel:
            chain = host.journal.begin(run_id, linked.digest, source.name, host.policy_hash, __version__)
        program = LoadedProgram(
            host=host,
            front=self.front,
            instance=linked.instance,
            lookup=linked.lookup,
            run_id=run_id,
            chain=chain,
            ledger=Ledger(host.events, chain),
            started=host.clock.monotonic(),
            context=dict(host.config.security.values),
        )
        host.events.emit("run.started", {"run": run_id, "source": source.name})
        return program, program.page(own_context=False)
