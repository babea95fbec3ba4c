"""Engines that learn, and what they learn from. Learning is a fold over the causal chain: no file, no clock, no thread.

The host keeps the state, hands its cells to decisions in published versions (`CallContext.state`), shows, exports and
resets it, and can rebuild it from the journal: so `initial` and `fold` are pure, and a state is JSON-ready data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.engine import DelegationEngine

if TYPE_CHECKING:
    from rtfs_framework.api.attempts import FailureKind
    from rtfs_framework.api.experience import Situation
    from rtfs_framework.api.plans import Candidate
    from rtfs_framework.api.targets import ExecTarget

State = Mapping[str, Any]
"""What an engine has learned: cells by name, each JSON-ready data."""

MOST_NOTE = 1024
"""Characters of `DelegationPlan.note`."""


@attrs.frozen(slots=True, kw_only=True)
class Outcome:
    """How one attempt of a call ended, or what somebody said of it later. Never what the call was about.

    What came from memory is no outcome: nothing was tried.
    """

    symbol: str
    target: ExecTarget
    success: bool
    """Whether it gave a usable answer."""
    kind: FailureKind | None = None
    """What its failure is evidence of; None for a success."""
    seconds: float = 0.0
    cost: float | None = 0.0
    """US dollars, None when it is not known."""
    input_tokens: int = 0
    output_tokens: int = 0
    confidence: float | None = None
    """How sure the target said it was."""
    propensity: float | None = None
    """`DelegationPlan.propensity` of the decision."""
    note: str = ""
    """`DelegationPlan.note` of the decision."""
    attempt: int = 0
    """Which one of its call it was, from 0."""
    feedback: float | None = None
    """What somebody said the answer is worth, within 0 and 1. Then this is feedback, and no attempt of its own."""
    at: float = 0.0
    """Seconds since the epoch, by the clock of the host that wrote it down."""
    situation: Situation | None = None
    """The context of the call; None where no layer of level L3 was on, and in older journals."""


@attrs.frozen(slots=True, kw_only=True)
class Stats:
    """How calls of a function at a target ended so far."""

    count: int = 0
    successes: int = 0
    seconds: float | None = None
    """The median, in bands of a factor of 1.4."""
    cost: float | None = None
    """The mean in US dollars; None where it is not known."""
    feedback: float | None = None
    """The mean, None without any."""


class LearningEngine(DelegationEngine, Protocol):
    """An engine with a state of its own, per instance and tenant."""

    def initial(self) -> State:
        """Return the state before anything was learned."""
        ...

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return the state after one more outcome. Must be pure, and leave `state` as it is."""
        ...


@attrs.frozen(slots=True, kw_only=True)
class Warm:
    """Something that is worth to be made ready before it is asked for."""

    what: str
    """"model" (loaded), "connection" (opened), "reply" (a call's answer) or "program" (compiled)."""
    target: ExecTarget | None = None
    key: str = ""
    """Which reply or program."""
    worth: float = 0.0
    """How likely it is needed soon, within 0 and 1: the best are done first, within the host's bound."""


class WarmContext(Protocol):
    """What a proposal may rest on."""

    @property
    def hour(self) -> int:
        """The hour of the day of the host's clock, 0 to 23."""
        ...

    @property
    def recent(self) -> tuple[str, ...]:
        """The functions that were called last, the latest at the end."""
        ...

    @property
    def near(self) -> tuple[tuple[str, float], ...]:
        """Functions that are like the latest one, by the layer of experience (L3), each with how near it is.

        The nearest first, within 0 and 1, without the function itself; none where no layer is on.
        """
        ...

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The targets that can be used."""
        ...


class ProposingEngine(LearningEngine, Protocol):
    """An engine that proposes what to make ready. The host decides, within a bound, and pays."""

    def propose(self, state: State, context: WarmContext) -> Iterable[Warm]:
        """Return what is worth to be made ready now. Must be pure."""
        ...
