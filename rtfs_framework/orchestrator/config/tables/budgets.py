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
    """For whom."""
    engine: str | Sequence[str] = ()
    """What decided."""
    model: str | Sequence[str] = ()
    """Which model, by the name that its vendor gives it."""
    target: str | Sequence[str] = ()
    """Where to, as `delegation.toml` writes targets."""
    symbol: str | Sequence[str] = ()
    """Of which function or capability."""


@attrs.frozen(slots=True, kw_only=True)
class BudgetTable(ScopeTable):
    """`[budgets.<name>]`."""

    per: Per = "day"
    """When counting begins anew."""
    for_each: Sequence[Apart] = ()
    """What is counted apart: each value of these has a budget of its own."""
    usd: float | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(0), validators.le(MOST_DOLLARS)])
    )
    """US dollars."""
    tokens: int | None = _counted()
    """Of input and output together."""
    calls: int | None = _counted()
    """Requests."""
    used_up: Literal["refuse", "wait"] = "refuse"
    """What becomes of a call that it has nothing left for: it is refused, or the run waits."""


@attrs.frozen(slots=True, kw_only=True)
class RateTable(ScopeTable):
    """`[rates.<name>]`."""

    per: RatePer = "minute"
    """The time that the numbers are about."""
    calls: int | None = _per_time()
    """Requests."""
    tokens: int | None = _per_time()
    """Of input and output together."""
    burst: int | None = _per_time()
    """How much may go out at once. None: as much as `calls` or `tokens` says."""
    wait: Seconds = attrs.field(
        default=Seconds(30.0), validator=[validators.ge(Seconds(0)), validators.le(_MOST_LEASE)],
        metadata=plausible(0, 3600),
    )  # fmt: skip
    """How long a call may wait for its turn; then it is refused."""


@attrs.frozen(slots=True, kw_only=True)
class TenantTable:
    """`[tenants.<id>]`."""

    budgets: Mapping[str, BudgetTable] = attrs.field(factory=dict)
    """Those of this tenant alone, besides all others."""
    rates: Mapping[str, RateTable] = attrs.field(factory=dict)
    """Those of this tenant alone, besides all others."""
    grant: Sequence[str | Mapping[str, Any]] = ()
    """Capabilities that its programs may call besides."""
    deny: Sequence[str] = ()
    """What is refused to it, whatever else is said."""
    static_routes: Mapping[str, str | list[str]] = attrs.field(factory=dict)
    """Routes of its calls, before those of `[delegation]`."""


@attrs.frozen(slots=True, kw_only=True)
class LedgerTable:
    """`[ledger]`."""

    path: str | None = None
    """The file of the ledger of this machine. None: `ledger.sqlite` in the host's folder."""
    store: str | None = None
    """A plug-in that counts for many hosts instead."""
    unknown_price: Literal["refuse", "dearest"] = "refuse"
    """What becomes of requests whose price nobody knows, under a budget of money: refused, or counted at the
    highest price that is known."""
    max_tokens: int = attrs.field(default=4096, validator=[validators.ge(1), validators.le(10**7)])
    """What a reply may have, where the provider's table says nothing: so much is reserved."""
    lease: Seconds = attrs.field(
        default=Seconds(60.0),
        validator=[validators.ge(Seconds(1)), validators.le(_MOST_LEASE)],
        metadata=plausible(1, 3600),
    )
    """How long what is reserved stays reserved when its process is gone before it sent the request."""


@attrs.frozen(slots=True, kw_only=True)
class StoreTable:
    """The host's keys of `[ledgers.<name>]` and `[queues.<name>]`: none, all are the plug-in's own."""


USUAL_LEDGER = LedgerTable()
