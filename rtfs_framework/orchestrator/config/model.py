"""What a validated configuration says. Targets are types here; texts were read at the boundary (`routes`)."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import ExecTarget, LocalModel, LocalPure, RemoteModel, show_target
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.orchestrator.config.agents import USUAL_MCP, USUAL_WRITE, McpSpec, WriteSpec
from rtfs_framework.orchestrator.config.budgets import USUAL_LEDGER, BudgetSpec, LedgerSpec, RateSpec, TenantSpec
from rtfs_framework.orchestrator.config.capability_sets import CapabilitySetSpec
from rtfs_framework.orchestrator.config.health import HealthSpec
from rtfs_framework.orchestrator.config.publishing import USUAL_PUBLISHING, PublishingSpec
from rtfs_framework.orchestrator.config.queue import USUAL_QUEUE, QueueSpec
from rtfs_framework.orchestrator.config.security import RuntimeContext
from rtfs_framework.orchestrator.config.serve import USUAL_SERVE, ServeSpec
from rtfs_framework.orchestrator.config.surroundings import NO_SURROUNDINGS, Surroundings
from rtfs_framework.orchestrator.config.tables.guards import APPROVAL_SECONDS, GuardSpec
from rtfs_framework.orchestrator.config.tables.hints import USUAL_HINTS, HintsTable
from rtfs_framework.orchestrator.config.tables.observers import ObserverSpec
from rtfs_framework.orchestrator.config.tables.redaction import RedactionSpec

if TYPE_CHECKING:
    from rtfs_framework.api.prices import PriceStep
    from rtfs_framework.orchestrator.config.labels import LabelsSpec
    from rtfs_framework.orchestrator.config.layers import Merged

DEFAULT_TIMEOUT = 30.0
"""Seconds for one model call when the configuration names no timeout."""


DEFAULT_PARALLEL = 16
"""Branches under way at once when the configuration does not say."""

MANY = 8
"""Records of a stream that are under way at once when a remote provider can be used and nothing else is configured."""


@attrs.frozen(slots=True, kw_only=True)
class ProviderSpec:
    """One provider instance: which plugin, where it stands, the host's own settings and the plugin's."""

    id: str
    plugin: str
    target: ExecTarget
    timeout: float = DEFAULT_TIMEOUT
    """Seconds."""
    reuse: str = "auto"
    """"auto" (replies of deterministic providers are remembered), "always" or "never"."""
    input_cost: float | None = None
    """US dollars per million tokens; None is "not said"."""
    output_cost: float | None = None
    cached_cost: float | None = None
    """Of input tokens that the vendor still remembered; None for what others cost."""
    request_cost: float = 0.0
    """US dollars for each request, besides its tokens."""
    price_steps: tuple[PriceStep, ...] = ()
    """Prices of requests with many tokens."""
    context_window: int | None = None
    """Tokens that the model takes in at once, where that is known."""
    priced_by: str = ""
    """Who says what the configuration does not: a package of prices, and the day of the price."""
    parallel: int | None = None
    """Requests under way at once; None for what the plugin says."""
    quality: float | None = None
    """What its owner says that its answers are worth, within 0 and 1."""
    idempotent: bool = False
    """Whether it may be asked again when a request may have been carried out."""
    batch: int = 1
    """How many calls of one fan-out may travel as one request."""
    later: bool = False
    """Whether its requests wait in the durable queue."""
    workers: bool = False
    """Whether workers may make those, whose arguments are then in the queue."""
    min_confidence: float = 0.0
    """How sure it must say that it is; 0 for any."""
    accepts: Label | None = None
    """The marks that its requests may carry; None where its table does not say."""
    marks: Label = PUBLIC
    """Those that its replies have."""
    model: str = ""
    description: str = ""
    """What it is good at, in its owner's words; "" where nobody has said it."""
    own: Any = None
    """An instance of the plugin's settings class, None when it has none."""
    members: Mapping[str, LocalModel] = attrs.field(factory=dict)
    """The local models that it asks, by the text in its settings that names each."""
    table: Mapping[str, Any] = attrs.field(factory=dict)
    """The settings as written; part of the policy hash."""
    directory: str | None = None
    """The folder of the configuration that speaks of it; None for a plugin's own default instance."""


@attrs.frozen(slots=True, kw_only=True)
class EngineSpec:
    """An engine with those below it."""

    name: str
    """In the configuration: of its table, or of the plug-in."""
    plugin: str
    own: Any = None
    """An instance of the plugin's settings class, None when it has none."""
    children: Mapping[str, tuple[EngineSpec | ExecTarget, ...]] = attrs.field(factory=dict)
    """By the key that names them; a target stands for an engine that always chooses it."""
    targets: Mapping[str, ExecTarget] = attrs.field(factory=dict)
    """What the texts in `own` that name targets mean."""
    directory: str = ""
    """Where the relative paths in `own` start."""


@attrs.frozen(slots=True, kw_only=True)
class EmbedderSpec:
    """The embedder that makes vectors of requests, for engines."""

    name: str
    version: str = ""
    """Of its distribution."""
    own: Any = None
    """An instance of the plugin's settings class, None when it has none."""
    then: EmbedderSpec | None = None
    """A better one, asked about what this one finds near."""
    floor: float = 0.0
    """How near that must be: a cosine."""
    target: LocalModel | RemoteModel | None = None
    """The model that is asked, where no plug-in's embedder is named."""


@attrs.frozen(slots=True, kw_only=True)
class AttemptSpec:
    """How often a call is tried, and what becomes of it when nothing is left."""

    most: int | None = None
    """Requests of one call, all targets together. None: each target of a list once, and with repeats three; of engines
    as many as they say. (No call has more than eight attempts and refusals.)"""
    on_exhausted: Literal["body", "error", "ask"] | None = None
    """None: the function's own body, and the error where the function's author named the target."""
    quality_floor: float = 0.0
    """The least `quality` of what may answer instead of the target that was chosen first."""


@attrs.frozen(slots=True, kw_only=True)
class CacheSpec:
    """A cache layer's settings."""

    enabled: bool = True
    ttl: float | None = None
    patience: float | None = None
    """Seconds for which a call waits for it; None for the host's own bound, where it has none itself."""
    own: Any = None
    directory: str | None = None
    """Where relative paths in `own` start."""
    targets: Mapping[str, ExecTarget] = attrs.field(factory=dict)
    """What the texts in `own` mean that name targets."""


@attrs.frozen(slots=True, kw_only=True)
class JournalSpec:
    """Where the causal chain goes."""

    enabled: bool = True
    path: str | None = None
    keep: Literal["digests", "replies"] = "digests"
    """What stays of a run that has ended: digests alone, or arguments, replies and messages, too."""
    sync: Literal["normal", "full"] = "normal"
    """What a row that is on disk survives: the process, or ("full") the machine too."""
    on_failure: Literal["refuse", "continue"] = "refuse"
    """What becomes of calls while the journal cannot be written."""
    encrypt: tuple[str, ...] = ()
    """Where the keys of kept texts are, "env:NAME" or "file:" and an absolute path: the first one encrypts."""
    retain: float | None = None
    """Seconds for which runs are kept that have ended; None for ever."""
    most_bytes: int | None = None
    """Of its file: what lies beyond goes, the oldest runs first."""
    retain_labels: Mapping[str, float] = attrs.field(factory=dict)
    """By mark: seconds for runs with calls that carry it."""


@attrs.frozen(slots=True, kw_only=True)
class WarmingSpec:
    """What may be done before it is asked for."""

    per_hour: int = 0
    """Warm-ups; 0 for none."""
    usd_per_day: float = 0.0
    wasted: float = 0.2
    """The share of warm-ups that may be for nothing."""
    idle: float = 300.0
    """Seconds after which a model that nobody asks is cold."""


@attrs.frozen(slots=True)
class Found:
    """Where described functions go that nobody has said anything else of."""

    target: LocalModel | RemoteModel
    because: str
    """What that rests on where nobody has configured anything, no secret; "" where the configuration says so."""
    others: tuple[LocalModel | RemoteModel, ...] = ()
    """What could be asked as well, and is not."""

    @property
    def words(self) -> str:
        """Why they go there."""
        return f"no delegation.toml, and {self.because}" if self.because else "[delegation] described"

    @property
    def besides(self) -> str:
        """What could be asked as well, to be appended; "" for nothing."""
        return f", not to {', '.join(show_target(each) for each in self.others)}" if self.others else ""


@attrs.frozen(slots=True, kw_only=True)
class Config:
    """A whole configuration."""

    path: str | None = None
    searched: tuple[str, ...] = attrs.field(default=(), eq=False)
    """Folders in which a `delegation.toml` was looked for."""
    default_target: ExecTarget = LocalPure()
    found: Found | None = None
    """Where described functions go: by `[delegation] described`, or what is here without any configuration."""
    cache_ttl: float | None = None
    engine: EngineSpec | None = None
    """At the top of the tree of engines."""
    engine_chosen: bool = False
    """Whether the configuration names it: then `routes` are read by engines alone, and by nobody before them."""
    observers: Mapping[str, ObserverSpec] = attrs.field(factory=dict)
    """What is said of observers, by name."""
    capability_sets: Mapping[str, CapabilitySetSpec] = attrs.field(factory=dict)
    """What is said of sets of capabilities, by name."""
    shadow: EngineSpec | None = None
    """Decides beside it, for the record alone."""
    embedder: EmbedderSpec | None = None
    plan: str | None = None
    """The file of a pinned plan."""
    concurrency: int | None = None
    parallel: int = DEFAULT_PARALLEL
    """How many branches of fan-outs (`pmap`, `step-parallel`, maps of calls) are under way at once."""
    attempts: AttemptSpec = AttemptSpec()
    routes: Mapping[str, tuple[ExecTarget, ...]] = attrs.field(factory=dict)
    providers: tuple[ProviderSpec, ...] = ()
    caches: Mapping[str, CacheSpec] = attrs.field(factory=dict)
    security: RuntimeContext = RuntimeContext()
    surroundings: Surroundings = NO_SURROUNDINGS
    """For whom, where, within which constraints, and in which classes of hours: what decisions may read."""
    journal: JournalSpec = JournalSpec()
    warming: WarmingSpec = WarmingSpec()
    module_path: tuple[str, ...] = ()
    """Folders in which modules are looked for, after the program's and the current one."""
    limits: Limits = attrs.field(factory=Limits)
    """The bounds of every run."""
    health: HealthSpec = HealthSpec()
    """When targets count as failing, and how they come back."""
    hints: HintsTable = USUAL_HINTS
    """What the execution hints of programs may ask for."""
    guards: tuple[GuardSpec, ...] = ()
    """Third-party checks of requests and replies, in their order."""
    redaction: Mapping[str, RedactionSpec] = attrs.field(factory=dict)
    """What plans may have taken out of a request, by the names of the rules."""
    approval_seconds: float = APPROVAL_SECONDS
    """How long a call waits for a person; no answer then means no."""
    budgets: tuple[BudgetSpec, ...] = ()
    rates: tuple[RateSpec, ...] = ()
    tenants: Mapping[str, TenantSpec] = attrs.field(factory=dict)
    """Those that are known; without any, everybody may be one."""
    tenant: str = ""
    """Whose configuration this is (`budgets.of_tenant`); "" is nobody in particular."""
    ledger: LedgerSpec = USUAL_LEDGER
    queue: QueueSpec = USUAL_QUEUE
    """Where work waits that outlives this process."""
    publishing: PublishingSpec = USUAL_PUBLISHING
    """Where published programs are looked for, and whose count."""
    labels: LabelsSpec | None = None
    """Marks of data; None where nothing carries any."""
    serve: ServeSpec = USUAL_SERVE
    """The bounds of `rtfs serve`, and whose tokens it takes."""
    write: WriteSpec = USUAL_WRITE
    mcp: McpSpec = USUAL_MCP
    keys: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    """Environment variables that hold keys, and the origins that the user's own word lets them go to."""
    merged: Merged | None = attrs.field(default=None, eq=False, repr=False)
    """The texts that it was made of, None when there are none."""
    notices: tuple[Diagnostic, ...] = ()
    """What whoever uses it should be told: warnings, each once."""
    tables: Mapping[str, Any] = attrs.field(factory=dict)
    """The file's data that decisions rest on; part of the policy hash."""

    def resuming(self, run: str) -> str:
        """Return the command that goes on with a run under this configuration; its tenant is known by the run."""
        asked = None if self.merged is None else self.merged.asked
        return f"rtfs runs resume {run[:12]}" + (f" --config {quote(str(asked))}" if asked is not None else "")
