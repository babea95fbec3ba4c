"""The tables of `delegation.toml` about observers: which of those with settings are at work, and their own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, kw_only=True)
class ObserverTable:
    """The host's keys of `[observers.<name>]`."""

    enabled: bool = True
    """Whether it hears anything."""


@attrs.frozen(slots=True, kw_only=True)
class ObserverSpec:
    """What the configuration says of an observer."""

    enabled: bool = True
    own: Any = None


def read_observers(
    reading: Reading, catalog: Catalog, tables: Mapping[str, Mapping[str, Any]]
) -> dict[str, ObserverSpec]:
    """Return what is said of observers, by name; mistakes are noted."""
    found: dict[str, ObserverSpec] = {}
    for name, table in tables.items():
        path: KeyPath = ("observers", name)
        if not _known(reading, catalog, name, path):
            continue
        entry, _ = catalog.observers[name]
        ours, own = reading.split(ObserverTable, catalog.part("observer", name), entry.settings, table, path)
        if ours is not None:
            found[name] = ObserverSpec(enabled=ours.enabled, own=own)
    return found


def _known(reading: Reading, catalog: Catalog, name: str, path: KeyPath) -> bool:
    if name in catalog.observers:
        return True
    problem = catalog.contested.get(("observer", name))
    if problem is not None:
        reading.mistake("E0706", problem.message, path, problem.help, key=True)
        return False
    installed = ", ".join(sorted(catalog.observers)) or "none"
    way_out = did_you_mean(name, catalog.observers)
    way_out = way_out or f"installed: {installed}; install the plug-in that offers it (rtfs-observer-...)"
    reading.mistake("E0706", f"no observer is called '{name}'", path, way_out, key=True)
    return False
