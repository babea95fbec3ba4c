"""One target's breaker in step with the ledger: read and written seldom, and done without when it cannot be used.

A row counts when it is of a later version than the last one seen. A ledger that fails is reported and left alone for
`PAUSE` seconds; calls never wait for it longer than its own short bound, and never fail by it.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.api.signals import Health
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.health import BreakerSpec
from rtfs_framework.orchestrator.performing.health.breaker import Standing
from rtfs_framework.orchestrator.performing.health.ledger import LedgerError, SignalLedger, SignalRow

EVERY = 1.0
"""Seconds between two looks at a row."""
PAUSE = 30.0

_STATES = {state.value: state for state in (Health.CLOSED, Health.OPEN, Health.HALF_OPEN, Health.RECOVERING)}


@attrs.define(slots=True, eq=False)
class Shared:
    """The ledger, as long as it works."""

    ledger: SignalLedger | None
    clock: Clock
    told: Callable[[LedgerError], None]
    """Told of a ledger that fails."""
    _again: float = attrs.field(default=float("-inf"), init=False)

    def read(self, key: str) -> SignalRow | None:
        """Return a target's row, None when there is none or nothing can be read."""
        if not self.works:
            return None
        try:
            return self.ledger.read(key) if self.ledger is not None else None
        except LedgerError as error:
            self._failed(error)
            return None

    def change(self, row: SignalRow) -> bool | None:
        """Write a state; tell whether another process was not first. None: it is not shared now, and stands here."""
        if not self.works:
            return None
        try:
            return self.ledger.change(row) if self.ledger is not None else None
        except LedgerError as error:
            self._failed(error)
            return None

    def measured(self, row: SignalRow) -> None:
        """Write a latency."""
        if not self.works:
            return
        try:
            if self.ledger is not None:
                self.ledger.measured(row)
        except LedgerError as error:
            self._failed(error)

    def close(self) -> None:
        """Release the ledger."""
        if self.ledger is not None:
            self.ledger.close()

    @property
    def works(self) -> bool:
        """Tell whether other processes learn of what is written now."""
        return self.ledger is not None and self.clock.monotonic() >= self._again

    def _failed(self, error: LedgerError) -> None:
        self._again = self.clock.monotonic() + PAUSE
        self.told(error)


def standing_of(row: SignalRow, spec: BreakerSpec, *, now: float, steady: float) -> Standing:
    """Return what a row says now. What is long over says nothing; a clock that was set back holds nobody for long."""
    state = _STATES.get(row.state, Health.CLOSED)
    longest = max(spec.open_for, spec.open_for_most)
    left = min(row.until - now, max(longest, spec.retry_after_most))
    since = max(row.until, row.changed)
    if state is Health.CLOSED or now - since > longest:
        return Standing()
    stage = min(max(row.stage, 0), spec.recovery_steps) if state is Health.RECOVERING else 0
    return Standing(state, stage, until=steady + left, opened=max(row.opened, 0))
