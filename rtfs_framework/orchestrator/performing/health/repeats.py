"""The retry budget: how often a call may be sent to the same target again, as a share of the calls that went there.

A failing server gets the calls that it would get anyway and this share more, so repeats never are what keeps it down.
"""

from __future__ import annotations

import attrs

START = 2.0
"""Repeats that a target has to begin with: a short run may repeat, too."""
MOST = 20.0
"""Unused repeats that are kept."""


@attrs.define(slots=True, eq=False)
class Repeats:
    """One target's budget. Not safe for threads: who keeps it holds a lock."""

    share: float
    left: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.left = min(START, self.share * MOST)

    def first(self) -> None:
        """Count a call that goes there for the first time."""
        self.left = min(MOST, self.left + self.share)

    def take(self) -> bool:
        """Take one repeat; tell whether there was one."""
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
