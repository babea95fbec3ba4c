"""What the host itself learns: how calls of each function at each target ended. It is what `CallContext.stats` reads.

A cell per function and target: how many, how many of them well, how long in bands of a factor of 1.4, what they cost,
what was said of them. A full state forgets the pair that nobody used for longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log
from typing import TYPE_CHECKING, Any

from rtfs_framework import __version__
from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.learning import Outcome, State, Stats
from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.learning.fold import MOST_CELLS, Learner
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget

NAME = "host.stats"
"""No instance of a configuration has a dot in its name."""
_FACTOR = log(1.4)
_LEAST, _MOST = 1e-5, 1e5
_NO_EVIDENCE = frozenset({FailureKind.REFUSED, FailureKind.FINAL})
"""Ways to end that say nothing of a target: it was not asked, or the call's own time was over."""


def counts() -> Learner:
    """Return the host as one who learns."""
    who = Provenance("rtfs-framework", __version__, __name__)
    return Learner(NAME, Part("learner", NAME, who), dict, fold, "1")


def cell_of(symbol: str, target: ExecTarget) -> str:
    """Return the name of a pair's cell."""
    return f"{symbol} {show_target(target)}"


def fold(state: State, outcome: Outcome) -> State:
    """Return the counts after one more outcome."""
    if outcome.kind in _NO_EVIDENCE and outcome.feedback is None:
        return state
    name = cell_of(outcome.symbol, outcome.target)
    before: Mapping[str, Any] = state.get(name, {})
    made = _rated(before, outcome.feedback) if outcome.feedback is not None else _counted(before, outcome)
    if name not in state and len(state) >= MOST_CELLS:
        oldest = next(iter(state))
        return {**{key: value for key, value in state.items() if key != oldest}, name: made}
    return {**state, name: made}


def stats_of(cell: Mapping[str, Any] | None) -> Stats | None:
    """Return what a cell says."""
    if cell is None:
        return None
    bands: Mapping[str, int] = cell.get("bands", {})
    priced, rated = cell.get("priced", 0), cell.get("rated", 0)
    return Stats(
        count=cell.get("count", 0),
        successes=cell.get("successes", 0),
        seconds=_median(bands),
        cost=cell["cost"] / priced if priced else None,
        feedback=cell["feedback"] / rated if rated else None,
    )


def _counted(before: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    made = {**before, "count": before.get("count", 0) + 1}
    made["successes"] = before.get("successes", 0) + (1 if outcome.success else 0)
    if outcome.success:
        band = str(floor(log(min(max(outcome.seconds, _LEAST), _MOST)) / _FACTOR))
        bands = before.get("bands", {})
        made["bands"] = {**bands, band: bands.get(band, 0) + 1}
    if outcome.cost is not None:
        made["priced"], made["cost"] = before.get("priced", 0) + 1, before.get("cost", 0.0) + outcome.cost
    return made


def _rated(before: Mapping[str, Any], feedback: float) -> dict[str, Any]:
    return {**before, "rated": before.get("rated", 0) + 1, "feedback": before.get("feedback", 0.0) + feedback}


def _median(bands: Mapping[str, int]) -> float | None:
    """Return the upper border of the band in which the median lies."""
    half, seen = (sum(bands.values()) + 1) // 2, 0
    for band in sorted(map(int, bands)):
        seen += bands[str(band)]
        if seen >= half:
            return float(1.4 ** (band + 1))
    return None
