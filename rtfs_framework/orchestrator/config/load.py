"""Loading the configuration: find the file, read it, resolve it; without one, what the installed plugins offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.provider import Locality, ProviderEntry
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.orchestrator.config.find import find_config
from rtfs_framework.orchestrator.config.model import Config, ProviderSpec
from rtfs_framework.orchestrator.config.own import Reading, default_engine, defaults_of
from rtfs_framework.registry.faults import Part, PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

Report = Callable[[PluginFault], None]


def load_config(
    config_path: Path | None,
    program_dir: Path | None,
    environ: Mapping[str, str],
    catalog: Catalog,
    report: Report,
) -> Config:
    """Return the configuration that counts; `report` hears of default instances that cannot be made.

    Raises:
        ConfigError: With one diagnostic for each mistake in the file, each with its place.
    """
    defaults = default_providers(catalog, report)
    path = find_config(config_path, program_dir, environ)
    if path is None:
        engine = default_engine(catalog)
        own = defaults_of(catalog.engine(engine).settings) if engine is not None else None
        return Config(engine=engine, engine_own=own, providers=defaults)
    from rtfs_framework.api.toml_places import read_toml
    from rtfs_framework.orchestrator.config.resolve import Resolver
    from rtfs_framework.orchestrator.config.tables import ConfigFile

    data, places = read_toml(path)
    reading = Reading(places)
    file = reading.structure(ConfigFile, data, ())
    config = None if file is None else Resolver(reading, catalog, path).resolve(file, data, defaults)
    if config is None or reading.mistakes:
        raise ConfigError(sorted(reading.mistakes, key=lambda mistake: mistake.span.start if mistake.span else 0))
    return attrs.evolve(config, notices=tuple(reading.doubts))


def default_providers(catalog: Catalog, report: Report) -> tuple[ProviderSpec, ...]:
    """Return the instances that installed plugins bring along; a remote plugin without any gets one of its own name."""
    made: dict[ExecTarget, ProviderSpec] = {}
    for name, (entry, provenance) in catalog.providers.items():
        tables = entry.defaults or ({name: {}} if entry.locality is Locality.REMOTE else {})
        for id_, table in tables.items():
            part = Part("provider", name, provenance)
            try:
                spec = ask(part, f"its default instance '{id_}'", _default, id_, entry, table)
            except PluginFault as fault:
                report(fault)
                continue
            made.setdefault(spec.target, spec)
    return tuple(made.values())


def _default(id_: str, entry: ProviderEntry, given: Mapping[str, object]) -> ProviderSpec:
    table = dict(given)
    own = defaults_of(entry.settings, table)
    target = RemoteModel(id_) if entry.locality is Locality.REMOTE else LocalModel(id_)
    return ProviderSpec(
        id=id_, plugin=entry.name, target=target, model=str(getattr(own, "model", "") or ""), own=own, table=table
    )
