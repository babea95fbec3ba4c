"""What a host counts and bounds, put together from its configuration; nothing where it names no budget and no rate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.signals import Left
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.registry.problems import PluginProblem

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.performing.budgets.budgets import Budgets
    from rtfs_framework.orchestrator.performing.budgets.ledger import Ledger, LedgerError
    from rtfs_framework.orchestrator.performing.budgets.rates import Rates
    from rtfs_framework.orchestrator.performing.gate import Check
    from rtfs_framework.orchestrator.performing.providers import ProviderPool
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.journal.writer import Journal
    from rtfs_framework.registry.catalog import Catalog

FILE = "ledger.sqlite"


@attrs.frozen(slots=True, eq=False)
class Counting:
    """The budgets and rates of a host: checks of its gate, and signals for its engines."""

    budgets: Budgets | None = None
    rates: Rates | None = None

    @property
    def rate_checks(self) -> tuple[Check, ...]:
        """What asks first whether it is too early."""
        if self.rates is None:
            return ()
        from rtfs_framework.orchestrator.performing.budgets.rates import RateCheck

        return (RateCheck(self.rates),)

    @property
    def budget_checks(self) -> tuple[Check, ...]:
        """What asks last: nothing is reserved for what another guard refuses."""
        if self.budgets is None:
            return ()
        from rtfs_framework.orchestrator.performing.budgets.budgets import BudgetCheck

        return (BudgetCheck(self.budgets),)

    def budget(self, name: str) -> Left:
        """Return what is left of a budget; plenty where there is none of that name."""
        return (None if self.budgets is None else self.budgets.budget(name)) or Left.PLENTY

    def rate(self, name: str) -> Left:
        """Return what is left of a rate; plenty where there is none of that name."""
        return (None if self.rates is None else self.rates.rate(name)) or Left.PLENTY

    def close(self) -> None:
        """Release the ledger."""
        if self.budgets is not None:
            self.budgets.ledger.close()


def ledger_path(config: Config, environ: Mapping[str, str]) -> Path:
    """Return the ledger's file; a configured path, which is absolute, goes first."""
    return Path(config.ledger.path) if config.ledger.path else data_dir(environ) / FILE


def open_ledger(config: Config, environ: Mapping[str, str], clock: Clock, catalog: Catalog | None = None) -> Ledger:
    """Return the ledger of a user; nothing is opened before it is first used."""
    if config.ledger.store is not None:
        from rtfs_framework.orchestrator.performing.budgets.offered import offered_ledger

        return offered_ledger(config.ledger, environ, clock, catalog)
    from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger

    return SqliteLedger(ledger_path(config, environ), clock)


def build_counting(
    config: Config,
    pool: ProviderPool,
    environ: Mapping[str, str],
    clock: Clock,
    events: EventBus,
    journal: Journal | None,
    catalog: Catalog | None = None,
) -> Counting:
    """Return the budgets and rates of a host; no file is opened yet."""
    if not config.budgets and not config.rates:
        return Counting()
    from rtfs_framework.orchestrator.performing.budgets.budgets import Budgets
    from rtfs_framework.orchestrator.performing.budgets.estimate import dearest
    from rtfs_framework.orchestrator.performing.budgets.left import Bands
    from rtfs_framework.orchestrator.performing.budgets.matching import matched
    from rtfs_framework.orchestrator.performing.budgets.rates import Rates
    from rtfs_framework.registry.collect import other_ids

    def told(read: str) -> Bands:
        def changed(name: str, left: Left) -> None:
            events.emit(f"{read}.changed", {read: name, "left": left.value})
            if journal is not None:
                journal.signal(read, name, left)

        return Bands(changed)

    offered = {} if catalog is None else catalog.capabilities
    ids = {id_: other_ids(id_, entry) for id_, (entry, _) in offered.items()}
    budgets = Budgets(
        specs=matched(config.budgets, ids),
        ledger=open_ledger(config, environ, clock, catalog),
        rules=config.ledger,
        tenant=config.tenant,
        clock=clock,
        dearest=lambda: dearest(each.spec for each in pool.instances.values()),
        bands=told("budget"),
        failed=lambda error: _failed(events, error),
    )
    rates = Rates(
        specs=matched(config.rates, ids),
        tenant=config.tenant,
        most_reply=config.ledger.max_tokens,
        clock=clock,
        bands=told("rate"),
    )
    return Counting(budgets if config.budgets else None, rates if config.rates else None)


def _failed(events: EventBus, error: LedgerError) -> None:
    message = f"the ledger of budgets: {error}; what was spent stays reserved in full"
    way_out = "free some space or make the file writable; then see `rtfs budget list`"
    found = PluginProblem(code="E0613", message=message, distributions=(), help=way_out, severity="warning")
    events.faults.add(found, ("ledger", str(error)))
    events.emit("budgets.failed", {"error": message})
