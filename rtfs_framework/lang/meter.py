"""The meter: what library code tells of the work it does, so that the host's limits hold inside one call too.

In: sizes, known before anything is built or walked. Out: nothing, or the LimitError that ends the run. The kernel gives
every run a meter of its own (`kernel/meter.py`) and puts it on the run's greenlet, where `meter` finds it; code outside
a run has the default bounds on single values and no others.
"""

from __future__ import annotations

from itertools import count

from greenlet import getcurrent

from rtfs_framework.lang.annotations import Any, Callable, Iterable, Iterator, Sized, TypeVar
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

_MUCH = 8 * LARGE
"""Bytes from which on there must be room for a value before it is built."""

_WORDS = 512

OFTEN = 0xFFF
_FEW = 0x3F
_CLOSELY = 0xFF

_PIECES = 1 << 14
"""Characters that are put together between two charges."""

_BLOCK = 1_024

_INTEGERS = {int}

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

    def each(self, count: int, call: Callable[[int], V]) -> list[V]:
        """Make calls that may reach the host, with 0 to `count` - 1, and return what they give, in order.

        A run may make them at once, as long as nobody sees a difference.
        """
        return [call(number) for number in range(count)]


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


def room(op: str, size: int, each: int = 8) -> int:
    """Return the number of items of a vector that is going to be built, each with so many bytes of its own.

    Raises:
        LimitError: it would be too large.
    """
    if size >= SMALL:
        _build(op, size, size, each * size)
    return size


def room_for_text(op: str, size: int) -> int:
    """Return the number of characters of a text that is going to be built.

    Raises:
        LimitError: it would be too large.
    """
    if size >= SHORT:
        _build(op, size, size >> 5, size)
    return size


def _build(op: str, size: int, items: int, taken: int) -> None:
    found = meter()
    most = found.items
    if most is not None and size > most:
        raise LimitError("items", most, f"Result of {op} would have more than {most} items")
    if taken >= _MUCH:
        found.reserve(taken)
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
    else:
        charge(a.bit_length() >> 9)


def walk_text(text: str) -> str:
    """Return a text that is going to be walked: a step for every 256 characters, from 512 on.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    if len(text) >= SHORT:
        charge(len(text) >> 5)
    return text


def walk_integer(number: int) -> int:
    """Return an integer that is going to be walked once, as by an addition: a step for every 4,096 bits.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    if not -LARGE_INTEGER < number < LARGE_INTEGER:
        charge(number.bit_length() >> 9)
    return number


def walk_numbers(numbers: Any) -> Any:
    """Return numbers that are going to be added or compared one by one; there may be large integers among them.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    if len(numbers) < SMALL:
        for each in numbers:
            if each.__class__ is int:
                walk_integer(each)
        return numbers
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        integers = block if set(map(type, block)) == _INTEGERS else [each for each in block if each.__class__ is int]
        bits = max(map(int.bit_length, integers), default=0)
        if bits >= _WORDS:
            charge(len(integers) * (bits >> 9))
    return numbers


class Growing:
    """The size of a text that is built piece by piece: it ends the run before there is more than it may have."""

    __slots__ = ("_charged", "_due", "_op", "most", "size")

    def __init__(self, op: str) -> None:
        self._op = op
        self.most = meter().items
        self._charged = 0
        self._due = SHORT
        self.size = 0

    def add(self, characters: int) -> None:
        """Say that so many characters are going to be added.

        Raises:
            LimitError, Cancelled: the run ends here.
        """
        self.size += characters
        if self.size >= self._due:
            _build(self._op, self.size, (self.size - self._charged) >> 5, self.size)
            self._charged, self._due = self.size, self.size + _PIECES
        elif self.most is not None and self.size > self.most:
            _build(self._op, self.size, 0, 0)


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


def stepped(items: Iterable[V]) -> Iterator[V]:
    """Yield what costs a step each, from 64 on."""
    for number, item in enumerate(items, 1):
        if number & _FEW == 0:
            charge((_FEW + 1) * ITEMS_PER_STEP)
        yield item


VISITS = count(1)


def visited() -> None:
    """Look at the limits now and then, whoever visits: for visits that cost too little to be counted one by one."""
    if next(VISITS) & OFTEN == 0:
        meter().look()


def watched(items: Iterable[V]) -> Iterator[V]:
    """Yield what is already counted, with a look at the limits now and then."""
    for number, item in enumerate(items):
        if number & _CLOSELY == _CLOSELY:  # what is done with an item may take a millisecond
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
