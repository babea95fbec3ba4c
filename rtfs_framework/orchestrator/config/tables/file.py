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
from rtfs_framework.orchestrator.config.tables.plugins import USUAL_PLUGINS, PluginsTable
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
    """Where calls go that no hint, route, plan or engine decides about."""
    described: str | None = None
    """Where functions go, without another word on them, that have a doc string and declare all their types."""
    cache_ttl: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1, 10 * _YEAR)
    )
    """How long plans and replies are kept by layers whose own table says nothing."""
    enable_l4_cache: bool | None = None
    """The published way to switch `[caches.<name of level L4>] enabled`, which goes before it."""
    engine: str | None = None
    """The engine that decides: the name of a table under `[engines]`, of a plug-in, or a target. None: `static`."""
    shadow: str | None = None
    """An engine beside the real one: what it would have decided is written down."""
    embedder: str | None = None
    """Which embedder makes the vectors that engines read."""
    plan: str | None = None
    """The file of a pinned plan (`rtfs plan`), for the program that it is of."""
    concurrency: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(_MOST_CONCURRENT)])
    )
    """Records of a stream that are under way at once. None: 8 where a remote provider can be used, else 1."""
    parallel: int = attrs.field(default=DEFAULT_PARALLEL, validator=[_POSITIVE, validators.le(_MOST_CONCURRENT)])
    """Branches of one run that are under way at once."""
    attempts: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(MOST_ATTEMPTS)])
    )
    """Requests of one call at most, all targets together. None: each target of a list once; of engines as they say."""
    on_exhausted: Literal["body", "error", "ask"] | None = None
    """What becomes of a call when no target is left: its own body, the error, or a question to a person.
    None: the body, and the error where the function's author named the target."""
    quality_floor: float = attrs.field(default=0.0, validator=_SHARE)
    """The least `quality` of what may answer instead of the target that was chosen first."""
    min_confidence: float = attrs.field(default=0.0, validator=_SHARE)
    """How sure a model must say that it is; what is less sure counts as a failed attempt."""
    static_routes: Mapping[str, str | list[str]] = attrs.field(factory=dict)
    """From symbols or patterns to the target, or the list of targets, of their calls."""
    remote_providers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Models that others serve, by id."""
    local_models: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Models of this machine, by id."""


@attrs.frozen(slots=True, kw_only=True)
class ProviderTable:
    """The host's keys of `[delegation.remote_providers.<id>]` and `[delegation.local_models.<id>]`."""

    provider: str | None = None
    """The plug-in that serves it. None: the one whose name is the id."""
    timeout: Milliseconds = attrs.field(
        default=Milliseconds(DEFAULT_TIMEOUT * 1000), validator=_POSITIVE, metadata=plausible(1000, _DAY * 1000)
    )
    """How long one request may take."""
    reuse: Literal["auto", "always", "never"] = "auto"
    """Whether replies are remembered: where the plug-in says that equal requests get equal ones, always, or never."""
    input_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0.0)))
    """US dollars for a million tokens of input."""
    output_cost: float | None = attrs.field(default=None, validator=validators.optional(validators.ge(0.0)))
    """US dollars for a million tokens of output."""
    parallel: int | None = attrs.field(
        default=None, validator=validators.optional([_POSITIVE, validators.le(_MOST_CONCURRENT)])
    )
    """Requests under way at once. None: what the plug-in says."""
    quality: float | None = attrs.field(default=None, validator=validators.optional(_SHARE))
    """What you say that its answers are worth; engines and `quality_floor` read it."""
    description: str = attrs.field(default="", validator=validators.max_len(_LONGEST_DESCRIPTION))
    """What it is good at, in your words; engines that choose by meaning read it."""
    idempotent: bool = False
    """Whether it may be asked again where a request may have been carried out already."""
    batch: int = attrs.field(default=1, validator=[_POSITIVE, validators.le(_MOST_BATCH)])
    """How many calls of one fan-out may travel as one request."""
    later: bool = False
    """Whether its requests wait in the durable queue, and the program goes on until it needs the answer."""
    workers: bool = False
    """Whether workers of the queue may make those requests; their arguments are then in the queue."""
    min_confidence: float | None = attrs.field(default=None, validator=validators.optional(_SHARE))
    """As under `[delegation]`, for this model."""
    accepts: Sequence[str] | None = None
    """The marks that its requests may carry. None: what `[labels]` says."""
    marks: Sequence[str] = ()
    """Those that its replies get."""


@attrs.frozen(slots=True, kw_only=True)
class CacheTable:
    """The host's keys of `[caches.<name>]`."""

    enabled: bool = True
    """Whether the layer is used."""
    ttl: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1, 10 * _YEAR)
    )
    """How long a record is kept. None: what the plug-in says."""
    patience: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(0.05, 600)
    )
    """How long a call waits for the layer before the layer is left out. None: 5 seconds."""


@attrs.frozen(slots=True, kw_only=True)
class SecurityTable:
    """`[security]`."""

    preset: Literal["pure", "controlled", "sandboxed", "full"] = "controlled"
    """Several of these keys at once; what is written beside it goes before it."""
    level: SecurityLevel = SecurityLevel.CONTROLLED
    """What programs may ask of the host: nothing, what is granted, or everything that is not denied."""
    grant: Sequence[str | Mapping[str, Any]] = ()
    """Capabilities that programs may call: ids, patterns, or tables of an id and its arguments."""
    deny: Sequence[str] = ()
    """Capabilities, functions and targets that are refused, whatever else is said; patterns are allowed."""
    reach: Reach = Reach.REMOTE
    """How far calls may go: the evaluator alone, this machine, or others."""
    isolation: Isolation = Isolation.INHERIT
    """Where capabilities run: in the host's process, in a child process, or in a child that sees next to nothing."""
    child: ChildTable = USUAL_CHILD_TABLE
    """What such a child may use."""
    context: Mapping[str, Any] = attrs.field(factory=dict)
    """Values that programs read as `@name`."""
    agent: str = ""
    """Who the host works for: what decisions read as `agent`."""
    intent: str = ""
    """What for: what decisions read as the fact `intent` of a call."""
    acl: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    """From names of agents to the patterns of capabilities that each may call."""
    quota: Quota = NO_QUOTA
    """What each run may spend."""
    environment: Mapping[str, str] = attrs.field(factory=dict)
    """What decisions read as `environment`."""
    constraints: Mapping[str, str] = attrs.field(factory=dict)
    """What decisions read as `constraints`."""
    hours: Mapping[str, str] = attrs.field(factory=dict)
    """Classes of hours, such as `night = "22-6"`."""
    time_zone: str = "UTC"
    """Of `hours`."""


@attrs.frozen(slots=True, kw_only=True)
class JournalTable:
    """`[journal]`."""

    enabled: bool = True
    """Whether runs are written down."""
    path: str | None = None
    """Its file. None: `journal.sqlite` in the host's folder."""
    keep: Literal["digests", "replies"] = "digests"
    """What is kept of arguments and replies when a run has ended: their digests, or all of them."""
    sync: Literal["normal", "full"] = "normal"
    """What a row survives once it is written: the end of the process, or that of the machine, too."""
    on_failure: Literal["refuse", "continue"] = "refuse"
    """What becomes of calls when the journal cannot be written: refused, or made without a record."""
    encrypt: str | Sequence[str] = ()
    """Keys of kept texts, `"env:NAME"` or `"file:PATH"`: the first encrypts, all read. None: nothing is encrypted."""
    retain: Seconds | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(3600, 100 * _YEAR)
    )
    """How long rows are kept. None: for ever."""
    most_bytes: Bytes | None = attrs.field(
        default=None, validator=validators.optional(_POSITIVE), metadata=plausible(1_000_000)
    )
    """The size that the oldest runs are cut for. None: no bound."""
    retain_labels: Mapping[str, Seconds] = attrs.field(factory=dict)
    """How long what carries a mark is kept, by mark."""


@attrs.frozen(slots=True, kw_only=True)
class ModulesTable:
    """`[modules]`."""

    path: Sequence[str] = ()
    """Folders in which imported modules are looked for, after that of the program."""


Bound = int | Literal["off"] | None


@attrs.frozen(slots=True, kw_only=True)
class LimitsTable:
    """`[limits]`: the bounds of a run; a key that is not there has the default, "off" is no bound."""

    steps: Bound = attrs.field(default=None, validator=_bound(1))
    """Work: rounds of loops, activations, items that the library walks. None: 5,000,000,000."""
    seconds: Seconds | Literal["off"] | None = attrs.field(
        default=None, validator=_bound(0), metadata=plausible(0, _DAY)
    )
    """Time of one run by the clock, compiling and waiting included. None: no bound."""
    memory: Bytes | Literal["off"] | None = attrs.field(
        default=None, validator=_bound(LEAST_MEMORY, 'plain numbers are bytes; write the unit: "512 MiB"')
    )
    """Of all values that a program can reach. None: 1 GiB."""
    items: Bound = attrs.field(default=None, validator=_bound(LEAST_ITEMS))
    """Items of one collection, characters of one text. None: 10,000,000."""
    bits: Bound = attrs.field(default=None, validator=_bound(LEAST_BITS))
    """Of one integer. None: 1,000,000."""
    depth: Bound = attrs.field(default=None, validator=_bound(1))
    """Nested calls that are no tail calls. None: 10,000."""
    output: Bound = attrs.field(default=None, validator=_bound(LEAST_ITEMS))
    """Characters of a value that leaves the run. None: 10,000,000."""
    host_calls: Bound = attrs.field(default=None, validator=_bound(0))
    """Requests to the host. None: 1,000,000."""
    nesting: int | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(MOST_NESTING)])
    )
    """Levels of brackets in a program's text. None: 200."""
    step_rounds: int | None = attrs.field(default=None, validator=validators.optional(validators.ge(0)))
    """Rounds of one `step-loop`. None: 10,000."""

    def limits(self) -> Limits:
        """Return the limits that the table says."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        bounds: dict[str, Any] = {name: None if value == "off" else value for name, value in given.items()}
        return Limits(**bounds)


@attrs.frozen(slots=True, kw_only=True)
class ConfigFile:
    """The whole file."""

    delegation: DelegationTable = DelegationTable()
    """Where calls go."""
    engines: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Engines, by names of your own; `plugin` says which plug-in one is, where its name does not."""
    embedders: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """What makes vectors of texts."""
    observers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """What hears the events of runs."""
    caches: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Layers of memory, by the name of the plug-in."""
    security: SecurityTable = SecurityTable()
    """What programs may do."""
    journal: JournalTable = JournalTable()
    """What is written down."""
    warming: WarmingTable = USUAL_WARMING
    """What is made ready before it is asked for."""
    modules: ModulesTable = ModulesTable()
    """Where modules are found."""
    limits: LimitsTable = LimitsTable()
    """The bounds of a run; `"off"` is no bound."""
    health: HealthTable = HealthTable()
    """When a model that fails is left alone."""
    hints: HintsTable = USUAL_HINTS
    """What hints of programs may ask for at most."""
    guards: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """What looks at requests and may refuse or change them."""
    approvals: ApprovalsTable = USUAL_APPROVALS
    """Calls that wait for a person."""
    redaction: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Rules that take marked texts out of requests."""
    budgets: Mapping[str, BudgetTable] = attrs.field(factory=dict)
    """What may be spent, by names of your own."""
    rates: Mapping[str, RateTable] = attrs.field(factory=dict)
    """How fast requests may go out, by names of your own."""
    tenants: Mapping[str, TenantTable] = attrs.field(factory=dict)
    """For whom work is done, by id."""
    ledger: LedgerTable = USUAL_LEDGER
    """Where budgets are counted."""
    ledgers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Settings of plug-ins that count budgets for many hosts."""
    queue: QueueTable = USUAL_QUEUE_TABLE
    """Work that outlives its process."""
    queues: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Settings of plug-ins that keep queues."""
    publishing: PublishingTable = USUAL_PUBLISHING_TABLE
    """Who may publish programs, and whose are run."""
    stores: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Where published programs are."""
    labels: LabelsTable = USUAL_LABELS
    """Marks of data, and who may have what carries them."""
    capabilities: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Settings of capabilities that share something, by the name of the plug-in's set."""
    keys: Mapping[str, str | list[str]] = attrs.field(factory=dict)
    """Environment variables with keys, and the hosts that they may go to."""
    plugins: PluginsTable = USUAL_PLUGINS
    """What plug-ins may have of the machine."""
    prices: Mapping[str, PriceTable] = attrs.field(factory=dict)
    """What models cost, by their names."""
    serve: ServeTable = USUAL_SERVE_TABLE
    """A host that others reach by HTTP."""
    write: WriteTable = USUAL_WRITE_TABLE
    """Programs that a model writes."""
    mcp: McpTable = USUAL_MCP_TABLE
    """A host that agents reach by MCP."""


def sections() -> dict[str, tuple[str, ...]]:
    """Return the tables of the file with the keys that they have of themselves."""
    found = {}
    for field in attrs.fields(ConfigFile):
        table = field.default if attrs.has(type(field.default)) else None
        found[field.name] = tuple(each.name for each in attrs.fields(type(table))) if table is not None else ()
    return found
