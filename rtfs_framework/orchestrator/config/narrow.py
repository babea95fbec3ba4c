"""A found configuration that nobody has trusted, cut down to what narrows or chooses; what is cut off is named.

In: its text's data as written and as understood, and the configuration without it (of the user's own file, `--config`
and variables). Out: the data that is left, and the
keys that were ignored. What is not known to narrow is ignored (`standing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.provider import Locality
from rtfs_framework.api.settings import ANY, FILE_WITHIN, UNTRUSTED
from rtfs_framework.api.targets import ExecTarget, LocalModel, RemoteModel
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.visible import visible_line
from rtfs_framework.orchestrator.config.choices import Choices
from rtfs_framework.orchestrator.config.layers import Layer, Merged
from rtfs_framework.orchestrator.config.model import CacheSpec, Config, ProviderSpec
from rtfs_framework.orchestrator.config.own import MISTAKEN, key_names, typed_value, usual_plugin
from rtfs_framework.orchestrator.config.paths import read_path
from rtfs_framework.orchestrator.config.routes import target_text, why_no_id
from rtfs_framework.orchestrator.config.standing import STANDING, Said, widens
from rtfs_framework.orchestrator.config.standing_labels import WIDENS, still_answered
from rtfs_framework.orchestrator.config.tables.file import CacheTable, ConfigFile, ProviderTable

if TYPE_CHECKING:
    from rtfs_framework.registry.catalog import Catalog

Names = tuple[str, ...]
_PROVIDERS = {"remote_providers": RemoteModel, "local_models": LocalModel}
_MOST_NAMED = 8
_NAMED = ("child", "context", "environment", "constraints", "hours", "acl")
"""Keys of `[security]` that are tables of names; a file that nobody trusts fills none of them."""


@attrs.define(slots=True, eq=False)
class Narrowing:
    """One file, cut down."""

    layer: Layer
    typed: ConfigFile
    own: Merged
    """What the user says: all texts but this one."""
    own_typed: ConfigFile
    below: Config
    """What holds without the file."""
    catalog: Catalog
    ignored: list[Names] = attrs.field(factory=list, init=False)

    def data(self) -> dict[str, Any]:
        """Return what is left of the file."""
        left: dict[str, Any] = {}
        for section, table in self.layer.data.items():
            kept = {} if not isinstance(table, dict) else getattr(self, f"_{section}", self._plain)(section, table)
            if kept:
                left[section] = kept
        return left

    def _plain(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Cut down a table of plain keys."""
        judged = {key: self._key(section, key, raw) for key, raw in table.items()}
        return {key: left for key, left in judged.items() if left is not WIDENS}

    def _key(self, section: str, key: str, raw: Any) -> Any:
        typed, own = (getattr(getattr(each, section, None), key, raw) for each in (self.typed, self.own_typed))
        if typed == own:
            return WIDENS  # it stands already
        return self._judged(f"{section}.{key}", (section, key), Said(key=key, raw=raw, value=typed, below=self.below))

    def _judged(self, name: str, path: Names, said: Said) -> Any:
        """Return what is left of a value; note it when something is missing."""
        left = STANDING.get(name, widens)(said)
        if left is WIDENS or (isinstance(left, list) and name == "security.grant" and len(left) < len(said.value)):
            self.ignored.append(path)
        return left

    def _delegation(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        left: dict[str, Any] = {}
        models: dict[str, Any] = {}
        for part, kind in _PROVIDERS.items():
            tables = table.get(part)
            for id_, settings in tables.items() if isinstance(tables, dict) else ():
                kept = self._provider(part, id_, kind(id_), settings)
                if kept:
                    models.setdefault(part, {})[id_] = kept
        choices = self._choices(models.get("local_models", {}))
        for key, raw in table.items():
            if key == "static_routes" and isinstance(raw, dict):
                kept = dict(self._routes(raw, choices))
                if kept:
                    left[key] = kept
            elif key == "default_target":
                if choices.default_allowed(raw):
                    left[key] = raw
                else:
                    self.ignored.append((section, key))
            elif key not in _PROVIDERS and (value := self._key(section, key, raw)) is not WIDENS:
                left[key] = value
        return {**left, **models}

    def _routes(self, table: Mapping[str, Any], choices: Choices) -> Any:
        for pattern, raw in table.items():
            texts = [raw] if isinstance(raw, str) else raw
            kept = choices.route(pattern, texts)
            if len(kept) < len(texts):
                self.ignored.append(("delegation", "static_routes", pattern))
            if kept:
                yield pattern, kept[0] if isinstance(raw, str) else kept

    def _choices(self, models: Mapping[str, Any]) -> Choices:
        """Return what routes may choose from: all that is there without the file, and models of its own folder."""
        known = {each.target for each in self.below.providers}
        local = frozenset({each.id for each in known if isinstance(each, LocalModel)} | set(models))
        remote = frozenset(each.id for each in known if isinstance(each, RemoteModel))
        table = self.typed.delegation
        named: list[ExecTarget] = [*map(RemoteModel, table.remote_providers), *map(LocalModel, table.local_models)]
        mentioned = map(target_text, named)
        chosen = ("delegation", "default_target")
        return Choices(
            local=local,
            remote=remote,
            mentioned=frozenset(mentioned),
            routes=self.below.routes,
            default=None if self.own.origin(chosen) is None else self.below.default_target,
            of_tenants=tuple(each.routes for each in self.below.tenants.values() if each.routes),
        )

    def _provider(self, part: str, id_: str, target: Any, table: Any) -> dict[str, Any]:
        path = ("delegation", part, id_)
        spec = next((each for each in self.below.providers if each.target == target), None)
        defined = self.own.origin(path) is not None
        if not isinstance(table, dict) or (spec is None and isinstance(target, RemoteModel)):
            self.ignored.append(path)
            return {}
        if spec is None and not defined:
            return self._model(path, id_, table)
        kept = self._host_keys(path, table, spec)
        for key, raw in table.items():
            if key not in key_names(ProviderTable) and getattr(spec and spec.own, key, WIDENS) != raw:
                self.ignored.append((*path, key))
        return {**spec.table, **kept} if kept and spec is not None and not defined else kept

    def _host_keys(self, path: Names, table: Mapping[str, Any], spec: ProviderSpec | None) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key in (each for each in key_names(ProviderTable) if each in table):
            raw, value = table[key], typed_value(ProviderTable, key, table[key])
            if value is MISTAKEN:
                kept[key] = raw  # told by whoever reads on
                continue
            if spec is not None and _host_value(spec, key) == value:
                continue
            said = Said(key=key, raw=raw, value=value, below=self.below, spec=spec)
            left = self._judged(f"delegation.{path[1]}.*.{key}", (*path, key), said)
            if left is not WIDENS:
                kept[key] = left
        return kept

    def _model(self, path: Names, id_: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return an on-device model of the file's own; nothing of it when any of its settings may not be the file's."""
        target = LocalModel(id_)
        known = {each.target: each for each in self.below.providers}
        plugin = table.get("provider") or usual_plugin(target, id_, table, known, self.catalog)
        entry = self.catalog.providers.get(plugin, (None,))[0] if isinstance(plugin, str) else None
        taken = why_no_id(target, known) is not None or RemoteModel(id_) in known
        if entry is None or entry.locality is not Locality.LOCAL or taken:
            self.ignored.append(path)
            return {}
        fields = (
            {} if entry.settings is None else {each.alias or each.name: each for each in attrs.fields(entry.settings)}
        )
        for key in (each for each in table if each not in key_names(ProviderTable)):
            standing = fields[key].metadata.get(UNTRUSTED) if key in fields else ANY[UNTRUSTED]
            within = standing == FILE_WITHIN[UNTRUSTED] and is_within(self.layer.folder, table[key])
            if standing != ANY[UNTRUSTED] and not within:
                self.ignored.append((*path, key))
                return {}
        named = {"provider": plugin} if "provider" in table else {}
        host = self._host_keys(path, {key: value for key, value in table.items() if key != "provider"}, None)
        return {**{key: value for key, value in table.items() if key not in key_names(ProviderTable)}, **host, **named}

    def _caches(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        left: dict[str, Any] = {}
        for name, settings in table.items():
            entry = self.catalog.caches.get(name, (None,))[0]
            spec = self.below.caches.get(name, CacheSpec())
            for key, raw in settings.items():
                current = getattr(spec, key, getattr(spec.own, key, WIDENS))
                if current is not WIDENS and current == raw:
                    continue
                value = typed_value(CacheTable, key, raw) if key in key_names(CacheTable) else raw
                level = None if entry is None else entry.level
                said = Said(key=key, raw=raw, value=value, below=self.below, level=level)
                if self._judged(f"{section}.*.{key}", (section, name, key), said) is not WIDENS:
                    left.setdefault(name, {})[key] = raw
        return left

    def _engines(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        for name, settings in table.items():
            self.ignored.extend((section, name, key) for key in settings)
        return {}

    _prices = _engines

    def _security(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        for key in _NAMED:
            named = table.get(key)
            self.ignored.extend((section, key, name) for name in (named if isinstance(named, dict) else ()))
        return self._plain(section, {key: value for key, value in table.items() if key not in _NAMED})

    def _labels(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Cut down labels: more marks narrow, and less that is accepted."""
        left: dict[str, Any] = {}
        for key, raw in table.items():
            if not isinstance(raw, dict):
                if (kept := self._key(section, key, raw)) is not WIDENS:
                    left[key] = kept
                continue
            for name, texts in raw.items():
                said = Said(key=f"{key}.{name}", raw=texts, value=texts, below=self.below)
                if (kept := self._judged(f"{section}.{key}", (section, key, name), said)) is not WIDENS:
                    left.setdefault(key, {})[name] = kept
        still = still_answered(self.below.labels, left.get("accepts", ()))
        if still:
            left["capabilities"] = {**still, **left.get("capabilities", {})}
        return left

    def _budgets(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """Cut down budgets or rates: more of them narrow, and so do lower amounts."""
        known = {each.name: each for each in (*getattr(self.below, section),)}
        taken = {each.name for spec in self.below.tenants.values() for each in getattr(spec, section)}
        left: dict[str, Any] = {}
        for name, settings in table.items():
            spec, typed = known.get(name), getattr(self.typed, section)[name]
            if name in taken or self._of_own_targets(typed.target):
                self.ignored.append((section, name))
                continue
            for key, raw in settings.items():
                value = getattr(typed, key)
                if spec is not None and getattr(getattr(self.own_typed, section).get(name), key, WIDENS) == value:
                    continue  # it stands already
                said = Said(key=key, raw=raw, value=value, below=self.below, counted=spec)
                if self._judged(f"{section}.*.{key}", (section, name, key), said) is not WIDENS:
                    left.setdefault(name, {})[key] = raw
        return left

    _rates = _budgets

    def _of_own_targets(self, texts: str | Sequence[str]) -> bool:
        """Tell whether targets are among those that only the file defines, which may be ignored."""
        table = self.typed.delegation
        named: list[ExecTarget] = [*map(RemoteModel, table.remote_providers), *map(LocalModel, table.local_models)]
        known = {target_text(each.target) for each in self.below.providers}
        own = set(map(target_text, named)) - known
        return not own.isdisjoint([texts] if isinstance(texts, str) else texts)

    def _keys(self, section: str, table: Mapping[str, Any]) -> dict[str, Any]:
        self.ignored.extend((section, name) for name in table)
        return {}

    _tenants = _guards = _ledgers = _queues = _embedders = _observers = _redaction = _stores = _capabilities = _keys


def _host_value(spec: ProviderSpec, key: str) -> Any:
    return {"provider": spec.plugin, "timeout": spec.timeout * 1000}.get(key, getattr(spec, key, WIDENS))


def is_within(folder: Path, name: Any) -> bool:
    """Tell whether a file lies below a folder, wherever links lead; what is there and is no ordinary file does not."""
    try:
        root = folder.absolute().resolve()
        path = read_path(name, root).resolve()
        return path.is_relative_to(root) and (path.is_file() or not path.exists())
    except (OSError, ValueError, AttributeError, RuntimeError):
        return False


def notice(layer: Layer, ignored: list[Names]) -> Diagnostic:
    """Return the one warning about a file that is not trusted."""
    import shlex

    path = str(layer.path.absolute() if layer.path is not None else "")
    named = [_dotted(names) for names in dict.fromkeys(ignored)]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    since = ", for it was changed since you trusted it" if layer.earlier is not None else ""
    message = f"{visible_line(path)} is not trusted{since}; ignored in it: {', '.join(named[:_MOST_NAMED])}{more}"
    way_out = f"read it; then `rtfs config trust {visible_line(shlex.quote(path))}`, or --trust for one run"
    return Diagnostic(code="E0715", message=message, help=way_out, kind="ConfigError", severity="warning")


def _dotted(names: Names) -> str:
    shown = [
        name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else f'"{name}"' for name in names
    ]
    return visible_line(".".join(each if len(each) <= 60 else f"{each[:59]}…" for each in shown))
