"""How long a run may take (`Limits.seconds`), and how long a call.

A call may take as long as the host says, or less when the program's `runtime.learning.timeout` hint says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.meter import Watch
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword

_HINT = "runtime.learning.timeout"
_FIELDS = ("absolute-ms", "timeout-ms")

T = TypeVar("T")


class OverdueError(Exception):
    """The time of a call to a plugin is over; a `TimeoutError` would be the plugin's own."""


class Deadline:
    """The watch of one run: it ends the run when its time is over, while it computes and while it waits."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock.monotonic() + seconds

    def __call__(self) -> None:
        """Look at the clock.

        Raises:
            LimitError: The time is over.
        """
        if self._clock.monotonic() >= self._end:
            raise self.over()

    def over(self) -> LimitError:
        """Return the error that ends the run."""
        return LimitError("seconds", self._seconds, f"the run took longer than {self._seconds:g} seconds")

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self._end - self._clock.monotonic(), 0.0)


def watches(clock: Clock, seconds: float | None) -> Callable[[], Deadline | None]:
    """Return what makes the watch of every run; the time of a run starts when it is made."""
    return lambda: None if seconds is None else Deadline(clock, seconds)


async def within(watch: Watch | None, finish: Callable[[], Awaitable[T]]) -> T:
    """Await an answer, at most as long as the run that waits for it may take.

    Raises:
        LimitError: The run's time is over.
    """
    if not isinstance(watch, Deadline):
        return await finish()
    from anyio import move_on_after

    with move_on_after(watch.left):
        return await finish()
    raise watch.over()


def seconds_for(bound: float, hints: Map) -> float:
    """Return the deadline of one call in seconds. A hint only ever shortens it: waiting is the host's to grant."""
    if not len(hints):
        return bound
    hint = _get(hints, _HINT)
    if not isinstance(hint, Map):
        return bound
    for name in _FIELDS:
        wanted = _get(hint, name)
        if isinstance(wanted, int | float) and not isinstance(wanted, bool) and wanted > 0:
            return min(bound, wanted / 1000)
    return bound


def _get(table: Map, name: str) -> Any:
    found = table.get(Keyword(name))
    return table.get(name) if found is None else found
