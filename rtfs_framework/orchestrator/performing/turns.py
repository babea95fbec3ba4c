"""Small steps of dispatch: answers that are awaited, those whose turn must come first, who is told of decisions."""

from __future__ import annotations

from collections.abc import Callable

from rtfs_framework.api.plans import DelegationPlan
from rtfs_framework.api.targets import Ask, show_target
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.boundary.answers import Answer, Waiting
from rtfs_framework.orchestrator.config.security import SecurityLevel
from rtfs_framework.orchestrator.deciding.security import Refusal, violation
from rtfs_framework.orchestrator.recording.events import EventBus
from rtfs_framework.orchestrator.recording.run_scope import OpenCall, RunScope


def tell_decided(events: EventBus, opened: OpenCall, plan: DelegationPlan) -> None:
    """Tell those who listen what was decided."""
    fields = {"symbol": opened.record.symbol, "target": show_target(plan.target), "source": plan.source.value}
    more = {**fields, "engine": plan.engine, "attempt": len(opened.record.attempts)}
    events.emit("call.decided", more, opened.labels)


async def finished(answer: Answer | Waiting) -> Answer:
    """Return an answer, awaited where it takes time."""
    return await answer.finish() if isinstance(answer, Waiting) else answer


async def once_written(opened: OpenCall, answer: Answer) -> Answer:
    """Return an answer once its call is written down."""
    await opened.written()
    return answer


def in_order(scope: RunScope, act: Callable[[], Answer | Waiting]) -> Answer | Waiting:
    """Do what must not overlap with what other branches do, now or when its place in the order is reached."""
    ordering = scope.ordering
    if ordering is None or ordering.reached:
        return act()

    async def wait() -> Answer:
        await ordering.wait()
        return await finished(act())

    return Waiting(wait)


def not_approved(opened: OpenCall, target: Ask, words: str, level: SecurityLevel) -> ProgramError:
    """Return the error of a call to which nobody said yes, with what had failed before a person was asked."""
    who = f"'{target.approver}'" if target.approver else "anybody"
    way_out = "run it again to ask anew; `rtfs approve list` shows what waits"
    why, failed = f"not approved by {who}: {words}", opened.failed
    if failed is not None:
        why = f"{why}; a person was asked because of {failed.kind}: {failed.message}"
    made = violation("call", opened.record.symbol, level, Refusal(why, way_out))
    return made if failed is None else ProgramError(made.kind, made.message, made.value.data, failed.value)
