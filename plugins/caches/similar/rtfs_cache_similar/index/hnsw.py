"""usearch's graph with vectors of float16: takes and drops them in place.

Source: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable
small world graphs" (2018). The graph only proposes: cosines are computed of the kept vectors, and rank.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index as Graph

from rtfs_cache_similar.index.base import Found, Vector, Vectors

CONNECTIVITY = 16
EXPANSION_ADD = 128
EXPANSION_SEARCH = 224
"""How many candidates a search looks at, at least; the three together keep recall@1 above 0.99 on real questions."""


class HnswIndex:
    """A graph of near neighbours."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._graph = self._made()

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        if self._graph.contains(number):
            self._graph.remove(number)
        self._graph.add(number, vector.astype(np.float16))

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there; in one thread, for others have work to do."""
        if numbers:
            self._graph.add(np.asarray(numbers, dtype=np.uint64), vectors.astype(np.float16), threads=1)

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there."""
        return bool(self._graph.remove(number))

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest that the graph finds, at most `count`, with their cosines."""
        if len(self._graph) == 0 or count <= 0:
            return []
        keys = self._graph.search(vector.astype(np.float16), count).keys
        kept = self._graph.get(keys)
        cosines = np.asarray(kept, dtype=np.float32).reshape(len(keys), -1) @ vector
        order = np.argsort(-cosines, kind="stable")
        return [(int(keys[at]), float(cosines[at])) for at in order]

    def size(self) -> int:
        """Return how many are there."""
        return len(self._graph)

    def nbytes(self) -> int:
        """Return the memory of graph and vectors."""
        return int(self._graph.memory_usage)

    def close(self) -> None:
        """Give the graph up."""
        self._graph = self._made()

    def _made(self) -> Graph:
        return Graph(
            ndim=self._dimensions,
            metric=MetricKind.IP,
            dtype=ScalarKind.F16,
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            expansion_search=EXPANSION_SEARCH,
        )
