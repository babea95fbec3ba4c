"""Every index keeps the one contract: what it finds is what comparing with all finds, whatever comes and goes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rtfs_cache_similar.index.base import unit
from rtfs_cache_similar.index.exact import ExactIndex
from rtfs_cache_similar.index.growing import GrowingIndex
from rtfs_cache_similar.index.hnsw import HnswIndex

DIMENSIONS = 48


def forest(dimensions):
    pytest.importorskip("annoy", reason="the extra `annoy` is not installed")
    from rtfs_cache_similar.index.forest import ForestIndex

    return ForestIndex(dimensions, buffer=100)


KINDS = {
    "exact": ExactIndex,
    "hnsw": HnswIndex,
    "growing": lambda dimensions: GrowingIndex(dimensions, HnswIndex, small=100),
    "forest": forest,
}


@pytest.fixture(params=KINDS)
def index(request):
    made = KINDS[request.param](DIMENSIONS)
    yield made
    made.close()


def settle(index):
    getattr(index, "settle", lambda: None)()


def vectors(count, seed=1):
    """Return unit vectors in clusters, as texts have them: some centres, and others around each."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(max(1, count // 10), DIMENSIONS))
    made = centres[chance.integers(len(centres), size=count)] + 0.4 * chance.normal(size=(count, DIMENSIONS))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_an_empty_index_finds_nothing(index):
    assert index.search(vectors(1)[0], 3) == []
    assert index.size() == 0
    assert not index.remove(1)


def test_what_is_added_is_found_with_its_cosine(index):
    made = vectors(3)
    for number, vector in enumerate(made):
        index.add(number, vector)
    found = index.search(made[1], 2)
    assert found[0][0] == 1
    assert found[0][1] == pytest.approx(1.0, abs=2e-3)
    assert len(found) == 2
    assert index.search(made[1], 0) == []
    assert len(index.search(made[1], 10)) == 3


def test_a_number_that_is_added_again_is_replaced(index):
    made = vectors(400)
    index.extend(range(300), made[:300])
    settle(index)
    index.add(7, made[350])
    assert index.size() == 300
    found = index.search(made[350], 1)
    assert found[0] == (7, pytest.approx(1.0, abs=2e-3))


def test_what_is_removed_is_never_found_again(index):
    made = vectors(300)
    index.extend(range(300), made)
    for number in range(0, 300, 2):
        assert index.remove(number)
        assert not index.remove(number)
    settle(index)
    assert index.size() == 150
    found = {number for vector in made for number, _ in index.search(vector, 5)}
    assert found
    assert all(number % 2 for number in found)


def test_the_nearest_is_found_among_many(index):
    made = vectors(3_300)
    kept, asked = made[:3_000], made[3_000:]
    index.extend(range(2_000), kept[:2_000])
    for number in range(2_000, 3_000):
        index.add(number, kept[number])
    settle(index)
    best = (asked @ kept.T).max(axis=1)
    found = [index.search(vector, 5)[0][1] for vector in asked]
    assert np.mean(np.asarray(found) >= best - 2e-3) >= 0.99


def test_whatever_comes_and_goes_it_agrees_with_the_exact_one(index):
    chance, made, oracle = random.Random(5), vectors(600, seed=7), ExactIndex(DIMENSIONS)
    agreed = asked = 0
    for step in range(2_000):
        number = chance.randrange(300)
        if chance.random() < 0.6:
            vector = made[chance.randrange(600)]
            index.add(number, vector)
            oracle.add(number, vector)
        else:
            assert index.remove(number) == oracle.remove(number)
        assert index.size() == oracle.size()
        if step % 5 == 0 and oracle.size():
            vector = made[chance.randrange(600)]
            asked += 1
            agreed += index.search(vector, 3)[0][1] >= oracle.search(vector, 1)[0][1] - 2e-3
    assert asked > 100
    assert agreed >= 0.99 * asked


def test_what_it_takes_is_told(index):
    index.extend(range(500), vectors(500))
    settle(index)
    assert index.nbytes() >= 500 * DIMENSIONS * 2


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]], ids=["none", "nan", "inf"])
def test_what_has_no_direction_is_no_vector(wrong):
    assert unit(wrong) is None


def test_a_vector_gets_length_one():
    assert unit([3.0, 4.0]) == pytest.approx([0.6, 0.8])
