"""What is counted: money, tokens, calls. Money is whole nano-dollars (10^-9 US dollars), never a float.

Prices are whole pico-dollars per token: a price per million tokens of six decimals is exact. Sums are rounded up to a
nano-dollar, so that what is counted is never less than what is billed.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from rtfs_framework.api.ledger import KINDS, MOST, NO_LIMIT, Amount, Limit

__all__ = [
    "KINDS",
    "MOST",
    "NANO",
    "NO_LIMIT",
    "Amount",
    "Limit",
    "nano_of",
    "pico_per_token",
    "price_of",
    "shown",
    "shown_dollars",
]

NANO = 1_000_000_000
"""Nano-dollars in a dollar."""

_PICO_PER_NANO = 1000
_MILLION = 1_000_000


def nano_of(dollars: float | Decimal) -> int:
    """Return dollars as whole nano-dollars, rounded up; a float counts as the decimal number that it is shown as."""
    exact = dollars if isinstance(dollars, Decimal) else Decimal(repr(dollars))
    return int((exact * NANO).to_integral_value(ROUND_CEILING))


def pico_per_token(dollars_per_million: float) -> int:
    """Return a price per million tokens as pico-dollars per token, rounded up."""
    return int((Decimal(repr(dollars_per_million)) * _MILLION).to_integral_value(ROUND_CEILING))


def price_of(tokens: int, pico: int) -> int:
    """Return what tokens cost in nano-dollars, rounded up."""
    return -(-tokens * pico // _PICO_PER_NANO)


def shown_dollars(nano: int) -> str:
    """Return nano-dollars for people: "$1.25", with more places only where they say something."""
    sign, nano = ("-", -nano) if nano < 0 else ("", nano)
    whole, rest = divmod(nano, NANO)
    digits = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{digits}"


def shown(kind: str, value: int) -> str:
    """Return a number of what is counted for people: "$0.25", "1,200 tokens", "1 call"."""
    if kind == "nano":
        return shown_dollars(value)
    return f"{value:,} {kind[:-1] if value == 1 else kind}"
