"""Decisions: what an engine is shown (`CallContext`), what it answers (`DelegationPlan` or `Consult`)."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.kernel.outcome import FunctionSignature, HostCall


class PlanSource(Enum):
    """Which step of the precedence made the plan."""

    POLICY = "policy"
    HINT = "hint"
    STATIC_ROUTE = "static-route"
    L1 = "l1"
    ENGINE = "engine"
    DEFAULT = "default"


@attrs.frozen(slots=True)
class Candidate:
    """A target that the host could use, with what is known of it.

    Costs are US dollars per million tokens, None where nobody has said them.
    """

    target: ExecTarget
    provider: str
    model: str = ""
    healthy: bool = True
    input_cost: float | None = None
    output_cost: float | None = None


@attrs.frozen(slots=True)
class DelegationMetadata:
    """What a caller may add to a decision (all optional)."""

    confidence: float | None = None
    reasoning: str = ""
    context: tuple[tuple[str, str], ...] = ()


@attrs.frozen(slots=True)
class CallContext:
    """All that `decide` may look at. Immutable; the same context gives the same plan."""

    symbol: str
    call: HostCall
    function: FunctionSignature | None
    args_digest: str
    candidates: tuple[Candidate, ...] = ()
    default: ExecTarget | None = None
    policy_hash: str = ""
    """Digest of the configuration that decisions rest on: a changed route makes old plans unreachable."""
    metadata: DelegationMetadata = DelegationMetadata()


@attrs.frozen(slots=True, kw_only=True)
class DelegationPlan:
    """Where a call goes and why."""

    target: ExecTarget
    confidence: float = attrs.field(default=1.0, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    reasoning: str
    source: PlanSource
    engine: str = ""
    context: tuple[tuple[str, str], ...] = ()
    """Further facts as (name, text): candidates weighed, candidates excluded and why."""
    created_at: float = 0.0
    """Seconds since the epoch; set by the orchestrator, because `decide` reads no clock."""


@attrs.frozen(slots=True)
class Consult:
    """An engine's wish to hear a model before it decides. The orchestrator asks, then calls `conclude`."""

    target: ExecTarget
    question: str
    context: tuple[tuple[str, str], ...] = ()
