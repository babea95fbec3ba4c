"""The 64-bit number of a vector: the same everywhere, and as far from another as the vectors are."""

from __future__ import annotations

import random
from math import acos, fsum, pi, sqrt

import pytest

from rtfs_framework.orchestrator.deciding.semantic_hash import BITS, semantic_hash


def drawn(numbers, length=64):
    return tuple(numbers.gauss(0.0, 1.0) for _ in range(length))


def angle(one, other):
    sizes = sqrt(fsum(a * a for a in one)) * sqrt(fsum(b * b for b in other))
    return acos(max(-1.0, min(1.0, fsum(a * b for a, b in zip(one, other, strict=True)) / sizes)))


def apart(one, other):
    return (semantic_hash(one) ^ semantic_hash(other)).bit_count()


def test_it_is_the_same_on_every_machine():
    """Written down once: whoever changes the hyperplanes must say so, for journals and models hold such numbers."""
    assert [semantic_hash(vector) for vector in ((1.0, 0.0), (0.0, 1.0), (1.0, 2.0, -3.0))] == GOLDEN


GOLDEN = [7812261622901920707, 9991891723581852135, 14478635872024793542]


def test_length_does_not_count_and_the_opposite_has_every_bit_turned():
    vector = drawn(random.Random(1))
    assert semantic_hash(tuple(7.0 * each for each in vector)) == semantic_hash(vector)
    assert apart(vector, tuple(-each for each in vector)) == BITS


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0, 3.0])
def test_bits_differ_as_often_as_the_angle_says(noise):
    """The mean of 300 pairs has a standard deviation of less than half a bit."""
    numbers, differ, expected = random.Random(2), [], []
    for _ in range(300):
        one = drawn(numbers)
        other = tuple(a + noise * b for a, b in zip(one, drawn(numbers), strict=True))
        differ.append(apart(one, other))
        expected.append(BITS * angle(one, other) / pi)
    assert abs(fsum(differ) - fsum(expected)) / 300 < 1.5
