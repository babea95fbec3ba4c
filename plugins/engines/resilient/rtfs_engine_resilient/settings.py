"""The engine's own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api import Milliseconds, Seconds, plausible

_MOST_RETRIES = 5
_POSITIVE: Any = validators.gt(0)


def _hedge(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and value != "p95" and value <= 0:
        raise ValueError(f"'{field.name}' must be above 0, or \"p95\"")


@attrs.frozen(slots=True, kw_only=True)
class ResilientSettings:
    """Keys of `[engines.NAME]`, besides those that name engines."""

    symbols: Sequence[str] = ()
    """The functions that it decides about, names and patterns with `*`; without it, what those in its line claim."""
    retries: int = attrs.field(default=0, validator=[validators.ge(0), validators.le(_MOST_RETRIES)])
    """How often a target is asked again that surely did nothing, before the next one is asked."""
    backoff: Seconds = attrs.field(default=Seconds(0.5), validator=_POSITIVE, metadata=plausible(0.01, 60))
    """The wait before the first repeat; each next one is twice as long."""
    backoff_most: Seconds = attrs.field(default=Seconds(10.0), validator=_POSITIVE, metadata=plausible(0.1, 600))
    """The longest wait: what asks to be left alone for longer is not asked again."""
    hedge: Milliseconds | Literal["p95"] | None = attrs.field(
        default=None, validator=_hedge, metadata=plausible(20, 600_000)
    )
    """After how long without an answer the next target is asked, too; "p95": after the 95th percentile of the first."""
    hedge_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.gt(0.0)))
    """US dollars that the second request may cost at most."""
