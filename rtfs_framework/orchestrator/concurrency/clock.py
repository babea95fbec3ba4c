"""The real clock. Everything else in the orchestrator takes a `Clock`, so that tests can turn the hands."""

from __future__ import annotations

import time

import attrs


@attrs.frozen(slots=True)
class SystemClock:
    """The machine's time."""

    def now(self) -> float:
        """Return seconds since the epoch (UTC)."""
        return time.time()

    monotonic = staticmethod(time.perf_counter)
    """Returns seconds of a clock that never goes back."""
