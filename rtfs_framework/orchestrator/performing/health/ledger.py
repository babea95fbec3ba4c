"""What processes tell one another of targets, and the interface behind which it is kept.

Times in rows are seconds since the epoch, for they outlive the process. Rows are versioned: whoever changes a state
says which version it has seen, and is told when somebody else was first. So one process at a time sends probes.
"""

from __future__ import annotations

from typing import Protocol

import attrs


@attrs.frozen(slots=True, kw_only=True)
class SignalRow:
    """One target's signals."""

    key: str
    """Of the target and whatever makes it another server: two configurations may give one name to different ones."""
    target: str
    """Its text, for people."""
    state: str = "closed"
    stage: int = 0
    opened: int = 0
    until: float = 0.0
    changed: float = 0.0
    reason: str = ""
    failed: int = 0
    """While closed: how many of the last `calls` outcomes were failures, at `counted`."""
    calls: int = 0
    counted: float = 0.0
    p50: float | None = None
    p95: float | None = None
    version: int = 0


class LedgerError(Exception):
    """The ledger cannot be used now; nothing was changed."""


class SignalLedger(Protocol):
    """Keeps rows for several processes. Every method may raise `LedgerError`, and nothing else."""

    def read(self, key: str) -> SignalRow | None:
        """Return a row, None when there is none."""
        ...

    def change(self, row: SignalRow) -> bool:
        """Write a state over version `row.version - 1`; tell whether that was still there."""
        ...

    def measured(self, row: SignalRow) -> None:
        """Write latency and counts alone: whoever measured last is right, and no state changes by it."""
        ...

    def rows(self) -> list[SignalRow]:
        """Return all rows, by target."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...
