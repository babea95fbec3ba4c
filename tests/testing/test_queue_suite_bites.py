"""The queue suite fails what breaks the contract: each defect loses work, does it twice, or keeps somebody waiting."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import Lease, Placed, QueueItem
from rtfs_framework.testing.conformance import QueueConformance
from rtfs_framework.testing.memory_queue import MemoryQueue, Shelf


class TestMemoryQueue(QueueConformance):
    """The right one passes all."""

    made = MemoryQueue

    @pytest.fixture(autouse=True)
    def _shelf(self):
        self.shelves = {}

    def make(self, settings):
        bounds = settings.most_items, settings.most_bytes  # what is made on other bounds is another queue
        return self.made(settings, self.shelves.setdefault(bounds, Shelf()))


class EveryIdIsNew(MemoryQueue):
    def _same(self, item):
        return None


class KeysDoNotCount(MemoryQueue):
    def _same(self, item):
        return item.id if item.id in self._shelf.items else None


class KeysCountInAllTopics(MemoryQueue):
    def _same(self, item):
        return super()._same(item) or super()._same(attrs.evolve(item, topic="runs"))


class KeysCountForAllTenants(MemoryQueue):
    def _once(self, item):
        return item.topic, item.key


class LeasesAreGenerations(MemoryQueue):
    def lease(self, *given, **named):
        return [attrs.evolve(each, generation=each.attempt - 1) for each in super().lease(*given, **named)]


class OneGeneration(MemoryQueue):
    def requeue(self, id_):
        state = super().requeue(id_)
        if id_ in self._shelf.items:
            self._shelf.items[id_].generation = 0
        return state


class OldLeasesCount(MemoryQueue):
    def _token(self, kept):
        return "always the same"


class LeasesNeverEnd(MemoryQueue):
    def _catch_up(self):
        pass


class LeasesAreNotRenewed(MemoryQueue):
    def renew(self, lease, seconds):
        self._held(lease)
        return lease


class DyingIsFree(MemoryQueue):
    def _catch_up(self):
        for kept in self._shelf.items.values():
            if kept.state == "leased" and kept.until <= self._now():
                self._again(kept, "", 0.0)


class ReleasesCount(MemoryQueue):
    def release(self, lease, reason="", *, delay=0.0):
        self.nack(lease, reason, delay=delay)


class NeverDead(MemoryQueue):
    def nack(self, lease, reason="", *, delay=0.0, final=False):
        self._again(self._held(lease), reason, delay)
        return "queued"


class CancelledIsOver(MemoryQueue):
    def _held(self, lease):
        kept = self._shelf.items.get(lease.item.id)
        if kept is not None and kept.state == "cancelled":
            return kept
        return super()._held(lease)


class CancelsWhatIsDone(MemoryQueue):
    def cancel(self, id_):
        kept = self._shelf.items.get(id_)
        if kept is not None:
            self._end(kept, "cancelled")
        return None if kept is None else "cancelled"


class NoDelays(MemoryQueue):
    def _again(self, kept, reason, delay):
        super()._again(kept, reason, 0.0)


class NothingIsEarly(MemoryQueue):
    def put(self, item):
        return super().put(attrs.evolve(item, not_before=0.0))


class NoPriorities(MemoryQueue):
    def _order(self, kept):
        return self._start(kept), kept.item.tenant


class TheNewestFirst(MemoryQueue):
    def _order(self, kept):
        return self._start(kept), kept.item.tenant, -kept.item.priority, -int(kept.item.id[-1] or 0)


class NoTurns(MemoryQueue):
    def _order(self, kept):
        return -kept.item.priority


class NoWeights(MemoryQueue):
    def __init__(self, settings, shelf):
        super().__init__(attrs.evolve(settings, weights={}), shelf)


class AnyTenant(MemoryQueue):
    def _ready(self, topic, tenants):
        return super()._ready(topic, None)


class NeverFull(MemoryQueue):
    def _room(self, size):
        pass


class FullForEver(MemoryQueue):
    def _room(self, size):
        self._settings = attrs.evolve(self._settings, most_items=self._settings.most_items - 1)
        super()._room(size)


class AcksTwice(MemoryQueue):
    def ack(self, lease, result=b""):
        self._end(self._held(lease), "done", result=result)


class ListsAreLarge(MemoryQueue):
    def items(self, which):
        return [attrs.evolve(each, payload=b"") for each in super().items(which)]


class ListsAreNotSorted(MemoryQueue):
    def items(self, which):
        return super().items(which)[::-1]


class ForgetsWhatWaits(MemoryQueue):
    def purge(self, before, topic=None):
        gone = [id_ for id_, kept in self._shelf.items.items() if kept.made < before and topic in (None, "runs")]
        for id_ in gone:
            del self._shelf.items[id_]
        return len(gone)


class ForgetsAll(MemoryQueue):
    def close(self):
        self._shelf.items.clear()


class ShortensNames(MemoryQueue):
    def put(self, item):
        super().put(attrs.evolve(item, tenant=item.tenant[:100]))
        return Placed(item.id, new=True)


class AnotherItem(MemoryQueue):
    def lease(self, *given, **named):
        return [
            Lease(item=QueueItem(id=each.item.id, topic=each.item.topic, payload=each.item.payload),
                  token=each.token, attempt=each.attempt, tries=each.tries, until=each.until,
                  generation=each.generation)
            for each in super().lease(*given, **named)
        ]  # fmt: skip


class ClaimsNothing(MemoryQueue):
    def claim(self, id_, worker, seconds):
        return None


class ClaimsWhatOthersHave(MemoryQueue):
    def claim(self, id_, worker, seconds):
        kept = self._shelf.items.get(id_)
        return None if kept is None or kept.ended else self._taken(kept, worker, seconds)


class ClaimsTheNext(MemoryQueue):
    def claim(self, id_, worker, seconds):
        return next(iter(self.lease("runs", worker, seconds)), None)


class ClaimsAreTurns(MemoryQueue):
    def claim(self, id_, worker, seconds):
        lease = super().claim(id_, worker, seconds)
        if lease is not None:
            self._shelf.finish[lease.item.topic, lease.item.tenant] = self._start(self._shelf.items[id_]) + 1
        return lease


class ClaimsAreNoTries(MemoryQueue):
    def claim(self, id_, worker, seconds):
        lease = super().claim(id_, worker, seconds)
        if lease is not None:
            self._shelf.items[id_].tries -= 1
        return lease


class ClaimsAnybodyMayHave(MemoryQueue):
    def claim(self, id_, worker, seconds):
        lease = super().claim(id_, worker, seconds)
        if lease is not None:
            self._shelf.items[id_].state = "queued"
        return lease


class WaitsInVain(MemoryQueue):
    def wait(self, topics, seconds):
        return False


WRONG = [each for each in list(globals().values()) if isinstance(each, type) and MemoryQueue in each.__bases__]
_TESTS = [name for name in dir(QueueConformance) if name.startswith("test_")]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: each.__name__)
def test_a_defect_is_found(wrong):
    failed = []
    for name in _TESTS:
        suite = TestMemoryQueue()
        suite.made, suite.shelves = wrong, {}
        suite.patience = 0.02
        try:
            getattr(suite, name)()
        except Exception:  # noqa: BLE001 - a defect may show in any way
            failed.append(name)
    assert failed, f"the suite let {wrong.__name__} pass"
