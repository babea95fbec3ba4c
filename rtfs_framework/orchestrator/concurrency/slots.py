"""How many branches of all runs of a host may be under way at once. A run needs no slot: its first branch has its own.

Slots are only ever taken when one is free, never waited for: a fan-out has the slot of the run that waits for it, so
whatever is nested, each fan-out goes on. Those that could use more are told when a slot becomes free, in order; any
thread may take and give.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import attrs


@attrs.define(slots=True, eq=False)
class Slots:
    """Counts what is free."""

    free: int
    _wanting: dict[Callable[[], None], None] = attrs.field(factory=dict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def take(self) -> bool:
        """Take a slot if one is free."""
        with self._lock:
            taken = self.free > 0
            self.free -= taken
            return taken

    def give(self, count: int = 1) -> None:
        """Give slots back, and tell those who could use one."""
        with self._lock:
            self.free += count
            wanting = tuple(self._wanting) if count else ()
        for grow in wanting:
            grow()

    def want(self, grow: Callable[[], None]) -> None:
        """Call `grow` whenever a slot is given back, until `enough`; it may be called from any thread."""
        with self._lock:
            self._wanting[grow] = None

    def enough(self, grow: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._wanting.pop(grow, None)
