"""How deep calls nest: counted exactly in calls of the program's own functions, and for next to nothing.

An activation takes a step before it calls on, so a number of steps nests calls no deeper than that number. The meter
therefore grants no more steps at once than there are levels left, and the stack is looked at only when they are used
up: first, cheaply, how deep Python's own stack is at most; only where that is as deep as the limit, frame by frame.
"""

from __future__ import annotations

from sys import _getframe
from typing import Any

from rtfs_framework.lang.codegen.artifact import PASSES_ON, Artifact
from rtfs_framework.lang.errors import LimitError


class Depth:
    """The bound on nested calls of one run, or of one branch of it."""

    __slots__ = ("_artifact", "_near", "most", "told")

    def __init__(self, artifact: Artifact, most: int, told: int | None = None) -> None:
        """Make a bound of `most` calls; `told` is the host's limit, of which a branch has what is left."""
        self._artifact = artifact
        self.most = most
        self.told = most if told is None else told
        self._near = 0
        """How near the limit the stack was: see `_mark`."""

    def room(self) -> int:
        """Return how many steps may be taken before the stack must be looked at again; at least one.

        Raises:
            LimitError: calls nest deeper than they may.
        """
        most, near = self.most, self._near
        marks = max(most.bit_length(), 1)
        if _deeper(self._mark(near)):
            near += 1
            while near < marks and _deeper(self._mark(near)):
                near += 1
        else:
            while near and not _deeper(self._mark(near - 1)):
                near -= 1
        self._near = min(near, marks - 1)
        if near < marks:
            return most - self._mark(near)
        calls = nested_calls(self._artifact)
        if calls > most:
            raise LimitError("depth", self.told, f"Maximum recursion depth ({self.told}) exceeded")
        return most - calls + 1

    def less(self, calls: int) -> Depth:
        """Return the bound of a branch that begins where so many calls nest."""
        return Depth(self._artifact, max(self.most - calls, 0), self.told)

    def _mark(self, near: int) -> int:
        """Return a depth of Python's stack: an eighth of the limit, then ever closer to it."""
        return self.most - (self.most >> near) if near else self.most >> 3


def _deeper(frames: int) -> bool:
    """Tell whether Python's stack has at least so many frames."""
    try:
        _getframe(frames)
    except ValueError:
        return False
    return True


def nested_calls(artifact: Artifact) -> int:
    """Return how many calls of the program's functions are under way on this stack."""
    filename, functions, spans = artifact.code.co_filename, artifact.functions, artifact.spans
    frame: Any = _getframe(1)
    calls = 0
    while frame is not None:
        code = frame.f_code
        # A function without a name is a part of the one around it; an entry passes on to the code that does the work.
        if code.co_filename is filename and functions.get(code.co_name):
            calls += spans[frame.f_lineno - 1].inlined != PASSES_ON
        frame = frame.f_back
    return calls
