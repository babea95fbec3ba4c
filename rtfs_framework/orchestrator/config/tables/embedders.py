"""The tables of `delegation.toml` about embedders: which one is used, and the own keys of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.provider import Locality
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.model import EmbedderSpec

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, kw_only=True)
class EmbedderTable:
    """The host has no keys of its own in `[embedders.<name>]`."""


def read_embedder(
    reading: Reading, catalog: Catalog, chosen: str | None, tables: Mapping[str, Mapping[str, Any]]
) -> EmbedderSpec | None:
    """Return the embedder that is used, None for none; mistakes are noted, also in the tables of others."""
    made = {name: _embedder(reading, catalog, name, table) for name, table in tables.items()}
    if chosen is None:
        return None
    path: KeyPath = ("delegation", "embedder")
    if chosen not in made:
        if not _known(reading, catalog, chosen, path, key=False):
            return None
        made[chosen] = _embedder(reading, catalog, chosen, {})
    entry = catalog.embedders.get(chosen)
    if entry is not None and entry[0].locality is not Locality.LOCAL:
        wrong = f"the embedder '{chosen}' is remote, and a text may not leave this machine for a vector"
        local = sorted(name for name, (each, _) in catalog.embedders.items() if each.locality is Locality.LOCAL)
        reading.mistake("E0705", wrong, path, f"choose one that is local: {', '.join(local) or 'none is installed'}")
        return None
    return made[chosen]


def _embedder(reading: Reading, catalog: Catalog, name: str, table: Mapping[str, Any]) -> EmbedderSpec | None:
    path: KeyPath = ("embedders", name)
    if not _known(reading, catalog, name, path, key=True):
        return None
    entry, provenance = catalog.embedders[name]
    _, own = reading.split(EmbedderTable, catalog.part("embedder", name), entry.settings, table, path)
    return EmbedderSpec(name=name, version=str(provenance), own=own)


def _known(reading: Reading, catalog: Catalog, name: str, path: KeyPath, *, key: bool) -> bool:
    if name in catalog.embedders:
        return True
    problem = catalog.contested.get(("embedder", name))
    if problem is not None:
        reading.mistake("E0706", problem.message, path, problem.help, key=key)
        return False
    installed = ", ".join(sorted(catalog.embedders)) or "none"
    way_out = did_you_mean(name, catalog.embedders)
    way_out = way_out or f"installed: {installed}; install the plug-in that offers it (rtfs-embedder-...)"
    reading.mistake("E0706", f"no embedder is called '{name}'", path, way_out, key=key)
    return False
