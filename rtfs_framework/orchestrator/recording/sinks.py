"""An observer at work: told from a thread of its own, through a bounded queue, so that no run waits for what it does.

In: events, in order. Out: nothing to whoever tells them. When the queue is full the newest are dropped and counted; an
observer that raises hears nothing more. Who ends a run waits a moment for observers that have kept up so far, so that
they have heard of it; one that was late is not waited for again before it has caught up.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from inspect import isawaitable
from threading import Condition, Lock, Thread, current_thread
from typing import Any

import attrs

from rtfs_framework.api.forks import free_at_forks
from rtfs_framework.api.observer import Event, Observer
from rtfs_framework.registry.faults import Part, PluginFault, ask

MOST = 4096
"""Events that wait for one observer."""
PATIENCE = 0.25
"""Seconds for which the end of a run waits for an observer that has kept up so far."""
CLOSING, CLOSING_LATE = 10.0, 1.0
"""Seconds that an observer has to hear the rest and to close; and one that was late before."""

Broke = Callable[["Subscription", PluginFault], None]


@attrs.define(slots=True, eq=False)
class Subscription:
    """An observer, the events that it wants, and who it is; used by any thread."""

    part: Part
    observer: Observer
    events: tuple[str, ...] = ("*",)
    most: int = MOST
    dropped: int = attrs.field(default=0, init=False)
    """Events that it was not told, because too many waited."""
    _waiting: deque[Event] = attrs.field(factory=deque, init=False)
    """The one that it is hearing included."""
    _changed: Condition = attrs.field(factory=lambda: Condition(free_at_forks(Lock())), init=False)
    _thread: Thread | None = attrs.field(default=None, init=False)
    _process: int = attrs.field(factory=os.getpid, init=False)
    _late: bool = attrs.field(default=False, init=False)
    _ending: bool = attrs.field(default=False, init=False)

    def tell(self, event: Event, broke: Broke) -> bool:
        """Have it hear an event; return whether there was room. `broke` is told, in its thread, if it raises."""
        with self._changed:
            if self._ending:
                return True
            if self._process != os.getpid():  # a child of a fork: what waits is its parent's
                self._process = os.getpid()
                self._waiting.clear()
            if len(self._waiting) >= self.most:
                self.dropped += 1
                return False
            self._waiting.append(event)
            self._begin(broke)
            if len(self._waiting) == 1:  # else it is at work, and looks again
                self._changed.notify_all()
            return True

    def caught_up(self, seconds: float) -> bool:
        """Wait until it has heard all, at most so many seconds (none while it is late); tell whether it has."""
        with self._changed:
            if current_thread() is self._thread or (self._late and self._waiting):
                return False
            done = self._changed.wait_for(lambda: not self._waiting, seconds)
            self._late = not done
            return done

    def close(self, broke: Broke) -> int | None:
        """Let it hear the rest and close; return how many events it has not heard of, None when it has ended."""
        with self._changed:
            self._ending = True
            if self._thread is not None or callable(getattr(self.observer, "close", None)):
                self._begin(broke)
            thread = self._thread
            self._changed.notify_all()
        if thread is None or thread is current_thread():
            return None
        thread.join(CLOSING_LATE if self._late else CLOSING)
        return len(self._waiting) if thread.is_alive() else None

    def _begin(self, broke: Broke) -> None:
        if self._thread is None or not self._thread.is_alive():
            name = f"rtfs observer {self.part.name}"
            self._thread = Thread(target=self._work, args=(broke,), name=name, daemon=True)
            self._thread.start()

    def _work(self, broke: Broke) -> None:
        try:
            while (event := self._next()) is not None:
                ask(self.part, "hearing an event", _hear, self.observer, event)
                self._heard()
            close = getattr(self.observer, "close", None)
            if callable(close):
                ask(self.part, "`close`", close)
        except PluginFault as fault:
            broke(self, fault)
        finally:
            with self._changed:
                self._ending = True
                self._waiting.clear()
                self._changed.notify_all()

    def _next(self) -> Event | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            return self._waiting[0] if self._waiting else None

    def _heard(self) -> None:
        with self._changed:
            if self._waiting:
                self._waiting.popleft()
            if not self._waiting:
                self._changed.notify_all()


def _hear(observer: Callable[[Event], Any], event: Event) -> None:
    found = observer(event)
    if isawaitable(found):
        close = getattr(found, "close", None)
        if callable(close):  # so that Python does not complain of it later
            close()
        raise TypeError("it is a coroutine function, and nobody awaits it")
