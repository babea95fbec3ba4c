"""Short tables for people: cells in columns as wide as they must be, and ages in one unit."""

from __future__ import annotations

from collections.abc import Sequence

from rtfs_framework.cli.style import bold
from rtfs_framework.cli.terminal import say

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))


def say_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows, the first of them as the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        say(bold(line) if number == 0 else line)


def age(seconds: float) -> str:
    """Return a stretch of time in the largest unit that it fills, such as "3 min"; below zero is none."""
    for worth, unit in _UNITS:
        if seconds >= worth:
            return f"{seconds / worth:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"
