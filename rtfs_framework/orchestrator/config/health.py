"""What the configuration says of the host's signals: when a target counts as failing, and how it comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from rtfs_framework.api.targets import ExecTarget

BreakerMode = Literal["on", "disabled", "metrics-only", "forced-open"]
MODES: tuple[BreakerMode, ...] = ("on", "disabled", "metrics-only", "forced-open")


@attrs.frozen(slots=True, kw_only=True)
class BreakerSpec:
    """One target's circuit breaker. Times are seconds, rates shares from 0 to 1."""

    state: BreakerMode = "on"
    window: float = 60.0
    """Outcomes older than this no longer count."""
    window_calls: int = 100
    """Nor do those before the last so many."""
    minimum_calls: int = 5
    """Fewer than this say nothing."""
    failure_rate: float = 0.5
    """From this share of failures on, the target is left alone."""
    slow: float | None = None
    """An answer that takes longer is slow; None: none is."""
    slow_rate: float = 0.8
    """From this share of slow answers on, the target is left alone."""
    open_for: float = 30.0
    """How long it is left alone the first time; each probe that fails doubles that."""
    open_for_most: float = 600.0
    """Never longer than this, unless the server says so itself."""
    retry_after_most: float = 3600.0
    """How much of a server's own `Retry-After` is believed."""
    probes: int = 1
    """Requests at once, and answers wanted, before it gets more."""
    recovery_steps: int = 3
    """How often the number of requests at once is doubled before all are let through."""
    retry_budget: float = 0.1
    """Repeats at the same target, as a share of the requests to it."""


@attrs.frozen(slots=True, kw_only=True)
class HealthSpec:
    """All targets."""

    usual: BreakerSpec = BreakerSpec()
    targets: Mapping[ExecTarget, BreakerSpec] = attrs.field(factory=dict)
    """Of targets that have a table of their own."""
    most_ejected: float = 0.8
    """The share of targets that may be left alone at once; of several, one at least is always asked."""
    shared: bool = True
    """Whether other processes, and the next one, learn of it."""

    def of(self, target: ExecTarget) -> BreakerSpec:
        """Return what holds for a target."""
        return self.targets.get(target, self.usual)
