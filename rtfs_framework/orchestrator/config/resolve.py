"""Tables to records: names become targets and plugins, and every name that leads nowhere is a mistake with its place.

Codes here, besides those of `api.toml_structure`: E0706 a name that nothing bears (target, provider, engine, cache).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.api.endpoints import BadEndpoint
from rtfs_framework.api.settings import FILE_WITHIN, UNTRUSTED, SettingsSchema
from rtfs_framework.api.targets import ExecTarget, LocalModel, LocalPure, RemoteModel
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.orchestrator.config.budgets import BudgetTables, LedgerSpec
from rtfs_framework.orchestrator.config.capability_sets import read_sets
from rtfs_framework.orchestrator.config.engine_tree import EngineTree
from rtfs_framework.orchestrator.config.grants import GrantReader
from rtfs_framework.orchestrator.config.journal import journal_spec
from rtfs_framework.orchestrator.config.key_binding import endpoints_of, host_of, names_key
from rtfs_framework.orchestrator.config.labels_reading import read_labels
from rtfs_framework.orchestrator.config.members import MemberReader, models_in, with_members
from rtfs_framework.orchestrator.config.model import (
    AttemptSpec,
    CacheSpec,
    Config,
    EmbedderSpec,
    Found,
    ProviderSpec,
)
from rtfs_framework.orchestrator.config.own import Reading, default_engine, key_names, usual_plugin
from rtfs_framework.orchestrator.config.owners import Owners
from rtfs_framework.orchestrator.config.paths import BadPath, read_path
from rtfs_framework.orchestrator.config.publishing import USUAL_PUBLISHING, PublishingSpec
from rtfs_framework.orchestrator.config.queue import USUAL_QUEUE, USUAL_STORE, QueueSpec
from rtfs_framework.orchestrator.config.routes import Unknown, known_texts, parse_target, target_text
from rtfs_framework.orchestrator.config.surroundings import read_surroundings
from rtfs_framework.orchestrator.config.tables.agents import read_mcp
from rtfs_framework.orchestrator.config.tables.budgets import StoreTable
from rtfs_framework.orchestrator.config.tables.file import CacheTable, ConfigFile, ProviderTable
from rtfs_framework.orchestrator.config.tables.guards import GuardTables
from rtfs_framework.orchestrator.config.tables.health import read_health
from rtfs_framework.orchestrator.config.tables.observers import ObserverSpec, read_observers
from rtfs_framework.orchestrator.config.tables.prices import priced
from rtfs_framework.orchestrator.config.tables.publishing import USUAL_PUBLISHING_TABLE
from rtfs_framework.orchestrator.config.tables.queue import USUAL_QUEUE_TABLE
from rtfs_framework.orchestrator.config.tables.redaction import RedactionTables
from rtfs_framework.orchestrator.config.tables.serve import read_serve
from rtfs_framework.orchestrator.config.tables.serve_models import read_models
from rtfs_framework.registry.faults import Part, ask

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.registry.catalog import Catalog

_SECTIONS: tuple[tuple[str, Callable[[str], LocalModel | RemoteModel]], ...] = (
    ("remote_providers", RemoteModel),
    ("local_models", LocalModel),
)

_DECIDING = ("delegation", "engines", "embedders", "security", "budgets", "rates", "guards", "redaction",
             "labels", "hints")  # fmt: skip
"""The tables that decisions rest on."""


@attrs.frozen(slots=True)
class Resolver:
    """One configuration's resolution against a catalog."""

    reading: Reading
    catalog: Catalog
    merged: Merged

    def resolve(self, file: ConfigFile, data: Mapping[str, Any], defaults: Iterable[ProviderSpec]) -> Config:
        """Return the configuration; mistakes are noted in `reading`, and the result then is of no use."""
        table = file.delegation
        providers = self._providers(file, defaults)
        local = [spec.target.id for spec in providers if isinstance(spec.target, LocalModel)]
        remote = [spec.target.id for spec in providers if isinstance(spec.target, RemoteModel)]

        def target(text: str, path: KeyPath) -> ExecTarget:
            found = parse_target(text, local, remote)
            if isinstance(found, Unknown):
                self.reading.mistake("E0706", found.message, path, found.help)
                return LocalPure()
            return found

        def named(text: str) -> ExecTarget | Unknown:
            return parse_target(text, local, remote)

        providers = MemberReader(self.reading, named, {spec.target: spec for spec in providers}, self.catalog).read()
        self._check_keys(file.keys)
        grants = GrantReader(self.reading, self.catalog, self.merged)
        security = grants.rules(file.security)
        wanted = table.engine or default_engine(self.catalog)
        texts = tuple(known_texts(local, remote))
        redaction = RedactionTables(self.reading, self.catalog).rules(file.redaction)
        tree = EngineTree(self.reading, self.catalog, file.engines, named, texts, redaction, self._directory)
        counted = BudgetTables(self.reading.mistake, target, self.merged, grants)
        tenants = counted.tenants(file.tenants, {"budgets": file.budgets, "rates": file.rates})
        models = read_models(self.reading.mistake, file.serve.models, target, partial(self._path, file=True))
        labels = read_labels(self.reading, self.catalog, named, file, data, providers, security)
        labels = None if labels is None else with_members(labels, providers)
        return Config(
            path=None if self.merged.path is None else str(self.merged.path),
            default_target=target(table.default_target, ("delegation", "default_target")),
            found=_described(target, table.described),
            cache_ttl=table.cache_ttl,
            engine=tree.resolve(wanted),
            shadow=tree.resolve(table.shadow, "shadow"),
            engine_chosen=table.engine is not None,
            embedder=self._embedder(file, providers),
            observers=self._observers(file),
            capability_sets=read_sets(self.reading, self.catalog, self.merged, file.capabilities),
            plan=None if table.plan is None else self._path(table.plan, ("delegation", "plan"), file=True),
            concurrency=table.concurrency,
            parallel=table.parallel,
            attempts=AttemptSpec(
                most=table.attempts, on_exhausted=table.on_exhausted, quality_floor=table.quality_floor
            ),
            routes=_routes(table.static_routes, target),
            providers=tuple(priced(spec, file.prices) for spec in providers),
            caches=self._caches(file.caches, target, l4=table.enable_l4_cache),
            security=security,
            surroundings=read_surroundings(file.security, self.reading.mistake),
            journal=journal_spec(file.journal, self.reading, self._path),
            warming=file.warming.spec(),
            module_path=self._module_path(file),
            limits=file.limits.limits(),
            health=read_health(self.reading, file.health, target),
            hints=file.hints,
            guards=GuardTables(self.reading, self.catalog, named).guards(file.guards),
            redaction=redaction,
            approval_seconds=file.approvals.timeout,
            budgets=counted.budgets(file.budgets, ("budgets",)),
            rates=counted.rates(file.rates, ("rates",)),
            tenants=tenants,
            ledger=self._ledger(file),
            queue=self._queue(file),
            publishing=self._publishing(file),
            labels=labels,
            serve=attrs.evolve(read_serve(self.reading.mistake, file.serve, tenants, labels), models=models),
            write=file.write.spec(target),
            mcp=read_mcp(self.reading.mistake, file.mcp, tenants, labels),
            tables={name: data[name] for name in _DECIDING if name in data},
        )

    def _providers(self, file: ConfigFile, defaults: Iterable[ProviderSpec]) -> tuple[ProviderSpec, ...]:
        """Return the file's providers, after those defaults that it does not replace."""
        found: dict[ExecTarget, ProviderSpec] = {spec.target: spec for spec in defaults}
        owners = Owners(self.reading, self.catalog)
        for section, make in _SECTIONS:
            for name, table in getattr(file.delegation, section).items():
                path = ("delegation", section, name)
                target = make(name)
                if not owners.claim(target, path):
                    continue
                spec = self._provider(target, name, table, path, found)
                if spec is not None:  # a default that is written alike gives way
                    text = target_text(target)
                    found = {each: s for each, s in found.items() if each == target or target_text(each) != text}
                    found[target] = spec
        owners.beside(spec for spec in found.values() if spec.directory is None)
        least = file.delegation.min_confidence
        return tuple(
            spec if "min_confidence" in spec.table else attrs.evolve(spec, min_confidence=least)
            for spec in found.values()
        )

    def _provider(
        self,
        target: ExecTarget,
        name: str,
        table: Mapping[str, Any],
        path: KeyPath,
        defaults: Mapping[ExecTarget, ProviderSpec],
    ) -> ProviderSpec | None:
        wanted = table.get("provider")
        if wanted is not None and not isinstance(wanted, str):
            self.reading.structure(ProviderTable, {"provider": wanted}, path)
            return None
        plugin = wanted if isinstance(wanted, str) else usual_plugin(target, name, table, defaults, self.catalog)
        if plugin is None:
            self.reading.mistake(
                "E0704", "the key 'provider' is missing", path, "add provider = ... (which plugin answers)", key=True
            )
            return None
        offered = self.catalog.offers_provider(plugin)
        if offered is None:
            self._known("provider", plugin, self.catalog.providers, (*path, "provider"))
            return None
        entry, provenance = offered
        part = Part("provider", plugin, provenance)
        ours, own = self.reading.split(ProviderTable, part, entry.settings, table, path)
        if ours is None:
            return None
        for key in filter(table.__contains__, _file_keys(entry.settings)):
            if isinstance(table[key], str):
                self._path(table[key], (*path, key))  # the plugin reads it, and may have names that are no paths
        if ours.batch > 1 and not entry.batch:
            wrong = f"the provider '{plugin}' takes one call at a time"
            self.reading.mistake("E0705", wrong, (*path, "batch"), "leave it out")
        spec = ProviderSpec(
            id=name,
            plugin=plugin,
            target=target,
            timeout=ours.timeout / 1000,
            reuse=ours.reuse,
            input_cost=ours.input_cost,
            output_cost=ours.output_cost,
            parallel=ours.parallel,
            quality=ours.quality,
            description=ours.description,
            idempotent=ours.idempotent,
            batch=ours.batch,
            later=ours.later,
            workers=ours.workers,
            min_confidence=ours.min_confidence or 0.0,
            accepts=None if ours.accepts is None else frozenset(ours.accepts),
            marks=frozenset(ours.marks),
            model=ask(part, "its setting `model`", lambda: str(getattr(own, "model", "") or "")),
            own=own,
            table=dict(table),
            directory=self._directory(path, table, entry.settings),
        )
        where = next((each for each in endpoints_of(spec, {}) if not each.keeps_secrets), None)
        if where is not None and names_key(spec):
            message = f"a key would go to {where.origin} over plain http, where anybody on the way can read it"
            way_out = 'use https, or api_key_env = "" where no key is wanted; only this machine may be asked over http'
            self.reading.mistake("E0718", message, (*path, "endpoint"), way_out)
        return spec

    def _directory(self, path: KeyPath, table: Mapping[str, Any], settings: SettingsSchema | None) -> str:
        """Return where a plugin's relative paths start: in the folder of the text that names its files."""
        files = _file_keys(settings)
        own = [key for key in table if key not in key_names(ProviderTable)]
        first = next((key for key in (*files, *own, *table) if key in table), None)
        return str(self.merged.folder(path if first is None else (*path, first)).absolute())

    def _observers(self, file: ConfigFile) -> dict[str, ObserverSpec]:
        return read_observers(self.reading, self.catalog, file.observers)

    def _embedder(self, file: ConfigFile, providers: Iterable[ProviderSpec]) -> EmbedderSpec | None:
        if file.delegation.embedder is None and not file.embedders:
            return None
        from rtfs_framework.orchestrator.config.tables.embedders import read_embedder

        return read_embedder(self.reading, self.catalog, file.delegation.embedder, file.embedders, providers)

    def _caches(
        self, tables: Mapping[str, Mapping[str, Any]], target: Callable[[str, KeyPath], ExecTarget], *, l4: bool | None
    ) -> dict[str, CacheSpec]:
        made: dict[str, CacheSpec] = {}
        if l4 is not None:
            of_level = (name for name, (entry, _) in self.catalog.caches.items() if entry.level is CacheLevel.L4)
            tables = {**tables, **{name: {"enabled": l4, **tables.get(name, {})} for name in of_level}}
        for name, table in tables.items():
            entry = self._known("cache", name, self.catalog.caches, ("caches", name), key=True)
            if entry is None:
                continue
            ours, own = self.reading.split(
                CacheTable, self.catalog.part("cache", name), entry.settings, table, ("caches", name)
            )
            if ours is not None:
                at = self._directory(("caches", name), table, entry.settings)
                targets = models_in(own, ("caches", name), target, self.reading.mistake)
                made[name] = CacheSpec(
                    enabled=ours.enabled, ttl=ours.ttl, patience=ours.patience, own=own, directory=at, targets=targets
                )
        return made

    def _check_keys(self, keys: Mapping[str, str | list[str]]) -> None:
        for name, texts in keys.items():
            for place, text in enumerate([texts] if isinstance(texts, str) else texts):
                try:
                    host_of(text)
                except BadEndpoint as error:  # noqa: PERF203 - a few, each with a mistake of its own
                    path: KeyPath = ("keys", name) if isinstance(texts, str) else ("keys", name, place)
                    self.reading.mistake("E0705", f"'{name}' {error}", path, 'such as "https://api.example.com"')

    def _ledger(self, file: ConfigFile) -> LedgerSpec:
        table = file.ledger
        path = None if table.path is None else self._path(table.path, ("ledger", "path"), file=True)
        return LedgerSpec(
            path=path,
            store=table.store,
            own=self._chosen("ledger", self.catalog.ledgers, table.store, file.ledgers),
            unknown_price=table.unknown_price,
            max_tokens=table.max_tokens,
            lease=table.lease,
        )

    def _queue(self, file: ConfigFile) -> QueueSpec:
        table = file.queue
        if table == USUAL_QUEUE_TABLE and not file.queues:
            return USUAL_QUEUE
        store = table.store or USUAL_STORE
        wanted = table.store or (store if store in file.queues else None)
        return QueueSpec(
            store=store,
            own=self._chosen("queue", self.catalog.queues, wanted, file.queues),
            directory=str(self.merged.folder(("queues", store)).absolute()),
            most_items=table.most_items,
            most_bytes=table.most_bytes,
            keep=table.keep,
            weights=dict(table.weights),
        )

    def _chosen(
        self,
        kind: str,
        offered: Mapping[str, tuple[Any, Any]],
        chosen: str | None,
        tables: Mapping[str, Mapping[str, Any]],
    ) -> Any:
        """Return the settings of the one that is chosen; what is wrong in the tables of others is noted, too."""
        found: dict[str, Any] = {}
        for name in {chosen: None, **tables} if chosen is not None else tables:
            path: KeyPath = (f"{kind}s", name) if name in tables else (kind, "store")
            entry = self._known(kind, name, offered, path, key=name in tables)
            if entry is not None:
                part = self.catalog.part(kind, name)
                found[name] = self.reading.split(StoreTable, part, entry.settings, tables.get(name, {}), path)[1]
        return None if chosen is None else found.get(chosen)

    def _publishing(self, file: ConfigFile) -> PublishingSpec:
        if file.publishing == USUAL_PUBLISHING_TABLE and not file.stores:
            return USUAL_PUBLISHING
        from rtfs_framework.orchestrator.config.tables.publishing import read_publishing

        def directory(path: KeyPath, table: Mapping[str, Any], settings: SettingsSchema | None) -> str:
            first = next((key for key in (*_file_keys(settings), "path", *table) if key in table), None)
            return str(self.merged.folder(path if first is None else (*path, first)).absolute())

        return read_publishing(self.reading, self.catalog, file.publishing, file.stores, self._path, directory)

    def _module_path(self, file: ConfigFile) -> tuple[str, ...]:
        found = (self._path(text, ("modules", "path", place)) for place, text in enumerate(file.modules.path))
        return tuple(filter(None, found))

    def _path(self, text: str, path: KeyPath, *, file: bool = False) -> str | None:
        """Return the path that a setting names, None after noting why it names none."""
        try:
            return str(read_path(text, self.merged.folder(path[:2]), file=file))
        except BadPath as error:
            self.reading.mistake("E0705", str(error), path, error.way_out)
            return None

    def _known(
        self, kind: str, name: str, table: Mapping[str, tuple[Any, Any]], path: KeyPath, *, key: bool = False
    ) -> Any:
        found = table.get(name)
        if found is not None:
            return found[0]
        problem = self.catalog.contested.get((kind, name))
        if problem is not None:
            self.reading.mistake("E0706", problem.message, path, problem.help, key=key)
            return None
        installed = ", ".join(sorted(table)) or "none"
        way_out = did_you_mean(name, table) or f"installed: {installed}; or install the plugin that offers it"
        self.reading.mistake("E0706", f"no {kind} is called '{name}'", path, way_out, key=key)
        return None


def _file_keys(settings: SettingsSchema | None) -> list[str]:
    """Return the keys of a plugin that name files."""
    fields = () if settings is None else attrs.fields(settings)
    return [each.alias or each.name for each in fields if each.metadata.get(UNTRUSTED) == FILE_WITHIN[UNTRUSTED]]


def _described(target: Callable[[str, KeyPath], ExecTarget], text: str | None) -> Found | None:
    """Return where described functions go, None where the configuration names nothing but their own bodies."""
    named = None if text is None else target(text, ("delegation", "described"))
    return Found(named, "") if isinstance(named, LocalModel | RemoteModel) else None


def _routes(
    table: Mapping[str, str | list[str]], target: Callable[[str, KeyPath], ExecTarget]
) -> dict[str, tuple[ExecTarget, ...]]:
    routes: dict[str, tuple[ExecTarget, ...]] = {}
    for pattern, texts in table.items():
        path: KeyPath = ("delegation", "static_routes", pattern)
        if isinstance(texts, str):
            routes[pattern] = (target(texts, path),)
        else:
            routes[pattern] = tuple(target(text, (*path, place)) for place, text in enumerate(texts))
    return routes
