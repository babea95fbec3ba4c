"""`[capabilities.<name>]`: what is said of sets of capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.diagnostics import did_you_mean

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, kw_only=True)
class CapabilitySetSpec:
    """One set, as it is configured."""

    enabled: bool = True
    own: Any = None
    base: str = "."
    """Where its relative paths start."""


@attrs.frozen(slots=True, kw_only=True)
class CapabilitySetTable:
    """The host's keys of `[capabilities.<name>]`."""

    enabled: bool = True
    """Whether its capabilities are there."""


def read_sets(
    reading: Reading, catalog: Catalog, merged: Merged, tables: Mapping[str, Mapping[str, Any]]
) -> dict[str, CapabilitySetSpec]:
    """Return what is said of sets; mistakes are noted."""
    made: dict[str, CapabilitySetSpec] = {}
    for name, table in tables.items():
        path = ("capabilities", name)
        entry = catalog.capability_sets.get(name, (None,))[0]
        if entry is None:
            problem = catalog.contested.get(("capability set", name))
            known = ", ".join(sorted(catalog.capability_sets)) or "none"
            way_out = did_you_mean(name, catalog.capability_sets) or f"installed: {known}; or install the plug-in"
            message = f"no set of capabilities is called '{name}'"
            told = (message, way_out) if problem is None else (problem.message, problem.help)
            reading.mistake("E0706", told[0], path, told[1], key=True)
            continue
        part = catalog.part("capability set", name)
        ours, own = reading.split(CapabilitySetTable, part, entry.settings, table, path)
        if ours is not None:
            base = str(merged.folder(path).absolute())
            made[name] = CapabilitySetSpec(enabled=ours.enabled, own=own, base=base)
    return made
