"""The tables of `delegation.toml` about the durable queue: `[queue]`, and a plug-in's own in `[queues.NAME]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import validators

from rtfs_framework.api.units import Bytes, Seconds, plausible

_MOST_WEIGHT = 1_000_000.0


def _weights(_: object, field: attrs.Attribute[Any], value: Mapping[str, float]) -> None:
    for tenant, weight in value.items():
        if not 0 < weight <= _MOST_WEIGHT:
            raise ValueError(f"'{field.name}' of '{tenant}' must be above 0 and at most {_MOST_WEIGHT:,.0f}: {weight}")


@attrs.frozen(slots=True, kw_only=True)
class QueueTable:
    """`[queue]`."""

    store: str | None = None
    """The plug-in that keeps it. None: `sqlite`, a file of this machine."""
    most_items: int = attrs.field(default=1_000_000, validator=[validators.ge(1), validators.le(10**9)])
    """What may wait; beyond it new work is refused."""
    most_bytes: Bytes = attrs.field(
        default=Bytes(1 << 30), validator=validators.ge(Bytes(1)), metadata=plausible(1_000_000)
    )
    """What it may weigh."""
    keep: Seconds = attrs.field(
        default=Seconds(7 * 86_400.0), validator=validators.ge(Seconds(0.0)), metadata=plausible(60)
    )
    """How long what has ended is kept."""
    weights: Mapping[str, float] = attrs.field(factory=dict, validator=_weights)
    """How often tenants come to their turn; who is not named has 1."""


USUAL_QUEUE_TABLE = QueueTable()
