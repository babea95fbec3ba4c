"""Every setting in force, as `key = value # source` rows. Secrets are never shown: only whether they are set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.settings import variables_of
from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.model import CacheSpec, Config, EngineSpec, ProviderSpec
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.config.tables.prices import names
from rtfs_framework.orchestrator.remembering.cache_stack import ON_BY_DEFAULT

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.registry.catalog import Catalog

DEFAULT = "default"
_COSTS = {"input_cost": "input", "output_cost": "output"}


@attrs.frozen(slots=True)
class Setting:
    """One value and where it comes from."""

    key: str
    value: Any
    source: str
    trusted: bool | None = None
    """Whether the file that it is from is trusted; None for a default or a variable."""

    @property
    def text(self) -> str:
        """The value as TOML would have it, near enough."""
        if self.value is None:
            return "(none)"
        return visible_line(json.dumps(self.value, ensure_ascii=False))


@attrs.define(slots=True, eq=False)
class _Sources:
    """Finds in which text a key stands, and where."""

    merged: Merged | None

    def written(self, path: KeyPath) -> Iterator[Setting]:
        """Yield what a table holds, and the tables in it, with their sources."""
        near: Any = {} if self.merged is None else self.merged.data
        for key in path:
            near = near.get(key, {})
        for key, value in near.items():
            if isinstance(value, dict):
                yield from self.written((*path, key))
            else:
                yield self.setting((*path, key), value)

    def says(self, path: KeyPath) -> bool:
        """Tell whether a text says the value of a key."""
        return self.merged is not None and self.merged.origin(path) is not None

    def priced(self, spec: ProviderSpec, name: str) -> KeyPath | None:
        """Return the key of `[prices]` that counts for a provider; None when there is none."""
        tables = self.merged.data.get("prices", {}) if self.merged is not None else {}
        model = next((each for each in names(spec) if each in tables), None)
        return ("prices", model, name) if model is not None and name in tables[model] else None

    def setting(self, path: KeyPath, value: Any, otherwise: str = DEFAULT, *, key: str = "", note: str = "") -> Setting:
        """Return one value with its source."""
        layer = None if self.merged is None else self.merged.origin(path)
        name = key or _dotted(path)
        if self.merged is None or layer is None:
            return Setting(name, value, otherwise + note)
        source, span = self.merged.at(path, key=True)
        if layer.path is None:
            return Setting(name, value, f"variable {source.name}{note}")
        line, column = source.place(span.start)
        doubt = "" if layer.trusted else " (not trusted)"
        return Setting(name, value, f"{visible_line(source.name)}:{line}:{column}{doubt}{note}", layer.trusted)


def settings_of(config: Config, catalog: Catalog, environ: Mapping[str, str]) -> list[Setting]:
    """Return all settings, in the order of the file's sections."""
    return list(_all(config, catalog, _Sources(config.merged), environ))


def _engines(spec: EngineSpec, sources: _Sources, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Yield the settings of an engine, then those of the engines below it."""
    path: KeyPath = ("engines", spec.name)
    if spec.plugin != spec.name:
        yield sources.setting((*path, "plugin"), spec.plugin)
    for key, below in spec.children.items():
        names = [each.name if isinstance(each, EngineSpec) else target_text(each) for each in below]
        yield sources.setting((*path, key), names[0] if len(names) == 1 else names)
    if spec.own is not None:
        yield from _own(spec.own, path, sources, DEFAULT, environ)
    for below in spec.children.values():
        for each in below:
            if isinstance(each, EngineSpec):
                yield from _engines(each, sources, environ)


def _all(config: Config, catalog: Catalog, sources: _Sources, environ: Mapping[str, str]) -> Iterator[Setting]:
    top: dict[str, Any] = {
        "default_target": target_text(config.default_target),
        **({} if config.found is None else {"described": target_text(config.found.target)}),
        "engine": None if config.engine is None else config.engine.name,
        "cache_ttl": config.cache_ttl,
        "concurrency": config.concurrency,
        "parallel": config.parallel,
        **({} if config.embedder is None else {"embedder": config.embedder.name}),
        **({} if config.plan is None else {"plan": config.plan}),
    }
    for name, value in top.items():
        yield sources.setting(("delegation", name), value)
    for pattern, targets in config.routes.items():
        texts = [target_text(target) for target in targets]
        path: KeyPath = ("delegation", "static_routes", pattern)
        key = f'delegation.static_routes."{visible_line(pattern)}"'
        yield sources.setting(path, texts[0] if len(texts) == 1 else texts, key=key)
    for spec in config.providers:
        yield from _provider(spec, catalog, sources, environ)
    if config.engine is not None:
        yield from _engines(config.engine, sources, environ)
    for name in catalog.caches:
        yield from _cache(name, config.caches.get(name), sources)
    yield from _security(config, sources)
    for field in attrs.fields(type(config.limits)):
        bound = getattr(config.limits, field.name)
        yield sources.setting(("limits", field.name), "off" if bound is None else bound)
    for field in attrs.fields(type(config.journal)):
        yield sources.setting(("journal", field.name), getattr(config.journal, field.name))
    yield from _health(config, sources)
    yield from sources.written(("embedders",))
    yield from sources.written(("ledgers",))
    yield from sources.written(("guards",))
    yield from sources.written(("redaction",))
    yield from sources.written(("labels",))
    yield from sources.written(("warming",))
    yield sources.setting(("approvals", "timeout"), config.approval_seconds)
    yield sources.setting(("modules", "path"), list(config.module_path))
    yield from _counted(config, sources)
    for name, origins in config.keys.items():
        yield sources.setting(("keys", name), sorted(origins), "by its provider", note=_is_set(name, environ))


def _counted(config: Config, sources: _Sources) -> Iterator[Setting]:
    """Yield budgets, rates and tenants as they are written, and what is said of the ledger."""
    for section in ("budgets", "rates", "tenants"):
        yield from sources.written((section,))
    for field in attrs.fields(type(config.ledger)):
        yield sources.setting(("ledger", field.name), getattr(config.ledger, field.name))


def _health(config: Config, sources: _Sources) -> Iterator[Setting]:
    spec = config.health
    for field in attrs.fields(type(spec.usual)):
        yield sources.setting(("health", field.name), _or_off(field.name, getattr(spec.usual, field.name)))
    for name in ("most_ejected", "shared"):
        yield sources.setting(("health", name), getattr(spec, name))
    yield from sources.written(("health", "targets"))


def _or_off(name: str, value: Any) -> Any:
    return "off" if name == "slow" and value is None else value


def _is_set(variable: str, environ: Mapping[str, str]) -> str:
    return f"; {visible_line(variable)} is {'set' if environ.get(variable) else 'not set'}"


def _provider(spec: ProviderSpec, catalog: Catalog, sources: _Sources, environ: Mapping[str, str]) -> Iterator[Setting]:
    section = "remote_providers" if isinstance(spec.target, RemoteModel) else "local_models"
    path: KeyPath = ("delegation", section, spec.id)
    maker = f"default of {catalog.provider_of(spec.plugin)[1]}" if spec.directory is None else DEFAULT
    ours: dict[str, Any] = {
        "provider": spec.plugin,
        "timeout": spec.timeout * 1000,
        "reuse": spec.reuse,
        "input_cost": spec.input_cost,
        "output_cost": spec.output_cost,
        "parallel": spec.parallel if spec.parallel is not None else catalog.provider_of(spec.plugin)[0].parallel,
        **({} if spec.batch == 1 else {"batch": spec.batch}),
        **({"later": True} if spec.later else {}),
        **({"workers": True} if spec.workers else {}),
    }
    for name, value in ours.items():
        yield _price(spec, name, path, value, sources) or sources.setting((*path, name), value, maker)
    for name, value in (("cached", spec.cached_cost), ("context", spec.context_window)):
        if value is not None:
            found = sources.priced(spec, name)
            where: KeyPath = found or ("prices", spec.model or spec.id, name)
            yield sources.setting(where, value, spec.priced_by or maker, key=_key(where))
    if spec.own is not None:
        yield from _own(spec.own, path, sources, maker, environ)


def _price(spec: ProviderSpec, name: str, path: KeyPath, value: Any, sources: _Sources) -> Setting | None:
    """Return a price that the provider's own table does not say, with who says it; None for all else."""
    if name not in _COSTS or sources.says((*path, name)):
        return None
    found = sources.priced(spec, _COSTS[name])
    if found is not None:
        return sources.setting(found, value, key=_dotted((*path, name)))
    return sources.setting((*path, name), value, spec.priced_by) if spec.priced_by and value is not None else None


def _key(path: KeyPath) -> str:
    section, model, name = path
    return visible_line(f'{section}."{model}".{name}')


def _own(own: Any, path: KeyPath, sources: _Sources, otherwise: str, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Yield a plugin's own settings; of a `*_env` setting also whether the variable is set."""
    for field in attrs.fields(type(own)):
        value = getattr(own, field.name)
        variables = list(variables_of(value)) if field.name.endswith("_env") else []
        note = "".join(_is_set(each, environ) for each in variables)
        yield sources.setting((*path, field.alias or field.name), _plain(value), otherwise, note=note)


def _cache(name: str, spec: CacheSpec | None, sources: _Sources) -> Iterator[Setting]:
    enabled = name in ON_BY_DEFAULT if spec is None else spec.enabled
    yield sources.setting(("caches", name, "enabled"), enabled)
    yield sources.setting(("caches", name, "ttl"), spec.ttl if spec else None)
    if spec is not None and spec.own is not None:
        yield from _own(spec.own, ("caches", name), sources, DEFAULT, {})


def _security(config: Config, sources: _Sources) -> Iterator[Setting]:
    rules = config.security
    values: dict[str, Any] = {
        "level": rules.level.value,
        "reach": rules.reach.value,
        "grant": list(rules.grant),
        "deny": list(rules.deny),
    }
    for name, value in values.items():
        yield sources.setting(("security", name), value)
    for name, value in rules.values.items():
        yield sources.setting(("security", "context", name), write(value))


def _plain(value: Any) -> Any:
    """Return a plugin's value as plain data."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if attrs.has(type(value)):
        fields = ((field.alias or field.name, getattr(value, field.name)) for field in attrs.fields(type(value)))
        return {key: _plain(item) for key, item in fields if item not in (None, "")}
    return str(value)


def _dotted(path: KeyPath) -> str:
    return visible_line(".".join(str(part) for part in path))
