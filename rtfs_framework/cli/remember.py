"""Which programs `rtfs eval` may run at once the next time: those for which nothing but their text matters."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.kernel.limits import Limits
from rtfs_framework.orchestrator.artifacts import quick
from rtfs_framework.orchestrator.config.find import places
from rtfs_framework.orchestrator.config.layers import Kind
from rtfs_framework.orchestrator.journal.place import cache_dir

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.linking import Linked
    from rtfs_framework.orchestrator.session import Session


def remember(session: Session, linked: Linked) -> None:
    """Keep a program that was run without options, if the world could not matter to it."""
    host, artifact = session.host, linked.artifact
    seal = host.artifacts.seal
    if seal is None or not (_is_closed(linked) and _is_ordinary(session)):
        return
    from rtfs_framework.lang.codegen.stored import dump_artifact

    code = artifact.code if _is_bare(artifact) else None
    entry = quick.Entry(code, dump_artifact(artifact))
    quick.keep(artifact.source.text, os.environ, str(cache_dir(os.environ)), seal, entry, _watched(host))


def _is_closed(linked: Linked) -> bool:
    """Tell whether a program asks for nothing but the library's pure functions, and nothing is to be said of it."""
    artifact = linked.artifact
    if linked.warnings or linked.leaves_kernel or len(artifact.sources) != 1 or artifact.prelude:
        return False
    from rtfs_framework.kernel.effects import HELPERS
    from rtfs_framework.kernel.steps import INTERNAL
    from rtfs_framework.stdlib.library import BUILTINS

    asking = [name for _, name in artifact.builtins if name in INTERNAL or getattr(BUILTINS.get(name), "effect", None)]
    return not asking and not any(name in HELPERS for name in artifact.helpers)


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


def _is_bare(artifact: Artifact) -> bool:
    """Tell whether a program's code names nothing that it does not make."""
    tables = (artifact.constants, artifact.checked, artifact.builtins, artifact.helpers, artifact.globals)
    return not any(tables)


def _watched(host: Host) -> Iterator[str]:
    """Yield what the ordinary way would have looked at; what it looks for here is looked for where one will be."""
    here = Path.cwd()
    for place in places(None, os.environ):
        yield place.name if place.parent == here else str(place)
    packages = {plugin.module.partition(".")[0] for plugin in host.catalog.plugins}
    for name, module in tuple(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and name.partition(".")[0] in packages:
            yield path
            yield str(Path(path).parent)
