"""Numbers within limits, digit by digit.

A number is a sign, digits, and for decimals a fraction. Fractions are short enough that no two of the texts are the
same number to a reader that computes in doubles: so a limit that must not be reached is not reached by rounding either.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext

import attrs

from rtfs_provider_llama.grammar.bounds import Bounds
from rtfs_provider_llama.grammar.expressions import (
    EMPTY,
    NOTHING,
    Chars,
    Expression,
    Literal,
    either,
    in_turn,
    repeat,
)

_FRACTION = 6
"""Digits after the point, at most."""
_MOST_DIGITS = 60
"""Digits of a number: limits beyond are as good as none."""
_PRECISE = 20
"""Digits in which such far limits may differ."""
_FARTHEST = Decimal(10) ** _MOST_DIGITS


@attrs.frozen(slots=True)
class Interval:
    """Numbers between two ends; None is no end. An open end is not in it."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def and_(self, other: Interval) -> Interval:
        """Return the numbers that are in both."""
        low, low_open = _tighter((self.low, self.low_open), (other.low, other.low_open), 1)
        high, high_open = _tighter((self.high, self.high_open), (other.high, other.high_open), -1)
        return Interval(low, high, low_open, high_open)

    def without(self, number: Decimal) -> list[Interval]:
        """Return the interval in two parts, between which the number is left out."""
        below, above = Interval(high=number, high_open=True), Interval(low=number, low_open=True)
        return [self.and_(below), self.and_(above)]

    def holds(self, number: Decimal) -> bool:
        """Tell whether a number is in it."""
        above = self.low is None or number > self.low or (number == self.low and not self.low_open)
        below = self.high is None or number < self.high or (number == self.high and not self.high_open)
        return above and below

    @property
    def free(self) -> bool:
        """Whether every number is in it."""
        return self.low is None and self.high is None


_exact = Context(prec=5000)
_FINITE = Interval(Decimal(-int(sys.float_info.max)), Decimal(int(sys.float_info.max)))


def decimal_of(number: float) -> Decimal | None:
    """Return a number as it is written, a large one as the integer that it is; None for an infinite one."""
    if isinstance(number, int):
        return _exact.create_decimal(number)
    if not math.isfinite(number):
        return None
    return Decimal(int(number)) if number.is_integer() else Decimal(repr(number))


def integers(parts: Sequence[Interval], bounds: Bounds) -> Expression:
    """Return the integers of some intervals."""
    return either(_integers(part, bounds) for part in parts)


def _integers(interval: Interval, bounds: Bounds) -> Expression:
    if interval.free:
        return in_turn(repeat(Literal("-"), 0, 1), _whole(bounds.digits))
    low, high = _ends(interval, *_nearer(interval, bounds.digits), 0)
    return _signed(low, high, lambda a, b: _counts(str(a), str(b)))


def decimals(parts: Sequence[Interval], bounds: Bounds) -> Expression:
    """Return the numbers of some intervals: integers, and decimals of a few digits."""
    return either(_decimals(part, bounds) for part in parts)


def _decimals(interval: Interval, bounds: Bounds) -> Expression:
    if interval.free:
        fraction = in_turn(Literal("."), repeat(_digits("0", "9"), 1, bounds.digits))
        power = in_turn(Chars(((69, 69), (101, 101))), repeat(Chars(((43, 43), (45, 45))), 0, 1), _power())
        return in_turn(repeat(Literal("-"), 0, 1), _whole(bounds.digits), repeat(fraction, 0, 1), repeat(power, 0, 1))
    interval = interval.and_(_FINITE)
    low, high = _nearer(interval, max(1, bounds.digits - _FRACTION - 1))
    width = max(len(str(int(abs(low)))), len(str(int(abs(high)))))
    places = max(0, min(_FRACTION, bounds.digits - width - 1))
    first, last = _ends(interval, low, high, places)
    if first > last:
        return _narrow(interval, low, high)
    return _signed(first, last, lambda a, b: _scaled(a, b, places))


def _narrow(interval: Interval, low: Decimal, high: Decimal) -> Expression:
    """Return numbers between ends that are nearer to each other than the places of a fraction tell apart."""
    with localcontext(_exact):
        some = [float(low), float((low + high) / 2), float(high)]
    texts = [(repr(number), decimal_of(number)) for number in some]
    return either(Literal(text) for text, number in texts if number is not None and interval.holds(number))


def _power() -> Expression:
    return repeat(_digits("0", "9"), 1, 2)


def _whole(digits: int) -> Expression:
    return either([Literal("0"), in_turn(_digits("1", "9"), repeat(_digits("0", "9"), 0, digits - 1))])


def _nearer(interval: Interval, digits: int) -> tuple[Decimal, Decimal]:
    """Return the ends of an interval: one that is none, or far away, comes nearer."""
    far = Decimal(10) ** digits
    low, high = interval.low, interval.high
    with localcontext(_exact):
        least = min(-far, (high or Decimal(0)) * 10 - far)
        most = max(far, (low or Decimal(0)) * 10 + far)
        if low is None or low < -_FARTHEST:
            low = least if low is None else max(low, least)
        if high is None or high > _FARTHEST:
            high = most if high is None else min(high, most)
    return low, high


def _ends(interval: Interval, low: Decimal, high: Decimal, places: int) -> tuple[int, int]:
    """Return ends as multiples of 10^-places, both within the interval."""
    with localcontext(_exact):
        unit = Decimal(10) ** places
        first = int((low * unit).to_integral_value(ROUND_CEILING))
        last = int((high * unit).to_integral_value(ROUND_FLOOR))
        first += interval.low_open and first == low * unit
        last -= interval.high_open and last == high * unit
    return first, last


def _signed(low: int, high: int, make: Callable[[int, int], Expression]) -> Expression:
    """Return the numbers from `low` to `high` by the way of those that are not negative."""
    ways: list[Expression] = []
    if low < 0 and low <= high:
        ways.append(in_turn(Literal("-"), make(max(1, -high), -low)))
    if high >= 0 and low <= high:
        ways.append(make(max(0, low), high))
    return either(ways)


def _counts(low: str, high: str) -> Expression:
    """Return the integers between two of them as texts, none of them negative: lengths apart, then digit by digit."""
    if len(high) > _MOST_DIGITS:
        low, high = _coarse(int(low), int(high))
    if len(low) == len(high):
        return _same_length(low, high)
    between = _free_lengths(len(low) + 1, len(high) - 1)
    return either([_same_length(low, "9" * len(low)), between, _same_length("1" + "0" * (len(high) - 1), high)])


def _coarse(low: int, high: int) -> tuple[str, str]:
    """Return limits of few digits behind those that both share: the depth of a rule must not depend on their length."""
    unit = 10 ** max(0, len(str(high - low)) - _PRECISE)
    if unit > 1:
        low, high = -(-low // unit) * unit, high // unit * unit - 1
    return str(low), str(high)


def _free_lengths(shortest: int, longest: int) -> Expression:
    if shortest > longest:
        return NOTHING
    return in_turn(_digits("1", "9"), repeat(_digits("0", "9"), shortest - 1, longest - 1))


def _same_length(low: str, high: str) -> Expression:
    shared = next((n for n, (a, b) in enumerate(zip(low, high, strict=True)) if a != b), len(low))
    if shared:
        return in_turn(Literal(low[:shared]), _same_length(low[shared:], high[shared:]))
    if not low:
        return EMPTY
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(_digits("0", "9"), len(low), len(low))
    return either(in_turn(_digits(a, b), _same_length(c, d)) for a, b, c, d in _split(low, high))


def _split(low: str, high: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield first digits (from, to) and what may follow them (from, to) for the texts between two of one length."""
    if low[0] == high[0]:
        yield low[0], high[0], low[1:], high[1:]
        return
    rest = len(low) - 1
    first, last = int(low[0]), int(high[0])
    if set(low[1:]) - {"0"}:
        yield low[0], low[0], low[1:], "9" * rest
        first += 1
    tail = set(high[1:]) - {"9"}
    last -= bool(tail)
    if first <= last:
        yield str(first), str(last), "0" * rest, "9" * rest
    if tail:
        yield high[0], high[0], "0" * rest, high[1:]


def _scaled(low: int, high: int, places: int) -> Expression:
    """Return the decimals between two multiples of 10^-places, none of them negative."""
    if not places:
        return _counts(str(low), str(high))
    unit = 10**places
    (first, at_least), (last, at_most) = divmod(low, unit), divmod(high, unit)
    if first == last:
        return in_turn(_counts(str(first), str(first)), _fraction(at_least, at_most, places))
    ways: list[Expression] = []
    if at_least:
        ways.append(in_turn(_counts(str(first), str(first)), _fraction(at_least, unit - 1, places)))
        first += 1
    if at_most != unit - 1:
        ways.append(in_turn(_counts(str(last), str(last)), _fraction(0, at_most, places)))
        last -= 1
    if first <= last:
        ways.append(in_turn(_counts(str(first), str(last)), _fraction(0, unit - 1, places)))
    return either(ways)


def _fraction(low: int, high: int, places: int) -> Expression:
    """Return a point and digits, or nothing where zero is in the range; zeros at the end may be left out."""
    digits = _digits_after(f"{low:0{places}}", f"{high:0{places}}", start=True)
    part = in_turn(Literal("."), digits)
    return either([EMPTY, part]) if low == 0 else part


def _digits_after(low: str, high: str, *, start: bool = False) -> Expression:
    if not low:
        return EMPTY
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(_digits("0", "9"), int(start), len(low))
    ways = [in_turn(_digits(a, b), _digits_after(c, d)) for a, b, c, d in _split(low, high)]
    return either([EMPTY, *ways] if set(low) == {"0"} and not start else ways)


def _digits(first: str, last: str) -> Expression:
    return Literal(first) if first == last else Chars(((ord(first), ord(last)),))


_End = tuple["Decimal | None", bool]


def _tighter(first: _End, second: _End, sign: int) -> _End:
    """Return the end that leaves less; `sign` is 1 for low ends."""
    if first[0] is None:
        return second
    if second[0] is None:
        return first
    if first[0] == second[0]:
        return first[0], first[1] or second[1]
    return first if (first[0] > second[0]) is (sign > 0) else second
