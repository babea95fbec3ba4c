"""How much is left, in bands that are left only well past their border: what engines read of budgets and rates."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rtfs_framework.api.signals import Left
from rtfs_framework.orchestrator.performing.budgets.amounts import KINDS, Amount, Limit

_BORDERS = ((Left.NOTHING, 0.0, 0.0125), (Left.LITTLE, 0.05, 0.0125), (Left.SOME, 0.20, 0.0375))
"""Bands with the share that is their upper border, and how far past it one must be to change: a quarter of a band."""


def share_left(limit: Limit, counted: Amount) -> float:
    """Return the smallest share of what is limited that is left, from 0 to 1."""
    shares = [1.0]
    for kind in KINDS:
        most = getattr(limit, kind)
        if most is not None:
            shares.append(max(0, most - getattr(counted, kind)) / most if most else 0.0)
    return min(shares)


def band_of(share: float, before: Left = Left.PLENTY) -> Left:
    """Return the band of a share; the band before is kept until the share is well past its border.

    Where nothing is left that is said at once.
    """
    if share <= 0:
        return Left.NOTHING
    order = list(Left)
    found = Left.PLENTY
    for band, border, past in reversed(_BORDERS):
        falling = order.index(before) > order.index(band)
        if share <= (border - past if falling and border else border + past if not falling else border):
            found = band
    return found


@attrs.define(slots=True, eq=False)
class Bands:
    """The bands of several names; `told` hears of each change, and of a first one that is not plenty."""

    told: Callable[[str, Left], None]
    _known: dict[str, Left] = attrs.field(factory=dict, init=False)

    def put(self, name: str, share: float) -> Left:
        """Put a share; return its band."""
        before = self._known.get(name, Left.PLENTY)
        found = self._known[name] = band_of(share, before)
        if found is not before:
            self.told(name, found)
        return found
