"""What is learned: which targets are asked soon after which function, and how busy each is in each hour of the day.

In: a state and an outcome. Out: the state after it; the one before is left as it is. All of it is counts, and bounded:
of functions and targets only the most frequent are kept. Counts are halved when they are large, and hours are averaged
over days, so that what was long ago weighs less.

After a function, the share of its calls is counted after which a target was asked within the horizon: pairs of first
order, whatever else was called between. An hour's load is the share of its windows, each as long as the horizon, in
which a target was asked: that is how likely it is asked within the next one, however calls come in bursts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rtfs_framework.api import LocalModel, RemoteModel
from rtfs_framework.api.learning import Outcome, State

MOST_FUNCTIONS, MOST_FOLLOWERS, MOST_TARGETS, MOST_COUNT = 128, 8, 64, 256
LEAST_SEEN = 3
"""Calls of a function before anything is said of what follows it."""
MOST_RECENT = 8
"""Calls within the horizon after which others are counted."""
_HOUR, _DAY = 3600.0, 86_400.0
_TOO_FAR, _NEAR = 0.25, 0.6
"""How near a function must be to count for another at all, and wholly."""
_NEW_DAY = 0.3
"""What one more day counts in the average of an hour."""


def empty() -> State:
    """Return the state before anything was learned."""
    return {"recent": [], "follows": {}, "hours": {}, "day": 0}


def target_key(target: LocalModel | RemoteModel) -> str:
    """Return a target as the states name it."""
    return f"{'local' if isinstance(target, LocalModel) else 'remote'} {target.id}"


def after(state: State, outcome: Outcome, horizon: float) -> State:
    """Return the state after one more outcome."""
    target = outcome.target
    if outcome.feedback is not None or outcome.attempt or not isinstance(target, LocalModel | RemoteModel):
        return state
    key, at = target_key(target), outcome.at
    day = int(at // _DAY)
    follows, recent = _counted(state["follows"], outcome.symbol, ""), []
    for symbol, then, seen in state["recent"]:
        if not 0.0 <= at - then <= horizon:
            continue
        if key not in seen:
            follows = _counted(follows, symbol, key)
        recent.append([symbol, then, seen if key in seen else [*seen, key]])
    return {
        "recent": [*recent, [outcome.symbol, at, []]][-MOST_RECENT:],
        "follows": follows,
        "hours": _busy(state["hours"], key, at, day, horizon),
        "day": max(day, state["day"]),
    }


_Counts = Mapping[str, Mapping[str, int]]
"""By function: calls (under ""), and after how many of them each target was asked."""


def _counted(table: _Counts, row: str, column: str) -> _Counts:
    """Return a table with one more in a column of a row."""
    counts = dict(table.get(row, {"": 0}))
    if column not in counts and len(counts) > MOST_FOLLOWERS:
        del counts[min((name for name in counts if name), key=lambda name: (counts[name], name))]
    counts[column] = counts.get(column, 0) + 1
    if counts[""] > MOST_COUNT:
        counts = {name: count // 2 for name, count in counts.items() if count > 1}
    kept: dict[str, Mapping[str, int]] = {**table, row: counts}
    if len(kept) > MOST_FUNCTIONS:
        del kept[min((name for name in kept if name != row), key=lambda name: (kept[name][""], name))]
    return kept


def _busy(hours: Mapping[str, Any], key: str, at: float, day: int, horizon: float) -> dict[str, Any]:
    """Return the hours with one more call: [mean of days before or nil, day, windows used on it, the latest window]."""
    hour, window = str(int(at % _DAY // _HOUR)), int(at // horizon)
    cells = dict(hours.get(key, {}))
    mean, then, used, latest = cells.get(hour, (None, day, 0, -1))
    if day > then:
        mean, used = rolled(mean, then, used, day), 0
    cells[hour] = [mean, max(day, then), used + (window != latest), window]
    kept = {**hours, key: cells}
    if len(kept) > MOST_TARGETS:
        del kept[min((name for name in kept if name != key), key=lambda name: (*_weight(kept[name]), name))]
    return kept


def _weight(cells: Mapping[str, Any]) -> tuple[int, float]:
    """Return when a target was last asked, by days, and how often."""
    return max(int(cell[1]) for cell in cells.values()), sum((cell[0] or 0.0) + cell[2] for cell in cells.values())


def rolled(mean: float | None, then: int, used: int, day: int) -> float:
    """Return the mean of an hour's windows once a later day has begun; days without a call count as none."""
    first = float(used) if mean is None else mean + _NEW_DAY * (used - mean)
    return first * (1.0 - _NEW_DAY) ** (day - then - 1)


def likely_by_hour(state: State, key: str, hour: int, horizon: float) -> float:
    """Return how likely a target is asked within the horizon, as far as the hour tells."""
    cell = state["hours"].get(key, {}).get(str(hour))
    if cell is None:
        return 0.0
    mean, then, used, _ = cell
    if state["day"] > then:
        mean = rolled(mean, then, used, state["day"])
    return 0.0 if mean is None else min(1.0, mean * horizon / _HOUR)


Near = Sequence[tuple[str, float]]
"""Functions that are like one, each with how near it is, within 0 and 1."""


def likely_next(state: State, symbol: str, key: str, near: Near = ()) -> float:
    """Return how likely a target is asked within the horizon after a function was called.

    Of a function that was called too seldom it is what is known of those that are `near`, each as far as it is near
    (Nadaraya, On Estimating Regression, 1964), and the less, the farther the nearest is.
    """
    own = _share(state, symbol, key)
    if own is not None:
        return own
    known = []
    for name, nearness in near:
        weight, share = min(1.0, (nearness - _TOO_FAR) / (_NEAR - _TOO_FAR)), _share(state, name, key)
        if weight > 0.0 and share is not None:
            known.append((weight, share))
    total = sum(weight for weight, _ in known)
    return max(known)[0] * sum(weight * share for weight, share in known) / total if total else 0.0


def _share(state: State, symbol: str, key: str) -> float | None:
    """Return after which share of a function's calls a target was asked; None where it was called too seldom."""
    counts = state["follows"].get(symbol)
    if counts is None or counts[""] < LEAST_SEEN:
        return None
    return min(1.0, float(counts.get(key, 0) / counts[""]))
