"""A request that had begun when its process ended, and may be made again: at the same target, redacted as before."""

from __future__ import annotations

import attrs

from rtfs_framework.api.plans import DelegationPlan, PlanSource
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.orchestrator.deciding.precedence import Precedence
from rtfs_framework.orchestrator.recording.records import Decision

_WHY = "this request had begun when its process ended; it is made again with the same key"


@attrs.frozen(slots=True)
class Again:
    """Where a call had begun."""

    target: ExecTarget
    transform: tuple[str, ...] = ()
    """The rules of redaction that its request went through."""

    def decision(self, precedence: Precedence, now: float) -> Decision:
        """Return the decision to make it again, as far as today's rules let it."""
        plan = DelegationPlan(
            target=self.target,
            reasoning=_WHY,
            source=PlanSource.PINNED,
            transform=self.transform,
            created_at=now,
        )
        plan, note = precedence.review(plan)
        steps = (("resume", _WHY),) if note is None else (("resume", _WHY), ("security", note))
        return Decision(plan, steps)
