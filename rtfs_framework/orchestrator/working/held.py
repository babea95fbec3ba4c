"""A lease in the hands of a worker: renewed while there is work on it, and given up by whoever must stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.queue import LeaseLostError, QueueError

if TYPE_CHECKING:
    from rtfs_framework.api.queue import Lease, Queue
    from rtfs_framework.api.values import Clock


_AGAIN = 0.1
"""Seconds between two tries to tell a queue that is down."""


class GiveBack(Exception):
    """Nothing came of an item, and it was not the item's fault: it is tried again after `delay` seconds."""

    def __init__(self, reason: str, delay: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay = delay


class Hopeless(Exception):
    """An item that no other try would end well."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@attrs.define(slots=True, eq=False)
class Held:
    """An item, its lease, and what stops the work on it."""

    queue: Queue
    clock: Clock
    lease: Lease
    seconds: float
    """For how long it is renewed each time."""
    lost: bool = False
    """Whether the item is somebody else's now, or was cancelled."""
    ended: bool = False
    _stops: list[Callable[[], object]] = attrs.field(factory=list, init=False)
    _stopped: bool = attrs.field(default=False, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)  # type: ignore[valid-type,unused-ignore]

    def stopped_by(self, stop: Callable[[], object]) -> None:
        """Say what stops the work, from any thread; it is called at once if that was asked for already."""
        with self._lock:
            self._stops.append(stop)
            stopped = self._stopped
        if stopped:
            stop()

    def stop(self) -> None:
        """Stop the work on it, from any thread."""
        with self._lock:
            self._stopped = True
            stops = tuple(self._stops)
        for each in stops:
            each()

    def renew(self) -> None:
        """Renew the lease; when it is over, or nobody can tell, the work is stopped."""
        if self.ended or self.lost:
            return
        try:
            self.lease = self.queue.renew(self.lease, self.seconds)
        except LeaseLostError:
            self._lose()
        except QueueError:
            if self.clock.now() >= self.lease.until:
                self._lose()

    def _lose(self) -> None:
        if not self.ended:  # else it was renewed as it ended
            self.lost = True
            self.stop()

    def done(self, result: bytes) -> None:
        """End the item; a queue that cannot be reached is told again for as long as the lease lasts.

        Raises:
            LeaseLostError: It is somebody else's, or was cancelled.
            QueueError: The queue could not be reached in time.
            Hopeless: The result is larger than a queue keeps.
        """
        while not self._told(result):
            time.sleep(_AGAIN)
        self.ended = True

    def _told(self, result: bytes) -> bool:
        try:
            self.queue.ack(self.lease, result)
        except ValueError as error:
            raise Hopeless(str(error)) from error
        except LeaseLostError:
            self.lost = True
            raise
        except QueueError:
            if self.lost or self.clock.now() >= self.lease.until:
                raise
            return False
        return True
