"""Calls of capabilities compared with what these say of themselves: what surely fails, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rtfs_framework.lang import records
from rtfs_framework.lang.check.contracts import Contract
from rtfs_framework.lang.diagnostics import HAPPENS
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.orchestrator.running.module_path import finder

if TYPE_CHECKING:
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.performing.capabilities import Capabilities


_FALLBACK = "runtime.learning.fallback"


def contracts_of(capabilities: Capabilities) -> dict[str, Contract]:
    """Return what the capabilities of a host take and give, under every name by which programs may call them."""
    known = {
        id_: Contract(id_, entry.parameters, entry.returns)
        for id_, entry in capabilities.entries.items()
        if entry.parameters is not None or entry.returns is not None
    }
    other = {**capabilities.names, **capabilities.aliases}
    return {**{name: known[id_] for name, id_ in other.items() if id_ in known}, **known}


def broken_contracts(host: Host, artifact: Artifact, limits: Limits) -> Iterator[Diagnostic]:
    """Yield what is found in a program when it is known what its capabilities take and give, and not without.

    It is compiled once more for that, where it calls any of which something is known: programs that run pay nothing.
    """
    from rtfs_framework.kernel.loader import compile_source

    capabilities = host.dispatcher.capabilities
    contracts = contracts_of(capabilities)
    if any(_FALLBACK in each.text for each in artifact.sources):  # another capability may answer in place of one
        contracts = {name: records.evolve(each, returns=None) for name, each in contracts.items()}
    if not any(site.name in contracts for site in artifact.sites):
        return
    try:
        checked = compile_source(
            artifact.source,
            delegatable=host.dispatcher.delegator.may_claim,
            find_module=finder(artifact.source, host.config.module_path),
            prelude=capabilities.prelude,
            metered=limits.metered,
            nesting=limits.nesting,
            contracts=contracts,
        )
    except LanguageError:  # a module has changed meanwhile, say
        return
    known = {(each.code, each.span, each.message) for each in artifact.diagnostics}
    found = (each for each in checked.diagnostics if (each.code, each.span, each.message) not in known)
    yield from (each for each in found if each.code in HAPPENS)
