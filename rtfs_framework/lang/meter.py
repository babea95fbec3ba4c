"""The meter: what library code tells of the work it does, so that the host's limits hold inside one call too.

In: sizes, known before anything is built or walked. Out: nothing, or the LimitError that ends the run. The kernel gives
every run a meter of its own (`kernel/meter.py`) and puts it on the run's greenlet, where `meter` finds it; code outside
a run has the default bounds on single values and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from greenlet import getcurrent

from rtfs_framework.lang.errors import LimitError

T = TypeVar("T", bound=Sized)
V = TypeVar("V")

ITEMS = 10_000_000
"""Default bound: items of one collection and characters of one string."""

BITS = 1_000_000
"""Default bound: bits of one integer."""

NESTING = 200
"""Default bound: levels of brackets of a source text."""

MOST_NESTING = 1_000
"""Levels up to which every Python that is supported compiles a text or says that it cannot."""

SMALL = 64
"""Collections of fewer items are part of the step of whoever asked for them."""

SHORT = 512
"""Texts of fewer characters are, too."""

ITEMS_PER_STEP = 8
"""Items that a library function walks or builds for one step; of text, 256 characters."""

LARGE_INTEGER = 1 << 512
"""Dividing by integers from here on is charged by the size of both."""

LARGE = 65_536
"""Items after which a walk looks at the limits; and of values that a measurement of memory must not overlook."""

LARGE_INTEGER_BITS = 1 << 15
"""Where integers of so many bits exist, adding may allocate more than a step is charged with."""

_WORDS = 512

_OFTEN = 0xFFF

_DEBT = 1_024
"""Items that are counted at once: asking for the steps one by one would cost more than the walks."""


class Meter:
    """Bounds without a run; `kernel.meter.RunMeter` is the one that counts."""

    __slots__ = ("bits", "items", "nested", "owed")

    def __init__(self, items: int | None = ITEMS, bits: int | None = BITS) -> None:
        self.items = items
        self.bits = bits
        self.nested = 0
        """Calls inside each other that take the C stack (`stdlib.callables.invoke`)."""
        self.owed = 0
        """Items that were walked or built and not yet counted."""

    def settle(self) -> None:
        """Count what is owed."""
        steps, self.owed = divmod(self.owed, ITEMS_PER_STEP)
        self.spend(steps)

    def spend(self, steps: int) -> None:
        """Take so many steps."""

    def look(self) -> None:
        """End the run if its host wants that; for work whose steps were counted before."""

    def reserve(self, size: int) -> None:
        """Say that a value of so many bytes is going to be built."""

    def large_integers(self, bits: int) -> None:
        """Say that there are going to be integers of so many bits."""

    def keep(self, value: Any) -> None:
        """Remember a large value that no variable may hold yet."""


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
        found = meter()
        found.owed += items
        if found.owed >= _DEBT:
            found.settle()


def fits(op: str, size: int) -> None:
    """Refuse a single value that is too large.

    Raises:
        LimitError: a collection of so many items, or text of so many characters, is more than the host allows.
    """
    most = meter().items
    if most is not None and size > most:
        raise LimitError("items", most, f"Result of {op} would have more than {most} items")


def room(op: str, size: int) -> int:
    """Return the number of items of a vector that is going to be built.

    Raises:
        LimitError: it would be too large.
    """
    if size >= SMALL:
        _build(op, size, size)
    return size


def room_for_text(op: str, size: int) -> int:
    """Return the number of characters of a text that is going to be built.

    Raises:
        LimitError: it would be too large.
    """
    if size >= SHORT:
        _build(op, size, size >> 5)
    return size


def _build(op: str, size: int, items: int) -> None:
    found = meter()
    most = found.items
    if most is not None and size > most:
        raise LimitError("items", most, f"Result of {op} would have more than {most} items")
    if items >= LARGE:
        found.reserve(8 * items)
    found.owed += items
    if found.owed >= _DEBT:
        found.settle()


def room_for_bits(op: str, bits: int) -> None:
    """Refuse an integer that is too large.

    Raises:
        LimitError: it would have too many bits.
    """
    if bits >= 512:
        found = meter()
        if found.bits is not None and bits > found.bits:
            text = f"Result of {op} would be an integer of more than {found.bits} bits"
            raise LimitError("integer-bits", found.bits, text)
        if bits >= LARGE_INTEGER_BITS:
            found.large_integers(bits)
        found.owed += bits >> 6
        if found.owed >= _DEBT:
            found.settle()


def room_to_divide(a: int, b: int) -> None:
    """Say that an integer is going to be divided by another: the time is the product of their sizes."""
    if b.bit_length() > _WORDS and a.bit_length() > _WORDS:
        charge((a.bit_length() >> 6) * (b.bit_length() >> 6) >> 4)


def made(value: T) -> T:
    """Return a collection or text that was built; a large one is not overlooked when memory is measured."""
    if len(value) >= LARGE:
        meter().keep(value)
    return value


def blocks(found: Any) -> Iterator[Any]:
    """Yield a sequence in blocks that are charged one by one: a long walk is stopped on its way."""
    count = len(found)
    if count <= LARGE:
        charge(count)
        yield found
        return
    for start in range(0, count, LARGE):
        block = found[start : start + LARGE]
        charge(len(block))
        yield block


def watched(items: Iterable[V]) -> Iterator[V]:
    """Yield what is already counted, with a look at the limits now and then."""
    for number, item in enumerate(items):
        if number & _OFTEN == _OFTEN:
            meter().look()
        yield item


def growing_blocks(found: Any) -> Iterator[Any]:
    """Yield a sequence in blocks that grow: a walk that ends early pays for little more than what it saw."""
    start, size, count = 0, SMALL - 1, len(found)
    if count <= size:
        yield found
        return
    while start < count:
        block = found[start : start + size]
        charge(len(block))
        yield block
        start, size = start + size, min(4 * size, LARGE)
