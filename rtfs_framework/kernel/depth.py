"""How deep calls nest: counted exactly in calls of the program's own functions, and for next to nothing.

An activation takes a step before it calls on, so a number of steps nests calls no deeper than that number. The meter
therefore grants no more steps at once than there are levels left, and the stack is looked at only when they are used
up: first, cheaply, how deep Python's own stack is at most; only where that is as deep as the limit, frame by frame.
"""

from __future__ import annotations

from sys import _getframe

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.codegen.artifact import PASSES_ON, Artifact
from rtfs_framework.lang.errors import LimitError

_CLOSE = 6
"""How near the limit (see `_mark`) a program is close to it."""

_OFTEN = 16
"""Looks in a row that found it close, after which calls are counted themselves."""

_NEAREST = 16
"""Frames between the top of the stack and the first frame that is remembered; the next is eight times as far."""

_MOST_KEPT = 64


class Depth:
    """The bound on nested calls of one run, or of one branch of it."""

    __slots__ = ("_artifact", "_error", "_kept", "_looks", "_near", "most", "told")

    def __init__(self, artifact: Artifact, most: int, told: int | None = None) -> None:
        """Make a bound of `most` calls; `told` is the host's limit, of which a branch has what is left."""
        self._artifact = artifact
        self.most = most
        self.told = most if told is None else told
        self._near = 0
        """How near the limit the stack was: see `_mark`."""
        self._kept: dict[Any, int] = {}
        """Close to the limit: some frames, and the calls up to each, so that not all frames are walked every time."""
        self._looks = 0
        """How often in a row the stack was found close to the limit."""
        self._error: LimitError | None = None
        """What was raised before: a program may go beyond again and again in its `finally` blocks, and an error that
        holds all earlier ones as its context would take time with the square of their number."""

    def room(self) -> int:
        """Return how many steps may be taken before the stack must be looked at again; at least one.

        Raises:
            LimitError: calls nest deeper than they may.
        """
        if self._looks <= _OFTEN:
            room = self._room_by_marks()
            if room:
                return room
        calls = self._count()
        if calls > self.most:
            text = f"Maximum recursion depth ({self.told}) exceeded"
            self._error = self._error or LimitError("depth", self.told, text)
            raise self._error.with_traceback(None)
        if self.most - calls > self.most >> _CLOSE:
            self._looks = 0
            self._kept.clear()
        return self.most - calls + 1

    def _room_by_marks(self) -> int:
        """Return what is surely left between Python's stack and the limit; 0 where calls must be counted."""
        most, near = self.most, self._near
        last = max(most.bit_length(), 1)
        if _deeper(self._mark(near)):
            near += 1
            while near < last and _deeper(self._mark(near)):
                near += 1
        else:
            while near and not _deeper(self._mark(near - 1)):
                near -= 1
        self._near = min(near, last - 1)
        self._looks = self._looks + 1 if near >= _CLOSE else 0
        return most - self._mark(near) if near < last else 0

    def less(self, calls: int) -> Depth:
        """Return the bound of a branch that begins where so many calls nest."""
        return Depth(self._artifact, max(self.most - calls, 0), self.told)

    def _mark(self, near: int) -> int:
        """Return a depth of Python's stack: an eighth of the limit, then ever closer to it."""
        return self.most - (self.most >> near) if near else self.most >> 3

    def _count(self) -> int:
        """Return how many calls nest: walk to the first frame that is remembered, or to the end."""
        frame: Any = _getframe(1)
        kept, passed = self._kept, []
        above = walked = 0
        far = _NEAREST
        while frame is not None and frame not in kept:
            call = is_call(frame, self._artifact)
            if call and walked >= far:
                passed.append((frame, above))
                far *= 8
            above += call
            walked += 1
            frame = frame.f_back
        below = kept.get(frame, 0)
        # What lies below a frame that is still there is there as well; all else may be gone.
        kept = {each: calls for each, calls in kept.items() if calls <= below} if len(kept) < _MOST_KEPT else {}
        kept.update((each, above + below - passed_then) for each, passed_then in passed)
        self._kept = kept
        return above + below


def _deeper(frames: int) -> bool:
    """Tell whether Python's stack has at least so many frames."""
    try:
        _getframe(frames)
    except ValueError:
        return False
    return True


def nested_calls(artifact: Artifact, frame: Any) -> int:
    """Return how many calls of the program's functions are under way from a frame outwards."""
    calls = 0
    while frame is not None:
        calls += is_call(frame, artifact)
        frame = frame.f_back
    return calls


def is_call(frame: Any, artifact: Artifact) -> bool:
    """Tell whether a frame is a call of one of the program's functions.

    A function without a name is a part of the one around it; an entry passes on to the code that does the work.
    """
    code = frame.f_code
    if code.co_filename is not artifact.code.co_filename or not artifact.functions.get(code.co_name):
        return False
    passes_on: bool = artifact.spans[frame.f_lineno - 1].inlined == PASSES_ON
    return not passes_on
