"""What the contract of queues is tried with: queues, leases that may come late, and states that may show late."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from rtfs_framework.api import ItemState, ItemStatus, Lease, LeaseLostError, Queue, QueueItem, QueueSettings
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import Conformance, check


def item_of(id_: str, **changes: Any) -> QueueItem:
    """Return an item to put."""
    return QueueItem(**{"id": id_, "topic": "runs", "payload": b"what to do", **changes})


class QueueCases(Conformance):
    """What the tests of the contract use."""

    lease_seconds: ClassVar[float] = 30.0
    patience: ClassVar[float] = 5.0
    """Seconds for which something is waited for that must come."""

    @abstractmethod
    def make(self, settings: QueueSettings) -> Queue:
        """Return a queue without items, or another one on the same items if one was made before."""

    def pass_time(self, clock: FakeClock, seconds: float) -> None:
        """Let time pass for the queue."""
        clock.advance(seconds)

    def queue(self, **settings: Any) -> tuple[Queue, FakeClock]:
        """Return a queue and its clock."""
        clock = FakeClock()
        return self.make(QueueSettings(clock=clock, **settings)), clock

    def lease(self, queue: Queue, most: int = 1, worker: str = "w", **how: Any) -> list[Lease]:
        """Return leases, as many as are wanted if they come within the patience."""
        got: list[Lease] = []

        def enough() -> bool:
            got.extend(queue.lease("runs", worker, self.lease_seconds, most=most - len(got), **how))
            return len(got) >= most

        self.soon(enough)
        return got

    def claimed(self, queue: Queue, id_: str) -> Lease:
        """Return the lease of an item that is claimed, within the patience."""
        got: list[Lease] = []

        def there() -> bool:
            lease = queue.claim(id_, "w", self.lease_seconds)
            got.extend([] if lease is None else [lease])
            return bool(got)

        check(self.soon(there), f"{id_} could not be claimed: {queue.get(id_)!r}")
        return got[0]

    def soon(self, holds: Callable[[], bool]) -> bool:
        """Wait for something that must come; tell whether it did."""
        end = time.monotonic() + self.patience
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def state_of(self, queue: Queue, id_: str, state: ItemState) -> ItemStatus:
        """Return an item's status, which must be in a state."""
        found: list[ItemStatus | None] = [None]

        def there() -> bool:
            found[0] = queue.get(id_)
            return found[0] is not None and found[0].state == state

        check(self.soon(there), f"{id_} should be {state}: {found[0]!r}")
        assert found[0] is not None  # noqa: S101 - checked
        return found[0]

    def lost(self, what: str, use: Callable[[], object], *, cancelled: bool = False) -> None:
        """See that something is refused, for the lease is over."""
        try:
            use()
        except LeaseLostError as error:
            check(error.cancelled == cancelled, f"{what}: cancelled is {error.cancelled}")
        else:
            check(False, f"{what} was accepted")
