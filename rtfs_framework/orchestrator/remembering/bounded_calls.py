"""Calls that may hang, each in a thread that is left behind when it takes too long.

Guarantees: who calls waits no longer than he says; of the threads of one object there are never more than `most`, those
that hang included, so a layer that hangs for good cannot pile them up: with all of them lost a call fails like one that
is late. Threads are daemons, so no process waits for them at its end. What a call gives after it was left behind is
handed to `late`, which gives it back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from typing import Any, TypeVar, cast

import attrs

MOST = 16
"""Threads of one object."""

_T = TypeVar("_T")


class TooLongError(Exception):
    """The call was left behind, or no thread was free for it in time."""


def _drop(_given: Any) -> None:
    """Give nothing back."""


@attrs.define(slots=True, eq=False)
class _Job:
    """A call: its outcome, once it has one, and whether anybody waits for it."""

    work: Callable[[], Any]
    late: Callable[[Any], None]
    woken: Event = attrs.field(factory=Event)
    left: bool = False
    ended: bool = False
    given: Any = None
    error: BaseException | None = None


@attrs.define(slots=True, eq=False)
class BoundedCalls:
    """Makes calls. Any threads may use it."""

    most: int = MOST
    wait: Callable[[Event, float], bool] = Event.wait
    """Waits for an event, for so many seconds at most."""
    _idle: list[SimpleQueue[_Job | None]] = attrs.field(factory=list, init=False)
    _room: Semaphore = attrs.field(init=False)
    _under_way: set[_Job] = attrs.field(factory=set, init=False)
    _closed: bool = attrs.field(default=False, init=False)
    _process: int = attrs.field(factory=os.getpid, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin without threads."""
        self._room = Semaphore(self.most)

    def call(self, work: Callable[[], _T], seconds: float, late: Callable[[_T], None] = _drop) -> _T:
        """Return what some code returns, or raise what it raises.

        Raises:
            TooLongError: It takes longer than so many seconds, or `abandon` was called meanwhile.
        """
        job = _Job(work, late)
        try:
            self._begin(job, seconds)
            self.wait(job.woken, seconds)
        finally:
            with self._lock:
                self._under_way.discard(job)
                job.left = not job.ended
        if job.left:
            raise TooLongError
        if job.error is not None:
            raise job.error
        return cast("_T", job.given)

    def abandon(self) -> None:
        """Let nobody wait any longer for what is under way."""
        self._see_where()
        with self._lock:
            waited = list(self._under_way)
        for job in waited:
            job.woken.set()

    def close(self) -> None:
        """End the threads that do nothing; the others end when their calls do."""
        self._see_where()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.put(None)

    def _begin(self, job: _Job, seconds: float) -> None:
        """Hand a call to a thread.

        Raises:
            TooLongError: None was free in time.
        """
        self._see_where()
        if not self._room.acquire(timeout=seconds):
            raise TooLongError
        with self._lock:
            queue = self._idle.pop() if self._idle else None
            self._under_way.add(job)
        if queue is None:
            queue = SimpleQueue()
            try:
                Thread(target=self._serve, args=(queue,), name="rtfs-cache", daemon=True).start()
            except RuntimeError:  # none can be had
                self._room.release()
                raise TooLongError from None
        queue.put(job)

    def _serve(self, queue: SimpleQueue[_Job | None]) -> None:
        while (job := queue.get()) is not None:
            try:
                job.given = job.work()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                job.error = error
            self._end(job, queue)
            del job

    def _end(self, job: _Job, queue: SimpleQueue[_Job | None]) -> None:
        with self._lock:
            job.ended = True
            left = job.left
        if left and job.error is None:
            with suppress(Exception):
                job.late(job.given)
        with self._lock:
            if self._closed:
                queue.put(None)
            else:
                self._idle.append(queue)
        self._room.release()
        job.woken.set()

    def _see_where(self) -> None:
        """Begin anew in a child that was forked off: it has no thread but the one that forked it."""
        if self._process != os.getpid():
            self._process, self._lock, self._room = os.getpid(), Lock(), Semaphore(self.most)
            self._idle, self._under_way = [], set()
