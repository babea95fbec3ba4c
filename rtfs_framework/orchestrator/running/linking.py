"""Compiling and linking a program for a host; refusing it before anything is paid.

Asked here, once per program: which of its functions may be delegated (a hint, a route, or an engine's claim), and what
its free names mean. A name that neither program, library nor host knows, and a hint that names no configured target,
are refused with their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel, show_target
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.codegen.artifact import Artifact
from rtfs_framework.lang.diagnostics import Diagnostic, bounded, did_you_mean, foreseen, refusals
from rtfs_framework.lang.errors import LanguageError, RtfsError
from rtfs_framework.lang.signature import DelegationHint, HintKind
from rtfs_framework.lang.source import Source, Span
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.boundary.failures import UNKNOWN_TARGET
from rtfs_framework.orchestrator.concurrency.deadlines import Deadlines
from rtfs_framework.orchestrator.config.idle import misspelt, without_function
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.recording.purse import USUAL_TERMS, Terms
from rtfs_framework.orchestrator.running.module_path import finder

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.lang.flows.model import Flows
    from rtfs_framework.lang.library import FindModule
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.running.portal import Portal
    from rtfs_framework.orchestrator.running.uses import Use

UNKNOWN_NAME = "E0203"
UNCONFIGURED = "E0709"


@attrs.frozen(slots=True, eq=False)
class Linked:
    """A program that may run, once."""

    artifact: Artifact
    instance: Instance
    lookup: Lookup
    warnings: tuple[Diagnostic, ...] = ()
    """What surely fails when it is reached, and rules of the configuration that nearly name a function of it."""
    terms: Terms = USUAL_TERMS
    """On which terms it is asked for: `attrs.evolve(linked, terms=...)` before it runs."""
    _unused: list[None] = attrs.field(factory=lambda: [None], repr=False)

    def take(self) -> Self:
        """Return it for its one run.

        Raises:
            RtfsError: It was run before.
        """
        try:
            self._unused.pop()
        except IndexError:
            raise RtfsError("what was linked is good for one run; link the program again") from None
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the program's text."""
        return self.artifact.digest

    @property
    def flows(self) -> Flows | None:
        """What may be seen at each place that asks the host; None where nobody has found out."""
        found: Flows | None = getattr(self.artifact, "flows", None)
        return found

    @property
    def leaves_kernel(self) -> bool:
        """Tell whether any call can leave the kernel; a program without such calls leaves nothing to record."""
        return self.artifact.leaves_kernel


def compile_for(
    host: Host,
    source: Source,
    limits: Limits,
    claim: Callable[[str], bool] | None = None,
    deadlines: Deadlines | None = None,
    find: FindModule | None = None,
) -> Artifact:
    """Compile a program, told which functions this host may delegate (or `claim`, when that is not known).

    Its modules are looked for beside it and on the configured path, or by `find`.

    Raises:
        LanguageError: The program has mistakes.
        LimitError: It takes longer than a run may.
        PluginFault: The engine could not be asked which functions it claims.
    """
    dispatcher = host.dispatcher
    prelude = dispatcher.capabilities.prelude
    find = find or finder(source, host.config.module_path)
    options = {"prelude": prelude, "metered": limits.metered, "nesting": limits.nesting}
    if dispatcher.labelling is not None and hasattr(Artifact, "flows"):
        options["flows"] = True  # found out only where labels ask for it
    asked = claim or dispatcher.delegator.may_claim
    with (deadlines or Deadlines(host.clock, limits.seconds)).compiling() as watch:
        return host.artifacts.compiled(source, options, asked, find, watch)


@attrs.frozen(slots=True, eq=False)
class Prepared:
    """A program that was found fit to run on a host, as often as one likes: each run is linked anew."""

    host: Host
    artifact: Artifact
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def leaves_kernel(self) -> bool:
        """Tell whether it ever asks its host, if only for values that are kept."""
        return bool(self.artifact.sites) or bool(self.artifact.links)

    def link(self, limits: Limits, deadlines: Deadlines | None = None) -> Linked:
        """Return it ready for one run."""
        from rtfs_framework.kernel.instance import Instance

        dispatcher = self.host.dispatcher
        instance = Instance(
            self.artifact,
            claims=dispatcher.delegator.claims,
            host_names=dispatcher.capabilities.id_of,
            limits=limits,
            watches=deadlines or Deadlines(self.host.clock, limits.seconds),
            keeps=dispatcher.models.reuse.layer is not None,
        )
        return Linked(self.artifact, instance, instance.lookup_type, self.warnings)


def prepare(
    host: Host, source: Source, limits: Limits, deadlines: Deadlines | None = None, find: FindModule | None = None
) -> Prepared:
    """Compile a program, and return it fit to run.

    Raises:
        LanguageError: The program is malformed, has names nobody knows, or hints that name no configured target.
        LimitError: Compiling it takes longer than a run may.
        ConfigError: The pinned plan, or the manifest, was made for something else.
    """
    artifact = compile_for(host, source, limits, deadlines=deadlines, find=find)
    if host.dispatcher.delegator.pinned is not None:
        from rtfs_framework.orchestrator.running.pinning import check_pinned

        check_pinned(host, artifact)
    if host.config.security.signed is not None:
        from rtfs_framework.orchestrator.running.signing import check_signed

        check_signed(host.config.security.signed, artifact)
    found = list(findings(host, artifact))
    mistakes = refusals(found)
    if mistakes:
        raise LanguageError(bounded(mistakes))
    warnings = (*foreseen(found), *misspelt(*_spoken_of(host, artifact)), *_unconfigured(host, artifact))
    return Prepared(host, artifact, tuple(bounded(warnings)))


async def prepare_in(portal: Portal, host: Host, source: Source, limits: Limits, seconds: float) -> Prepared:
    """Prepare a program from an event loop, in a thread of its own: neither that loop nor any run waits for it.

    It may take so many seconds, or as many as a run may if they are fewer; when this is cancelled, it ends.

    Raises:
        LimitError: It takes longer.
    """
    bound = seconds if limits.seconds is None else min(seconds, limits.seconds)
    deadlines = Deadlines(host.clock, bound)

    async def work(_: Use) -> Prepared:
        import asyncio

        try:
            return await asyncio.to_thread(prepare, host, source, limits, deadlines)
        finally:
            deadlines.stop()

    return await portal.call_async(work)


def link(host: Host, source: Source, limits: Limits, find: FindModule | None = None) -> Linked:
    """Return a program ready to run once; its modules are looked for as ever, or by `find`.

    Raises:
        LanguageError: The program is malformed, has names nobody knows, or hints that name no configured target.
        LimitError: Compiling it takes longer than a run may.
        ConfigError: The pinned plan was made for something else.
    """
    deadlines = Deadlines(host.clock, limits.seconds)
    return prepare(host, source, limits, deadlines, find).link(limits, deadlines)


def findings(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield what was found wrong with a program, as this host sees it."""
    yield from as_seen(host, artifact.diagnostics)
    yield from _unknown_hints(host, artifact)


def hints(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield the rules of the configuration that speak of functions, and of none of this program."""
    yield from without_function(*_spoken_of(host, artifact))


def _spoken_of(host: Host, artifact: Artifact) -> tuple[Config, Iterable[str], list[str], list[str]]:
    """Return the configuration, what its engines speak of, the program's functions and the host's capabilities."""
    engine = host.dispatcher.delegator.engine
    claims = () if engine is None or host.config.merged is None else engine.claims().texts
    names = [each.name for each in artifact.signatures]
    offered = host.dispatcher.capabilities
    wanted = (alias for each in offered.security.offered.wanted.values() for alias in each)
    return host.config, claims, names, list(dict.fromkeys((*offered.entries, *offered.aliases, *wanted)))


def as_seen(host: Host, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield findings as this host sees them: names that it knows are no mistakes."""
    for finding in found:
        if finding.code != UNKNOWN_NAME or finding.span is None or finding.source is None:
            yield finding
            continue
        name = finding.source.text[finding.span.start : finding.span.end]
        if not knows(host, name):
            offered = [*host.dispatcher.capabilities.names, *host.config.security.values]
            yield attrs.evolve(finding, help=did_you_mean(name, offered) or finding.help)


def _unconfigured(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield one line on where the described functions of a program go because nobody has configured anything."""
    found, there = host.config.found, host.dispatcher.delegator.precedence.sends_there
    if found is None or not found.because:
        return
    names = [each.name for each in artifact.signatures if there(each)]
    if not names:
        return
    many = f"{names[0]} and {len(names) - 1} more go" if len(names) > 1 else f"{names[0]} goes"
    message = f"{found.words}: {many} to {show_target(found.target)}{found.besides}"
    yield Diagnostic(code=UNCONFIGURED, message=f"{message}; `rtfs config init` writes that down", kind="ConfigError",
                     severity="hint")  # fmt: skip


def _unknown_hints(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield a finding for every hint whose target this host does not have."""
    told: set[DelegationHint] = set()
    for signature in artifact.signatures:
        hint = signature.hint
        if hint is None or hint in told or host.pool.of_hint(hint) is not None:
            continue
        told.add(hint)
        yield _unknown_target(host, artifact, hint, signature.name)


def knows(host: Host, name: str) -> bool:
    """Tell whether the host gives a meaning to a free name."""
    return name in host.config.security.values or host.dispatcher.capabilities.id_of(name) is not None


def _unknown_target(host: Host, artifact: Artifact, hint: DelegationHint, function: str) -> Diagnostic:
    local, remote = host.pool.ids(LocalModel), host.pool.ids(RemoteModel)
    kinds = {HintKind.LOCAL_MODEL: ("local model", local), HintKind.REMOTE: ("remote provider", remote)}
    what, known = kinds.get(hint.kind, ("target", [*local, *remote]))
    table = "local_models" if hint.kind is HintKind.LOCAL_MODEL else "remote_providers"
    way_out = did_you_mean(hint.id, known) or (
        f"known: {', '.join(sorted(known)) or 'none'}; or add [delegation.{table}.{hint.id}] to delegation.toml"
    )
    source, span = _hint_place(artifact, hint)
    return Diagnostic(
        code=UNKNOWN_TARGET,
        message=f"no {what} '{hint.id}' is configured (hint of {function})",
        source=source,
        span=span,
        help=way_out,
        kind="UnknownCapability",
    )


def _hint_place(artifact: Artifact, hint: DelegationHint) -> tuple[Source, Span]:
    """Return where the hint's id is first mentioned, in the program or in a module."""
    text = f'"{hint.id}"'
    for number, source in enumerate(artifact.sources):
        start = source.text.find(text)
        if start >= 0:
            return source, Span(start, start + len(text), number)
    return artifact.source, Span(0, 1)
