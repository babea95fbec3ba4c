"""What the model of P(same answer) sees of a request and an entry: nearness, and what their words have in common."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher
from functools import lru_cache

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.deciding.looks import Found
from rtfs_cache_similar.deciding.rarity import PLAIN, Rarity
from rtfs_cache_similar.gates import SOFT, Closed, asked
from rtfs_cache_similar.gates.names import missing, names
from rtfs_cache_similar.gates.quantifiers import quantifiers
from rtfs_cache_similar.gates.seen import Seen, seen

Vector = npt.NDArray[np.float64]
NAMES = (
    "similarity", "similarity_above_0.8", "similarity_above_0.9", "similarity_above_0.95",
    "margin", "passed_over", "last_near",
    "words_shared", "content_shared", "content_covered", "content_count", "letters_shared",
    "letters_shared_squared", "question_words",
    "entry_words", "length_ratio", "only_in_question", "only_in_entry", "stems_only_in_question",
    "stems_only_in_entry", "same_start",
    "order_alike", "same_content", "several_sentences",
    "names_noted", "quantifiers_noted", "roles_noted", "names_only_in_question", "names_only_in_entry",
    "quantifiers_only_in_question", "quantifiers_only_in_entry", "question_names", "entry_names",
    "similarity_by_letters", "similarity_by_content",
    "near_above_0.9", "near_above_0.8", "near_above_0.7", "second_near", "third_near", "mean_near",
    "weight_share", "weight_shared", "weight_only_in_question", "weight_only_in_entry",
    "rarest_only_in_question", "rarest_only_in_entry", "next_only_in_question", "next_only_in_entry",
    "weight_covers_question", "weight_covers_entry",
)  # fmt: skip
CONSIDERED = 8
"""Entries near a request that count; the layer gives so many where it has them."""
_KEPT = 8_192
_GRAM = 3


@attrs.frozen(slots=True)
class Compared:
    """Two texts, compared: the gate that closed, or what their words have in common."""

    closed: Closed | None
    words: tuple[float, ...] = ()
    """The features that rest on the texts alone."""
    shared: tuple[str, ...] = ()
    """The stems of both, of the question alone, and of the entry alone."""
    asked: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@lru_cache(maxsize=_KEPT)
def compare(question: str, entry: str) -> Compared:
    """Return what the gates say of two texts, and where all are open, the features of their words."""
    passed = asked(question, entry)
    if passed.closed is not None:
        return Compared(passed.closed)
    one, other = seen(question), seen(entry)
    words, others = one.roots, other.roots
    found = (*_of_texts(question, entry), *(float(gate in passed.noted) for gate in SOFT), *_noted(one, other))
    return Compared(None, found, tuple(words & others), tuple(words - others), tuple(others - words))


def features(compared: Compared, near: Sequence[Found], place: int, rarity: Rarity = PLAIN) -> Vector:
    """Return the features of the entry at a place of what lies near, in the order of `NAMES`."""
    similarities = [entry.similarity for entry in near[:CONSIDERED]]
    similarity = similarities[place]
    after = similarities[place + 1] if place + 1 < len(similarities) else similarities[-1]
    letters, content = compared.words[4], compared.words[1]
    head = (similarity, max(0.0, similarity - 0.8), max(0.0, similarity - 0.9), max(0.0, similarity - 0.95))
    margins = (similarity - after, similarities[0] - similarity, similarities[-1])
    products = (similarity * letters, similarity * content)
    found = (*head, *margins, *compared.words, *products, *_of_near(similarities), *_of_weights(compared, rarity))
    return np.asarray(found, dtype=np.float64)


def _of_near(similarities: Sequence[float]) -> tuple[float, ...]:
    """Return how crowded it is: where much lies near, the nearest is less often right."""
    above = (float(sum(each > least for each in similarities)) for least in (0.9, 0.8, 0.7))
    padded = (*similarities, 0.0, 0.0)
    return (*above, padded[1], padded[2], sum(similarities) / len(similarities))


def _of_weights(compared: Compared, rarity: Rarity) -> tuple[float, ...]:
    both, mine, others = (rarity.of(words) for words in (compared.shared, compared.asked, compared.kept))
    shared, only, theirs = sum(both), sum(mine), sum(others)
    rarest = (*mine, 0.0, 0.0), (*others, 0.0, 0.0)
    share, covers, covered = (shared / max(shared + lacking, 1e-6) for lacking in (only + theirs, only, theirs))
    return (share, shared, only, theirs, rarest[0][0], rarest[1][0], rarest[0][1], rarest[1][1], covers, covered)


def _noted(one: Seen, other: Seen) -> tuple[float, ...]:
    """Count the names and quantifiers of one text alone, and names in all."""
    mine, others = set(quantifiers(one)), set(quantifiers(other))
    counts = (missing(one, other), missing(other, one), mine - others, others - mine, names(one), names(other))
    return tuple(float(len(each)) for each in counts)


def _of_texts(question: str, entry: str) -> tuple[float, ...]:
    one, other = seen(question), seen(entry)
    words, others = one.roots, other.roots
    content, contents = one.subjects, other.subjects
    letters = _shared(_grams(one), _grams(other))
    count, counts = len(one.words), len(other.words)
    return (
        _shared(words, others),
        _shared(content, contents),
        len(content & contents) / max(1, min(len(content), len(contents))),
        float(min(len(content & contents), 8)),
        letters,
        letters * letters,
        float(min(count, 40)),
        float(min(counts, 40)),
        min(count, counts) / max(1, count, counts),
        float(len(content - contents)),
        float(len(contents - content)),
        float(len(words - others)),
        float(len(others - words)),
        float(one.words[:1] == other.words[:1]),
        _in_order(one.stems[:200], other.stems[:200]),
        float(one.content == other.content),
        float(_sentences(question) != _sentences(entry)),
    )


def _in_order(words: tuple[str, ...], others: tuple[str, ...]) -> float:
    return 1.0 if words == others else SequenceMatcher(None, words, others, autojunk=False).ratio()


def _shared(first: AbstractSet[str], second: AbstractSet[str]) -> float:
    both = len(first & second)
    return both / max(1, len(first) + len(second) - both)


def _grams(text: Seen) -> set[str]:
    small = text.spaced
    return {small[place : place + _GRAM] for place in range(len(small) - _GRAM + 1)}


def _sentences(text: str) -> bool:
    return "?" in text.rstrip()[:-1]
