"""A 64-bit number for a vector: near vectors differ in few bits, so texts of like meaning have like numbers.

Sign random projections (Charikar, "Similarity estimation techniques from rounding algorithms", 2002): a bit is the side
of a hyperplane through the origin on which the vector lies; two vectors at an angle of a differ in a bit with the
probability a / pi. The hyperplanes are drawn once and for all: each number of a normal is a sum of eight bytes of
SHAKE-256 of a fixed seed, which is near enough to a normal distribution and the same on every machine. Sums are
rounded once (`fsum`), so equal vectors have equal numbers under every Python.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import shake_256
from math import fsum
from operator import mul

BITS = 64
_SEED = "rtfs semantic hash 1"
_BYTES = 8
"""Of each number of a normal: their sum is nearly normally distributed."""
_MEAN = _BYTES * 255 / 2


def semantic_hash(vector: tuple[float, ...]) -> int:
    """Return the number of a vector; its first hyperplane gives the highest bit."""
    found = 0
    for normal in _normals(len(vector)):
        found = found << 1 | (fsum(map(mul, normal, vector)) >= 0.0)
    return found


@lru_cache(maxsize=4)
def _normals(length: int) -> tuple[tuple[float, ...], ...]:
    """Return the normals of the hyperplanes for vectors of a length."""
    return tuple(_normal(number, length) for number in range(BITS))


def _normal(number: int, length: int) -> tuple[float, ...]:
    drawn = shake_256(f"{_SEED} {number}".encode()).digest(_BYTES * length)
    return tuple(sum(drawn[at : at + _BYTES]) - _MEAN for at in range(0, len(drawn), _BYTES))
