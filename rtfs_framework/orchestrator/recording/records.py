"""What a run leaves behind for its user: a record per host call, results, and the summary. Frozen, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.plans import Candidate, DelegationPlan
from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.values import ErrorValue
from rtfs_framework.orchestrator.recording.attempts import AttemptRecord
from rtfs_framework.registry.problems import PluginProblem

if TYPE_CHECKING:
    from typing_extensions import TypeForm

    from rtfs_framework.api.experience import Situation
    from rtfs_framework.api.remote import RemoteRun
    from rtfs_framework.orchestrator.recording.floating import CallLabel
    from rtfs_framework.orchestrator.recording.purse import Spending
    from rtfs_framework.orchestrator.recording.similar_mark import SimilarMark

T = TypeVar("T")
Steps = tuple[tuple[str, str], ...]
"""The precedence, step by step: (step, verdict)."""


CONSULTATION = "consultation"

Noted = tuple[tuple[str, ...], Hashable, Any]
"""A read of a decision: its name and parameters, its key, and what was read (None where the key says it, or where it
is large: arguments and texts)."""


@attrs.frozen(slots=True, eq=False)
class Grounds:
    """What all decisions about one function rest on under a policy, beside what they read of a call."""

    function: FunctionSignature
    policy: str
    """The policy's hash."""
    candidates: tuple[Candidate, ...] = ()
    excluded: Steps = ()
    """Targets that are configured and no candidates, and what excluded each."""


@attrs.frozen(slots=True)
class Decision:
    """A plan and how it was reached; `cache` is "l1 hit", "l1 miss" or ""."""

    plan: DelegationPlan
    steps: Steps
    cache: str = ""
    key: str = attrs.field(default="", eq=False)
    """Of the L1 layer."""
    fault: str = attrs.field(default="", eq=False)
    """How the engine failed that should have decided; "" when none did."""
    footprint: tuple[Noted, ...] = attrs.field(default=(), eq=False)
    """What the engine read of the call, in its order; nothing when it was not asked."""
    path: tuple[str, ...] = attrs.field(default=(), eq=False)
    """The engines that spoke, by their names in the configuration, the outermost first."""
    grounds: Grounds | None = attrs.field(default=None, eq=False, repr=False)
    stands_on: Decision | None = attrs.field(default=None, eq=False, repr=False)
    """Of a plan from memory: the decision that made it."""
    hedge_of: Decision | None = attrs.field(default=None, eq=False, repr=False)
    """Of the second of two requests at once: the decision that both are of."""
    exhausted: str = ""
    """What becomes of a call that nothing is left for: "body", "error" or "ask"; "" while something is."""
    aside: bool = False
    """Whether the capability answers that the hint `fallback` names, as a part of the attempt that failed."""
    settle: Callable[[bool], None] | None = attrs.field(default=None, eq=False, repr=False)
    """Told whether the call succeeded: only then is the plan kept."""

    @property
    def read(self) -> tuple[str, ...]:
        """What the engine read of the call, by name, each once."""
        return tuple(dict.fromkeys(read[0] for read, _, _ in self.footprint))


@attrs.frozen(slots=True)
class Shadowed:
    """What an engine beside the real one would have decided."""

    engine: str
    target: str = ""
    """Where it would have sent the call, in words; "" where that cannot be told."""
    why: str = ""
    """Why it cannot be told, or why it is not the engine's own choice."""


@attrs.define(slots=True, weakref_slot=False)
class OpenRecord:
    """What is written of a host call that is under way; `sealed` makes it the `CallRecord` of one that is over."""

    index: int
    """Position among the calls and fan-outs of its run, or of its branch of it."""
    kind: str
    """A `CallKind`, or "consultation": what an engine asked a model before it decided about the call."""
    symbol: str
    branch: tuple[int, ...] = ()
    """The branch that asked: for every fan-out that leads to it the fan-out's position and the item's number."""
    place: Place | None = None
    record: int | None = None
    """Position of the stream's record that made the call."""
    target: str = ""
    decision: Decision | None = None
    args_digest: str = ""
    args_text: str | None = None
    answer_text: str | None = attrs.field(default=None, eq=False, repr=False)
    """For observers, where words are kept; the journal keeps answers apart, whole."""
    reply_digest: str = ""
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0
    """US dollars, None when they are not known: no price, no count of tokens, or no reply to a request."""
    cache: str = ""
    """"l1 hit", "l2 hit", "l2 miss", "similar hit", "in flight" (shared with an equal call), or ""."""
    reply_key: str = attrs.field(default="", eq=False)
    """Of the L2 layer, when there is one."""
    model: str = ""
    explanation: str = ""
    error_kind: str = ""
    error: str = ""
    code: str = ""
    """The stable code of the error, such as "E0604"."""
    attempts: tuple[AttemptRecord, ...] = ()
    """What was tried before the answer, or before the end, and gave none."""
    entry: int = 0
    """0 for the top-level forms; every later call into the program has the next number."""
    part: int = 0
    """Of a consultation: which one of its call, from 1."""
    shadow: Shadowed | None = attrs.field(default=None, eq=False)
    """What an engine beside the real one would have decided."""
    signals: int = attrs.field(default=0, eq=False)
    """How many changes of signals the journal had been told when the call was decided."""
    said_around: bool = attrs.field(default=False, eq=False)
    """Whether hints or metadata were in force, which decisions may read and nothing else tells."""
    took: float = attrs.field(default=0.0, eq=False)
    """Seconds of the attempt that gave the answer, where that is not the whole call; else 0."""
    confidence: float | None = attrs.field(default=None, eq=False)
    """How sure the model says it is; None where it does not."""
    remote: RemoteRun | None = attrs.field(default=None, eq=False)
    """The run on another host that gave the answer."""
    told: Label = attrs.field(default=PUBLIC, eq=False)
    """The marks of what failed requests were told by other hosts."""
    labelled: CallLabel | None = None
    """The marks of its request; None for a public one."""
    situation: Situation | None = attrs.field(default=None, eq=False)
    """Its context, for layers of level L3; None where none is on."""
    stopped: bool = attrs.field(default=False, eq=False)
    """Whether its run was stopped before it had an answer: whoever goes on with the run asks again."""
    hints: Steps = attrs.field(default=(), eq=False)
    """The execution hints that were in force, the outermost first, and what each did."""
    similar: SimilarMark | None = attrs.field(default=None, eq=False)
    """What came of looking for the answer to a similar request; None where nobody looked."""
    held: Spending | None = attrs.field(default=None, eq=False)
    """What the request under way holds of its run's purse; None where nothing bounds the run."""
    charged: Spending | None = attrs.field(default=None, eq=False)
    """What its requests took of that purse, those that failed included."""

    @property
    def path(self) -> str:
        """Where in its entry a call stands: "3", or "3.0.2": branch 0 of fan-out 3 made it; "3?1": consultation 1."""
        if self.branch or self.part:
            path = ".".join(map(str, (*self.branch, self.index)))
            return f"{path}?{self.part}" if self.part else path
        return str(self.index)

    @property
    def exhausted(self) -> str:
        """What became of the call when nothing was left to try: "body", "error" or "ask"; else ""."""
        return "" if self.decision is None else self.decision.exhausted

    @property
    def order(self) -> tuple[int, int, tuple[int, ...], int]:
        """The call's id as a key to sort by: entry, record, path."""
        return self.entry, -1 if self.record is None else self.record, (*self.branch, self.index), self.part or _LAST


_LAST = 1 << 30
"""A call comes after its consultations."""


@attrs.frozen(slots=True, weakref_slot=False)
class CallRecord(OpenRecord):
    """One host call, as people and the journal see it."""

    @property
    def refused(self) -> bool:
        """Tell whether the rules refused the call."""
        return self.error_kind == "SecurityViolation"


def sealed(record: OpenRecord) -> CallRecord:
    """Return a record that nothing changes any more: the same one, for one is made per host call."""
    made: Any = record
    made.__class__ = CallRecord
    found: CallRecord = made
    return found


@attrs.frozen(slots=True, kw_only=True)
class Summary:
    """The totals of a run or stream."""

    seconds: float = 0.0
    records: int = 0
    record_errors: int = 0
    calls: int = 0
    by_target: Mapping[str, int] = attrs.field(factory=dict)
    cache_hits: Mapping[str, int] = attrs.field(factory=dict)
    cost: float = 0.0
    """US dollars, as far as they are known."""
    unpriced: int = 0
    """Calls that cost what is not known; with any, the costs are `cost` and something more."""
    input_tokens: int = 0
    output_tokens: int = 0
    refused: int = 0
    failed_attempts: Mapping[str, int] = attrs.field(factory=dict)
    """Attempts that gave no usable answer, by target."""
    metrics: Mapping[str, Mapping[str, float]] = attrs.field(factory=dict)
    """What the hints `metrics` count, by name: calls, failed, attempts (that gave no answer), kept (by the hint
    `cache`), seconds."""
    exhausted: int = 0
    """Calls that nothing was left for: their own body ran, or they ended in the error."""
    errors: int = 0
    interrupted: bool = False
    tenant: str = ""
    """For whom it ran; "" is nobody in particular."""
    problems: tuple[PluginProblem, ...] = ()
    """What is wrong with the session's plugins, each kind once with its count."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            **{field.name: getattr(self, field.name) for field in attrs.fields(Summary)},
            "cost": None if self.unpriced else self.cost,
            "known_cost": self.cost,
            "by_target": dict(self.by_target),
            "cache_hits": dict(self.cache_hits),
            "failed_attempts": dict(self.failed_attempts),
            "metrics": {name: dict(counts) for name, counts in self.metrics.items()},
            "problems": [problem.to_json() for problem in self.problems],
        }


@attrs.frozen(slots=True, kw_only=True)
class RunResult:
    """A run that ended with a value. `calls` are the latest, at most `tally.MOST_CALLS`, sorted by id."""

    value: object
    """As RTFS has it; `to` converts it."""
    run_id: str
    calls: tuple[CallRecord, ...]
    summary: Summary
    marks: Label = PUBLIC
    """Those of all that it was given, and so of its value."""

    def to(self, type_: TypeForm[T]) -> T:
        """Return the value as data of a Python type, such as `list[int]`, `int | None` or a dataclass.

        Raises:
            ConversionError: The value is not of that type (E0938), or the type is none of RTFS (E0937).
        """
        from rtfs_framework.orchestrator.boundary.shapes import converted

        return converted(self.value, type_)


@attrs.frozen(slots=True, kw_only=True)
class RecordResult:
    """One record of a stream: its value, or the error that ended it (the stream goes on)."""

    index: int
    value: object = None
    error: ErrorValue | None = None
    calls: tuple[CallRecord, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Tell whether the record has a value."""
        return self.error is None


def attempt_json(made: AttemptRecord) -> dict[str, Any]:
    """Return an attempt as JSON-ready data."""
    attempt = made.attempt
    return {
        "target": show_target(attempt.target),
        "kind": attempt.kind.value,
        "reason": attempt.reason,
        "guard": attempt.guard,
        "retry_after": attempt.retry_after,
        "elsewhere": [show_target(each) for each in attempt.elsewhere],
        "seconds": made.seconds,
        "cost": made.cost,
        "input_tokens": made.input_tokens,
        "output_tokens": made.output_tokens,
    }


def call_json(record: CallRecord) -> dict[str, Any]:
    """Return a call record as JSON-ready data, for `--json` outputs."""
    plan = record.decision.plan if record.decision else None
    return {
        "index": record.index,
        "entry": record.entry,
        "path": record.path,
        "record": record.record,
        "kind": record.kind,
        "symbol": record.symbol,
        "place": str(record.place) if record.place else None,
        "target": record.target,
        "source": plan.source.value if plan else None,
        "engine": plan.engine if plan else None,
        "confidence": plan.confidence if plan else None,
        "reasoning": plan.reasoning if plan else None,
        "context": [list(item) for item in plan.context] if plan else [],
        "steps": [list(step) for step in record.decision.steps] if record.decision else [],
        "exhausted": record.exhausted,
        "hints": [list(each) for each in record.hints],
        "shadow": None if record.shadow is None else attrs.asdict(record.shadow),
        "attempts": [attempt_json(each) for each in record.attempts],
        "seconds": record.seconds,
        "cost": record.cost,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cache": record.cache,
        "model": record.model,
        "explanation": record.explanation,
        **({} if record.labelled is None else record.labelled.to_json()),
        **({} if record.remote is None else {"remote": record.remote.to_json()}),
        "error": {"kind": record.error_kind, "message": record.error, "code": record.code}
        if record.error_kind
        else None,
    }
