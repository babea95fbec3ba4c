"""The contract of embedders: for any text a vector, the same each time, and nearer for texts of like meaning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import fsum, isfinite, sqrt

from rtfs_framework.api import Embedder, EmbedderSettings
from rtfs_framework.testing.conformance.base import Conformance, check

TEXTS: Sequence[str] = (
    "",
    " \t\r\n",
    "\0\x01\x1b\x7f\u2028",
    "a text",
    "\ud7ff\U0001f600 \u4f60\u597d e\u0301 ' \" \\ { } [ ]",
    "x" * 100_000,
    "several words, " * 10_000,
)
"""Texts of every kind that a request may be."""

NEAR: Sequence[tuple[str, str, str]] = (
    ("The cat sits on the mat.", "A cat is on the mat.", "Revenue of the bank grew in the third quarter."),
    ("How do I reset my password?", "I cannot reset my password.", "The train leaves for Oslo at nine."),
    ("The printer does not print.", "Why does the printer not work?", "She sang two songs by Schubert."),
)
"""A text, one that means nearly the same, and one that does not."""


class EmbedderConformance(Conformance):
    """Inherit, and give `make`; `near` where your embedder is not for English."""

    @abstractmethod
    def make(self) -> Embedder:
        """Return a new embedder."""

    def near(self) -> Iterable[tuple[str, str, str]]:
        """Return triples of a text, one that means nearly the same, and one that does not."""
        return NEAR

    def test_every_text_has_a_vector_of_one_length(self) -> None:
        """One for each, of finite numbers that are not all 0: an angle to it can be measured."""
        embedder = self.make()
        vectors = [_one(embedder, text) for text in TEXTS]
        for text, vector in zip(TEXTS, vectors, strict=True):
            check(all(map(isfinite, vector)), f"the vector of {text!r:.40} has a number that is not finite")
            check(any(vector), f"the vector of {text!r:.40} has no length")
        check(len({len(vector) for vector in vectors}) == 1, "vectors are of several lengths")

    def test_many_texts_have_as_many_vectors(self) -> None:
        """Together as alone, in their order; none has none."""
        embedder = self.make()
        together = _vectors(embedder, TEXTS)
        check(len(together) == len(TEXTS), f"{len(together)} vectors for {len(TEXTS)} texts")
        for text, vector in zip(TEXTS, together, strict=True):
            check(_cosine(vector, _one(embedder, text)) > _SAME, f"{text!r:.40} has another vector among others")
        check(not _vectors(embedder, ()), "no text has a vector")

    def test_equal_texts_have_equal_vectors(self) -> None:
        """Asked twice, or of another embedder of equal settings: plans are found by what was read."""
        first, second = self.make(), self.make()
        for text in TEXTS:
            vector = _one(first, text)
            check(_one(first, text) == vector, f"{text!r:.40} has another vector the second time")
            check(_one(second, text) == vector, f"two embedders of equal settings disagree on {text!r:.40}")

    def test_the_fingerprint_is_a_text_that_stays(self) -> None:
        """It tells one model from another, and nothing else."""
        embedder = self.make()
        found = embedder.fingerprint()
        check(bool(found) and found.__class__ is str, f"a fingerprint of {found!r:.40}")
        embedder.embed(["a text"])
        check(embedder.fingerprint() == found, "the fingerprint changed")
        check(self.make().fingerprint() == found, "two embedders of equal settings have two fingerprints")

    def test_like_texts_are_nearer_than_others(self) -> None:
        """That is what it is for."""
        embedder = self.make()
        for text, like, other in self.near():
            vector = _one(embedder, text)
            near, far = _cosine(vector, _one(embedder, like)), _cosine(vector, _one(embedder, other))
            check(near > far, f"{text!r:.40} is nearer to {other!r:.40} ({far:.2f}) than to {like!r:.40} ({near:.2f})")

    def test_threads_do_not_disturb_each_other(self) -> None:
        """Decisions are made in several threads at once."""
        embedder = self.make()
        alone = {text: _one(embedder, text) for text, _, _ in self.near()}
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda text: (text, _one(embedder, text)), [*alone] * 8))
        check(all(alone[text] == vector for text, vector in found), "another thread changed a vector")


_SAME = 0.999
"""The cosine from which on two vectors are the same but for rounding."""


def settings(own: object = None) -> EmbedderSettings:
    """Return what an embedder is made from."""
    return EmbedderSettings("embedder", own)


def _vectors(embedder: Embedder, texts: Sequence[str]) -> list[list[float]]:
    return [[float(number) for number in vector] for vector in embedder.embed(list(texts))]


def _one(embedder: Embedder, text: str) -> list[float]:
    found = _vectors(embedder, [text])
    check(len(found) == 1, f"{len(found)} vectors for one text")
    return found[0]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product = fsum(a * b for a, b in zip(one, other, strict=False))
    sizes = sqrt(fsum(a * a for a in one)) * sqrt(fsum(b * b for b in other))
    return product / sizes if sizes else 0.0
