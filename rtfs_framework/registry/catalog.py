"""The catalog: what is known, as plain tables from name to (entry, provenance)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.kinds import KINDS
from rtfs_framework.registry.permissions import ALL_ALLOWED, Allowed
from rtfs_framework.registry.problems import HOST, UNKNOWN, PluginProblem, Provenance

if TYPE_CHECKING:
    from rtfs_framework.api.cache import CacheEntry
    from rtfs_framework.api.capability import CapabilityEntry, CapabilitySetEntry
    from rtfs_framework.api.command import CommandEntry
    from rtfs_framework.api.embedder import EmbedderEntry
    from rtfs_framework.api.engine import EngineEntry
    from rtfs_framework.api.executor import ExecutorEntry
    from rtfs_framework.api.guard import GuardEntry
    from rtfs_framework.api.ledger import LedgerEntry
    from rtfs_framework.api.observer import ObserverEntry
    from rtfs_framework.api.provider import ProviderEntry
    from rtfs_framework.api.queue import QueueEntry
    from rtfs_framework.api.store import StoreEntry
    from rtfs_framework.registry.discover import FoundPlugin

Entry = TypeVar("Entry")
_NONE: Mapping[Any, Any] = MappingProxyType({})


@attrs.frozen(slots=True, kw_only=True)
class Catalog:
    """What plugins offer. A name that two of them offer is in no table; asking for it raises that problem's error."""

    engines: Mapping[str, tuple[EngineEntry, Provenance]] = _NONE
    providers: Mapping[str, tuple[ProviderEntry, Provenance]] = _NONE
    caches: Mapping[str, tuple[CacheEntry, Provenance]] = _NONE
    capabilities: Mapping[str, tuple[CapabilityEntry, Provenance]] = _NONE
    """By id."""
    capability_sets: Mapping[str, tuple[CapabilitySetEntry, Provenance]] = _NONE
    guards: Mapping[str, tuple[GuardEntry, Provenance]] = _NONE
    embedders: Mapping[str, tuple[EmbedderEntry, Provenance]] = _NONE
    stores: Mapping[str, tuple[StoreEntry, Provenance]] = _NONE
    ledgers: Mapping[str, tuple[LedgerEntry, Provenance]] = _NONE
    queues: Mapping[str, tuple[QueueEntry, Provenance]] = _NONE
    executors: Mapping[str, tuple[ExecutorEntry, Provenance]] = _NONE
    commands: Mapping[str, tuple[CommandEntry, Provenance]] = _NONE
    observers: Mapping[str, tuple[ObserverEntry, Provenance]] = _NONE
    data: Mapping[str, FoundPlugin] = _NONE
    """What is loaded only where it is needed, by the name of its entry point ("prices")."""
    function_names: Mapping[str, str] = _NONE
    """Names under which programs may call a capability directly, to its id."""
    aliases: Mapping[str, str] = _NONE
    """Other ids of capabilities, to their own."""
    plugins: tuple[Provenance, ...] = ()
    """Every plugin that was tried, also those that offered nothing."""
    problems: tuple[PluginProblem, ...] = ()
    contested: Mapping[tuple[str, str], PluginProblem] = _NONE
    """(kind, name) of what several plugins offer, to its problem."""
    restricted: bool = False
    """Whether `RTFS_PLUGINS` chose what was loaded."""
    declared: Mapping[Provenance, tuple[str, ...] | None] = _NONE
    """The permissions that each plugin's distribution declares, None where it says nothing of them."""
    allowed: Allowed = ALL_ALLOWED
    """What plugins may have here."""

    @property
    def prices(self) -> FoundPlugin | None:
        """What knows the prices of models, if it is installed."""
        return self.data.get("prices")

    def part(self, kind: str, name: str) -> Part:
        """Return who offers an entry of a kind ("engine", "provider", ...), for reports of its faults.

        Raises:
            KeyError: Nobody does.
        """
        table = next(each.table for each in KINDS if each.word == kind)
        return Part(kind, name, getattr(self, table)[name][1])

    def engine(self, name: str) -> EngineEntry:
        """Return the engine of a name; raises PluginError when there is none, or more than one."""
        return self._entry("engine", self.engines, name)

    def provider(self, name: str) -> ProviderEntry:
        """Return the provider of a name; raises PluginError when there is none, or more than one."""
        return self._entry("provider", self.providers, name)

    def offers_provider(self, name: str) -> tuple[ProviderEntry, Provenance] | None:
        """Return who answers for a provider that a configuration may name; None when nobody does, or several offer it.

        That is a plugin's entry, or what stands for a known one that is not installed.
        """
        found = self.providers.get(name)
        if found is None and ("provider", name) not in self.contested:
            from rtfs_framework.registry.absent import ABSENT

            found = ABSENT.get(name)
        return found

    def provider_of(self, name: str) -> tuple[ProviderEntry, Provenance]:
        """Return the same of a provider that a configuration was accepted with."""
        found = self.offers_provider(name)
        if found is None:
            raise self._unknown("provider", self.providers, name)
        return found

    def cache(self, name: str) -> CacheEntry:
        """Return the cache layer of a name; raises PluginError when there is none, or more than one."""
        return self._entry("cache", self.caches, name)

    def capability(self, name: str) -> CapabilityEntry:
        """Return the capability of an id; raises PluginError when there is none, or more than one."""
        return self._entry("capability", self.capabilities, name)

    def guard(self, name: str) -> GuardEntry:
        """Return the guard of a name; raises PluginError when there is none, or more than one."""
        return self._entry("guard", self.guards, name)

    def embedder(self, name: str) -> EmbedderEntry:
        """Return the embedder of a name; raises PluginError when there is none, or more than one."""
        return self._entry("embedder", self.embedders, name)

    def store(self, name: str) -> StoreEntry:
        """Return the store of a name; raises PluginError when there is none, or more than one."""
        return self._entry("store", self.stores, name)

    def ledger(self, name: str) -> LedgerEntry:
        """Return the ledger of a name; raises PluginError when there is none, or more than one."""
        return self._entry("ledger", self.ledgers, name)

    def queue(self, name: str) -> QueueEntry:
        """Return the queue of a name; raises PluginError when there is none, or more than one."""
        return self._entry("queue", self.queues, name)

    def executor(self, name: str) -> ExecutorEntry:
        """Return the executor of a name; raises PluginError when there is none, or more than one."""
        return self._entry("executor", self.executors, name)

    def command(self, name: str) -> CommandEntry:
        """Return the command of a name; raises PluginError when there is none, or more than one."""
        return self._entry("command", self.commands, name)

    def observer(self, name: str) -> ObserverEntry:
        """Return the observer of a name; raises PluginError when there is none, or more than one."""
        return self._entry("observer", self.observers, name)

    def _entry(self, kind: str, table: Mapping[str, tuple[Entry, Provenance]], name: str) -> Entry:
        found = table.get(name)
        if found is not None:
            return found[0]
        problem = self.contested.get((kind, name))
        raise problem.error() if problem is not None else self._unknown(kind, table, name)

    def _unknown(self, kind: str, known: Iterable[str], name: str) -> PluginError:
        names = sorted(known)
        hint = did_you_mean(name, names)
        text = f"no {kind} is called `{name}`" + (f"; {hint}" if hint else "")
        way_out = f"known: {', '.join(names)}" if names else f"no loaded plugin offers any {kind}"
        if self.restricted:
            way_out += "; RTFS_PLUGINS leaves out what it does not name"
        if self.problems:
            way_out += f"; plugins with problems: {len(self.problems)} (see `rtfs plugins`)"
        return PluginError(HOST, text, code=UNKNOWN, way_out=way_out)
