"""What the tests of the layer share: a layer whose decider serves what is near enough, and questions for it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rtfs_cache_similar.index.growing import GrowingIndex
from rtfs_cache_similar.index.hnsw import HnswIndex
from rtfs_cache_similar.layer import SimilarCache
from rtfs_cache_similar.rows import Rows
from rtfs_cache_similar.store import Bounds, Store
from rtfs_framework.api import CacheKey, Served, SimilarQuestion, SimilarVerdict
from rtfs_framework.testing import FakeClock

DIMENSIONS = 32


class Trusting:
    """A decider that serves whatever is near enough, and remembers what it was told."""

    def __init__(self, enough=0.9):
        self.enough = enough
        self.told = []
        self.loaded = b""

    def decide(self, partition, question, near, draw, bound, judge_draw):
        near = [each for each in near if each.text is not None]
        if not near or near[0].similarity < self.enough or bound == 0:
            return SimilarVerdict(served=Served.MISS, why="nothing is near enough")
        first = near[0]
        return SimilarVerdict(
            served=Served.HIT, why="near", entry=first.entry_id, record=first.record, similarity=first.similarity,
            judge=judge_draw < 0.5,
        )  # fmt: skip

    def judged(self, partition, question, near, *, same):
        self.told.append(("judged", partition, question.text, near.text, same))

    def feedback(self, partition, entry_id, text, *, same):
        self.told.append(("feedback", partition, text, same))

    prior = None

    def report(self):
        return {}

    def dump(self):
        return b"evidence"

    def load(self, data):
        self.loaded = data


def _vector_of(text, near=0.98):
    """Return a vector for "topic/variant": those of one topic lie near one another, at about `near` squared."""
    topic, _, variant = text.partition("/")
    made = _random(topic) * near + _random(f"{topic}/{variant}") * np.sqrt(1 - near * near)
    return tuple(float(each) for each in made / np.linalg.norm(made))


def _random(text):
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    made = np.random.default_rng(seed).normal(size=DIMENSIONS)
    return made / np.linalg.norm(made)


def _question(text, partition="p", **more):
    digest = hashlib.sha256(f"{partition} {text}".encode()).hexdigest()
    return SimilarQuestion(
        partition=CacheKey("partition", partition),
        exact=CacheKey("reply", digest),
        text=text,
        vector=_vector_of(text),
        **more,
    )


@pytest.fixture
def question():
    """Return what makes a question of a text "topic/variant"."""
    return _question


@pytest.fixture
def vector_of():
    """Return what makes the vector of a text."""
    return _vector_of


@pytest.fixture
def trusting():
    """Return the class of deciders that serve whatever is near enough."""
    return Trusting


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def opened(tmp_path, clock):
    """Return a function that opens the layer again; all are closed at the end."""
    made = []

    def again(capacity=1_000, ttl=None, size=1 << 24, seal=None, report=None, decider=None, folder=tmp_path):
        layer = SimilarCache(
            Store(None if folder is None else str(folder), Rows(seal, report)),
            decider or Trusting(),
            lambda dimensions: GrowingIndex(dimensions, HnswIndex, small=200),
            bounds=Bounds(capacity, size),
            ttl=ttl,
            clock=clock,
            report=report or (lambda _: None),
        )
        made.append(layer)
        return layer

    yield again
    for layer in made:
        layer.close()


_MUST_NOT_MATCH = ("must_not_match.tsv", "must_not_match_afterwards.tsv")
"""Pairs of texts that must never get each other's answer: kind, text, text. The second is younger than the gates."""


@pytest.fixture(scope="session")
def must_not_match() -> list[tuple[str, ...]]:
    """Return the pairs that must not match."""
    here = Path(__file__).parent
    return [
        tuple(line.split("\t")) for name in _MUST_NOT_MATCH for line in (here / name).read_text("utf-8").splitlines()
    ]
