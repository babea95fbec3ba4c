"""The tables of `delegation.toml` about embedders: which one is used, and the own keys of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.api.provider import Locality
from rtfs_framework.api.targets import LocalModel, RemoteModel
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.model import EmbedderSpec, ProviderSpec
from rtfs_framework.orchestrator.config.routes import target_text

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.own import Reading
    from rtfs_framework.registry.catalog import Catalog


@attrs.frozen(slots=True, kw_only=True)
class EmbedderTable:
    """The host's keys of `[embedders.<name>]`."""

    then: str | None = None
    """A better embedder, asked about texts that this one finds near, where texts are compared."""
    floor: float = attrs.field(default=0.5, validator=[validators.ge(-1.0), validators.le(1.0)])
    """How near they must be: a cosine."""


def read_embedder(
    reading: Reading,
    catalog: Catalog,
    chosen: str | None,
    tables: Mapping[str, Mapping[str, Any]],
    providers: Iterable[ProviderSpec] = (),
) -> EmbedderSpec | None:
    """Return the embedder that is used, None for none; mistakes are noted, also in the tables of others."""
    made = {name: _embedder(reading, catalog, name, table) for name, table in tables.items()}
    used = [name for name, (table, _) in made.items() if table is not None and table.then is not None]
    for name in used:
        _chain(reading, catalog, made, name)
    if chosen is None:
        return None
    if chosen not in catalog.embedders:
        spec = next((each for each in providers if target_text(each.target) == chosen), None)
        if spec is not None:
            return _asked(reading, catalog, spec, chosen)
    return _used(reading, catalog, made, chosen, ("delegation", "embedder"))


def _asked(reading: Reading, catalog: Catalog, spec: ProviderSpec, chosen: str) -> EmbedderSpec | None:
    """Return a model that is asked for vectors."""
    entry, provenance = catalog.providers[spec.plugin]
    if not entry.embeds or not isinstance(spec.target, LocalModel | RemoteModel):
        wrong = f"the provider '{spec.plugin}' of {chosen} makes no vectors"
        able = sorted(name for name, (each, _) in catalog.providers.items() if each.embeds)
        way_out = f"providers that do: {', '.join(able) or 'none is installed'}; or name an embedder"
        reading.mistake("E0705", wrong, ("delegation", "embedder"), way_out)
        return None
    return EmbedderSpec(name=chosen, version=str(provenance), target=spec.target)


_Made = dict[str, tuple[EmbedderTable | None, EmbedderSpec | None]]


def _chain(reading: Reading, catalog: Catalog, made: _Made, name: str) -> None:
    """Put the embedder that a table names behind its own: one, which has none behind it."""
    table, spec = made[name]
    if table is None or spec is None or table.then is None:
        return
    path: KeyPath = ("embedders", name, "then")
    behind = made.get(table.then, (None, None))[0]
    if table.then == name or (behind is not None and behind.then is not None):
        wrong = f"'{table.then}' cannot stand behind '{name}': one embedder stands behind another, and no third"
        reading.mistake("E0705", wrong, path, "name an embedder that has no 'then' of its own")
        return
    then = _used(reading, catalog, made, table.then, path)
    made[name] = table, attrs.evolve(spec, then=then, floor=table.floor)


def _used(reading: Reading, catalog: Catalog, made: _Made, name: str, path: KeyPath) -> EmbedderSpec | None:
    """Return an embedder that texts are given to."""
    if name not in made:
        if not _known(reading, catalog, name, path, key=False):
            return None
        made[name] = _embedder(reading, catalog, name, {})
    entry = catalog.embedders.get(name)
    if entry is not None and entry[0].locality is not Locality.LOCAL:
        wrong = f"the embedder '{name}' is remote, and what leaves this machine goes to a configured target"
        local = sorted(each for each, (entry, _) in catalog.embedders.items() if entry.locality is Locality.LOCAL)
        way_out = f"choose one that is local: {', '.join(local) or 'none is installed'}; or name a provider that embeds"
        reading.mistake("E0705", wrong, path, way_out)
        return None
    return made[name][1]


def _embedder(
    reading: Reading, catalog: Catalog, name: str, table: Mapping[str, Any]
) -> tuple[EmbedderTable | None, EmbedderSpec | None]:
    path: KeyPath = ("embedders", name)
    if not _known(reading, catalog, name, path, key=True):
        return None, None
    entry, provenance = catalog.embedders[name]
    ours, own = reading.split(EmbedderTable, catalog.part("embedder", name), entry.settings, table, path)
    return ours, EmbedderSpec(name=name, version=str(provenance), own=own)


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
