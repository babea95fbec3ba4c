"""A greenlet that runs take one after the other: to make one costs more than most small runs do.

Each new greenlet maps memory for Python's frames, and unmaps it when it ends; a switch to one that waits does neither.
"""

from __future__ import annotations

from greenlet import getcurrent

from rtfs_framework.kernel.state import LEFT, RunGreenlet, root
from rtfs_framework.lang.annotations import Any, Callable


class _Reused(RunGreenlet):
    """A greenlet for many runs. Nothing of a run that has ended is left in it."""

    main: Callable[[None], Any] | None = None
    value: Any = None


class Seat:
    """Holds the greenlet while nobody uses it. A run that finds it in use, or in another thread, makes its own."""

    __slots__ = ("_free",)

    def __init__(self) -> None:
        self._free: _Reused | None = None

    def take(self, main: Callable[[None], Any]) -> _Reused:
        """Return a greenlet of this thread in which `main` begins with the next switch."""
        taken, self._free = self._free, None
        if taken is None or root(taken) is not root(getcurrent()):
            taken = _Reused(_turns)
        taken.main = main
        return taken

    def leave(self, taken: _Reused) -> Any:
        """Take back the greenlet of a run that has ended (`LEFT`), and return the run's value."""
        value = taken.value
        taken.main = taken.value = None
        taken.state = taken.meter = taken.gr_context = None  # type: ignore[assignment]
        self._free = taken
        return value


def _turns(_begin: None) -> None:
    """Run what is to run, again and again. An error ends the greenlet: who raised it gets another one.

    No variable holds the greenlet or anything of a run, for they would last as long as it waits.
    """
    while True:
        getcurrent().value = getcurrent().main(None)  # type: ignore[attr-defined]
        getcurrent().parent.switch(LEFT)  # type: ignore[union-attr]
