"""The kinds of things that plugins offer: one line per hook, and nothing else knows the list."""

from __future__ import annotations

import attrs

from rtfs_framework import api


@attrs.frozen(slots=True)
class Kind:
    """A kind: its word, the catalog's table, the hook that fills it, the record's class, the field that names it."""

    word: str
    table: str
    hook: str
    record: str
    key: str = "name"

    def record_class(self) -> type[object]:
        """Return the record's class; its module is imported only when some plugin offers this kind."""
        found: type[object] = getattr(api, self.record)
        return found


KINDS = (
    Kind("engine", "engines", "rtfs_engines", "EngineEntry"),
    Kind("provider", "providers", "rtfs_providers", "ProviderEntry"),
    Kind("cache", "caches", "rtfs_caches", "CacheEntry"),
    Kind("capability", "capabilities", "rtfs_capabilities", "CapabilityEntry", key="id"),
    Kind("capability set", "capability_sets", "rtfs_capability_sets", "CapabilitySetEntry"),
    Kind("guard", "guards", "rtfs_guards", "GuardEntry"),
    Kind("embedder", "embedders", "rtfs_embedders", "EmbedderEntry"),
    Kind("store", "stores", "rtfs_stores", "StoreEntry"),
    Kind("ledger", "ledgers", "rtfs_ledgers", "LedgerEntry"),
    Kind("queue", "queues", "rtfs_queues", "QueueEntry"),
    Kind("executor", "executors", "rtfs_executors", "ExecutorEntry"),
    Kind("command", "commands", "rtfs_commands", "CommandEntry"),
    Kind("observer", "observers", "rtfs_observers", "ObserverEntry"),
)
