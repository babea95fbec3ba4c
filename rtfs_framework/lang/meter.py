"""The meter: what library code tells of the work it does, so that the host's limits hold inside one call too.

In: sizes, known before anything is built or walked. Out: nothing, or the LimitError that ends the run. The kernel gives
every run a meter of its own (`kernel/meter.py`) and puts it on the run's greenlet, where `meter` finds it; code outside
a run has the default bounds on single values and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from greenlet import getcurrent

ITEMS = 10_000_000
"""Default bound: items of one collection and characters of one string."""

BITS = 1_000_000
"""Default bound: bits of one integer."""

SMALL = 64
"""Walks of fewer items are part of the step of whoever asked for them."""

ITEMS_PER_STEP = 8
"""Items that a library function walks or builds for one step."""

_BLOCK = 65_536


class Meter:
    """Bounds without a run; `kernel.meter.RunMeter` is the one that counts."""

    __slots__ = ("bits", "items")

    def __init__(self, items: int | None = ITEMS, bits: int | None = BITS) -> None:
        self.items = items
        self.bits = bits

    def spend(self, steps: int) -> None:
        """Take so many steps."""

    def build(self, size: int) -> None:
        """Say that a value of about so many bytes is going to be built."""


OUTSIDE = Meter()


def meter() -> Meter:
    """Return the meter of the run that is executing."""
    return getattr(getcurrent(), "meter", OUTSIDE)


def charge(items: int) -> None:
    """Say that so many items are going to be walked: a step for every eight, from 64 items on.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    if items >= SMALL:
        meter().spend(items // ITEMS_PER_STEP)


def blocks(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield a sequence in blocks that are charged one by one: a long walk is stopped on its way."""
    count = len(found)
    if count <= _BLOCK:
        charge(count)
        yield found
        return
    for start in range(0, count, _BLOCK):
        block = found[start : start + _BLOCK]
        charge(len(block))
        yield block
