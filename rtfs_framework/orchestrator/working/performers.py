"""What a worker can do, by topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtfs_framework.orchestrator.performing.items import TOPIC
from rtfs_framework.orchestrator.working.jobs import RUNS
from rtfs_framework.orchestrator.working.runs import RunPerformer
from rtfs_framework.orchestrator.working.tickets import TicketPerformer

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.working.sessions import Sessions
    from rtfs_framework.orchestrator.working.worker import Performer


def performers_of(sessions: Sessions) -> Mapping[str, Performer]:
    """Return what does the items of each topic."""
    return {RUNS: RunPerformer(sessions), TOPIC: TicketPerformer(sessions)}
