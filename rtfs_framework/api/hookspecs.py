"""The hooks. Each is called once, when a host starts, and returns records; none is called per program or per call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rtfs_framework.api.markers import hookimpl, hookspec

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

__all__ = ["RtfsHookSpecs", "hookimpl"]


class RtfsHookSpecs:
    """What a plugin may offer. All hooks are optional."""

    @hookspec
    def rtfs_engines(self) -> Iterable[EngineEntry]:
        """Offer delegation engines. Called once at start; `[delegation] engine` selects one by name."""
        raise AssertionError

    @hookspec
    def rtfs_providers(self) -> Iterable[ProviderEntry]:
        """Offer model providers. Called once at start; instances are configured per provider name."""
        raise AssertionError

    @hookspec
    def rtfs_caches(self) -> Iterable[CacheEntry]:
        """Offer cache layers. Called once at start; `[caches]` switches them on and off."""
        raise AssertionError

    @hookspec
    def rtfs_capabilities(self) -> Iterable[CapabilityEntry]:
        """Offer capabilities. Called once at start; `[security] grant` says which programs may use."""
        raise AssertionError

    @hookspec
    def rtfs_capability_sets(self) -> Iterable[CapabilitySetEntry]:
        """Offer capabilities that share state. Called once at start; `[capabilities.<name>]` configures each."""
        raise AssertionError

    @hookspec
    def rtfs_guards(self) -> Iterable[GuardEntry]:
        """Offer checks of requests and replies. Called once at start; `[guards]` says which are at work."""
        raise AssertionError

    @hookspec
    def rtfs_embedders(self) -> Iterable[EmbedderEntry]:
        """Offer what makes vectors of texts. Called once at start; `[delegation] embedder` selects one by name."""
        raise AssertionError

    @hookspec
    def rtfs_stores(self) -> Iterable[StoreEntry]:
        """Offer stores of published programs. Called once at start; a table `[stores.<name>]` makes one."""
        raise AssertionError

    @hookspec
    def rtfs_ledgers(self) -> Iterable[LedgerEntry]:
        """Offer ledgers of budgets. Called once at start; `[ledger] store` selects one by name."""
        raise AssertionError

    @hookspec
    def rtfs_queues(self) -> Iterable[QueueEntry]:
        """Offer durable queues. Called once at start; `[queue] store` selects one by name."""
        raise AssertionError

    @hookspec
    def rtfs_executors(self) -> Iterable[ExecutorEntry]:
        """Offer clusters over which records are spread. Called once at start; `rtfs run --on` names one."""
        raise AssertionError

    @hookspec
    def rtfs_commands(self) -> Iterable[CommandEntry]:
        """Offer commands of the `rtfs` tool. Called once at start."""
        raise AssertionError

    @hookspec
    def rtfs_observers(self) -> Iterable[ObserverEntry]:
        """Offer observers of runs. Called once at start."""
        raise AssertionError
