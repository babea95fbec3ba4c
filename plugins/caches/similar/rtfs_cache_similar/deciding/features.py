"""What the model of P(same answer) sees of a request and an entry: nearness, and what their words have in common."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.deciding.looks import Found
from rtfs_cache_similar.gates import Closed, closed
from rtfs_cache_similar.gates.seen import Seen, seen

Vector = npt.NDArray[np.float64]
NAMES = (
    "similarity", "similarity_above_0.8", "similarity_above_0.9", "similarity_above_0.95",
    "margin", "passed_over", "last_near",
    "words_shared", "content_shared", "content_covered", "content_count", "letters_shared",
    "letters_shared_squared", "question_words",
    "entry_words", "length_ratio", "only_in_question", "only_in_entry", "stems_only_in_question",
    "stems_only_in_entry", "same_start",
    "order_alike", "same_content", "several_sentences", "similarity_by_letters", "similarity_by_content",
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


@lru_cache(maxsize=_KEPT)
def compare(question: str, entry: str) -> Compared:
    """Return what the gates say of two texts, and where all are open, the features of their words."""
    shut = closed(question, entry)
    return Compared(shut) if shut is not None else Compared(None, _of_texts(question, entry))


def features(of_texts: tuple[float, ...], near: Sequence[Found], place: int) -> Vector:
    """Return the features of the entry at a place of what lies near, in the order of `NAMES`."""
    near = near[:CONSIDERED]
    entry = near[place]
    similarity = entry.similarity
    after = near[place + 1].similarity if place + 1 < len(near) else near[-1].similarity
    letters, content = of_texts[4], of_texts[1]
    head = (similarity, max(0.0, similarity - 0.8), max(0.0, similarity - 0.9), max(0.0, similarity - 0.95))
    tail = (similarity * letters, similarity * content)
    found = (*head, similarity - after, near[0].similarity - similarity, near[-1].similarity, *of_texts, *tail)
    return np.asarray(found, dtype=np.float64)


def _of_texts(question: str, entry: str) -> tuple[float, ...]:
    one, other = seen(question), seen(entry)
    words, others = set(one.stems), set(other.stems)
    content, contents = set(one.content), set(other.content)
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
        SequenceMatcher(None, one.stems[:200], other.stems[:200], autojunk=False).ratio(),
        float(one.content == other.content),
        float(_sentences(question) != _sentences(entry)),
    )


def _shared(first: set[str], second: set[str]) -> float:
    return len(first & second) / max(1, len(first | second))


def _grams(text: Seen) -> set[str]:
    small = text.spaced
    return {small[place : place + _GRAM] for place in range(len(small) - _GRAM + 1)}


def _sentences(text: str) -> bool:
    return "?" in text.rstrip()[:-1]
