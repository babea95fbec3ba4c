"""Loading: discovery, admission and collection in a row. Called once, when a host starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from rtfs_framework.registry.admit import Offer, admit
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.collect import collect
from rtfs_framework.registry.discover import VARIABLE, FoundPlugin, choose, find_plugins
from rtfs_framework.registry.permissions import ALL_ALLOWED, Allowed, refusal
from rtfs_framework.registry.problems import HOST, Provenance


def load_catalog(
    environ: Mapping[str, str] = os.environ, *, extra_plugins: Iterable[Any] = (), allowed: Allowed = ALL_ALLOWED
) -> Catalog:
    """Return the catalog of the installed plugins that `RTFS_PLUGINS` lets in, and of `extra_plugins`.

    `extra_plugins` are modules or objects with hooks that the host brings along (its own commands, a test's plugin):
    they go through the same door, count as rtfs-framework's unless they say `rtfs_distribution` (and `rtfs_version`),
    and `RTFS_PLUGINS` does not concern them. Raises nothing that a plugin caused: see `Catalog.problems`.

    A plugin that declares a permission which `allowed` does not give it is a problem, and is not imported. Nor is one
    that declares nothing, where `allowed` rests on a configuration that does not name it.
    """
    wanted = environ.get(VARIABLE)
    # With no plugin wanted, the metadata of whatever else is installed need not be read.
    found = [] if wanted is not None and not wanted.strip(", ") else find_plugins()
    chosen, problems = choose(found, wanted)
    refused = {plugin.provenance: refusal(plugin.provenance, plugin.declared, allowed) for plugin in chosen}
    chosen += map(_extra, extra_plugins)  # what the host brings along is its own word
    problems += dict.fromkeys(wrong for wrong in refused.values() if wrong is not None)
    loaded = [plugin for plugin in chosen if refused.get(plugin.provenance) is None]
    offers: list[Offer] = []
    for plugin in loaded:
        if plugin.is_data:
            continue
        offered, wrong = admit(plugin.load, plugin.provenance)
        offers += offered
        problems += wrong
    data = [plugin for plugin in loaded if plugin.is_data]
    declared = {plugin.provenance: plugin.declared for plugin in chosen}
    made = collect(offers, problems, [plugin.provenance for plugin in chosen], data=data, restricted=wanted is not None)
    return attrs.evolve(made, declared=MappingProxyType(declared), allowed=allowed)


def _extra(plugin: Any) -> FoundPlugin:
    """Return a plugin that the host holds already, as if it had been found."""
    module = getattr(plugin, "__name__", None) or type(plugin).__name__
    distribution = getattr(plugin, "rtfs_distribution", HOST)
    provenance = Provenance(str(distribution), str(getattr(plugin, "rtfs_version", "")), module)
    return FoundPlugin(module, provenance, lambda: plugin)
