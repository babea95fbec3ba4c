"""Decisions: what an engine may choose from (`Candidate`), and what it answers (`DelegationPlan`)."""

from __future__ import annotations

from enum import Enum

import attrs

from rtfs_framework.api.labels import Label
from rtfs_framework.api.targets import ExecTarget


class PlanSource(Enum):
    """Which step of the precedence made the plan."""

    POLICY = "policy"
    HINT = "hint"
    PINNED = "pinned"
    """A plan of the whole program, made before and reviewed."""
    STATIC_ROUTE = "static-route"
    L1 = "l1"
    ENGINE = "engine"
    DEFAULT = "default"
    EXHAUSTED = "exhausted"
    """Nothing was left to try."""


@attrs.frozen(slots=True)
class Candidate:
    """A target that the host could use, with what is known of it.

    Costs are US dollars per million tokens, None where nobody has said them; `quality` is within 0 and 1.
    """

    target: ExecTarget
    provider: str
    model: str = ""
    input_cost: float | None = None
    output_cost: float | None = None
    quality: float | None = None
    """What its owner says that its answers are worth, None where nobody has said it."""
    idempotent: bool = False
    """Whether asking it twice is as good as once: only then is it asked again when a request may have been done."""
    deterministic: bool = False
    """Whether equal requests always get equal answers."""
    context_window: int | None = None
    """Tokens that request and reply may have together, None where nobody has said it."""
    accepts: Label | None = None
    """The marks that its requests may carry; None for any."""
    priced_by: str = ""
    """Who says the costs, and of which day they are; empty where the configuration does."""
    description: str = ""
    """What it is good at, in its owner's words; empty where nobody has said it."""


@attrs.frozen(slots=True, kw_only=True)
class Hedge:
    """A second attempt of the same call, begun when the first has not answered: the first valid reply wins.

    Both are paid. The host hedges at idempotent targets only, and never above `most` US dollars, None for no bound.
    """

    target: ExecTarget
    after: float
    """Seconds."""
    most: float | None = None


@attrs.frozen(slots=True)
class Scored:
    """A target that an engine weighed and did not choose."""

    target: ExecTarget
    score: float
    why: str = ""


@attrs.frozen(slots=True, kw_only=True, weakref_slot=False)
class DelegationPlan:
    """Where a call goes and why."""

    target: ExecTarget
    confidence: float = attrs.field(default=1.0, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    reasoning: str
    source: PlanSource
    engine: str = ""
    context: tuple[tuple[str, str], ...] = ()
    """Further facts as (name, text): candidates weighed, candidates excluded and why."""
    delay: float = 0.0
    """Seconds to wait before the attempt: a repeat after a back-off."""
    hedge: Hedge | None = None
    alternatives: tuple[Scored, ...] = ()
    transform: tuple[str, ...] = ()
    """Rules of redaction, by name, that the request goes through before it is sent."""
    propensity: float | None = None
    """How likely an engine that explores was to choose this target, above 0 and at most 1."""
    note: str = ""
    """For the engine's own learning, at most 1,024 characters: it comes back in `Outcome.note`."""
    created_at: float = 0.0
    """Seconds since the epoch; set by the orchestrator, because `decide` reads no clock."""
