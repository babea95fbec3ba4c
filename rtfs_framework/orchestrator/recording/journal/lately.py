"""What a journal has seen lately, by target: for people who watch.

In: a journal, from when on. Out: a `Lately` for each target: calls that have ended, and those that are under way. Rows
are read from the end of the file back, so a long journal costs no more than a short one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.orchestrator.recording.journal.parsing import parsed
from rtfs_framework.orchestrator.recording.journal.query import has_log, reading

_ENDED = "SELECT body FROM log WHERE what IN ('ended', 'begun', 'run') ORDER BY position DESC"
_SERVED = frozenset({"l2 hit", "similar hit", "l3 hit", "in flight"})


@attrs.define(slots=True, kw_only=True)
class Lately:
    """The calls of one target within a stretch of time."""

    calls: int = 0
    failed: int = 0
    """Calls that ended in an error."""
    from_memory: int = 0
    seconds: float = 0.0
    """All together."""
    tokens: int = 0
    cost: float = 0.0
    """US dollars, as far as they are known."""
    unpriced: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return attrs.asdict(self)


def lately(path: Path, since: float) -> dict[str, Lately]:
    """Return what each target did since a time (seconds since the epoch), the busiest first.

    Only calls that were decided about count: where, and whether, is what one watches.

    Raises:
        JournalError: The journal cannot be read.
    """
    found: dict[str, Lately] = {}
    with reading(path) as connection:
        for row in connection.execute(_ENDED) if has_log(connection) else ():
            body = parsed(row["body"])
            when = body.get("decided_at", body.get("started"))
            if isinstance(when, int | float) and when < since:
                break
            if "outcome" in body and "decision" in body:
                _count(found.setdefault(str(body.get("target") or "?"), Lately()), body)
    return dict(sorted(found.items(), key=lambda each: (-each[1].calls, each[0])))


def _count(total: Lately, body: dict[str, Any]) -> None:
    total.calls += 1
    total.failed += body["outcome"] == "error"
    total.from_memory += body.get("cache") in _SERVED
    total.seconds += (body.get("micros") or 0) / 1_000_000
    total.tokens += int(body.get("input_tokens") or 0) + int(body.get("output_tokens") or 0)
    cost = body.get("cost", 0.0)
    if cost is None:
        total.unpriced += 1
    else:
        total.cost += float(cost)
