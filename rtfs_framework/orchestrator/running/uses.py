"""Who uses a session now: counted, so that closing can wait for them or stop them, and refused once it is closed.

Anything that can end a use early is told to it (`ended_by`), and `stop` may be called from any thread. Code that a use
calls (a capability, say) is inside it, in whatever thread it runs: what it asks of the session is part of what is
waited for, and it cannot close the session.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

import attrs

from rtfs_framework.lang.errors import RtfsError

STOP_SECONDS = 10.0
"""How long what was stopped may take to end; what hangs in foreign code is left behind."""


class SessionClosedError(RtfsError):
    """A session that cannot be used (any more), and what to do."""

    code = "E0920"

    def __init__(self, problem: str, way_out: str) -> None:
        super().__init__(f"error[{self.code}]: {problem}\n  help: {way_out}")
        self.problem = problem
        self.way_out = way_out


@attrs.define(slots=True, eq=False)
class Use:
    """One call into a session that is under way."""

    outer: Use | None = None
    """The use whose code began this one."""
    stopped: bool = False
    _stops: list[Callable[[], object]] = attrs.field(factory=list, init=False)

    def stop(self) -> None:
        """End it soon, from any thread."""
        self.stopped = True
        for stop in tuple(self._stops):
            stop()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While this lasts, what is called is inside this use."""
        token = _INSIDE.set(self)
        try:
            yield
        finally:
            _INSIDE.reset(token)

    @contextmanager
    def ended_by(self, stop: Callable[[], object]) -> Iterator[None]:
        """While this lasts, `stop` ends it."""
        self._stops.append(stop)
        if self.stopped:
            stop()
        try:
            yield
        finally:
            self._stops.remove(stop)


_INSIDE: ContextVar[Use | None] = ContextVar("rtfs_framework use", default=None)


@attrs.define(slots=True, eq=False)
class Uses:
    """The uses of one session, and whether there may be more."""

    closing: bool = False
    _process: int = attrs.field(factory=os.getpid, init=False)
    _active: dict[int, Use] = attrs.field(factory=dict, init=False)
    _changed: threading.Condition = attrs.field(factory=threading.Condition, init=False)
    _released: bool = attrs.field(default=False, init=False)

    @property
    def foreign(self) -> bool:
        """Tell whether this is a copy in a forked process, whose threads and files are another's."""
        return self._process != os.getpid()

    @property
    def inside(self) -> bool:
        """Tell whether the caller is code of a use that is under way."""
        use = _INSIDE.get()
        while use is not None and id(use) not in self._active:
            use = use.outer
        return use is not None

    def enter(self) -> Use:
        """Begin a use.

        Raises:
            SessionClosedError: The session was closed, or belongs to another process.
        """
        if self.foreign:
            raise SessionClosedError("the session belongs to the process that was forked", "open one in this process")
        use = Use(_INSIDE.get())
        with self._changed:
            if self.closing and not self.inside:
                raise SessionClosedError("the session was closed", "open another one: Session.open()")
            self._active[id(use)] = use
        return use

    def leave(self, use: Use) -> None:
        """End a use."""
        with self._changed:
            del self._active[id(use)]
            self._changed.notify_all()

    def close(self, release: Callable[[], object], *, wait: bool, timeout: float | None) -> None:
        """Refuse further uses; wait for those under way, at most so many seconds, or stop them; then release, once.

        Ctrl-C ends the waiting. Who comes second waits until the first is done.

        Raises:
            RtfsError: Called by a run of this very session, which would wait for itself.
        """
        with self._changed:
            if self.inside:
                raise RtfsError("a session cannot be closed by a run of its own; close it when the run has ended")
            first, self.closing = not self.closing, True
        try:
            if wait:
                self._wait_until(lambda: not self._active, timeout)
        finally:
            self._stop_all()
            if first:
                self._finish(release)
            else:
                self._wait_until(lambda: self._released, STOP_SECONDS)

    def _finish(self, release: Callable[[], object]) -> None:
        try:
            release()
        finally:
            with self._changed:
                self._released = True
                self._changed.notify_all()

    def _stop_all(self) -> None:
        end = monotonic() + STOP_SECONDS
        while self._active and monotonic() < end:
            for use in tuple(self._active.values()):
                use.stop()
            self._wait_until(lambda: not self._active, 0.05)

    def _wait_until(self, state: Callable[[], bool], timeout: float | None) -> None:
        with self._changed:
            self._changed.wait_for(state, timeout)
