"""Room for recursion: the stages walk forms and IR recursively, deeper than Python's usual bound of 1,000 frames."""

from __future__ import annotations

from contextlib import contextmanager

from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.recursion import give_room_back, take_room

FRAMES = 8_000
"""Python frames for one compilation: what the deepest readable source and its expansions need, on every Python."""


@contextmanager
def room_for_recursion(frames: int = FRAMES) -> Iterator[None]:
    """Raise Python's bound on recursion while a program is compiled; never lower it."""
    take_room(frames)
    try:
        yield
    finally:
        give_room_back(frames)
