"""annoy's forests: read-only segments, built in the background beside a small exact buffer for what is new.

A forest takes nothing in and drops nothing, so: new vectors stand in the buffer, which is exact; a full buffer becomes
a segment, together with segments that are not much larger (so there are few); what is dropped is passed over, and once
a quarter of a segment is, the segment is built anew. How widely a segment must be searched is found out when it is
built: for some of its own vectors, the width is doubled until the nearest other vector is found for nearly all.

Source of the trees: Bernhardsson, annoy (2013), forests of random projections; of the merging: O'Neil et al., "The
log-structured merge-tree" (1996).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from rtfs_cache_similar.index.base import Found, Vector, Vectors
from rtfs_cache_similar.index.building import Building
from rtfs_cache_similar.index.exact import ExactIndex

if TYPE_CHECKING:
    from annoy import AnnoyIndex

BUFFER = 1_000
TREES = 24
_PROBES = 200
_WANTED = 0.995
"""Of the probes' nearest neighbours; above the 0.99 that is promised, for probes are few."""
_SEED = 20_130_401


@attrs.define(slots=True, eq=False)
class Segment:
    """A forest, the numbers of its places, and what of it was dropped."""

    forest: AnnoyIndex
    numbers: list[int]
    places: dict[int, int]
    width: int
    """How many nodes a search looks at (`search_k`)."""
    dropped: set[int] = attrs.field(factory=set)
    """Places."""

    def vectors(self) -> tuple[list[int], Vectors]:
        """Return what is left."""
        left = [place for place in range(len(self.numbers)) if place not in self.dropped]
        rows = [self.forest.get_item_vector(place) for place in left]
        dimensions = self.forest.f
        return [self.numbers[place] for place in left], np.asarray(rows, dtype=np.float32).reshape(-1, dimensions)

    def search(self, vector: Vector, count: int) -> list[int]:
        """Return the places of the nearest that are left; the search widens while what is dropped hides others."""
        wanted, width, most = count, self.width, len(self.numbers)
        while True:
            found = self.forest.get_nns_by_vector(vector, min(wanted, most), width)
            left = [place for place in found if place not in self.dropped]
            if len(left) >= count or wanted >= most:
                return left[:count]
            wanted, width = 2 * wanted, 2 * width


class ForestIndex:
    """Segments and a buffer."""

    def __init__(self, dimensions: int, buffer: int = BUFFER) -> None:
        self._dimensions = dimensions
        self._most = buffer
        self._buffer = ExactIndex(dimensions)
        self._frozen: ExactIndex | None = None
        """A full buffer that is being made a segment, with what is dropped meanwhile taken out."""
        self._segments: list[Segment] = []
        self._merging: list[Segment] = []
        """Those that go into the segment under way; they answer until it is there."""
        self._gone: set[int] = set()
        """Numbers that were dropped while a segment is being built."""
        self._building: Building[Segment | None] | None = None

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        self.remove(number)
        self._buffer.add(number, vector)
        self._look()

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there."""
        self._buffer.extend(numbers, vectors)
        self._look()

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there. In a segment it stays, and is passed over."""
        found = self._buffer.remove(number)
        if self._frozen is not None and self._frozen.remove(number):
            self._gone.add(number)
            found = True
        for segment in self._segments:
            place = segment.places.get(number)
            if place is not None and place not in segment.dropped:
                segment.dropped.add(place)
                if any(segment is each for each in self._merging):
                    self._gone.add(number)
                found = True
        if found:
            self._look()
        return found

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest, at most `count`, with their cosines."""
        self._look()
        found = self._buffer.search(vector, count)
        if self._frozen is not None:
            found += self._frozen.search(vector, count)
        for segment in self._segments:
            for place in segment.search(vector, count):
                kept = np.asarray(segment.forest.get_item_vector(place), dtype=np.float32)
                found.append((segment.numbers[place], float(kept @ vector)))
        found.sort(key=lambda each: -each[1])
        return found[: max(count, 0)]

    def size(self) -> int:
        """Return how many are there."""
        frozen = 0 if self._frozen is None else self._frozen.size()
        return self._buffer.size() + frozen + sum(len(each.numbers) - len(each.dropped) for each in self._segments)

    def nbytes(self) -> int:
        """Return the memory of buffers, vectors and trees, these as reckoned: annoy does not say."""
        rows = sum(len(each.numbers) for each in self._segments)
        frozen = 0 if self._frozen is None else self._frozen.nbytes()
        return self._buffer.nbytes() + frozen + rows * (4 * self._dimensions + 12) + int(rows * _TREE_BYTES)

    def close(self) -> None:
        """Give up what it holds; a segment that is being built is waited for."""
        self.settle()
        for segment in self._segments:
            segment.forest.unload()
        self._segments = []
        self._buffer.close()

    def settle(self) -> None:
        """Wait until nothing is being built: for measurements."""
        while self._building is not None:
            self._swap(self._building)
            self._look()

    def _look(self) -> None:
        """Take a segment over that is built, and begin one when the buffer is full or too much of one was dropped."""
        building = self._building
        if building is not None:
            if building.done:
                self._swap(building)
            return
        worn = [each for each in self._segments if len(each.dropped) * 4 > len(each.numbers)]
        if self._buffer.size() <= self._most and not worn:
            return
        self._frozen, self._buffer = self._buffer, ExactIndex(self._dimensions)
        size, merging = self._frozen.size(), []
        for segment in sorted(self._segments, key=lambda each: len(each.numbers)):
            left = len(segment.numbers) - len(segment.dropped)
            if any(segment is each for each in worn) or left <= 2 * size:
                merging.append(segment)
                size += left
        self._merging, self._gone = merging, set()
        parts = [self._frozen.all(), *(each.vectors() for each in merging)]
        dimensions = self._dimensions
        self._building = Building(lambda: _segment(parts, dimensions))

    def _swap(self, building: Building[Segment | None]) -> None:
        made = building.take()
        old, self._merging = self._merging, []
        self._segments = [each for each in self._segments if not any(each is other for other in old)]
        if made is not None:
            made.dropped.update(made.places[number] for number in self._gone)
            self._segments.append(made)
        self._frozen, self._building = None, None
        self._gone = set()
        for segment in old:
            segment.forest.unload()


_TREE_BYTES = TREES * 8
"""Of a vector in all trees, roughly: a leaf's entry, and its share of the inner nodes."""


def _segment(parts: Sequence[tuple[list[int], Vectors]], dimensions: int) -> Segment | None:
    """Return a segment of several parts, None where nothing is in them."""
    numbers = [number for each, _ in parts for number in each]
    if not numbers:
        return None
    from annoy import AnnoyIndex

    vectors = np.concatenate([each for _, each in parts])
    forest = AnnoyIndex(dimensions, "dot")
    forest.set_seed(_SEED)
    for place, vector in enumerate(vectors):
        forest.add_item(place, vector)
    forest.build(TREES, n_jobs=1)
    places = {number: place for place, number in enumerate(numbers)}
    return Segment(forest, numbers, places, _width(forest, vectors))


def _width(forest: AnnoyIndex, vectors: Vectors) -> int:
    """Return how widely to search so that the nearest other vector of nearly every probe is found."""
    count = len(vectors)
    probes = np.unique(np.linspace(0, count - 1, min(count, _PROBES)).astype(int))
    cosines = vectors[probes] @ vectors.T
    cosines[np.arange(len(probes)), probes] = -2.0
    best = cosines.max(axis=1)
    width = TREES * 4
    while width < count * TREES:
        hits = 0
        for row, probe in enumerate(probes):
            near = [place for place in forest.get_nns_by_vector(vectors[probe], 2, width) if place != probe]
            hits += any(cosines[row, place] >= best[row] - 1e-6 for place in near)
        if hits >= _WANTED * len(probes):
            break
        width *= 2
    return width
