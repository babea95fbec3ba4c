"""How many requests to a target are under way in this process: counted exactly, shown in bands of a factor of 2."""

from __future__ import annotations

import attrs

from rtfs_framework.orchestrator.performing.health.bands import Band

_HALF = 0.5
"""So that a band ends with a power of 2 instead of beginning with one."""


@attrs.define(slots=True, eq=False)
class Load:
    """One target's load. Not safe for threads: who keeps it holds a lock."""

    under_way: int = attrs.field(default=0, init=False)
    shown: int = attrs.field(default=0, init=False)
    """0, or the greatest number of its band: 1, 2, 4, 8 and so on."""
    _band: Band = attrs.field(factory=lambda: Band(2.0), init=False)

    def change(self, by: int) -> None:
        """Count one request more or less."""
        self.under_way = max(0, self.under_way + by)
        if self.under_way == 0:
            self._band.number, self.shown = None, 0
        elif self._band.put(self.under_way - _HALF) and self._band.number is not None:
            self.shown = 1 << (self._band.number + 1)
