"""What is known of a reply when it is remembered: whose it is, who gave it, what it cost, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtfs_framework.api.cache import CacheInfo
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.recording.lineage import reply_id, sources_of

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

NANO = 1_000_000_000
"""Nano-dollars of a dollar."""
TASK, TAGS = "task", "tags"
"""Facts that a caller may say of its calls (`DelegationMetadata.context`); tags are words between spaces."""


def known_of(opened: OpenCall, instance: ProviderInstance, reply: InferenceReply, agent: str, now: float) -> CacheInfo:
    """Return what is known of a reply to the request that an open call has just made."""
    facts, spent = opened.metadata.context, opened.spent
    cost = None if spent is None or spent.cost is None else round(spent.cost * NANO)
    marks = opened.labels if reply.remote is None else opened.labels | reply.remote.labels
    return CacheInfo(
        symbol=opened.record.symbol,
        target=show_target(instance.target),
        model=reply.model or instance.spec.model,
        tenant=opened.scope.tenant,
        labels=tuple(sorted(marks)),
        agent=agent,
        task=facts.get(TASK, ""),
        tags=tuple(facts.get(TAGS, "").split()),
        reply=reply_id(opened),
        sources=sources_of(opened),
        seconds=max(0.0, now - opened.since),
        cost=cost,
        confidence=reply.confidence,
    )
