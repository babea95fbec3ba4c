"""Compiling and linking a program for a host; refusing it before anything is paid.

Asked here, once per program: which of its functions may be delegated (a hint, a route, or an engine's claim), and what
its free names mean. A name that neither program, library nor host knows, and a hint that names no configured target,
are refused with their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.signature import CallSite, DelegationHint, HintKind, SiteKind
from rtfs_framework.lang.source import Place, Source, Span
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.orchestrator.failures import UNKNOWN_TARGET
from rtfs_framework.orchestrator.host import Host

if TYPE_CHECKING:
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.lang.codegen.artifact import Artifact

UNKNOWN_NAME = "E0203"


@attrs.frozen(slots=True, eq=False)
class Linked:
    """A program that may run."""

    artifact: Artifact
    instance: Instance
    lookup: Lookup

    @property
    def digest(self) -> str:
        """SHA-256 of the program's text."""
        return self.artifact.digest

    @property
    def leaves_kernel(self) -> bool:
        """Tell whether any call can leave the kernel; a program without such calls leaves nothing to record."""
        return bool(self.artifact.sites) or bool(self.artifact.links)


def compile_for(host: Host, source: Source) -> Artifact:
    """Compile a program, told which functions this host may delegate.

    Raises:
        LanguageError: The program has mistakes.
    """
    from rtfs_framework.kernel.loader import compile_source

    return compile_source(source, delegatable=host.dispatcher.delegator.may_claim)


def link(host: Host, source: Source, limits: Limits) -> Linked:
    """Return a program ready to run.

    Raises:
        LanguageError: The program has mistakes, names nobody knows, or hints that name no configured target.
    """
    from rtfs_framework.kernel.instance import Instance

    artifact = compile_for(host, source)
    mistakes = list(problems(host, artifact))
    if mistakes:
        raise LanguageError(mistakes)
    instance = Instance(
        artifact,
        claims=host.dispatcher.delegator.claims,
        host_names=host.dispatcher.capabilities.id_of,
        limits=limits,
    )
    return Linked(artifact, instance, instance.lookup_type)


def problems(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield what makes a program impossible to run on this host."""
    yield from unknown_names(host, artifact)
    told: set[DelegationHint] = set()
    for signature in artifact.signatures:
        hint = signature.hint
        if hint is None or hint in told or host.pool.of_hint(hint) is not None:
            continue
        told.add(hint)
        yield _unknown_target(host, artifact, hint, signature.name)


def unknown_names(host: Host, artifact: Artifact) -> Iterator[Diagnostic]:
    """Yield the free names that neither program, library nor host knows."""
    from rtfs_framework.stdlib.library import BUILTINS

    capabilities, context = host.dispatcher.capabilities, host.config.security.values
    known = [*artifact.globals.values(), *BUILTINS, *capabilities.names, *context]
    for site in artifact.sites:
        name = site.name
        if site.kind is not SiteKind.HOST_NAME or name is None or name in context or capabilities.id_of(name):
            continue
        way_out = did_you_mean(name, known) or "define it, or name a capability that a plugin offers"
        yield Diagnostic(
            code=UNKNOWN_NAME,
            message=f"unknown symbol '{name}'",
            source=artifact.source,
            span=_span(artifact.source, site.place, len(name)),
            help=way_out,
            kind="UndefinedSymbol",
        )


def _unknown_target(host: Host, artifact: Artifact, hint: DelegationHint, function: str) -> Diagnostic:
    local, remote = host.pool.ids(LocalModel), host.pool.ids(RemoteModel)
    kinds = {HintKind.LOCAL_MODEL: ("local model", local), HintKind.REMOTE: ("remote provider", remote)}
    what, known = kinds.get(hint.kind, ("target", [*local, *remote]))
    table = "local_models" if hint.kind is HintKind.LOCAL_MODEL else "remote_providers"
    way_out = did_you_mean(hint.id, known) or (
        f"known: {', '.join(sorted(known)) or 'none'}; or add [delegation.{table}.{hint.id}] to delegation.toml"
    )
    return Diagnostic(
        code=UNKNOWN_TARGET,
        message=f"no {what} '{hint.id}' is configured (hint of {function})",
        source=artifact.source,
        span=_hint_span(artifact, hint, function),
        help=way_out,
        kind="UnknownCapability",
    )


def _hint_span(artifact: Artifact, hint: DelegationHint, function: str) -> Span:
    """Return where the hint's id stands: after the function's first call site's text, else its first mention."""
    text = f'"{hint.id}"'
    start = artifact.source.text.find(text)
    if start >= 0:
        return Span(start, start + len(text))
    site: CallSite | None = next((s for s in artifact.sites if s.name == function), None)
    return Span(0, 1) if site is None else _span(artifact.source, site.place, len(function))


def _span(source: Source, place: Place, length: int) -> Span:
    """Return the span of a name at a place."""
    start, low, high = 0, 0, len(source.text)
    while low <= high:
        start = (low + high) // 2
        found = source.place(start)
        if found == (place.line, place.column):
            break
        if found < (place.line, place.column):
            low = start + 1
        else:
            high = start - 1
    return Span(start, min(start + length, len(source.text)))
