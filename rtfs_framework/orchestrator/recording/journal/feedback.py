"""Rows that people and programs add for those that learn: what an answer was worth, and that learning begins anew.

In: a call of a run, as the journal or its record tells of it. Out: the facts of a "feedback" row, which says of the
call all that an outcome needs; of a reset, those of a "forgotten" row.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.orchestrator.recording.journal.chain import canonical_json
from rtfs_framework.orchestrator.recording.similar_mark import served_of

if TYPE_CHECKING:
    from rtfs_framework.api.experience import Situation
    from rtfs_framework.orchestrator.recording.journal.texts import Texts
    from rtfs_framework.orchestrator.recording.records import CallRecord, Decision

GOOD, BAD = 1.0, 0.0
WORDS: Mapping[str, float] = {"good": GOOD, "bad": BAD}
"""What people say instead of a number."""


@attrs.frozen(slots=True, kw_only=True)
class Feedback:
    """What somebody said of a call."""

    entry: int | None
    record: int | None
    path: str
    value: float
    """Within 0 and 1."""
    by: str
    """Who said it: "person", "program" or "python"."""
    at: float
    call: Mapping[str, Any]
    """What an outcome needs of the call."""
    decision: Decision | str | None = None
    """What chose its target, or the digest of that."""
    situation: Situation | str | None = None
    """The context of the call, or the digest of that; None where none was noted."""
    run: int | None = None
    """The position of its run's first row; None where the chain of the run knows it."""
    served: tuple[str, str] | None = None
    """Entry and question, where the answer was that to a similar request: for the layer that gave it."""

    def body(self, texts: Texts) -> str:
        """Return what the row says."""
        found = self.decision
        digest = found if isinstance(found, str) or found is None else texts.plan(found)
        more = {} if not digest else {"decision": digest}
        place = self.situation
        if place is not None:
            more["situation"] = place if isinstance(place, str) else texts.situation(place)
        call = {**self.call, **{name: texts.blot(str(self.call[name])) for name in ("symbol", "target")}}
        return canonical_json({**call, **more, "value": self.value, "by": self.by, "at": self.at})


@attrs.frozen(slots=True, kw_only=True)
class Forgotten:
    """An engine begins anew: what it had learned by now counts no more."""

    engine: str
    """By its name in the configuration; "" for all of them, and for what the host counts."""
    tenant: str
    at: float
    cell: str = ""
    """The one cell that is forgotten; "" for all."""

    def body(self, texts: Texts) -> str:
        """Return what the row says."""
        found = {"engine": texts.blot(self.engine), "tenant": texts.blot(self.tenant), "at": self.at, "cell": self.cell}
        return canonical_json({name: value for name, value in found.items() if value != ""})


def checked_value(value: object) -> float:
    """Return what an answer was worth as a number within 0 and 1: "good", "bad", or such a number.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except ValueError:
        found = -1.0
    if not (isfinite(found) and 0.0 <= found <= 1.0):
        raise ValueError(f"{value!r:.40} is no rating: good, bad, or a number from 0 to 1")
    return found


def of_record(record: CallRecord, value: float, by: str, at: float) -> Feedback:
    """Return feedback about a call of a run that is under way."""
    call = {
        "symbol": record.symbol,
        "target": record.target,
        "outcome": "error" if record.error_kind else "value",
        "micros": int(record.seconds * 1_000_000 + 0.5),
        "cost": record.cost,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
    }
    return Feedback(
        entry=record.entry,
        record=record.record,
        path=record.path,
        value=value,
        by=by,
        at=at,
        call=call,
        decision=record.decision,
        situation=record.situation,
        served=served_of(record.similar),
    )
