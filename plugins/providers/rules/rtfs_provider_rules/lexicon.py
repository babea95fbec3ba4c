"""Sentiment of a text by vaderSentiment, built when first needed: reading its lexicon takes some 30 ms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any


class Lexicon:
    """VADER with a rule file's own words."""

    def __init__(self, words: Mapping[str, float]) -> None:
        self._words = {word.lower(): float(weight) for word, weight in words.items()}
        self._analyzer: Any = None

    def score(self, text: str) -> float:
        """Return VADER's compound score, from -1 to 1."""
        if self._analyzer is None:
            self._analyzer = _analyzer(tuple(sorted(self._words.items())))
        return float(self._analyzer.polarity_scores(text)["compound"])

    def fingerprint(self) -> str:
        """Return what the scores depend on besides the rule file."""
        return f"vaderSentiment {version('vaderSentiment')}"


@lru_cache(maxsize=8)
def _analyzer(words: tuple[tuple[str, float], ...]) -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(words)
    return analyzer
