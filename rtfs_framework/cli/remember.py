"""Which programs may be run or told of at once the next time: those for which nothing but their text matters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.api.targets import LocalPure
from rtfs_framework.cli.door import plugin_files
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.find import places
from rtfs_framework.orchestrator.config.folders import cache_dir
from rtfs_framework.orchestrator.config.layers import Kind
from rtfs_framework.orchestrator.remembering.artifacts import quick
from rtfs_framework.orchestrator.remembering.artifacts.closed import bare_code, is_closed
from rtfs_framework.orchestrator.running.module_path import candidates
from rtfs_framework.registry.faults import PluginFault

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.checked import Checked
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.running.linking import Linked
    from rtfs_framework.orchestrator.session import Session


def remember_run(session: Session, linked: Linked, kind: str = "run") -> None:
    """Keep a program that was run without options, if the world could not matter to it."""
    artifact = linked.artifact
    if linked.warnings or not is_closed(artifact) or not _is_ordinary(session):
        return
    from rtfs_framework.lang.codegen.stored import dump_artifact

    _keep(session, kind, artifact.sources, quick.Entry(bare_code(artifact), dump_artifact(artifact)))


def remember_check(session: Session, checked: Checked, told: tuple[int, str, str]) -> None:
    """Keep what was found in a program, if the world could not matter to it."""
    if checked.accepted and checked.pure and not checked.sites and _is_ordinary(session):
        _keep(session, "check", checked.sources, quick.Entry(None, b"", told))


def _keep(session: Session, kind: str, sources: tuple[Source, ...], entry: quick.Entry) -> None:
    host, program = session.host, sources[0]
    seal = host.artifacts.seal
    if seal is None:
        return
    program_dir = None if kind == "eval" else Path(program.name).parent
    modules = [Path(each.name) for each in sources[1:]]
    looked_for = [str(path) for path in candidates(program, host.config.module_path, modules)]
    watched = [*_watched(host, program_dir), *looked_for]
    folder = str(cache_dir(os.environ))
    wanted = quick.purpose(kind, "" if kind == "eval" else program.name, program.text)
    quick.keep(wanted, os.environ, folder, seal, entry, watched, [str(path) for path in modules])
    if _is_nobodys(host):
        near = None if program_dir is None else os.path.dirname(program.name)  # noqa: PTH120 - as `cli.quick` does
        quick.keep(quick.world(near), os.environ, folder, seal, quick.Entry(None, b""), watched)


def _is_ordinary(session: Session) -> bool:
    """Tell whether nobody watches, nothing is amiss, and no setting bounds the run."""
    host = session.host
    if host.events.active or session.problems or session.limits != Limits():
        return False
    if host.config.notices or _is_found(host):
        return False
    layer = host.artifacts.layer
    spec = None if layer is None else host.config.caches.get(layer.name)
    return spec is None or (spec.ttl is None and getattr(spec.own, "ttl", None) is None)


def _is_found(host: Host) -> bool:
    """Tell whether a configuration was found here: who trusts it, and who may write it, can change unseen."""
    merged = host.config.merged
    return merged is not None and any(layer.kind is Kind.FOUND for layer in merged.layers)


def _is_nobodys(host: Host) -> bool:
    """Tell whether functions without hints stay in the kernel here, whatever their names, and names mean nothing."""
    config, engine = host.config, host.dispatcher.delegator.engine
    try:
        claimed = engine is not None and len(engine.claims()) > 0
    except PluginFault:
        return False
    spoken_of: tuple[object, ...] = (
        *(config.found, config.routes, config.security.deny, config.security.values, config.module_path),
        claimed,
    )
    return isinstance(config.default_target, LocalPure) and not any(spoken_of)


def _watched(host: Host, program_dir: Path | None) -> Iterator[str]:
    """Yield what the ordinary way would have looked at; what it looks for here is looked for where one will be."""
    here = Path.cwd()
    for place in places(program_dir, os.environ):
        yield place.name if place.parent == here else str(place)
    yield from plugin_files(host.catalog.plugins)
