"""Which record goes next: the policies of `bounded`, over the libraries that choose. Not thread-safe; no clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from rtfs_framework.api.errors import PluginError

if TYPE_CHECKING:
    from cachetools import Cache

    from rtfs_framework.api.cache import CacheRecord

Slot = tuple[str, str]
_NOTHING: tuple[Slot, ...] = ()
_FOREVER = float("inf")


class Order(Protocol):
    """Holds records in the order of a policy."""

    admits: bool
    """Whether it keeps the bound on entries itself, and may refuse what comes in."""

    @property
    def get(self) -> Callable[[Slot], CacheRecord | None]:
        """Return a record, which is a use of it."""
        ...

    def put(self, slot: Slot, record: CacheRecord) -> Iterable[Slot]:
        """Take a record in; return what went for it, which may be the record itself."""
        ...

    def drop(self, slot: Slot) -> None:
        """Forget a record that is there."""
        ...

    def victim(self) -> Slot:
        """Let the next one go, and return where it lay."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...


def order_of(policy: str, capacity: int, chance: Callable[[], float]) -> Order:
    """Return an empty order.

    Raises:
        ValueError: There is no such policy.
        PluginError: Its library is not installed.
    """
    if policy == "ttl":
        return _ByExpiry()
    if policy == "w-tinylfu":
        return _Admitting(capacity)
    from cachetools import FIFOCache, LFUCache, LRUCache, RRCache

    def any_of(slots: Sequence[Slot]) -> Slot:
        return slots[int(chance() * len(slots))]

    made: dict[str, Callable[[], Cache[Slot, CacheRecord]]] = {
        "lru": lambda: LRUCache(capacity),
        "lfu": lambda: LFUCache(capacity),
        "fifo": lambda: FIFOCache(capacity),
        "random": lambda: RRCache(capacity, choice=any_of),
    }
    if policy not in made:
        raise ValueError(f"no policy '{policy}'; there are: {', '.join((*made, 'ttl', 'w-tinylfu'))}")
    return _Chosen(made[policy]())


class _Chosen:
    """The order of a cache of cachetools, in which there is always room: its `popitem` chooses."""

    admits = False

    def __init__(self, cache: Cache[Slot, CacheRecord]) -> None:
        self._cache = cache
        self.get: Callable[[Slot], CacheRecord | None] = cache.get

    def put(self, slot: Slot, record: CacheRecord) -> Iterable[Slot]:
        self._cache[slot] = record
        return _NOTHING

    def drop(self, slot: Slot) -> None:
        del self._cache[slot]

    def victim(self) -> Slot:
        return self._cache.popitem()[0]

    def clear(self) -> None:
        self._cache.clear()


class _ByExpiry:
    """The next to expire goes first: a heap, in which what was replaced or dropped stays until it comes up."""

    admits = False

    def __init__(self) -> None:
        self._records: dict[Slot, tuple[CacheRecord, int]] = {}
        self._heap: list[tuple[float, int, Slot]] = []
        self._count = 0

    def get(self, slot: Slot) -> CacheRecord | None:
        found = self._records.get(slot)
        return None if found is None else found[0]

    def put(self, slot: Slot, record: CacheRecord) -> Iterable[Slot]:
        self._count += 1
        self._records[slot] = record, self._count
        heappush(self._heap, (_FOREVER if record.expires_at is None else record.expires_at, self._count, slot))
        if len(self._heap) > 2 * len(self._records) + 16:
            self._heap = [each for each in self._heap if self._stands(each)]
            heapify(self._heap)
        return _NOTHING

    def drop(self, slot: Slot) -> None:
        del self._records[slot]

    def victim(self) -> Slot:
        while True:
            first = heappop(self._heap)
            if self._stands(first):
                del self._records[first[2]]
                return first[2]

    def clear(self) -> None:
        self._records.clear()
        self._heap.clear()

    def _stands(self, each: tuple[float, int, Slot]) -> bool:
        found = self._records.get(each[2])
        return found is not None and found[1] == each[1]


class _Admitting:
    """W-TinyLFU by theine-core, which knows entries by numbers of 64 bits; recency for bytes is kept here.

    Two slots of one number cannot both be known to it: the older one goes.
    """

    admits = True

    def __init__(self, capacity: int) -> None:
        self._core = _tiny_lfu()(capacity)
        self._records: OrderedDict[Slot, tuple[CacheRecord, int]] = OrderedDict()
        self._slots: dict[int, Slot] = {}

    def get(self, slot: Slot) -> CacheRecord | None:
        found = self._records.get(slot)
        if found is None:
            return None
        self._records.move_to_end(slot)
        self._core.access([found[1]])
        return found[0]

    def put(self, slot: Slot, record: CacheRecord) -> Iterable[Slot]:
        number = _number(slot)
        gone = []
        other = self._slots.get(number)
        if other is not None and other != slot:
            del self._records[other]
            gone.append(other)
        self._slots[number] = slot
        self._records[slot] = record, number
        self._records.move_to_end(slot)
        for each in self._core.set([(number, 0)]):
            out = self._slots.pop(each)
            del self._records[out]
            gone.append(out)
        return gone

    def drop(self, slot: Slot) -> None:
        self._out(slot, self._records.pop(slot)[1])

    def victim(self) -> Slot:
        slot, (_, number) = self._records.popitem(last=False)
        self._out(slot, number)
        return slot

    def clear(self) -> None:
        for number in self._slots:
            self._core.remove(number)
        self._slots.clear()
        self._records.clear()

    def _out(self, slot: Slot, number: int) -> None:
        self._core.remove(number)
        if self._slots.get(number) == slot:
            del self._slots[number]


def _number(slot: Slot) -> int:
    """Return the number of a slot: the same in every process, so that a run can be repeated."""
    namespace, digest = slot
    framed = f"{len(namespace)}:{namespace}{digest}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(framed, digest_size=8).digest(), "big")


def _tiny_lfu() -> Any:
    try:
        return import_module("theine_core").TlfuCore
    except ImportError as error:
        message = "the policy 'w-tinylfu' rests on theine-core, which is not installed"
        way_out = "pip install theine-core, or choose another policy"
        raise PluginError("rtfs-framework", message, code="E0809", way_out=way_out) from error
