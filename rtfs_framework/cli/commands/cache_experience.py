"""Forgetting experience: what a layer of level L3 shows is learned, so the journal must say that it counts no more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.cli.options import open_session

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.remembering.cache_stack import CacheStack


def is_learned(caches: CacheStack, name: str) -> bool:
    """Tell whether what a layer shows is learned."""
    return caches.layers[name][0].level is CacheLevel.L3


def forget_experience(config: str | None, cells: Iterable[str]) -> None:
    """Write down that some cells count no more, "" for all; every process that learns hears it."""
    from rtfs_framework.orchestrator.learning.experienced import NAME
    from rtfs_framework.orchestrator.learning.overview import forget

    named = list(cells)
    if not named:
        return
    with open_session(None, config) as session:
        host = session.host
        if host.journal is not None:
            forget(host.learning, host.journal, host.clock, [NAME], host.config.tenant, named)
