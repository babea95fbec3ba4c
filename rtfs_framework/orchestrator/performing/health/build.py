"""A host's board, put together from its configuration, its providers and the ledger in the user's data folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rtfs_framework.api.targets import ExecTarget, show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.folders import data_dir
from rtfs_framework.orchestrator.config.health import HealthSpec
from rtfs_framework.orchestrator.config.key_binding import endpoint_of
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.health.board import Board, Watched
from rtfs_framework.orchestrator.performing.health.ledger import LedgerError, SignalLedger, SignalRow
from rtfs_framework.orchestrator.performing.health.sharing import Shared
from rtfs_framework.orchestrator.remembering.keys import key_of
from rtfs_framework.registry.problems import PluginProblem

if TYPE_CHECKING:
    from rtfs_framework.api.signals import Health
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.events import EventBus
    from rtfs_framework.orchestrator.recording.journal.writer import Journal

FILE = "signals.sqlite"
UNAVAILABLE = "E0725"


class LaterSqlite:
    """The ledger in SQLite, whose code is imported when there is something to read or write."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._made: SignalLedger | None = None

    def read(self, key: str) -> SignalRow | None:
        """Return a row, None when there is none."""
        return self._ledger().read(key) if self._is_there() else None

    def change(self, row: SignalRow) -> bool:
        """Write a state over the version before it; tell whether that was still there."""
        return self._ledger().change(row)

    def measured(self, row: SignalRow) -> None:
        """Write the latency of a row alone."""
        self._ledger().measured(row)

    def rows(self) -> list[SignalRow]:
        """Return all rows, by target."""
        return self._ledger().rows() if self._is_there() else []

    def close(self) -> None:
        """Close the file."""
        if self._made is not None:
            self._made.close()

    def _is_there(self) -> bool:
        try:
            return self._made is not None or self._path().exists()
        except OSError as error:
            raise LedgerError(f"{self._path()}: {error.strerror or error}") from error

    def _ledger(self) -> SignalLedger:
        if self._made is None:
            from rtfs_framework.orchestrator.performing.health.sqlite_ledger import SqliteSignals

            self._made = SqliteSignals(self._path())
        return self._made


def ledger_of(environ: Mapping[str, str]) -> SignalLedger:
    """Return the ledger of a user; nothing is opened yet."""
    return LaterSqlite(lambda: data_dir(environ) / FILE)


def build_board(
    spec: HealthSpec,
    pool: ProviderPool,
    environ: Mapping[str, str],
    clock: Clock,
    events: EventBus,
    journal: Journal | None,
) -> Board:
    """Return the signals of a host; nothing is read or written yet."""

    def failed(error: LedgerError) -> None:
        message = f"signals cannot be shared: {error}; this process goes by what it sees itself"
        way_out = (
            "free some space, make the file writable or delete it: it is made anew; or set [health] shared = false"
        )
        found = PluginProblem(code=UNAVAILABLE, message=message, distributions=(), help=way_out, severity="warning")
        events.faults.add(found, ("signals", str(error)))
        events.emit("signals.failed", {"error": message})

    def changed(text: str, before: Health, after: Health, reason: str) -> None:
        events.emit("health.changed", {"target": text, "from": before.value, "to": after.value, "reason": reason})

    def told(name: str, target: ExecTarget, value: object) -> None:
        if journal is not None:
            journal.signal(name, show_target(target), value)

    shared = Shared(ledger_of(environ) if spec.shared else None, clock, failed)
    return Board(
        spec=spec, clock=clock, shared=shared, watched=lambda: watched_of(spec, pool), changed=changed, told=told
    )


def watched_of(spec: HealthSpec, pool: ProviderPool) -> dict[ExecTarget, Watched]:
    """Return the targets whose requests are counted: those that may have to wait, and those that a table names.

    A provider that answers at once, in this process, cannot be down.
    """
    return {
        target: Watched(key=row_key(instance), text=target_text(target), timeout=instance.spec.timeout)
        for target, instance in pool.instances.items()
        if (target in spec.targets or not instance.immediate) and pool.unusable(target) is None
    }


def row_key(instance: ProviderInstance) -> str:
    """Return what tells one server and model from another of the same name."""
    spec = instance.spec
    where = endpoint_of(spec, instance.environ)
    table = json.dumps(spec.table, sort_keys=True, default=str)
    return key_of("signals-1", spec.plugin, target_text(spec.target), "" if where is None else str(where), table)
