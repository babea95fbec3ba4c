"""Word lists, written as text."""

from __future__ import annotations


def words(*texts: str) -> frozenset[str]:
    """Return the words of texts."""
    return frozenset(word for text in texts for word in text.split())
