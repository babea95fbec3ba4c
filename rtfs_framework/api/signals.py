"""What engines may know of the present: signals. Hosts measure them; engines read them in bands, and own none."""

from __future__ import annotations

from enum import Enum

import attrs


class Health(Enum):
    """The state of a target's circuit breaker."""

    CLOSED = "closed"
    """Requests pass."""
    OPEN = "open"
    """It fails too often: nothing is sent to it."""
    HALF_OPEN = "half-open"
    """A few requests are let through to see whether it answers again."""
    RECOVERING = "recovering"
    """It answers again, and gets its share of requests back in steps."""
    DISABLED = "disabled"
    """Somebody switched the breaker off: requests pass, and nothing is counted."""
    METRICS_ONLY = "metrics-only"
    """Requests pass whatever is counted."""
    FORCED_OPEN = "forced-open"
    """Somebody took the target out."""

    @property
    def passes(self) -> bool:
        """Tell whether requests may be sent now."""
        return self not in (Health.OPEN, Health.FORCED_OPEN)


class Left(Enum):
    """How much is left of a budget or a rate."""

    NOTHING = "nothing"
    LITTLE = "little"
    """At most 5 %."""
    SOME = "some"
    """At most 20 %."""
    PLENTY = "plenty"


@attrs.frozen(slots=True)
class Latency:
    """How long a target takes: the median and the 95th percentile, in seconds, in bands of a factor of 1.4."""

    p50: float
    p95: float


@attrs.frozen(slots=True)
class Price:
    """US dollars per million tokens; None where nobody has said it."""

    input: float | None = None
    output: float | None = None
