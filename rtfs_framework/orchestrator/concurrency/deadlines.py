"""How long a run may take (`Limits.seconds`), and what else has to do with time that is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from threading import Lock
from typing import Any, TypeVar

from rtfs_framework.api.values import Clock
from rtfs_framework.kernel.meter import Watch
from rtfs_framework.lang.errors import LimitError

T = TypeVar("T")

_WATCH: ContextVar[Deadline | None] = ContextVar("_WATCH", default=None)
"""The watch of the run that waits."""


class OverdueError(Exception):
    """The time of a call to a plugin is over; a `TimeoutError` would be the plugin's own."""


HELD_SECONDS = 5.0
"""Seconds beyond a call's time for which its event loop may stand still before it is given up."""


class Deadline:
    """The watch of one run: it ends the run when its time is over, while it computes and while it waits."""

    def __init__(self, clock: Clock, seconds: float, spent: float = 0.0) -> None:
        """Begin now; so many seconds were spent before, on compiling."""
        self._clock = clock
        self._seconds = seconds
        self._before = self.begun = clock.monotonic()
        self._end = self.begun + seconds - spent
        self._off = 0
        """How many waits are under way that do not count."""
        self._off_since = 0.0
        self._lock = Lock()
        self.scopes: set[Any] = set()
        """What bounds those who wait in the run, all of them in one event loop."""

    def __call__(self) -> float:
        """Look at the clock, and return the seconds since it was looked at before.

        Raises:
            LimitError: The time is over.
        """
        now = self._clock.monotonic()
        if now >= self._end and not self._off:
            raise self.over()
        before, self._before = self._before, now
        return now - before

    def end(self) -> None:
        """Let its time be over, from any thread."""
        self._end = self.begun

    def over(self) -> LimitError:
        """Return the error that ends the run."""
        return LimitError("seconds", self._seconds, f"the run took longer than {self._seconds:g} seconds")

    @property
    def left(self) -> float:
        """Seconds that are left; more than any while what is waited for does not count."""
        return inf if self._off else max(self._end - self._clock.monotonic(), 0.0)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Let time that is waited for not count: for a point in time, a word from outside, a person."""
        with self._lock:
            if not self._off:
                self._off_since = self._clock.monotonic()
            self._off += 1
        try:
            yield
        finally:
            with self._lock:
                self._off -= 1
                if not self._off:
                    self._end += self._clock.monotonic() - self._off_since


class Deadlines:
    """Makes the watch of every run: its time starts when it is made, that of the first run with the compilation."""

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._spent = 0.0
        self._compiling: Deadline | None = None

    def __call__(self) -> Deadline | None:
        """Return the watch of a run that starts now."""
        spent, self._spent = self._spent, 0.0
        return None if self._seconds is None else Deadline(self._clock, self._seconds, spent)

    @contextmanager
    def compiling(self) -> Iterator[Deadline | None]:
        """Give the watch of a compilation; what it takes is the first run's no more."""
        watch = self._compiling = self()
        yield watch
        if watch is not None:
            self._spent = self._clock.monotonic() - watch.begun

    def stop(self) -> None:
        """End what is compiled, from any thread."""
        if self._compiling is not None:
            self._compiling.end()


async def within(watch: Watch | None, finish: Callable[[], Awaitable[T]]) -> T:
    """Await an answer, at most as long as the run that waits for it may take.

    Raises:
        LimitError: The run's time is over.
    """
    if not isinstance(watch, Deadline):
        return await finish()
    from anyio import CancelScope, current_time

    token = _WATCH.set(watch)
    scope = CancelScope(deadline=current_time() + watch.left)
    watch.scopes.add(scope)
    try:
        with scope:
            return await finish()
    finally:
        watch.scopes.discard(scope)
        _WATCH.reset(token)
    raise watch.over()


@contextmanager
def off_the_clock() -> Iterator[None]:
    """Let the time of the run that waits here not count."""
    watch = _WATCH.get()
    if watch is None:
        yield
        return
    from anyio import current_time

    with watch.off():
        for scope in watch.scopes:
            scope.deadline = inf
        yield
    for scope in watch.scopes:
        scope.deadline = current_time() + watch.left


async def pause(seconds: float) -> None:
    """Wait, in whatever loop this is."""
    import anyio

    await anyio.sleep(seconds)
