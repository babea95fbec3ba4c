"""Checking a program for a host: what is wrong, how pure its functions are, where its calls go. Runs nothing."""

from __future__ import annotations

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.checked import Checked
from rtfs_framework.orchestrator.explaining.contracts import broken_contracts
from rtfs_framework.orchestrator.explaining.explain import explain_artifact
from rtfs_framework.orchestrator.explaining.market.needs import needs
from rtfs_framework.orchestrator.explaining.written_hints import wrong_hints
from rtfs_framework.orchestrator.host import Host
from rtfs_framework.orchestrator.running.linking import as_seen, compile_for, findings, hints
from rtfs_framework.registry.faults import PluginFault


def check(host: Host, source: Source, limits: Limits) -> Checked:
    """Return everything that is known of a program."""
    try:
        artifact = compile_for(host, source, limits)
    except LanguageError as error:
        found = [*error.diagnostics, *as_seen(host, error.beside)]
        return Checked(sources=(source,), diagnostics=tuple(bounded(found)))
    except PluginFault as fault:
        return _unasked(host, source, limits, fault)
    found = [*findings(host, artifact), *wrong_hints(host, artifact.sources)]
    found += broken_contracts(host, artifact, limits)
    return Checked(
        sources=artifact.sources,
        diagnostics=tuple(bounded([*found, *hints(host, artifact)])),
        effects=artifact.effects,
        sites=tuple(explain_artifact(host, artifact, limits)),
        needs=needs(host, artifact),
    )


def _unasked(host: Host, source: Source, limits: Limits, fault: PluginFault) -> Checked:
    """Return what is known of a program when the engine cannot be asked what it claims: nothing of where calls go."""
    message = f"nobody knows where calls of this program go: {fault.problem}"
    found = [Diagnostic(code=fault.code, message=message, help=fault.way_out, kind="PluginError")]
    try:
        artifact = compile_for(host, source, limits, claim=lambda _: True)
    except LanguageError as error:
        return Checked(sources=(source,), diagnostics=tuple(bounded([*found, *as_seen(host, error.diagnostics)])))
    return Checked(sources=artifact.sources, diagnostics=tuple(bounded([*found, *findings(host, artifact)])))
