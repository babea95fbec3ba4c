"""Bands of a growing factor, left only well past their border, so that a value near one does not flap."""

from __future__ import annotations

from math import floor, log

import attrs

PAST = 0.25
"""How far past a border a value must be to leave its band, as a part of a band."""


@attrs.define(slots=True, eq=False)
class Band:
    """Which band a value is in: number n holds factor**n up to factor**(n + 1)."""

    factor: float
    number: int | None = None

    def put(self, value: float) -> bool:
        """Put a value above zero; tell whether it is in another band than before."""
        place = log(value) / log(self.factor)
        if self.number is not None and -PAST <= place - self.number < 1 + PAST:
            return False
        found = floor(place)
        changed, self.number = found != self.number, found
        return changed
