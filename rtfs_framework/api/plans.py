"""Decisions: what an engine may choose from (`Candidate`), and what it answers (`DelegationPlan`)."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfs_framework.api.targets import ExecTarget


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
    input_cost: float | None = None
    output_cost: float | None = None


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
