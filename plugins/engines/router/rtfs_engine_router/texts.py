"""What a router sees of a text: its terms, and its shape in numbers. Fitting and deciding see the same.

A model file names the version of these features (`VERSION`); a change of what they are is another version.
"""

from __future__ import annotations

import re
from math import log

from rtfs_framework.api.fitting import pairs_and_words

VERSION = 1
MOST_CHARACTERS = 8192
"""From the start of a text: a decision waits for its score, and what a request is about shows early."""

_TERM = re.compile(r"\w\w+")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_OPTION = re.compile(r"^\s*\(?[A-J][.)]\s", re.MULTILINE)
_ASKING = re.compile(r"\b(?:which|what|how|why|who|when|where)\b")
_DENYING = re.compile(r"\b(?:not|except|never|no|none)\b|n't\b")
_SIGNS = frozenset("+-*/=^<>")


def seen(text: str) -> str:
    """Return the part of a text that is looked at."""
    return text[:MOST_CHARACTERS]


def terms(text: str) -> list[str]:
    """Return the words of two and more characters, in lower case, and the pairs of neighbours."""
    return pairs_and_words(_TERM.findall(text.lower()))


def _of_characters(text: str, length: float) -> tuple[float, ...]:
    digits = sum(map(str.isdigit, text))
    count = text.count
    return (
        log(length),
        digits / length,
        float(digits),
        sum(map(str.isupper, text)) / length,
        float(count("?")),
        float(count(",")),
        float(count(".")),
        float(count("$")),
        float(count("%")),
        float(count("(")),
        sum(map(count, _SIGNS)) / length,
        float(len(text) - len(text.encode("ascii", "ignore"))),
        float(count('"') + count("'")),
        float(count("_")),
        float(count("\n") + 1),
    )


def _of_words(text: str) -> tuple[float, ...]:
    words = _WORD.findall(text)
    lengths = list(map(len, words)) or [0]
    low = text.lower()
    options = _OPTION.findall(text)
    stem = _OPTION.split(text, maxsplit=1)[0]
    return (
        log(len(words) + 1),
        sum(lengths) / len(lengths),
        float(max(lengths)),
        len({word.lower() for word in words}) / (len(words) + 1),
        float(len(_NUMBER.findall(text))),
        float(len(_ASKING.findall(low))),
        float(len(_DENYING.findall(low))),
        float(len(options)),
        log(len(stem) + 1),
        log(len(text) - len(stem) + 1),
    )


def shape(text: str) -> tuple[float, ...]:
    """Return the numbers that `SHAPE` names."""
    return _of_characters(text, len(text) + 1.0) + _of_words(text)


SHAPE = (
    "length",
    "digits_share",
    "digits",
    "capitals_share",
    "question_marks",
    "commas",
    "periods",
    "dollars",
    "percents",
    "brackets",
    "operators_share",
    "not_ascii",
    "quotes",
    "underscores",
    "lines",
    "words",
    "word_length",
    "longest_word",
    "distinct_share",
    "numbers",
    "question_words",
    "negations",
    "options",
    "stem_length",
    "options_length",
)
"""The names of what `shape` returns, in its order."""
