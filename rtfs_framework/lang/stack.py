"""Room for recursion: the stages walk forms and IR recursively, deeper than Python's usual bound of 1,000 frames."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

FRAMES = 8_000
"""Python frames for one compilation: what the deepest readable source and its expansions need, on every Python."""


@contextmanager
def room_for_recursion() -> Iterator[None]:
    """Raise Python's bound on recursion while a program is compiled; never lower it."""
    before = sys.getrecursionlimit()
    if before >= FRAMES:
        yield
        return
    sys.setrecursionlimit(FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
