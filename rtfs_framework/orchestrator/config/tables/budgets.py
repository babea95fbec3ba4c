"""The tables of `delegation.toml` that say what may be spent, how fast, and by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.units import Seconds, plausible

MOST_DOLLARS = 10**9
MOST_COUNTED = 10**15
"""Of tokens and calls."""
_MOST_LEASE = Seconds(3600)

Per = Literal["run", "hour", "day", "month", "ever"]
RatePer = Literal["second", "minute", "hour"]
Apart = Literal["tenant", "engine", "model", "target", "symbol"]
"""What a budget may count apart."""


def _counted() -> Any:
    bounds = [validators.ge(0), validators.le(MOST_COUNTED)]
    return attrs.field(default=None, validator=validators.optional(bounds))


def _per_time() -> Any:
    bounds = [validators.ge(1), validators.le(MOST_COUNTED)]
    return attrs.field(default=None, validator=validators.optional(bounds))


@attrs.frozen(slots=True, kw_only=True)
class ScopeTable:
    """The requests that a budget or rate is about: all keys must fit, and one text of each key. Without keys, all."""

    tenant: str | Sequence[str] = ()
    engine: str | Sequence[str] = ()
    model: str | Sequence[str] = ()
    target: str | Sequence[str] = ()
    symbol: str | Sequence[str] = ()


@attrs.frozen(slots=True, kw_only=True)
class BudgetTable(ScopeTable):
    """`[budgets.<name>]`."""

    per: Per = "day"
    for_each: Sequence[Apart] = ()
    usd: float | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(0), validators.le(MOST_DOLLARS)])
    )
    tokens: int | None = _counted()
    calls: int | None = _counted()
    used_up: Literal["refuse", "wait"] = "refuse"


@attrs.frozen(slots=True, kw_only=True)
class RateTable(ScopeTable):
    """`[rates.<name>]`."""

    per: RatePer = "minute"
    calls: int | None = _per_time()
    tokens: int | None = _per_time()
    burst: int | None = _per_time()
    wait: Seconds = attrs.field(
        default=Seconds(30.0), validator=[validators.ge(Seconds(0)), validators.le(_MOST_LEASE)],
        metadata=plausible(0, 3600),
    )  # fmt: skip


@attrs.frozen(slots=True, kw_only=True)
class TenantTable:
    """`[tenants.<id>]`."""

    budgets: Mapping[str, BudgetTable] = attrs.field(factory=dict)
    rates: Mapping[str, RateTable] = attrs.field(factory=dict)
    grant: Sequence[str | Mapping[str, Any]] = ()
    deny: Sequence[str] = ()
    static_routes: Mapping[str, str | list[str]] = attrs.field(factory=dict)


@attrs.frozen(slots=True, kw_only=True)
class LedgerTable:
    """`[ledger]`."""

    path: str | None = None
    store: str | None = None
    unknown_price: Literal["refuse", "dearest"] = "refuse"
    max_tokens: int = attrs.field(default=4096, validator=[validators.ge(1), validators.le(10**7)])
    lease: Seconds = attrs.field(
        default=Seconds(60.0),
        validator=[validators.ge(Seconds(1)), validators.le(_MOST_LEASE)],
        metadata=plausible(1, 3600),
    )


@attrs.frozen(slots=True, kw_only=True)
class StoreTable:
    """The host's keys of `[ledgers.<name>]` and `[queues.<name>]`: none, all are the plug-in's own."""


USUAL_LEDGER = LedgerTable()
