"""Hearing a model before an engine decides: a call like any other, with its own record, beside the call that it is for.

In: an open call and the engine's question. Out: what the model said, None when it did not answer or may not be asked.
The record has the kind "consultation" and the call's id with a number of its own ("3?1"); its usage and cost count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.targets import show_target
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.boundary.failures import unknown_target
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.orchestrator.deciding.security import Refusal, SecurityAuthorizer, violation

if TYPE_CHECKING:
    from rtfs_framework.lang.errors import ProgramError
    from rtfs_framework.orchestrator.performing.models import Models
    from rtfs_framework.orchestrator.performing.providers import ProviderPool
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall


@attrs.frozen(slots=True, eq=False)
class Consultations:
    """Asks the models that engines want to hear."""

    models: Models
    pool: ProviderPool
    security: SecurityAuthorizer
    clock: Clock

    async def hear(self, opened: OpenCall, question: Question) -> str | None:
        """Return a model's words for the engine that decides about a call, None when there are none."""
        name = show_target(question.target)
        asking = opened.consultation(name, question.text, self.clock.monotonic())
        instance = self.pool.get(question.target)
        refused = self._refused(question, name)
        if refused is not None or instance is None:
            asking.close(self.clock.monotonic(), error=refused or unknown_target(f"{name} is not configured"))
            return None
        ordering = opened.scope.ordering
        if ordering is not None and not ordering.reached and not instance.entry.order_independent:
            await ordering.wait()
        return await self.models.consult(asking, instance, question, opened.started) or None

    def _refused(self, question: Question, name: str) -> ProgramError | None:
        why = self.security.validate_execution_context(question.target)
        if why is None:
            return None
        refusal = Refusal(why, f"widen reach under [security] in {self.security.config_name}")
        return violation("consult", name, self.security.rules.level, refusal)
