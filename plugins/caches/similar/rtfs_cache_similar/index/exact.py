"""Every kept vector is compared: right by construction. For small partitions, buffers, and as the measure of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.index.base import Found, Vector, Vectors

_FIRST = 64
"""Rows of the first array."""


class ExactIndex:
    """An array of vectors; the last one takes the place of one that goes."""

    def __init__(self, dimensions: int, dtype: npt.DTypeLike = np.float32) -> None:
        """Begin empty. `dtype` is that of the array, in which vectors are kept."""
        self._vectors: npt.NDArray[Any] = np.empty((0, dimensions), dtype=dtype)
        self._numbers: list[int] = []
        self._places: dict[int, int] = {}

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        place = self._places.get(number)
        if place is None:
            place = len(self._numbers)
            self._make_room(place + 1)
            self._places[number] = place
            self._numbers.append(number)
        self._vectors[place] = vector

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there."""
        first = len(self._numbers)
        self._make_room(first + len(numbers))
        self._vectors[first : first + len(numbers)] = vectors
        self._places.update((number, first + at) for at, number in enumerate(numbers))
        self._numbers.extend(numbers)

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there."""
        place = self._places.pop(number, None)
        if place is None:
            return False
        last = self._numbers.pop()
        if last != number:
            self._numbers[place] = last
            self._places[last] = place
            self._vectors[place] = self._vectors[len(self._numbers)]
        return True

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest, at most `count`, with their cosines."""
        size = len(self._numbers)
        if size == 0 or count <= 0:
            return []
        cosines = self._vectors[:size] @ vector
        best = np.argpartition(cosines, size - count)[size - count :] if count < size else np.arange(size)
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(self._numbers[at], float(cosines[at])) for at in best]

    def ranked(self, numbers: Sequence[int], vector: Vector, count: int) -> Found:
        """Return those of some numbers whose vectors are nearest, at most `count`, with their cosines."""
        cosines = self._vectors[[self._places[number] for number in numbers]].astype(np.float32) @ vector
        return [(numbers[at], float(cosines[at])) for at in np.argsort(-cosines, kind="stable")[:count]]

    def vector(self, number: int) -> Vector | None:
        """Return a kept vector."""
        place = self._places.get(number)
        return None if place is None else self._vectors[place]

    def all(self) -> tuple[list[int], Vectors]:
        """Return copies of all numbers and, in their order, vectors."""
        return list(self._numbers), self._vectors[: len(self._numbers)].copy()

    def size(self) -> int:
        """Return how many are there."""
        return len(self._numbers)

    def nbytes(self) -> int:
        """Return the memory of the array."""
        return int(self._vectors.nbytes)

    def close(self) -> None:
        """Give the array up."""
        self._vectors = self._vectors[:0].copy()
        self._numbers, self._places = [], {}

    def _make_room(self, wanted: int) -> None:
        rows, dimensions = self._vectors.shape
        if wanted > rows:
            grown = np.empty((max(_FIRST, wanted, rows + rows // 4), dimensions), dtype=self._vectors.dtype)
            grown[: len(self._numbers)] = self._vectors[: len(self._numbers)]
            self._vectors = grown
