"""The tables of `delegation.toml` as attrs classes: their fields are the keys, types and bounds are enforced.

Provider, engine and cache tables also hold the plugin's own keys, which its settings class declares; `own` splits them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
from attrs import validators

from rtfs_framework.api.units import Bytes, Milliseconds, Seconds, plausible
from rtfs_framework.kernel.limits import LEAST_BITS, LEAST_ITEMS, LEAST_MEMORY, Limits
from rtfs_framework.lang.meter import MOST_NESTING
from rtfs_framework.orchestrator.config.isolation import USUAL_CHILD_TABLE, ChildTable, Isolation
from rtfs_framework.orchestrator.config.model import DEFAULT_PARALLEL, DEFAULT_TIMEOUT
from rtfs_framework.orchestrator.config.routes import PURE
from rtfs_framework.orchestrator.config.security import NO_QUOTA, Quota, Reach, SecurityLevel
from rtfs_framework.orchestrator.config.tables.agents import USUAL_MCP_TABLE, USUAL_WRITE_TABLE, McpTable, WriteTable
from rtfs_framework.orchestrator.config.tables.budgets import (
    USUAL_LEDGER,
    BudgetTable,
    LedgerTable,
    RateTable,
    TenantTable,
)
from rtfs_framework.orchestrator.config.tables.guards import USUAL_APPROVALS, ApprovalsTable
from rtfs_framework.orchestrator.config.tables.health import HealthTable
from rtfs_framework.orchestrator.config.tables.hints import USUAL_HINTS, HintsTable
from rtfs_framework.orchestrator.config.tables.labels import USUAL_LABELS, LabelsTable
from rtfs_framework.orchestrator.config.tables.prices import PriceTable
from rtfs_framework.orchestrator.config.tables.publishing import USUAL_PUBLISHING_TABLE, PublishingTable
from rtfs_framework.orchestrator.config.tables.queue import USUAL_QUEUE_TABLE, QueueTable
from rtfs_framework.orchestrator.config.tables.serve import USUAL_SERVE_TABLE, ServeTable
from rtfs_framework.orchestrator.config.tables.warming import USUAL_WARMING, WarmingTable

_POSITIVE: Any = validators.gt(0)
MOST_BOUND = 10**15
"""Of whatever a limit counts: beyond this, "off" is what is meant."""
_DAY = 86_400.0
_YEAR = 365 * _DAY


def _bound(least: float, way_out: str | None = None) -> Any:
    """Accept "off", and numbers from `least` to `MOST_BOUND`."""

    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and value != "off" and value < least:
            raise OutOfBounds(f"'{field.name}' must be at least {least:,}, or \"off\", not {value:,}", way_out)
        if value is not None and value != "off" and value > MOST_BOUND:
            raise OutOfBounds(f"'{field.name}' must be at most {MOST_BOUND:,}, or \"off\"", None)

    return check


class OutOfBounds(ValueError):
    """A number that no limit can be, and what to write instead."""

    def __init__(self, message: str, way_out: str | None) -> None:
        super().__init__(message)
        self.way_out = way_out


_MOST_CONCURRENT = 1000
_MOST_BATCH = 256
_LONGEST_DESCRIPTION = 1_000
MOST_ATTEMPTS = 8
"""Of one call: guards' refusals count, too."""
_SHARE: Any = [validators.ge(0.0), validators.le(1.0)]


@attrs.frozen(slots=True, kw_only=True)
class DelegationTable:
    """`[delegation]`."""

    default_target: str = PURE
    cache_ttl: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1, 10 * _YEAR)
    )
    enable_l4_cache: bool | None = None
    """The published way to switch `[caches.<name of level L4>] enabled`, which goes before it."""
    engine: str | None = None
    shadow: str | None = None
    """An engine beside the real one: what it would have decided is written down."""
    embedder: str | None = None
    """Which embedder makes the vectors that engines read."""
    plan: str | None = None
    """The file of a pinned plan (`rtfs plan`), for the program that it is of."""
    concurrency: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(_MOST_CONCURRENT)])
    )
    parallel: int = attrs.field(default=DEFAULT_PARALLEL, validator=[_POSITIVE, validators.le(_MOST_CONCURRENT)])
    attempts: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(MOST_ATTEMPTS)])
    )
    on_exhausted: Literal["body", "error", "ask"] | None = None
    quality_floor: float = attrs.field(default=0.0, validator=_SHARE)
    min_confidence: float = attrs.field(default=0.0, validator=_SHARE)
    static_routes: Mapping[str, str | list[str]] = attrs.field(factory=dict)
    remote_providers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    local_models: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)


@attrs.frozen(slots=True, kw_only=True)
class ProviderTable:
    """The host's keys of `[delegation.remote_providers.<id>]` and `[delegation.local_models.<id>]`."""

    provider: str | None = None
    timeout: Milliseconds = attrs.field(
        default=Milliseconds(DEFAULT_TIMEOUT * 1000), validator=_POSITIVE, metadata=plausible(1000, _DAY * 1000)
    )
    reuse: Literal["auto", "always", "never"] = "auto"
    input_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0.0)))
    output_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0.0)))
    parallel: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(_MOST_CONCURRENT)])
    )
    quality: float | None = attrs.field(default=None, validator=validators.optional(_SHARE))
    description: str = attrs.field(default="", validator=validators.max_len(_LONGEST_DESCRIPTION))
    idempotent: bool = False
    batch: int = attrs.field(default=1, validator=[_POSITIVE, validators.le(_MOST_BATCH)])
    later: bool = False
    workers: bool = False
    min_confidence: float | None = attrs.field(default=None, validator=validators.optional(_SHARE))
    accepts: Sequence[str] | None = None
    marks: Sequence[str] = ()


@attrs.frozen(slots=True, kw_only=True)
class CacheTable:
    """The host's keys of `[caches.<name>]`."""

    enabled: bool = True
    ttl: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1, 10 * _YEAR)
    )
    patience: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(0.05, 600)
    )


@attrs.frozen(slots=True, kw_only=True)
class SecurityTable:
    """`[security]`."""

    preset: Literal["pure", "controlled", "sandboxed", "full"] = "controlled"
    level: SecurityLevel = SecurityLevel.CONTROLLED
    grant: Sequence[str | Mapping[str, Any]] = ()
    deny: Sequence[str] = ()
    reach: Reach = Reach.REMOTE
    isolation: Isolation = Isolation.INHERIT
    child: ChildTable = USUAL_CHILD_TABLE
    context: Mapping[str, Any] = attrs.field(factory=dict)
    agent: str = ""
    """Who the host works for: what decisions read as `agent`."""
    intent: str = ""
    """What for: what decisions read as the fact `intent` of a call."""
    acl: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    quota: Quota = NO_QUOTA
    environment: Mapping[str, str] = attrs.field(factory=dict)
    constraints: Mapping[str, str] = attrs.field(factory=dict)
    hours: Mapping[str, str] = attrs.field(factory=dict)
    """Classes of hours, such as `night = "22-6"`."""
    time_zone: str = "UTC"
    """Of `hours`."""


@attrs.frozen(slots=True, kw_only=True)
class JournalTable:
    """`[journal]`."""

    enabled: bool = True
    path: str | None = None
    keep: Literal["digests", "replies"] = "digests"
    sync: Literal["normal", "full"] = "normal"
    on_failure: Literal["refuse", "continue"] = "refuse"
    encrypt: str | Sequence[str] = ()
    retain: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(3600, 100 * _YEAR)
    )
    most_bytes: Bytes | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1_000_000)
    )
    retain_labels: Mapping[str, Seconds] = attrs.field(factory=dict)


@attrs.frozen(slots=True, kw_only=True)
class ModulesTable:
    """`[modules]`."""

    path: Sequence[str] = ()


Bound = int | Literal["off"] | None


@attrs.frozen(slots=True, kw_only=True)
class LimitsTable:
    """`[limits]`: the bounds of a run; a key that is not there has the default, "off" is no bound."""

    steps: Bound = attrs.field(default=None, validator=_bound(1))
    seconds: Seconds | Literal["off"] | None = attrs.field(
        default=None, validator=_bound(0), metadata=plausible(0, _DAY)
    )
    memory: Bytes | Literal["off"] | None = attrs.field(
        default=None, validator=_bound(LEAST_MEMORY, 'plain numbers are bytes; write the unit: "512 MiB"')
    )
    items: Bound = attrs.field(default=None, validator=_bound(LEAST_ITEMS))
    bits: Bound = attrs.field(default=None, validator=_bound(LEAST_BITS))
    depth: Bound = attrs.field(default=None, validator=_bound(1))
    output: Bound = attrs.field(default=None, validator=_bound(LEAST_ITEMS))
    host_calls: Bound = attrs.field(default=None, validator=_bound(0))
    nesting: int | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(MOST_NESTING)])
    )
    step_rounds: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(0)))

    def limits(self) -> Limits:
        """Return the limits that the table says."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        bounds: dict[str, Any] = {name: None if value == "off" else value for name, value in given.items()}
        return Limits(**bounds)


@attrs.frozen(slots=True, kw_only=True)
class ConfigFile:
    """The whole file."""

    delegation: DelegationTable = DelegationTable()
    engines: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    embedders: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    observers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    caches: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    security: SecurityTable = SecurityTable()
    journal: JournalTable = JournalTable()
    warming: WarmingTable = USUAL_WARMING
    modules: ModulesTable = ModulesTable()
    limits: LimitsTable = LimitsTable()
    health: HealthTable = HealthTable()
    hints: HintsTable = USUAL_HINTS
    guards: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    approvals: ApprovalsTable = USUAL_APPROVALS
    redaction: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    budgets: Mapping[str, BudgetTable] = attrs.field(factory=dict)
    rates: Mapping[str, RateTable] = attrs.field(factory=dict)
    tenants: Mapping[str, TenantTable] = attrs.field(factory=dict)
    ledger: LedgerTable = USUAL_LEDGER
    ledgers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    queue: QueueTable = USUAL_QUEUE_TABLE
    queues: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    publishing: PublishingTable = USUAL_PUBLISHING_TABLE
    stores: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    labels: LabelsTable = USUAL_LABELS
    capabilities: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    keys: Mapping[str, str | list[str]] = attrs.field(factory=dict)
    """Environment variables with keys, and the hosts that they may go to."""
    prices: Mapping[str, PriceTable] = attrs.field(factory=dict)
    serve: ServeTable = USUAL_SERVE_TABLE
    write: WriteTable = USUAL_WRITE_TABLE
    mcp: McpTable = USUAL_MCP_TABLE


def sections() -> dict[str, tuple[str, ...]]:
    """Return the tables of the file with the keys that they have of themselves."""
    found = {}
    for field in attrs.fields(ConfigFile):
        table = field.default if attrs.has(type(field.default)) else None
        found[field.name] = tuple(each.name for each in attrs.fields(type(table))) if table is not None else ()
    return found
