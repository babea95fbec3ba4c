"""Numbers of a run's calls, and where the shapes of its charts lie; the templates draw them as SVG.

In: calls as `rtfs runs show --json` prints them. Out: plain data. Lengths are units of a chart that is `WIDTH` wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

WIDTH = 960.0
LABEL = 220.0
"""What the names at the left take."""
ROW = 22.0
MOST_BARS = 80
"""Calls of a timeline: those that began first."""
_LEAST = 1.5
"""Width of a bar that would not be seen otherwise."""
_MEMORY = ("l2 hit", "similar hit", "l3 hit", "hint hit", "in flight")
_TICKS = 6


def began(entry: Mapping[str, Any], started: float, ended: float | None) -> float | None:
    """Return how many seconds after its run a call began; None where nothing says so.

    The row says when the last decision was made, which came after the attempts before it; a call ends before its run.
    """
    decided = entry["decided_at"]
    if not isinstance(decided, int | float):
        return None
    found = decided - started - sum(each.get("seconds") or 0.0 for each in entry["attempts"])
    if ended is not None:
        found = min(found, ended - started - (entry["micros"] or 0) / 1e6)
    return max(0.0, found)


@attrs.define(slots=True)
class ByTarget:
    """What the calls to one target took together."""

    target: str
    calls: int = 0
    failed: int = 0
    served: int = 0
    """From memory."""
    cost: float = 0.0
    unknown: int = 0
    """Calls that cost what nobody knows."""
    input_tokens: int = 0
    output_tokens: int = 0
    micros: list[int] = attrs.field(factory=list)

    def quantile(self, share: float) -> float:
        """Return the time, in microseconds, within which a share of the calls ended."""
        ordered = sorted(self.micros)
        return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))]) if ordered else 0.0


@attrs.define(slots=True)
class Sums:
    """Everything that the charts need, gathered in one pass over any number of calls."""

    started: float
    ended: float | None
    targets: dict[str, ByTarget] = attrs.field(factory=dict)
    cache: dict[str, int] = attrs.field(factory=dict)
    first: list[tuple[float, Mapping[str, Any]]] = attrs.field(factory=list)
    calls: int = 0

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count a call."""
        self.calls += 1
        found = self.targets.setdefault(str(entry["target"] or "?"), ByTarget(str(entry["target"] or "?")))
        found.calls += 1
        found.failed += bool(entry["error_kind"])
        found.served += entry["cache"] in _MEMORY
        found.cost += entry["cost"] or 0.0
        found.unknown += entry["cost"] is None
        found.input_tokens += entry["input_tokens"] or 0
        found.output_tokens += entry["output_tokens"] or 0
        if entry["micros"] is not None:
            found.micros.append(entry["micros"])
        if entry["cache"]:
            self.cache[entry["cache"]] = self.cache.get(entry["cache"], 0) + 1
        at = began(entry, self.started, self.ended)
        if len(self.first) < MOST_BARS and at is not None:
            self.first.append((at, entry))

    @property
    def total(self) -> ByTarget:
        """What all calls took together."""
        found = ByTarget("all")
        for each in self.targets.values():
            for name in ("calls", "failed", "served", "cost", "unknown", "input_tokens", "output_tokens"):
                setattr(found, name, getattr(found, name) + getattr(each, name))
            found.micros += each.micros
        return found


def gathered(entries: Iterable[Mapping[str, Any]], started: float, ended: float | None) -> Sums:
    """Return the sums of calls; `started` and `ended` are their run's, in seconds since the epoch."""
    found = Sums(started, ended)
    for entry in entries:
        found.add(entry)
    return found


def timeline(sums: Sums) -> dict[str, Any]:
    """Return the bars of the calls in time: one below the other, as they began."""
    rows = [(start, (each["micros"] or 0) / 1e6, each) for start, each in sorted(sums.first, key=lambda pair: pair[0])]
    whole = max([1e-6, *(start + span for start, span, _ in rows)])
    room = WIDTH - LABEL
    bars = [
        {
            "y": number * ROW,
            "x": LABEL + start / whole * room,
            "width": max(_LEAST, span / whole * room),
            "seconds": span,
            "call": each,
            "kind": kind_of(str(each["target"])),
        }
        for number, (start, span, each) in enumerate(rows)
    ]
    ticks = [{"x": LABEL + at / _TICKS * room, "seconds": whole * at / _TICKS} for at in range(_TICKS + 1)]
    return {"bars": bars, "ticks": ticks, "height": len(bars) * ROW, "width": WIDTH, "more": sums.calls - len(bars)}


def bars(values: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Return one bar for each named value, as long as it is large."""
    most = max([value for _, value in values], default=0.0) or 1.0
    room = WIDTH - LABEL - 150.0
    rows = [
        {"y": number * ROW, "x": LABEL, "width": max(_LEAST, value / most * room) if value else 0.0,
         "value": value, "name": name, "kind": kind_of(name)}
        for number, (name, value) in enumerate(values)
    ]  # fmt: skip
    return {"bars": rows, "height": len(rows) * ROW, "width": WIDTH}


def kind_of(target: str) -> str:
    """Return the class by which a kind of target is drawn."""
    first = target.partition(" ")[0]
    return {"remote": "remote", "local-model": "model", "capability": "capability", "l4": "model"}.get(first, "own")
