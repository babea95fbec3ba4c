"""The keys of `[observers.memory]`."""

from __future__ import annotations

import attrs
from attrs import validators

from rtfs_framework.api import Seconds, plausible

_MONTH = Seconds(30 * 86_400.0)
_HOUR, _YEARS = 3_600.0, 10 * 365 * 86_400.0


@attrs.frozen(slots=True, kw_only=True)
class MemorySettings:
    """What is kept, and how long."""

    retain: Seconds = attrs.field(
        default=_MONTH, validator=validators.gt(Seconds(0)), metadata=plausible(_HOUR, _YEARS)
    )
    """How long an entry is kept."""
    entries: int = attrs.field(default=100_000, validator=[validators.ge(1), validators.le(100_000_000)])
    """How many entries are kept; the oldest go first."""
    characters: int = attrs.field(default=4_000, validator=[validators.ge(0), validators.le(10_000)])
    """How much is kept of each text: arguments, answer, error, reasoning."""
