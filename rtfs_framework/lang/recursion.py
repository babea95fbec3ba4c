"""Python's bound on recursion, which all threads share: it is what the neediest one that has asked for room wants.

It goes back to the process's own when the last one has given its room back. Nothing here waits: asking for the largest
wish and setting the bound is one step of C code, which no other thread can come between (Python's global lock).
"""

from __future__ import annotations

from sys import getrecursionlimit, setrecursionlimit

_wishes: list[int] = [getrecursionlimit()]
"""The process's own bound, then the wishes of those who hold room now."""
_ALL = (_wishes,)
_owed: list[bool] = []
"""Holds something while the bound is higher than anybody wants: there were more frames than it was to be."""


def take_room(frames: int) -> None:
    """Let Python nest at least so many frames, in every thread, until `give_room_back`."""
    if len(_wishes) == 1 and not _owed:
        _wishes[0] = getrecursionlimit()
    _wishes.append(frames)
    _settle()


def give_room_back(frames: int) -> None:
    """Give back what was taken.

    Where the caller is nested deeper than the process allows by itself, the bound is put back by the next one: an error
    here would hide the one that the caller is about to see.
    """
    _wishes.remove(frames)
    try:
        _settle()
    except RecursionError:
        _owed.append(True)
    else:
        _owed.clear()


def needs_room(frames: int) -> bool:
    """Tell whether so many frames are more than the process allows by itself."""
    return frames > (_wishes[0] if room_is_held() or _owed else getrecursionlimit())


def room_is_held() -> bool:
    """Tell whether any thread holds room."""
    return len(_wishes) > 1


def _settle() -> None:
    next(map(setrecursionlimit, map(max, _ALL)))
