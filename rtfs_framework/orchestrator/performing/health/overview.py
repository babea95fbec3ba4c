"""What people see of the board, and the one thing that they may do to it: say that a target is well again."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from rtfs_framework.api.signals import Health, Latency
from rtfs_framework.orchestrator.performing.health.board import Board


@attrs.frozen(slots=True, kw_only=True)
class TargetHealth:
    """One target's signals. Ages and times to come are seconds."""

    target: str
    state: Health
    age: float | None = None
    """Since the state was last changed, None where it never was."""
    probe_in: float | None = None
    """Until the next request may be sent, while none may."""
    latency: Latency | None = None
    reason: str = ""


def overview(board: Board) -> list[TargetHealth]:
    """Return the signals of all watched targets, by their texts."""
    now, found = board.clock.now(), []
    for target, watched in sorted(board.all.items(), key=lambda each: each[1].text):
        state = board.health(target)
        row = board.shared.read(watched.key)
        changed = row is not None and row.version > 0 and bool(row.reason or row.state != Health.CLOSED.value)
        found.append(
            TargetHealth(
                target=watched.text,
                state=state,
                age=max(0.0, now - row.changed) if row is not None and changed else None,
                probe_in=max(0.0, row.until - now) if row is not None and state is Health.OPEN else None,
                latency=board.latency(target),
                reason=row.reason if row is not None and state is not Health.CLOSED else "",
            )
        )
    return found


def reset(board: Board, texts: Collection[str]) -> list[str]:
    """Close the breakers of the targets of these texts, of all when there are none; return those that were not closed.

    Other processes learn of it with their next look, within a second of being asked.
    """
    return [
        watched.text
        for target, watched in sorted(board.all.items(), key=lambda each: each[1].text)
        if (not texts or watched.text in texts) and board.close_breaker(target)
    ]
