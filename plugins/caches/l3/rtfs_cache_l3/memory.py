"""What is learned, as plain data: a cell for each situation, with counts for each target that was asked in it.

In: cells and one more outcome. Out: cells; nothing is changed in place. Means are exponentially weighted: each outcome
of a target counts `decay` times as much with each that follows in its situation, so a target that has become another
one is known as what it is now. Time is that of the outcomes: what is past its time goes with the next outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from math import expm1, log1p
from typing import Any

from rtfs_framework.api import (
    Capability,
    Experience,
    FailureKind,
    LocalModel,
    Outcome,
    PlanOutcomes,
    RemoteModel,
    Situation,
    State,
)

MOST_TARGETS = 8
"""Of one situation; the one that was asked least lately makes room."""
_NO_EVIDENCE = frozenset({FailureKind.REFUSED, FailureKind.FINAL})
"""It was not asked, or the call's own time was over."""
_ANSWERED = frozenset({FailureKind.REPLY, FailureKind.LOW_CONFIDENCE})
_KINDS: Mapping[str, type[Any]] = {
    "local": LocalModel,
    "remote": RemoteModel,
    "capability": Capability,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

Cell = Mapping[str, Any]


def name_of(situation: Situation) -> str:
    """Return the name of a situation's cell: the digest of all that it is, labels included."""
    text = dumps(situation.to_json(), sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def folded(state: State, outcome: Outcome, *, capacity: int, ttl: float | None, decay: float) -> State:
    """Return the cells after one more outcome."""
    situation, kind = outcome.situation, _NAMES.get(type(outcome.target))
    if situation is None or kind is None or (outcome.kind in _NO_EVIDENCE and outcome.feedback is None):
        return state
    name = name_of(situation)
    before: Any = state.get(name)
    if outcome.feedback is not None and before is None:
        return state  # what was said of a call whose situation is forgotten
    at = max(outcome.at, 0.0 if before is None else before["at"])
    plans = {} if before is None else before["plans"]
    place = f"{kind} {getattr(outcome.target, 'id', '')}"
    row = _counted(plans.get(place, {}), outcome, decay)
    made: dict[str, Any] = {**{each: found for each, found in plans.items() if each != place}, place: row}
    if len(made) > MOST_TARGETS:
        del made[next(iter(made))]
    cell = {"situation": situation.to_json(), "at": at, "until": None if ttl is None else at + ttl, "plans": made}
    kept = {**state}
    for each, found in state.items():  # in the order of their last change, so those that are over come first
        if isinstance(found, dict) and not _is_over(found, outcome.at):
            break
        del kept[each]
    kept.pop(name, None)
    kept[name] = cell
    while len(kept) > capacity:
        del kept[next(iter(kept))]
    return kept


def experience_of(cell: Cell) -> Experience:
    """Return what a cell says.

    Raises:
        ValueError: It is no cell of this layer.
    """
    try:
        plans = tuple(_plan(place, row) for place, row in cell["plans"].items())
        situation = Situation.of_json(cell["situation"])
        return Experience(situation=situation, plans=plans, at=float(cell["at"]), until=cell["until"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no cell of experience: {error!r:.80}") from None


def _is_over(cell: Cell, now: float) -> bool:
    until = cell["until"]
    return until is not None and until <= now


def _counted(row: Mapping[str, float], outcome: Outcome, decay: float) -> dict[str, float]:
    """Return a target's row after one more outcome: of each quantity how much counts, and the mean."""
    if outcome.feedback is not None:
        return _noted(dict(row), "rated", "feedback", outcome.feedback, decay)
    made = _noted(dict(row), "count", "success", 1.0 if outcome.success else 0.0, decay)
    if outcome.success or outcome.kind in _ANSWERED:
        made["answered"] = row.get("answered", 0.0) * decay + 1.0
    elif "answered" in row:
        made["answered"] = row["answered"] * decay
    if outcome.kind is not FailureKind.SAFE:  # a connection that is refused at once is no quick answer
        made = _noted(made, "timed", "log", log1p(max(outcome.seconds, 0.0)), decay)
    if outcome.cost is not None and (outcome.success or outcome.cost > 0.0):
        made = _noted(made, "priced", "cost", outcome.cost, decay)
    return made


def _noted(row: dict[str, float], count: str, mean: str, value: float, decay: float) -> dict[str, float]:
    n = row.get(count, 0.0) * decay + 1.0
    before = row.get(mean, 0.0)
    return {**row, count: n, mean: before + (value - before) / n}


def _plan(place: str, row: Mapping[str, float]) -> PlanOutcomes:
    kind, _, id_ = place.partition(" ")
    count = row.get("count", 0.0)
    return PlanOutcomes(
        target=_KINDS[kind](id_),
        count=count,
        successes=count * row.get("success", 0.0),
        answered=row.get("answered", 0.0),
        seconds=expm1(row["log"]) if row.get("timed") else None,
        cost=row["cost"] if row.get("priced") else None,
        feedback=row["feedback"] if row.get("rated") else None,
        rated=row.get("rated", 0.0),
    )
