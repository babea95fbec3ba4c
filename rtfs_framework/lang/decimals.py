"""Integers as decimal digits and back, of any size: Python itself refuses more than 4,300 digits.

In: an integer, or digits with or without a sign. Out: digits, or the integer. Both halve the number again and again, so
that the time is not the square of its length, and say how much work it is before they begin.
"""

from __future__ import annotations

from rtfs_framework.lang.meter import charge, meter, room_for_bits

_PLAIN = 1 << 2048
"""Integers below this are shown by Python itself."""
_DIGITS = 1_024
"""Digits that are read by Python itself."""


def decimal_text(number: int) -> str:
    """Return the decimal digits of an integer, with a minus sign if it is negative.

    Raises:
        LimitError, Cancelled: the run ends here.
    """
    if -_PLAIN < number < _PLAIN:
        return str(number)
    charge(number.bit_length() >> 3)
    from rtfs_framework.lang.large_decimals import halved

    return ("-" if number < 0 else "") + str(halved(abs(number), number.bit_length(), {}))


def integer_of(text: str) -> int:
    """Return the integer that a text spells: ASCII digits, and a sign before them if there is one.

    Raises:
        LimitError, Cancelled: the integer would be too large, or the run ends here.
    """
    if len(text) <= _DIGITS:
        return int(text)
    room_for_bits("reading an integer", max(len(text.lstrip("+-0")) * 3321 // 1000 - 4, 0))
    charge(len(text) >> 1)
    digits = text.lstrip("+-")
    made = _joined(digits, {})
    return -made if text.startswith("-") else made


def _joined(digits: str, powers: dict[int, int]) -> int:
    if len(digits) <= _DIGITS:
        return int(digits)
    meter().look()
    low = len(digits) >> 1
    if low not in powers:
        powers[low] = 5**low
    upper = _joined(digits[:-low], powers) * powers[low] << low
    return upper + _joined(digits[-low:], powers)
