"""The meter of a compilation: the host's clock is looked at while a program is read, expanded, checked and emitted.

In: a watch. The compiler's walks look at it through `lang.meter.visited`, macros by their own steps, and library
functions that are evaluated ahead as ever.
"""

from __future__ import annotations

from contextlib import contextmanager

from greenlet import getcurrent

from rtfs_framework.kernel.meter import CHUNK, Watch
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.meter import Meter, meter


class CompileMeter(Meter):
    """Counts nothing for good; it only looks at the watch."""

    __slots__ = ("_spent", "watch")

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self._spent = 0

    def spend(self, steps: int) -> None:
        """See `Meter`."""
        self._spent += steps
        if self._spent >= CHUNK:
            self._spent = 0
            self.look()

    def look(self) -> None:
        """See `Meter`."""
        self.watch()


@contextmanager
def watched_compilation(watch: Watch | None) -> Iterator[None]:
    """Let a watch end what is compiled meanwhile."""
    if watch is None:
        yield
        return
    here = getcurrent()
    before = here.__dict__.get("meter")
    here.__dict__["meter"] = CompileMeter(watch)
    try:
        yield
    finally:
        if before is None:
            del here.__dict__["meter"]
        else:
            here.__dict__["meter"] = before


def current_watch() -> Watch | None:
    """Return the watch of the compilation under way, if there is one."""
    found = meter()
    return found.watch if isinstance(found, CompileMeter) else None
