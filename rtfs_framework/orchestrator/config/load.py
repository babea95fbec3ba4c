"""Loading the configuration: read its texts, cut down what nobody trusts, resolve what they make together.

Without any text, what the installed plugins offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.provider import Locality, ProviderEntry
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel, show_target
from rtfs_framework.lang.diagnostics import Diagnostic, bounded
from rtfs_framework.orchestrator.config.budgets import of_tenant
from rtfs_framework.orchestrator.config.find import places
from rtfs_framework.orchestrator.config.idle import idle_rules, without_tenant
from rtfs_framework.orchestrator.config.key_binding import bindings, surroundings
from rtfs_framework.orchestrator.config.layers import Given, Kind, Layer, Merged, read_layers
from rtfs_framework.orchestrator.config.model import Config, EngineSpec, ProviderSpec
from rtfs_framework.orchestrator.config.own import default_engine, defaults_of
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
    tenant: str | None = None,
) -> Config:
    """Return the configuration that counts; `report` hears of default instances that cannot be made.

    It is that of a tenant; None for the one that the variable RTFS_TENANT names, if any.

    Raises:
        ConfigError: With one diagnostic for each mistake in what was read, each with its place.
    """
    defaults = default_providers(catalog, report)
    given = _given(config_path, program_dir, environ, catalog)
    making = _Making(catalog, defaults)
    searched = tuple(dict.fromkeys(str(each.parent) for each in places(program_dir, environ)))
    if not given.layers:
        config = Config(engine=_usual_engine(catalog), providers=defaults, notices=given.notices)
        config = attrs.evolve(config, keys=bindings(defaults, {}, catalog, environ), searched=searched)
        return of_tenant(config, _tenant(tenant, environ))
    layers, notices = making.without_widening(given.layers)
    config = making.config(layers)
    config = attrs.evolve(config, keys=making.keys(layers, environ), searched=searched)
    withheld = _withheld(config, catalog, environ)
    idle = idle_rules(config, catalog)
    idle += without_tenant(config, said=tenant is not None or "RTFS_TENANT" in environ)
    config = attrs.evolve(config, notices=(*given.notices, *notices, *config.notices, *withheld, *idle))
    return of_tenant(config, _tenant(tenant, environ))


def config_of_texts(
    texts: Iterable[tuple[str, str, str]], environ: Mapping[str, str], catalog: Catalog, tenant: str
) -> Config:
    """Return the configuration that another host told of: of each of its texts the kind, the path, and TOML.

    They are taken as they are, for that host has cut down what nobody trusts; files and variables here say nothing.

    Raises:
        ConfigError: They have mistakes here.
    """
    from rtfs_framework.api.toml_places import parse_toml

    making = _Making(catalog, default_providers(catalog, lambda _: None))
    layers = tuple(Layer(Kind(kind), Path(path), *parse_toml(text.encode(), path)) for kind, path, text in texts)
    if not layers:
        config = Config(engine=_usual_engine(catalog), providers=making.defaults)
        return of_tenant(attrs.evolve(config, keys=bindings(making.defaults, {}, catalog, environ)), tenant)
    config = making.config(layers)
    return of_tenant(attrs.evolve(config, keys=making.keys(layers, environ)), tenant)


def config_without_files(environ: Mapping[str, str], catalog: Catalog) -> Config:
    """Return the configuration that counts where there is no file: what is installed, and the on-device model."""
    from rtfs_framework.orchestrator.config.local_model import with_local_model

    making = _Making(catalog, default_providers(catalog, lambda _: None))
    layers, _ = with_local_model((), environ, catalog)
    config = making.config(layers) if layers else Config(providers=making.defaults)
    keys = making.keys(layers, environ) if layers else bindings(making.defaults, {}, catalog, environ)
    return attrs.evolve(config, keys=keys)


def _given(asked: Path | None, program_dir: Path | None, environ: Mapping[str, str], catalog: Catalog) -> Given:
    """Return every text that counts, with that of the variable which names an on-device model."""
    given = read_layers(asked, program_dir, environ)
    if "RTFS_LOCAL_MODEL_PATH" not in environ and (given.layers or "llama" not in catalog.providers):
        return given
    from rtfs_framework.orchestrator.config.local_model import with_local_model

    layers, notices = with_local_model(given.layers, environ, catalog)
    return Given(layers=layers, notices=(*given.notices, *notices))


def _tenant(given: str | None, environ: Mapping[str, str]) -> str:
    return environ.get("RTFS_TENANT", "") if given is None else given


def _usual_engine(catalog: Catalog) -> EngineSpec | None:
    name = default_engine(catalog)
    if name is None:
        return None
    own = ask(catalog.part("engine", name), "its settings", defaults_of, catalog.engine(name).settings)
    return EngineSpec(name=name, plugin=name, own=own)


@attrs.frozen(slots=True)
class _Making:
    """Makes configurations of texts."""

    catalog: Catalog
    defaults: tuple[ProviderSpec, ...]

    def config(self, layers: Sequence[Layer]) -> Config:
        """Return the configuration that texts make together.

        Raises:
            ConfigError: With one diagnostic for each mistake.
        """
        from rtfs_framework.orchestrator.config.own import Reading
        from rtfs_framework.orchestrator.config.resolve import Resolver
        from rtfs_framework.orchestrator.config.tables.file import ConfigFile

        merged = Merged(tuple(layers))
        reading = Reading(merged)
        file = reading.structure(ConfigFile, merged.data, ())
        config = None
        if file is not None:
            config = Resolver(reading, self.catalog, merged).resolve(file, merged.data, self.defaults)
        if config is None or reading.mistakes:
            raise ConfigError(bounded(_in_order(reading.mistakes)))
        return attrs.evolve(config, merged=merged, notices=tuple(reading.doubts))

    def keys(self, layers: Sequence[Layer], environ: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """Return the variables with keys and where these may go, by the user's own word."""
        from rtfs_framework.orchestrator.config.own import Reading
        from rtfs_framework.orchestrator.config.resolve import Resolver
        from rtfs_framework.orchestrator.config.tables.file import ConfigFile

        own = Merged(tuple(each for each in layers if each.kind is not Kind.FOUND))
        reading = Reading(
            Merged(tuple(layers))
        )  # mistakes are told elsewhere: names that only the found file knows are none
        file = reading.structure(ConfigFile, own.data, ()) or ConfigFile()
        specs = Resolver(reading, self.catalog, own).resolve(file, own.data, self.defaults).providers
        keys = {name: [each] if isinstance(each, str) else each for name, each in file.keys.items()}
        return bindings(specs, keys, self.catalog, environ)

    def without_widening(self, layers: tuple[Layer, ...]) -> tuple[tuple[Layer, ...], list[Diagnostic]]:
        """Return the texts with that one cut down which nobody trusts, and the warning that says so.

        Raises:
            ConfigError: A text has mistakes; they are told as if it were trusted.
        """
        from rtfs_framework.orchestrator.config.narrow import Narrowing, notice
        from rtfs_framework.orchestrator.config.own import Reading
        from rtfs_framework.orchestrator.config.resolve import Resolver
        from rtfs_framework.orchestrator.config.tables.file import ConfigFile

        found = next((each for each in layers if not each.trusted), None)
        if found is None:
            return _without_keys(layers)
        own = Merged(tuple(each for each in layers if each is not found))
        readings = [Reading(found.places), Reading(own)]
        typed, own_typed = (
            reading.structure(ConfigFile, dict(data), ())
            for reading, data in zip(readings, (found.data, own.data), strict=True)
        )
        mistakes = [each for reading in readings for each in reading.mistakes]
        if typed is None or own_typed is None or mistakes:
            self.config(layers)  # tells them all
            raise ConfigError(bounded(_in_order(mistakes)))  # those that a later text would have hidden
        later = Merged(layers[layers.index(found) + 1 :])
        open_ = attrs.evolve(found, data=_not_overridden(found.data, later.data))
        below = Resolver(Reading(Merged(layers)), self.catalog, own).resolve(own_typed, own.data, self.defaults)
        narrowing = Narrowing(open_, typed, own, own_typed, below, self.catalog)
        left = attrs.evolve(found, data=narrowing.data())
        cut = tuple(left if each is found else each for each in layers)
        return cut, [notice(found, narrowing.ignored)] if narrowing.ignored else []


def _not_overridden(table: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a table counts at all: what a later text says again needs no judgement."""
    left = {}
    for key, value in table.items():
        if key not in later:
            left[key] = value
        elif isinstance(value, dict) and isinstance(later[key], dict):
            left[key] = _not_overridden(value, later[key])
    return left


_OWN_WORD = {
    "keys": ("keys are bound to hosts in your own configuration only; this table is ignored", "RTFS_KEYS__NAME"),
    "plugins": (
        "what plugins may have is said in your own configuration only; this table is ignored",
        "RTFS_PLUGINS__ALLOW",
    ),
}
"""Tables that no found file may have, even if it is trusted: what is told of them, and the variable that may say it."""


def _without_keys(layers: tuple[Layer, ...]) -> tuple[tuple[Layer, ...], list[Diagnostic]]:
    """Return the texts without those tables in the one that was found, even if it is trusted, and the warnings."""
    left, notices = [], []
    for each in layers:
        for name in _OWN_WORD if each.kind is Kind.FOUND else ():
            if name not in each.data:
                continue
            message, variable = _OWN_WORD[name]
            source, span = each.places.at((name,), key=True)
            way_out = f"write it in your own delegation.toml, in a file for --config, or as {variable}"
            notices.append(
                Diagnostic(code="E0718", message=message, source=source, span=span, help=way_out, kind="ConfigError",
                           severity="warning")
            )  # fmt: skip
            each = attrs.evolve(each, data={key: table for key, table in each.data.items() if key != name})  # noqa: PLW2901
        left.append(each)
    return tuple(left), notices


def _withheld(config: Config, catalog: Catalog, environ: Mapping[str, str]) -> list[Diagnostic]:
    """Return a warning for each provider that names a key which must not go to its host."""
    notices = []
    for spec in config.providers:
        seen = surroundings(spec, catalog.provider_of(spec.plugin)[0], config.keys, environ)
        if seen.refusal is not None:
            message = f"{show_target(spec.target)} cannot be asked: {seen.refusal}"
            notices.append(Diagnostic(code="E0718", message=message, kind="ConfigError", severity="warning"))
    return notices


def _in_order(mistakes: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return mistakes in the order of the texts, file by file, each once."""
    found = {(each.code, each.message, each.span): each for each in mistakes}.values()
    files = list(dict.fromkeys(each.source.name if each.source else "" for each in found))

    def place(each: Diagnostic) -> tuple[int, int]:
        return files.index(each.source.name if each.source else ""), each.span.start if each.span else 0

    return sorted(found, key=place)


def default_providers(catalog: Catalog, report: Report) -> tuple[ProviderSpec, ...]:
    """Return the instances that installed plugins bring along; a remote plugin without any gets one of its own name."""
    made: dict[ExecTarget, ProviderSpec] = {}
    for name, (entry, provenance) in catalog.providers.items():
        alone = entry.locality is Locality.REMOTE and not _needs_a_table(entry)
        tables = entry.defaults or ({name: {}} if alone else {})
        for id_, table in tables.items():
            part = Part("provider", name, provenance)
            try:
                spec = ask(part, f"its default instance '{id_}'", _default, id_, entry, table)
            except PluginFault as fault:
                report(fault)
                continue
            near = next((each for each in made.values() if each.id == id_), None)
            if near is not None:
                report(_claimed(part, catalog.part("provider", near.plugin), spec, near))
            made.setdefault(spec.target, spec)
    return tuple(made.values())


def _claimed(part: Part, other: Part, spec: ProviderSpec, near: ProviderSpec) -> PluginFault:
    """Return what is told of an id that two plugins bring along."""
    kept = "that one stays" if spec.target == near.target else "both stay, and the id alone names neither"
    told = f"has the id of the {show_target(near.target)} that {other.provenance} brings along; {kept}"
    way_out = f"uninstall one of them, or leave one out with RTFS_PLUGINS; write local-{spec.id} or remote-{spec.id}"
    return PluginFault(part, f"its default instance '{spec.id}'", told, way_out=way_out)


def _needs_a_table(entry: ProviderEntry) -> bool:
    """Tell whether a plugin's settings have no defaults: then it is there once it is configured."""
    fields = () if entry.settings is None else attrs.fields(entry.settings)
    return any(field.init and field.default is attrs.NOTHING for field in fields)


def _default(id_: str, entry: ProviderEntry, given: Mapping[str, object]) -> ProviderSpec:
    table = dict(given)
    own = defaults_of(entry.settings, table)
    target = RemoteModel(id_) if entry.locality is Locality.REMOTE else LocalModel(id_)
    return ProviderSpec(
        id=id_, plugin=entry.name, target=target, model=str(getattr(own, "model", "") or ""), own=own, table=table
    )
