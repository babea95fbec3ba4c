"""Large integers as decimals, whose products are quick; `decimals` imports this when there is one."""

from __future__ import annotations

import decimal

from rtfs_framework.lang.meter import meter

_BITS = 2_048
_EXACT = decimal.Context(
    prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[decimal.Inexact, decimal.Rounded]
)


def halved(number: int, bits: int, powers: dict[int, decimal.Decimal]) -> decimal.Decimal:
    """Return an integer of so many bits as a decimal, whose products are quick."""
    if bits <= _BITS:
        return decimal.Decimal(number)
    meter().look()
    low = bits >> 1
    upper = halved(number >> low, bits - low, powers)
    lower = halved(number & ((1 << low) - 1), low, powers)
    if low not in powers:
        powers[low] = _EXACT.power(decimal.Decimal(2), low)
    return _EXACT.add(_EXACT.multiply(upper, powers[low]), lower)
