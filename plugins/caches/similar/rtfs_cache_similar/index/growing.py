"""Exact while it is small, then a graph: which is built in the background, while the exact array goes on answering.

So a search is right from the first vector on, and a start with many kept vectors waits for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rtfs_cache_similar.index.base import Found, Index, Vector, Vectors
from rtfs_cache_similar.index.building import Building
from rtfs_cache_similar.index.exact import ExactIndex

SMALL = 2_000
"""Up to so many the exact array is as fast as a graph."""


class GrowingIndex:
    """An exact index, and from `small` vectors on one that `large` makes."""

    def __init__(self, dimensions: int, large: Callable[[int], Index], small: int = SMALL) -> None:
        self._dimensions = dimensions
        self._make_large = large
        self._small = small
        self._exact: ExactIndex | None = ExactIndex(dimensions)
        self._large: Index | None = None
        self._building: Building[Index] | None = None
        self._since: set[int] = set()
        """Numbers that came or went since the graph under way was begun."""

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        if self._exact is None:
            self._answering.add(number, vector)
            return
        self._exact.add(number, vector)
        self._changed(number)

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there."""
        if self._exact is None:
            self._answering.extend(numbers, vectors)
            return
        self._exact.extend(numbers, vectors)
        self._since.update(numbers if self._building else ())
        self._look()

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there."""
        found = self._answering.remove(number)
        if found and self._exact is not None:
            self._changed(number)
        return found

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest, at most `count`, with their cosines."""
        self._look()
        return self._answering.search(vector, count)

    def size(self) -> int:
        """Return how many are there."""
        return self._answering.size()

    def nbytes(self) -> int:
        """Return the memory of what answers."""
        return self._answering.nbytes()

    def close(self) -> None:
        """Give up what it holds; a graph that is being built is waited for."""
        if self._building is not None:
            self._building.take().close()
            self._building = None
        self._answering.close()

    def settle(self) -> None:
        """Wait until what is being built answers: for measurements."""
        if self._building is not None:
            self._swap(self._building)

    @property
    def _answering(self) -> Index:
        found = self._large if self._exact is None else self._exact
        assert found is not None  # noqa: S101 - there is always one of the two
        return found

    def _changed(self, number: int) -> None:
        if self._building is not None:
            self._since.add(number)
        self._look()

    def _look(self) -> None:
        """Begin the graph when it is time, and go over to it when it is built."""
        exact, building = self._exact, self._building
        if exact is None:
            return
        if building is None and exact.size() > self._small:
            numbers, vectors = exact.all()
            self._since.clear()
            self._building = Building(lambda: _built(self._make_large(self._dimensions), numbers, vectors))
        elif building is not None and building.done:
            self._swap(building)

    def _swap(self, building: Building[Index]) -> None:
        """Bring a built graph up to date and let it answer."""
        exact, made = self._exact, building.take()
        if exact is None:
            return
        for number in self._since:
            vector = exact.vector(number)
            if vector is None:
                made.remove(number)
            else:
                made.add(number, vector)
        self._large, self._exact, self._building = made, None, None
        self._since.clear()
        exact.close()


def _built(index: Index, numbers: Sequence[int], vectors: Vectors) -> Index:
    index.extend(numbers, vectors)
    return index
