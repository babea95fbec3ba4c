"""What an index is: vectors under numbers, and the nearest of them to another one.

Vectors are of length 1, so that a cosine is a dot product, and arrays of float32 in one dimension. Not thread-safe: the
layer's lock guards it; an index that works in the background takes its own care.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Vector: TypeAlias = npt.NDArray[np.float32]
"""One vector: shape (dimensions,)."""
Vectors: TypeAlias = npt.NDArray[np.float32]
"""Several: shape (count, dimensions)."""
Found: TypeAlias = list[tuple[int, float]]
"""Numbers and cosines, the nearest first."""


class Index(Protocol):
    """Vectors under numbers from 0 to 2**63 - 1."""

    def add(self, number: int, vector: Vector) -> None:
        """Take a vector in; one that is there under this number is replaced."""
        ...

    def extend(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Take many in, none of whose numbers is there."""
        ...

    def remove(self, number: int) -> bool:
        """Drop a vector; tell whether it was there. It is never found again."""
        ...

    def search(self, vector: Vector, count: int) -> Found:
        """Return the nearest, at most `count`, with their cosines as the kept vectors have them."""
        ...

    def size(self) -> int:
        """Return how many are there."""
        ...

    def nbytes(self) -> int:
        """Return the memory that it takes, as far as it knows."""
        ...

    def close(self) -> None:
        """Give up what it holds, and wait for what it does in the background."""
        ...


def unit(vector: Sequence[float] | Vector) -> Vector | None:
    """Return a vector with length 1, None for one that has no direction or is not finite."""
    made = np.asarray(vector, dtype=np.float32)
    size = float(np.sqrt(np.dot(made, made)))
    return made / np.float32(size) if np.isfinite(size) and size > 0 else None
