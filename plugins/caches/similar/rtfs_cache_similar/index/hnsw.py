"""usearch's graph, which proposes by vectors of bytes, beside the vectors of float16 by which cosines are computed.

It takes and drops vectors in place. Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor
search using hierarchical navigable small world graphs" (2018). A search looks at some hundred vectors that lie anywhere
in memory, so bytes take half the time of float16; twice as many are proposed as are wanted, and the kept vectors rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index as Graph

from rtfs_cache_similar.index.base import Found, Vector, Vectors
from rtfs_cache_similar.index.exact import ExactIndex

CONNECTIVITY = 16
EXPANSION_ADD = 128
EXPANSION_SEARCH = 144
"""How many candidates a search looks at, at least; the three together keep recall@1 above 0.99 on real questions."""
_PROPOSED = 2
"""How many are proposed for each that is wanted."""
_MOST = 127.0
_ROOM = 1.5
"""How much larger a part of a vector may be than those of the first vectors; what is larger still is cut off."""


class HnswIndex:
    """A graph of near neighbours."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._graph = self._made()
        self._kept = ExactIndex(dimensions, np.float16)
        self._scale = 0.0
        """What a part of a vector is multiplied with to be a byte; all with the same, so that products rank alike."""

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        if self._graph.contains(number):
            self._graph.remove(number)
        self._kept.add(number, vector)
        self._graph.add(number, self._bytes(vector))

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there; in one thread, for others have work to do."""
        if numbers:
            self._kept.extend(numbers, vectors)
            self._graph.add(np.asarray(numbers, dtype=np.uint64), self._bytes(vectors), threads=1)

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there."""
        return self._kept.remove(number) and bool(self._graph.remove(number))

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest that the graph finds, at most `count`, with their cosines."""
        if len(self._graph) == 0 or count <= 0:
            return []
        keys = self._graph.search(self._bytes(vector), _PROPOSED * count).keys
        return self._kept.ranked(keys.tolist(), vector, count)

    def size(self) -> int:
        """Return how many are there."""
        return len(self._graph)

    def nbytes(self) -> int:
        """Return the memory of graph and vectors."""
        return int(self._graph.memory_usage) + self._kept.nbytes()

    def close(self) -> None:
        """Give the graph up."""
        self._graph = self._made()
        self._kept.close()

    def _bytes(self, vectors: Vector | Vectors) -> npt.NDArray[Any]:
        if not self._scale:
            self._scale = _MOST / (_ROOM * max(float(np.abs(vectors).max()), 1e-6))
        made: npt.NDArray[Any] = np.clip(np.rint(vectors * self._scale), -_MOST, _MOST).astype(np.int8)
        return made

    def _made(self) -> Graph:
        return Graph(
            ndim=self._dimensions,
            metric=MetricKind.IP,
            dtype=ScalarKind.I8,
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            expansion_search=EXPANSION_SEARCH,
        )
