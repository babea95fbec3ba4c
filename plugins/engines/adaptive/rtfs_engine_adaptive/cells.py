"""What is learned, as plain data: a cell per function, and one ("*") for all, from which new functions begin.

A cell has, per target, a line for each quantity (`lines`), and how the function's calls ended: lately (`recent`), and
all of them (`all`, `good`). `doubt` counts down the outcomes for which more is explored after a change. `down` says how
often in a row a target could not be reached: an outage is one event however many calls meet it, and who is down at
present is the breakers' matter, so of such a row of a target that has worked (`worked`) the 1st, 2nd, 4th, 8th outcome
and so on count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p
from typing import Any

from rtfs_engine_adaptive.lines import Line, learned, new_line, uncertain
from rtfs_engine_adaptive.settings import AdaptiveSettings, Threshold
from rtfs_framework.api import FailureKind, LocalModel, Outcome, RemoteModel, show_target

ALL = "*"
"""The cell of all functions together."""
MOST_CELLS = 1_000
"""Functions that are known; the one that nobody called for longest is forgotten first."""
_BOUND, _BOUND_OF_FEEDBACK = 16.0, 12.0
"""Of the test for a change; feedback is rare, so less of it must be enough."""
_DOUBT = 4
"""For how many times `samples` outcomes more is explored after a change."""
_PRIORS: Mapping[str, float] = {"success": 0.9, "validity": 0.9, "feedback": 0.5, "cost": 0.0, "latency": 0.0}
_SHARES = frozenset({"success", "validity", "feedback"})
_ANSWERED = frozenset({FailureKind.REPLY, FailureKind.LOW_CONFIDENCE})
"""Failures of a target that did answer."""
_NO_EVIDENCE = frozenset({FailureKind.REFUSED, FailureKind.FINAL})
"""It was not asked, or the call's own time was over."""
_UNREACHED = frozenset({FailureKind.SAFE, FailureKind.UNCERTAIN})
"""Nothing came back."""
_FORM = "a1"
"""How notes begin; what begins otherwise was written by another engine."""
_LARGEST = 6
NO_CLASS = "-"

Cell = Mapping[str, Any]


def note_of(size: int | None, time_class: str | None) -> str:
    """Return what comes back with an outcome: the features of the call."""
    return f"{_FORM} {NO_CLASS if size is None else size} {NO_CLASS if time_class is None else time_class}"


def features_of(note: str) -> tuple[int | None, str | None]:
    """Return the features that a note tells; none where it is another engine's."""
    form, _, rest = note.partition(" ")
    size, _, time_class = rest.partition(" ")
    if form != _FORM:
        return None, None
    return int(size) if size.isdecimal() else None, None if time_class == NO_CLASS else time_class


def vector(size: int | None, settings: AdaptiveSettings) -> tuple[float, ...]:
    """Return the features as lines take them; a size that is not known is a middling one."""
    if "size" not in settings.features:
        return (1.0,)
    return 1.0, 0.0 if size is None else min(size, _LARGEST) / (_LARGEST / 2) - 1.0


def name_of(symbol: str, time_class: str | None) -> str:
    """Return the name of a function's cell."""
    return symbol if time_class is None else f"{symbol} @{time_class}"


def folded(state: Mapping[str, Cell], outcome: Outcome, settings: AdaptiveSettings) -> Mapping[str, Cell]:
    """Return the cells after one more outcome."""
    if not isinstance(outcome.target, LocalModel | RemoteModel):
        return state
    if outcome.kind in _NO_EVIDENCE and outcome.feedback is None:
        return state
    size, time_class = features_of(outcome.note)
    name = name_of(outcome.symbol, time_class if "time_class" in settings.features else None)
    whole = state.get(ALL, {})
    made = {
        **state,
        name: _cell(state.get(name, {}), whole, outcome, vector(size, settings), settings),
        ALL: _cell(whole, {}, outcome, (1.0,), settings),
    }
    if len(made) > MOST_CELLS:
        del made[next(each for each in made if each not in (ALL, name))]
    return made


def threshold_of(cell: Cell, rule: Threshold) -> float:
    """Return how often a target must succeed to be trusted with a function."""
    total = cell.get("all", 0)
    if total < rule.samples:
        return rule.base
    adjusted = rule.base + rule.success * (cell["recent"] - 0.5) + rule.history * (cell["good"] / total - 0.5)
    return float(min(max(adjusted, rule.minimum), rule.maximum))


def _cell(cell: Cell, whole: Cell, outcome: Outcome, x: Sequence[float], settings: AdaptiveSettings) -> Cell:
    target = show_target(outcome.target)
    row = _row(cell, target, outcome)
    if row != cell.get("down", {}):
        cell = {**cell, "down": row}
    arms: Mapping[str, Mapping[str, Line]] = cell.get("arms", {})
    in_row = 0 if outcome.feedback is not None else row.get(target, 0)
    if in_row.bit_count() > 1 and target in cell.get("worked", ()):
        return cell
    arm = arms.get(target) or _begun(whole.get("arms", {}).get(target), len(x))
    made, changed = _arm(arm, outcome, x, settings)
    doubt = cell.get("doubt", 0)
    found = {**cell, "arms": {**arms, target: made}, "doubt": _DOUBT * settings.samples if changed else doubt}
    if outcome.feedback is not None:
        return found
    decay, good = settings.threshold.decay, 1.0 if outcome.success else 0.0
    if outcome.success and target not in cell.get("worked", ()):
        found["worked"] = [*cell.get("worked", ()), target]
    found["recent"] = good if "recent" not in cell else decay * cell["recent"] + (1.0 - decay) * good
    found["all"], found["good"] = cell.get("all", 0) + 1, cell.get("good", 0) + (1 if outcome.success else 0)
    if doubt and not changed:
        found["doubt"] = doubt - 1
    return found


def _row(cell: Cell, target: str, outcome: Outcome) -> Mapping[str, int]:
    """Return how often in a row each target could not be reached, after one more outcome."""
    known: Mapping[str, int] = cell.get("down", {})
    if outcome.feedback is not None:
        return known
    if outcome.kind in _UNREACHED:
        return {**known, target: known.get(target, 0) + 1}
    return {name: count for name, count in known.items() if name != target} if target in known else known


def _begun(known: Mapping[str, Line] | None, size: int) -> Mapping[str, Line]:
    """Return what is expected of a target that a function has not used: what others have seen of it."""
    if known is None:
        return {name: new_line(size, value) for name, value in _PRIORS.items()}
    return {name: uncertain(line, size) for name, line in known.items()}


def _arm(
    arm: Mapping[str, Line], outcome: Outcome, x: Sequence[float], settings: AdaptiveSettings
) -> tuple[Mapping[str, Line], bool]:
    made, changed = dict(arm), False
    for name, value in _seen(outcome):
        bound = None if not settings.drift else _BOUND_OF_FEEDBACK if name == "feedback" else _BOUND
        made[name], tells = learned(arm[name], x, value, settings.decay, bound, share=name in _SHARES)
        changed = changed or tells
    if changed:  # all that is known of it is in doubt
        least = min(line["n"] for name, line in made.items() if name != "feedback")
        made["success"] = {**made["success"], "n": min(made["success"]["n"], least)}
    return made, changed


def _seen(outcome: Outcome) -> list[tuple[str, float]]:
    """Return the quantities that an outcome tells of."""
    if outcome.feedback is not None:
        return [("feedback", outcome.feedback)]
    found = [("success", 1.0 if outcome.success else 0.0)]
    if outcome.kind is not FailureKind.SAFE:  # a connection that is refused at once is no quick answer
        found.append(("latency", log1p(max(outcome.seconds, 0.0))))
    if outcome.success or outcome.kind in _ANSWERED:
        found.append(("validity", 1.0 if outcome.success else 0.0))
    if outcome.cost is not None and (outcome.success or outcome.cost > 0.0):  # nor is it a cheap one
        found.append(("cost", outcome.cost))
    return found
