"""How many branches of all runs of a host may be under way at once. A run needs no slot: its first branch has its own.

Slots are only ever taken when one is free, never waited for: a fan-out has the slot of the run that waits for it, so
whatever is nested, each fan-out goes on. Those that could use more are told when a slot becomes free, in order.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.define(slots=True, eq=False)
class Slots:
    """Counts what is free."""

    free: int
    _wanting: dict[Callable[[], None], None] = attrs.field(factory=dict, init=False)

    def take(self) -> bool:
        """Take a slot if one is free."""
        if self.free <= 0:
            return False
        self.free -= 1
        return True

    def give(self, count: int = 1) -> None:
        """Give slots back."""
        self.free += count
        for grow in tuple(self._wanting):
            if self.free <= 0:
                return
            grow()

    def want(self, grow: Callable[[], None]) -> None:
        """Call `grow` whenever a slot is free, until `enough`."""
        self._wanting[grow] = None

    def enough(self, grow: Callable[[], None]) -> None:
        """Call it no more."""
        self._wanting.pop(grow, None)
