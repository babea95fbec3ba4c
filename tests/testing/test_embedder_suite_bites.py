"""The embedder suite fails what breaks the contract."""

from __future__ import annotations

from itertools import count
from math import nan

import pytest

from rtfs_framework.testing.conformance import EmbedderConformance
from rtfs_framework.testing.fakes import WordsEmbedder


class SaysNothing(WordsEmbedder):
    def embed(self, texts):
        return [[0.0] * self.length if not text.strip() else self._vector(text) for text in texts]


class NoNumber(WordsEmbedder):
    def embed(self, texts):
        return [[nan] * self.length if not text else self._vector(text) for text in texts]


class OtherLengths(WordsEmbedder):
    def embed(self, texts):
        return [self._vector(text)[: 32 + len(text) % 7] for text in texts]


class LeavesOut(WordsEmbedder):
    def embed(self, texts):
        return super().embed(list(dict.fromkeys(texts))[:3])


class Throws(WordsEmbedder):
    numbers = count()

    def embed(self, texts):
        return [[next(self.numbers) + 1.0, *self._vector(text)] for text in texts]


class Remembers(WordsEmbedder):
    def __init__(self):
        self.asked = 0

    def embed(self, texts):
        self.asked += 1
        return super().embed(texts)

    def fingerprint(self):
        return f"after {self.asked}"


class Nameless(WordsEmbedder):
    def fingerprint(self):
        return ""


class Alike(WordsEmbedder):
    def embed(self, texts):
        return [[1.0, 2.0] for _ in texts]


class Turned(WordsEmbedder):
    def embed(self, texts):
        turned = texts[::-1] if len(texts) > 1 else texts
        return super().embed(turned)


def suite(kind):
    class Suite(EmbedderConformance):
        def make(self):
            return kind()

    return Suite()


def test_a_right_embedder_passes(failing):
    assert failing(suite(WordsEmbedder)) == set()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (SaysNothing, "test_every_text_has_a_vector_of_one_length"),
        (NoNumber, "test_every_text_has_a_vector_of_one_length"),
        (OtherLengths, "test_every_text_has_a_vector_of_one_length"),
        (LeavesOut, "test_many_texts_have_as_many_vectors"),
        (Turned, "test_many_texts_have_as_many_vectors"),
        (Throws, "test_equal_texts_have_equal_vectors"),
        (Throws, "test_threads_do_not_disturb_each_other"),
        (Remembers, "test_the_fingerprint_is_a_text_that_stays"),
        (Nameless, "test_the_fingerprint_is_a_text_that_stays"),
        (Alike, "test_like_texts_are_nearer_than_others"),
    ],
)
def test_a_wrong_one_fails(failing, kind, test):
    assert test in failing(suite(kind))
