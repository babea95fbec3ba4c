"""`[hints]` of `delegation.toml`: what the execution hints of programs may ask for (docs/hints.md)."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.units import Seconds, plausible

_POSITIVE: Any = validators.gt(0)
_DAY = 86_400.0
_AT_LEAST_0: Any = validators.ge(0)
_WITHIN_A_DAY: Any = validators.le(_DAY)
_WITHIN_A_MONTH: Any = validators.le(30 * _DAY)
_MOST_REPEATS = 7
"""A call has eight attempts at most."""


@attrs.frozen(slots=True, kw_only=True)
class HintsTable:
    """What hints may ask for at most; they ask for nothing that `[security]`, labels, budgets and rates forbid."""

    max_retries: int = attrs.field(default=3, validator=[validators.ge(0), validators.le(_MOST_REPEATS)])
    """Repeats that `retry` may ask for."""
    max_backoff: Seconds = attrs.field(
        default=Seconds(10.0), validator=[_AT_LEAST_0, _WITHIN_A_DAY], metadata=plausible(0, 600)
    )
    """The longest pause between them."""
    max_multiplier: float = attrs.field(default=1.0, validator=[_POSITIVE, validators.le(100)])
    """How many times what a target has anyway a hint may give it; at 1 hints only shorten."""
    max_wait: Seconds = attrs.field(
        default=Seconds(30.0), validator=[_AT_LEAST_0, _WITHIN_A_DAY], metadata=plausible(0, 600)
    )
    """How long a call may wait for its place by `rate-limit`."""
    max_cooldown: Seconds = attrs.field(
        default=Seconds(600.0), validator=[_POSITIVE, _WITHIN_A_DAY], metadata=plausible(1, _DAY)
    )
    """The longest time for which `circuit-breaker` may leave a target alone."""
    max_ttl: Seconds = attrs.field(
        default=Seconds(3600.0), validator=[_POSITIVE, _WITHIN_A_MONTH], metadata=plausible(1, 30 * _DAY)
    )
    """How long `cache` may keep a reply."""
    max_entries: int = attrs.field(default=1000, validator=[_POSITIVE, validators.le(1_000_000)])
    """How many replies of one function `cache` may keep."""
    fallback: bool = True
    """Whether a capability may answer where an attempt failed."""
    cache: Literal["off", "deterministic", "any"] = "deterministic"
    """Whose replies `cache` may keep."""


USUAL_HINTS = HintsTable()
