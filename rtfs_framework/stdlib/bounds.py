"""Bounds of a single result, so that no one call can take the host's memory. Beyond them a run ends in LimitError.

Sizes are known before anything is built: `room` takes the size that a result would have.
"""

from __future__ import annotations

from rtfs_framework.lang.errors import LimitError

MAX_ITEMS = 10_000_000
"""Items of one collection and characters of one string."""

MAX_BITS = 1_000_000
"""Bits of one integer made by `*`, `pow`, `factorial` or a shift."""

MAX_DIGITS = 4300
"""Digits that a text may have to be read as a number (reading is quadratic in them; Python's own default)."""


def room(op: str, size: int) -> int:
    """Return the size of a result if it is allowed.

    Raises:
        LimitError: a collection or string of that size would be too large.
    """
    if size > MAX_ITEMS:
        raise LimitError("items", MAX_ITEMS, f"Result of {op} would have more than {MAX_ITEMS} items")
    return size


def room_bits(op: str, bits: int) -> None:
    """Refuse an integer of so many bits.

    Raises:
        LimitError: it would be too large.
    """
    if bits > MAX_BITS:
        raise LimitError("integer-bits", MAX_BITS, f"Result of {op} would be an integer of more than {MAX_BITS} bits")
