"""How long a target takes: median and 95th percentile of its last answers, in bands of a factor of 1.4.

Durations are counted in quarters of a band, which is as fine as bands and their borders need. Two generations are kept,
of at most `GENERATION` answers or `SECONDS` each: so the oldest fade. Once there are many answers, quantiles are looked
for at each eighth one: a single one moves them little, and most answers then cost a handful of additions.
"""

from __future__ import annotations

from math import ceil, floor, log

import attrs

from rtfs_framework.api.signals import Latency
from rtfs_framework.orchestrator.performing.health.bands import Band

FACTOR = 1.4
GENERATION = 100
SECONDS = 600.0
FEWEST = 5
"""Before so many answers nothing is said."""
_MANY, _EACH = 32, 8
_QUARTER = log(FACTOR) / 4
_LEAST, _MOST = 1e-5, 1e5


@attrs.define(slots=True, eq=False)
class Latencies:
    """One target's latency. Not safe for threads: who keeps it holds a lock."""

    _now: dict[int, int] = attrs.field(factory=dict, init=False)
    """Of this generation: how many answers by the quarter of a band that they were in."""
    _both: dict[int, int] = attrs.field(factory=dict, init=False)
    """Of this generation and the one before."""
    _total: int = attrs.field(default=0, init=False)
    _began: float = attrs.field(default=0.0, init=False)
    _counted: int = attrs.field(default=0, init=False)
    _p50: Band = attrs.field(factory=lambda: Band(FACTOR), init=False)
    _p95: Band = attrs.field(factory=lambda: Band(FACTOR), init=False)
    _shown: Latency | None = attrs.field(default=None, init=False)

    @property
    def shown(self) -> Latency | None:
        """The latency as engines read it; None while too little is known."""
        return self._shown

    def know(self, p50: float, p95: float) -> None:
        """Start from what another process measured, until there are answers of our own."""
        if self._counted < FEWEST:
            self._put(p50, p95)

    def add(self, seconds: float, now: float) -> bool:
        """Count an answer; tell whether what engines read has changed."""
        if self._counted >= GENERATION or (self._counted and now - self._began >= SECONDS):
            self._both, self._now, self._total, self._counted = dict(self._now), {}, self._counted, 0
        if not self._counted:
            self._began = now
        quarter = floor(log(min(max(seconds, _LEAST), _MOST)) / _QUARTER)
        self._now[quarter] = self._now.get(quarter, 0) + 1
        self._both[quarter] = self._both.get(quarter, 0) + 1
        self._counted += 1
        self._total += 1
        if self._total < FEWEST or (self._total > _MANY and self._total % _EACH):
            return False
        return self._put(_quantile(self._both, self._total, 0.5), _quantile(self._both, self._total, 0.95))

    def _put(self, p50: float, p95: float) -> bool:
        changed = self._p50.put(p50)
        changed = self._p95.put(p95) or changed
        if changed:
            self._shown = Latency(_middle(self._p50), _middle(self._p95))
        return changed


def _quantile(counts: dict[int, int], total: int, share: float) -> float:
    """Return the middle of the quarter of a band in which a quantile lies."""
    left = ceil(share * total)
    for quarter in sorted(counts):
        left -= counts[quarter]
        if left <= 0:
            break
    found: float = FACTOR ** ((quarter + 0.5) / 4)
    return found


def _middle(band: Band) -> float:
    """Return what stands for all durations of a band: its middle, to three digits."""
    number = 0 if band.number is None else band.number
    return float(f"{FACTOR ** (number + 0.5):.3g}")
