"""A worker: takes what it has room for, renews its leases, and ends in order.

Whoever works on an item does so in a thread of its own. The worker's own thread looks for items as long as there is
room (so what it cannot take others do), another one renews. When it is told to end it takes nothing more, waits for
what is under way, stops what takes longer, and gives that back without counting the try.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import token_hex
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Protocol

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.queue import LeaseLostError, QueueError
from rtfs_framework.orchestrator.working.held import GiveBack, Held, Hopeless

if TYPE_CHECKING:
    from rtfs_framework.api.queue import Lease, Queue
    from rtfs_framework.api.values import Clock

_LOOK = 0.5
"""Seconds for which one look for items waits at most: it hears of the end then."""
_DOWN = 0.2
"""Seconds between two tries to reach a queue that is down."""
_OTHERS = 0.2
"""Seconds between two looks for the items of some tenants alone: who waits at a queue hears of others', too."""
_TIDY = 3600.0
_BACK_OFF = 2.0
_LONGEST = 300.0
_MOST_DOUBLED = 16
_MOST_REASON = 500
_UNKNOWN_TENANT = "E0719"


class Performer(Protocol):
    """Does the items of a topic."""

    def perform(self, held: Held) -> None:
        """Do an item, and say so (`held.done`).

        Raises:
            GiveBack: Nothing came of it, and that was not its fault.
            Hopeless: Nothing ever will.
            Exception: It failed, and is tried again if it has tries left.
        """
        ...


@attrs.frozen(slots=True, kw_only=True)
class WorkerTerms:
    """How a worker works."""

    concurrency: int = 4
    lease: float = 30.0
    """Seconds; renewed three times as often."""
    grace: float = 30.0
    """Seconds for which it waits for what is under way when it ends."""
    keep: float = 7 * 86_400.0
    """Seconds for which what has ended is kept."""
    tenants: Collection[str] | None = None
    name: str = attrs.field(factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{token_hex(3)}")


Told = Callable[[str, str, str], object]
"""Hears what became of an item: what, its id, and why."""


@attrs.define(slots=True, eq=False)
class Worker:
    """Works until it is told to end."""

    queue: Queue
    performers: Mapping[str, Performer]
    """By topic."""
    clock: Clock
    terms: WorkerTerms = WorkerTerms()
    told: Told = attrs.field(default=lambda *_: None)
    _held: set[Held] = attrs.field(factory=set, init=False)
    _changed: Condition = attrs.field(factory=Condition, init=False)
    _ending: Event = attrs.field(factory=Event, init=False)
    _now: Event = attrs.field(factory=Event, init=False)
    _down: bool = attrs.field(default=False, init=False)
    """Whether the queue could not be reached the last time."""
    _over: Event = attrs.field(factory=Event, init=False)

    def end(self) -> None:
        """Take nothing more, and end when what is under way has ended, or the grace is over. From any thread.

        Asked for twice, what is under way is given back at once.
        """
        if self._ending.is_set():
            self._now.set()
        self._ending.set()

    def work(self, *, until_empty: bool = False) -> None:
        """Work until `end` is called, or, with `until_empty`, until there is nothing to do any more."""
        renewer = Thread(target=self._renew, name="rtfs-worker-renew", daemon=True)
        renewer.start()
        try:
            with ThreadPoolExecutor(self.terms.concurrency, "rtfs-worker") as pool:
                self._take(pool, until_empty=until_empty)
                self._drain()
        finally:
            self._over.set()
            renewer.join()

    def _take(self, pool: ThreadPoolExecutor, *, until_empty: bool) -> None:
        tidied = float("-inf")
        while not self._ending.is_set():
            if self.clock.monotonic() - tidied >= _TIDY:
                tidied = self.clock.monotonic()
                self._reached(lambda: self.queue.purge(self.clock.now() - self.terms.keep))
            room = self._room()
            leases, heard = self._leases(room) if room else ([], True)
            for lease in leases:
                held = Held(self.queue, self.clock, lease, self.terms.lease)
                with self._changed:
                    self._held.add(held)
                pool.submit(self._perform, held)
            if not leases:
                if until_empty and heard and not self._held:
                    return
                self._wait(room)

    def _room(self) -> int:
        with self._changed:
            return self.terms.concurrency - len(self._held)

    def _wait(self, room: int) -> None:
        """Wait until there may be something to take, or room for it."""
        if room and not self._held:
            if self.terms.tenants is not None:
                self._ending.wait(_OTHERS)
            self._reached(lambda: self.queue.wait(tuple(self.performers), _LOOK))
            return
        with self._changed:  # somebody may end at any time, and make room: look again soon
            self._changed.wait(_LOOK / 5)

    def _leases(self, room: int) -> tuple[list[Lease], bool]:
        """Return what there was to take, and whether the queue could be asked."""
        found: list[Lease] = []
        heard = True

        def take(topic: str) -> None:
            most, terms = room - len(found), self.terms
            found.extend(self.queue.lease(topic, terms.name, terms.lease, most=most, tenants=terms.tenants))

        for topic in self.performers:
            if len(found) < room:
                heard = self._reached(partial(take, topic)) and heard
        return found, heard

    def _reached(self, work: Callable[[], object]) -> bool:
        """Do something with the queue; wait a little when it is down, and say so once."""
        try:
            work()
        except QueueError as error:
            if not self._down:
                self.told("queue", "", str(error))
            self._down = True
            self._ending.wait(_DOWN)
            return False
        self._down = False
        return True

    def _perform(self, held: Held) -> None:
        performer = self.performers[held.lease.item.topic]
        try:
            performer.perform(held)
            self._end(held, "done", "")
        except GiveBack as back:
            why, delay = _cut(back.reason), back.delay
            self._settle(held, "put back", why, lambda: self.queue.release(held.lease, why, delay=delay))
        except Hopeless as hopeless:
            self._hopeless(held, hopeless)
        except ConfigError as wrong:  # a worker whose file is wrong must not end what others can do
            if any(each.code == _UNKNOWN_TENANT for each in wrong.diagnostics):
                self._hopeless(held, wrong)
            else:
                why, delay = _cut(f"this worker's configuration: {wrong}"), _pause(held.lease.attempt)
                self._settle(held, "put back", why, lambda: self.queue.release(held.lease, why, delay=delay))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the item must not be lost with its thread
            self._failed(held, error)
        finally:
            with self._changed:
                self._held.discard(held)
                self._changed.notify_all()

    def _hopeless(self, held: Held, error: Exception) -> None:
        why = _cut(str(error))
        self._settle(held, "dead", why, lambda: self.queue.nack(held.lease, why, final=True))

    def _failed(self, held: Held, error: BaseException) -> None:
        why = _cut(f"{type(error).__name__}: {error}")
        if held.lost:
            self._end(held, "lost", "it was cancelled, or another worker has it")
        elif self._ending.is_set():
            self._settle(held, "put back", "the worker ends", lambda: self.queue.release(held.lease, "the worker ends"))
        else:
            delay = _pause(held.lease.tries)
            self._settle(held, "failed", why, lambda: self.queue.nack(held.lease, why, delay=delay))

    def _settle(self, held: Held, what: str, why: str, work: Callable[[], object]) -> None:
        """Tell the queue what became of an item; if it cannot hear, the lease's end tells it."""
        held.ended = True
        try:
            work()
        except LeaseLostError:
            what, why = "lost", "it was cancelled, or another worker has it"
        except QueueError as error:
            self.told("queue", held.lease.item.id, str(error))
        self._end(held, what, why)

    def _end(self, held: Held, what: str, why: str) -> None:
        held.ended = True
        self.told(what, held.lease.item.id, why)

    def _renew(self) -> None:
        while not self._over.wait(self.terms.lease / 3):
            with self._changed:
                all_held = tuple(self._held)
            for held in all_held:
                held.renew()

    def _drain(self) -> None:
        """Wait for what is under way; stop what takes longer."""
        end = time.monotonic() + self.terms.grace
        with self._changed:
            while self._held and not self._now.is_set() and time.monotonic() < end:
                self._changed.wait(_LOOK / 5)
            left = tuple(self._held)
        self._ending.set()
        for held in left:
            held.stop()


def _pause(times: int) -> float:
    """Return after how many seconds what came to nothing so many times is done again."""
    return min(_LONGEST, _BACK_OFF ** min(times, _MOST_DOUBLED))


def _cut(reason: str) -> str:
    """Return a reason that is not too long to keep."""
    return reason if len(reason) <= _MOST_REASON else f"{reason[: _MOST_REASON - 1]}…"
