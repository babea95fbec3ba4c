"""What is known of a plan, and of a model's words about one, beside what is kept: whose it is, and how sure.

By it people find what lies in L1 (`by agent`, `by task`), and the layer tells plans that are too unsure to be kept. It
is no part of any key: plans are served by what was read, whoever asks.
"""

from __future__ import annotations

from rtfs_framework.api.cache import CacheInfo
from rtfs_framework.api.caller import NO_METADATA
from rtfs_framework.api.plans import DelegationPlan
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.deciding.facts import Asker, Facts
from rtfs_framework.orchestrator.deciding.known import Undecided

AGENT, TASK = "agent", "task"
"""The facts of `DelegationMetadata.context` that say for whom and for what a call is made."""


def plan_info(facts: Facts, plan: DelegationPlan, asker: Asker | None) -> CacheInfo:
    """Return what is known of a plan. The agent is whom the caller names, else whom the host works for."""
    said = (NO_METADATA if asker is None else asker.metadata).context
    return CacheInfo(
        symbol=facts.function.name,
        target=show_target(plan.target),
        tenant=facts.tenant,
        labels=() if asker is None else tuple(sorted(asker.labels)),
        agent=said.get(AGENT) or facts.around.agent,
        task=said.get(TASK, ""),
        confidence=plan.confidence,
    )


def answer_info(asked: Undecided) -> CacheInfo:
    """Return what is known of a model's words: which call they were wanted for, and who said them."""
    call = asked.call
    return CacheInfo(
        symbol=call.capability if call.function is None else call.function.name,
        target=show_target(asked.question.target),
    )
