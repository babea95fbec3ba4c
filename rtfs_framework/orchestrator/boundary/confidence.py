"""What a consulted model said and how sure it was, as the one text that is remembered and written down."""

from __future__ import annotations

_SURE = "\x1fsure "
"""Stands between a model's words and how sure it was. Only the host writes it: words that hold it get another one."""


def with_confidence(words: str, confidence: float | None) -> str:
    """Return a model's words with how sure it was; the words alone where it did not say."""
    if confidence is None and _SURE not in words:
        return words
    return f"{words}{_SURE}{'' if confidence is None else f'{confidence:.4f}'}"


def without_confidence(answer: str) -> tuple[str, float | None]:
    """Return the words of an answer, and how sure the model was, None where it did not say."""
    words, found, sure = answer.rpartition(_SURE)
    if not found:
        return answer, None
    try:
        return words, float(sure) if sure else None
    except ValueError:  # of a file that somebody changed
        return words, None
