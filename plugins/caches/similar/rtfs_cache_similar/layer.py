"""The layer: entries in a file, an index for each partition, and a decider that says whether one is served.

What is served is read from the file at that moment, so what another process dropped, or somebody changed, is not; and
it is read from the row of the partition that asks, which the row's seal names: another tenant's cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import RLock

import attrs
import numpy as np

from rtfs_cache_similar.deciding import Decider, Look, Near, Unread
from rtfs_cache_similar.index.base import Index, Vector, unit
from rtfs_cache_similar.rows import Entry, Place
from rtfs_cache_similar.shelf import Shelf
from rtfs_cache_similar.store import Bounds, ServedRow, Store
from rtfs_framework.api import (
    NO_INFO,
    CacheInfo,
    CacheItem,
    CacheKey,
    CacheRecord,
    CacheStats,
    Clock,
    Served,
    SimilarQuestion,
    SimilarReport,
    SimilarScope,
    SimilarVerdict,
    free_at_forks,
)

NEAREST = 8
"""Entries that a decision may look at."""
NEIGHBOURS = 16
"""Entries at most that go with one that was wrong, itself included."""
_CLOSEST = 0.999
"""Where nobody knows how near the wrongly served question was: only what is nearly the entry's own request goes too."""
_USES = 256
_PERSIST = 64
"""Look-ups after which the evidence is written down; what somebody says of an answer is written at once."""
_JUDGED = 8
"""For how many of them a judgement counts."""


@attrs.define(slots=True)
class _Counts:
    hits: int = 0
    misses: int = 0
    puts: int = 0
    evictions: int = 0
    expiries: int = 0
    invalidations: int = 0


class SimilarCache:
    """At most so many answers and bytes, each for `ttl` seconds (None: until it is evicted). Thread-safe."""

    def __init__(
        self,
        store: Store,
        decider: Decider,
        index: Callable[[int], Index],
        *,
        bounds: Bounds,
        ttl: float | None,
        clock: Clock,
        scope: SimilarScope | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the evidence; entries are read when they are first asked for. `report` tells the user what is wrong.

        Evidence that cannot be read, of another version for one, is no evidence: nothing but equal requests is served
        until there is some again.
        """
        self._lock = free_at_forks(RLock())
        self._store = store
        self._decider = decider
        self._shelf = Shelf(store, index, self._lock)
        self._bounds = bounds
        self._ttl = ttl
        self._clock = clock
        self._scope = scope or SimilarScope()
        self._report = report
        self._counts = _Counts()
        self._tick = store.last_use()
        self._used: dict[int, int] = {}
        self._unwritten = 0
        evidence = store.evidence()
        if evidence is not None:
            try:
                decider.load(evidence)
            except ValueError as error:
                report(f"what was judged before cannot be used ({error}), so the evidence begins anew")

    def scope(self) -> SimilarScope:
        """Return for which functions it may be asked, and what exploring may cost."""
        return self._scope

    def ask(self, question: SimilarQuestion) -> SimilarVerdict:
        """Decide about a question. A look-up counts, whatever comes of it."""
        vector = unit(question.vector)
        with self._lock:
            self._check_prior(question)
            self._shelf.look()
            verdict = self._exact(question)
            if verdict is None:
                near = [] if vector is None else self._near(question.partition.digest, vector)
                partition, look = question.partition.digest, Look(question.text)
                draws = question.draw, question.judge_draw
                verdict = self._decider.decide(partition, look, near, draws[0], question.bound, draws[1])
                self._note(1)
            if verdict.served is not Served.HIT:
                self._counts.misses += 1
                return verdict
            self._counts.hits += 1
            self._note_use(int(verdict.entry))
            cosine = 1.0 if verdict.similarity is None else verdict.similarity
            row = ServedRow(int(verdict.entry), question.partition.digest, question.text, cosine)
            self._store.note_served(question.exact.digest, row)
            return verdict

    def preview(self, question: SimilarQuestion) -> SimilarVerdict:
        """Return what `ask` would say of a question that is not explored; nothing counts."""
        vector = unit(question.vector)
        with self._lock:
            self._check_prior(question)
            self._shelf.look()
            verdict = self._exact(question)
            if verdict is not None:
                return verdict
            partition = question.partition.digest
            near = [] if vector is None else self._near(partition, vector)
            return self._decider.preview(partition, Look(question.text), near, question.bound)

    def _check_prior(self, question: SimilarQuestion) -> None:
        """Do without a prior of other vectors: what it says of how near right answers are holds for its own alone."""
        prior = self._decider.prior
        if prior is None or prior.embedder == dict(question.partition.parts).get("embedder"):
            return
        self._decider.without_prior()
        self._report(
            "the prior of [caches.similar] was fitted to the vectors of another embedder than the one of [delegation];"
            " fit it again: rtfs learn similar FILE --embedder NAME --out MODEL"
        )

    def put(
        self, question: SimilarQuestion, value: object, ttl: float | None = None, info: CacheInfo = NO_INFO
    ) -> None:
        """Keep what a model answered; those that were not used for longest make room.

        Raises:
            TypeError: The value is no text.
        """
        if not isinstance(value, str):
            raise TypeError(f"the similar cache keeps text, not {type(value).__name__}")
        vector = unit(question.vector)
        if vector is None:  # it has no direction: nothing is near it
            return
        lifetime = self._ttl if ttl is None else ttl
        with self._lock:
            now = self._clock.now()
            expires = None if lifetime is None else now + lifetime
            place = Place(question.partition.digest, question.exact.namespace, question.exact.digest, now, expires)
            entry = Entry(question.text, value, info, vector.astype(np.float16).astype(np.float32))
            self._shelf.look()
            done = self._store.put(place, entry, used=self._next_tick(), bounds=self._bounds)
            self._shelf.remove((*done.replaced, *done.purged, *done.evicted))
            if done.number:
                self._shelf.add(done.number, place, entry)
            self._counts.puts += 1
            self._counts.expiries += len(done.purged)
            self._counts.evictions += len(done.evicted) + (done.number == 0)

    def judged(self, question: SimilarQuestion, verdict: SimilarVerdict, *, same: bool) -> None:
        """Learn from one comparison of an entry's answer with the model's, or from what a judge says of a hit.

        A hit that was wrong is evicted with its neighbours, as `wrong` does; nobody else is heard of it any more.
        """
        with self._lock:
            if verdict.served is Served.HIT:
                self._store.take_served(question.exact.digest)
            found = self._store.get(int(verdict.entry)) if verdict.entry else None
            if found is None or found[0].partition != question.partition.digest:
                return
            near = Near(verdict.entry, found[1].text, verdict.similarity or 0.0, verdict.record)
            self._decider.judged(question.partition.digest, Look(question.text), near, same=same)
            self._note(_JUDGED)
            if verdict.served is Served.HIT and not same:
                self._evict(int(verdict.entry), found, min(near.similarity, _CLOSEST))

    def right(self, entry: str, question: str) -> None:
        """Learn that a served answer was right."""
        with self._lock:
            served = self._store.take_served(question)
            if served is not None and entry in ("", str(served.entry)):
                self._learn(served, same=True)

    def wrong(self, entry: str, question: str) -> int:
        """Learn that it was wrong: evict the entry and its neighbours; return how many entries went.

        Neighbours are at least as near to the entry as the question was that it answered wrongly, and at most 15.
        """
        with self._lock:
            self._shelf.look()
            served, reach = self._store.take_served(question), _CLOSEST
            if served is not None and entry in ("", str(served.entry)):
                entry, reach = str(served.entry), min(served.similarity, _CLOSEST)
                self._learn(served, same=False)
            found = self._store.get(int(entry)) if entry.isascii() and entry.isdigit() else None
            return 0 if found is None else self._evict(int(entry), found, reach)

    def report(self) -> Mapping[str, SimilarReport]:
        """Return the evidence by partition (its digest)."""
        with self._lock:
            return self._decider.report()

    def invalidate(self, key: CacheKey) -> bool:
        """Forget the entry that was put under an exact key; tell whether it was there."""
        with self._lock:
            number = self._store.number(key.namespace, key.digest)
            found = number != 0 and self._store.drop(number)
            self._shelf.remove((number,))
            self._counts.invalidations += found
            return found

    def scan(self) -> Iterator[CacheItem]:
        """Go through the live entries; the key is the exact one."""
        last, looked = 0, 1
        while looked:
            with self._lock:
                found, last, looked = self._store.after(last, _USES)
            now = self._clock.now()
            for _, place, entry in found:
                if place.expires_at is None or now < place.expires_at:
                    yield CacheItem(CacheKey(place.namespace, place.digest), _record(place, entry))

    def clear(self) -> None:
        """Forget every entry; the evidence stays."""
        with self._lock:
            self._counts.invalidations += self._store.clear()
            self._shelf.clear()
            self._used.clear()

    def stats(self) -> CacheStats:
        """Return the counters; sizes are the file's, with what other processes wrote."""
        with self._lock:
            size, held = self._store.totals()
            return CacheStats(
                **attrs.asdict(self._counts),
                errors=self._store.damaged,
                size=size,
                capacity=self._bounds.rows,
                size_bytes=held,
                capacity_bytes=self._bounds.bytes,
            )

    def settle(self) -> None:
        """Wait until all that is kept can be found: for measurements."""
        with self._lock:
            self._shelf.look()
        self._shelf.wait()

    def close(self) -> None:
        """Write what waits and close the file; nothing, when it is closed already."""
        self._shelf.close()
        with self._lock:
            if self._store.is_open:
                try:
                    self._store.note_uses([(tick, number) for number, tick in self._used.items()])
                    if self._unwritten:
                        self._keep_evidence()
                finally:
                    self._store.close()

    def _exact(self, question: SimilarQuestion) -> SimilarVerdict | None:
        """Return a hit where the very request was answered before, and may be served from memory."""
        number = 0 if question.bound == 0 else self._store.number(question.exact.namespace, question.exact.digest)
        found = self._live(number, question.partition.digest) if number else None
        if found is None:
            return None
        place, entry = found
        return SimilarVerdict(
            served=Served.HIT,
            why="the same request",
            entry=str(number),
            record=_record(place, entry),
            similarity=1.0,
            probability=1.0,
            bound=0.0,
        )

    def _near(self, partition: str, vector: Vector) -> list[Unread]:
        def reads(number: int, cosine: float) -> Unread:
            return Unread(str(number), cosine, lambda: self._read(number, cosine, partition))

        return [reads(number, cosine) for number, cosine in self._shelf.search(partition, vector, NEAREST)]

    def _read(self, number: int, cosine: float, partition: str) -> Near | None:
        there = self._checked(number, partition, self._store.get(number, vector=False))
        return None if there is None else Near(str(number), there[1].text, cosine, _record(*there))

    def _live(self, number: int, partition: str) -> tuple[Place, Entry] | None:
        """Return an entry of a partition whose time is not over, as it stands in the file now."""
        return self._checked(number, partition, self._store.get(number))

    def _checked(self, number: int, partition: str, found: tuple[Place, Entry] | None) -> tuple[Place, Entry] | None:
        if found is not None and found[0].partition != partition:
            return None
        expires = None if found is None else found[0].expires_at
        if found is None or (expires is not None and self._clock.now() >= expires):
            if found is not None and self._store.drop(number):
                self._counts.expiries += 1
            self._shelf.remove((number,))
            return None
        return found

    def _evict(self, number: int, found: tuple[Place, Entry], reach: float) -> int:
        """Drop an entry, and those at least so near to it; return how many went."""
        self._shelf.look()
        near = self._shelf.search(found[0].partition, found[1].vector, NEIGHBOURS)
        gone = {number, *(each for each, cosine in near if cosine >= reach)}
        dropped = sum(self._store.drop(each) for each in gone)
        self._shelf.remove(gone)
        self._counts.invalidations += dropped
        return dropped

    def _learn(self, served: ServedRow, *, same: bool) -> None:
        """Learn what somebody says of an answer; that an equal request's was wrong says nothing of similar ones."""
        if served.similarity < 1.0:
            self._decider.feedback(served.partition, str(served.entry), served.text, same=same)
            self._keep_evidence()

    def _next_tick(self) -> int:
        self._tick = max(self._tick + 1, int(self._clock.now() * 1_000_000))
        return self._tick

    def _note_use(self, number: int) -> None:
        self._used[number] = self._next_tick()
        if len(self._used) >= _USES:
            self._store.note_uses([(tick, each) for each, tick in self._used.items()])
            self._used.clear()

    def _note(self, weight: int) -> None:
        """Write the evidence when there is enough that is new: all of it is written, so not at each look-up."""
        self._unwritten += weight
        if self._unwritten >= _PERSIST:
            self._keep_evidence()

    def _keep_evidence(self) -> None:
        self._store.keep_evidence(self._decider.dump())
        self._unwritten = 0


def _record(place: Place, entry: Entry) -> CacheRecord:
    return CacheRecord(value=entry.value, stored_at=place.stored_at, expires_at=place.expires_at, info=entry.info)
