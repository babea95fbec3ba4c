"""Every setting in force, as `key = value # source` rows. Secrets are never shown: only whether they are set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.targets import LocalModel, LocalPure, RemoteModel
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.cache_stack import ON_BY_DEFAULT
from rtfs_framework.orchestrator.config.model import CacheSpec, Config, ProviderSpec

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath, Places
    from rtfs_framework.registry.catalog import Catalog

DEFAULT = "default"


@attrs.frozen(slots=True)
class Setting:
    """One value and where it comes from."""

    key: str
    value: Any
    source: str

    @property
    def text(self) -> str:
        """The value as TOML would have it, near enough."""
        if self.value is None:
            return "(none)"
        return json.dumps(self.value, ensure_ascii=False)


@attrs.define(slots=True, eq=False)
class _Sources:
    """Finds where in the file a key stands."""

    data: Mapping[str, Any]
    places: Places | None

    def of(self, path: KeyPath, otherwise: str = DEFAULT) -> str:
        node: Any = self.data
        for key in path:
            if not isinstance(node, Mapping) or key not in node:
                return otherwise
            node = node[key]
        if self.places is None:
            return otherwise
        line, column = self.places.source.place(self.places.key(path).start)
        return f"{self.places.source.name}:{line}:{column}"


def settings_of(config: Config, catalog: Catalog, environ: Mapping[str, str]) -> list[Setting]:
    """Return all settings, in the order of the file's sections."""
    return list(_all(config, catalog, _read(config), environ))


def _read(config: Config) -> _Sources:
    if config.path is None:
        return _Sources({}, None)
    from rtfs_framework.api.toml_places import read_toml

    return _Sources(*read_toml(Path(config.path)))


def _all(config: Config, catalog: Catalog, sources: _Sources, environ: Mapping[str, str]) -> Iterator[Setting]:
    top: dict[str, Any] = {
        "default_target": target_text(config.default_target),
        "engine": config.engine,
        "cache_ttl": config.cache_ttl,
        "concurrency": config.concurrency,
        "parallel": config.parallel,
    }
    for name, value in top.items():
        yield Setting(f"delegation.{name}", value, sources.of(("delegation", name)))
    for pattern, targets in config.routes.items():
        texts = [target_text(target) for target in targets]
        where = sources.of(("delegation", "static_routes", pattern))
        yield Setting(f'delegation.static_routes."{pattern}"', texts[0] if len(texts) == 1 else texts, where)
    for spec in config.providers:
        yield from _provider(spec, catalog, sources, environ)
    if config.engine is not None and config.engine_own is not None:
        yield from _own(config.engine_own, ("engines", config.engine), sources, DEFAULT, environ)
    for name in catalog.caches:
        yield from _cache(name, config.caches.get(name), sources)
    yield from _security(config, sources)
    for field in attrs.fields(type(config.limits)):
        bound = getattr(config.limits, field.name)
        yield Setting(f"limits.{field.name}", "off" if bound is None else bound, sources.of(("limits", field.name)))
    journal = config.journal
    for name in ("enabled", "path", "keep_args", "sync", "on_failure"):
        yield Setting(f"journal.{name}", getattr(journal, name), sources.of(("journal", name)))


def _provider(spec: ProviderSpec, catalog: Catalog, sources: _Sources, environ: Mapping[str, str]) -> Iterator[Setting]:
    section = "remote_providers" if isinstance(spec.target, RemoteModel) else "local_models"
    path: KeyPath = ("delegation", section, spec.id)
    maker = f"default of {catalog.providers[spec.plugin][1]}" if spec.directory is None else DEFAULT
    ours: dict[str, Any] = {
        "provider": spec.plugin,
        "timeout": spec.timeout * 1000,
        "reuse": spec.reuse,
        "input_cost": spec.input_cost,
        "output_cost": spec.output_cost,
        "parallel": spec.parallel if spec.parallel is not None else catalog.providers[spec.plugin][0].parallel,
    }
    for name, value in ours.items():
        yield Setting(_dotted((*path, name)), value, sources.of((*path, name), maker))
    if spec.own is not None:
        yield from _own(spec.own, path, sources, maker, environ)


def _own(own: Any, path: KeyPath, sources: _Sources, otherwise: str, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Yield a plugin's own settings; of a `*_env` setting also whether the variable is set."""
    for field in attrs.fields(type(own)):
        key = (*path, field.alias or field.name)
        value, where = getattr(own, field.name), sources.of(key, otherwise)
        if field.name.endswith("_env") and isinstance(value, str):
            where = f"{where}; {value} is {'set' if environ.get(value) else 'not set'}"
        yield Setting(_dotted(key), _plain(value), where)


def _cache(name: str, spec: CacheSpec | None, sources: _Sources) -> Iterator[Setting]:
    enabled = name in ON_BY_DEFAULT if spec is None else spec.enabled
    yield Setting(f"caches.{name}.enabled", enabled, sources.of(("caches", name, "enabled")))
    yield Setting(f"caches.{name}.ttl", spec.ttl if spec else None, sources.of(("caches", name, "ttl")))
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
        yield Setting(f"security.{name}", value, sources.of(("security", name)))
    for name, value in rules.values.items():
        yield Setting(f"security.context.{name}", write(value), sources.of(("security", "context", name)))


def target_text(target: Any) -> str:
    """Return a target as `delegation.toml` writes it."""
    match target:
        case LocalPure():
            return "local-pure"
        case LocalModel(id=name):
            return f"local-{name}"
        case RemoteModel(id=name):
            return f"remote-{name}"
    return str(target)


def _plain(value: Any) -> Any:
    """Return a plugin's value as plain data."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)
