"""A fitted router: from a text to a score, the higher, the more a strong model is worth its price. Plain data and sums.

Two parts see a text, and what each says is brought to one scale and added: a linear function of its terms (TF-IDF),
and boosted trees on its shape (`texts.shape`). A model is a JSON file, read whole and checked before anything rests on
it: nothing in it is code, every number is finite, every tree ends.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log, sqrt
from pathlib import Path
from typing import Any

import attrs

from rtfs_engine_router.errors import MISSING, NO_MODEL, FileError
from rtfs_engine_router.texts import SHAPE, VERSION, seen, shape, terms
from rtfs_framework.api import JsonError, load_json, read_regular

FORMAT = "rtfs-router"
MOST_BYTES = 256 << 20
_LARGEST = 1e15
"""No number of a fitted model is near it; sums of numbers below it are finite."""
_MOST_TREES = 10_000
_ORIGIN = "it is written by `rtfs learn routing FILE --out MODEL`"

Tree = tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...], tuple[int, ...]]
"""By node: the feature that it looks at (-1: it is a leaf), its threshold (a leaf's value), and the nodes for what is
at most the threshold and for what is above."""


@attrs.frozen(slots=True, kw_only=True)
class Scale:
    """How what a part says is spread."""

    mean: float
    deviation: float

    def of(self, value: float) -> float:
        """Return how many standard deviations a value is above the mean."""
        return (value - self.mean) / self.deviation


@attrs.frozen(slots=True, kw_only=True)
class Terms:
    """A linear function of TF-IDF: terms counted as 1 + ln(count), by rarity, the vector at length 1."""

    weights: Mapping[str, tuple[float, float]] = attrs.field(repr=False)
    """By term: its rarity (inverse document frequency), and its weight."""
    constant: float
    scale: Scale

    def score(self, text: str) -> float:
        """Return what the terms of a text say."""
        counts: dict[str, int] = {}
        for term in terms(text):
            counts[term] = counts.get(term, 0) + 1
        known = self.weights
        total = square = 0.0
        for term, count in counts.items():
            found = known.get(term)
            if found is not None:
                part = found[0] if count == 1 else (1.0 + log(count)) * found[0]
                total += part * found[1]
                square += part * part
        return self.constant + (total / sqrt(square) if square > 0.0 else 0.0)


@attrs.frozen(slots=True, kw_only=True)
class Trees:
    """Boosted regression trees on the shape of a text."""

    start: float
    trees: tuple[Tree, ...] = attrs.field(repr=False)
    scale: Scale

    def score(self, text: str) -> float:
        """Return what the shape of a text says."""
        seen_shape = shape(text)
        total = self.start
        for features, thresholds, lower, upper in self.trees:
            node = 0
            feature = features[0]
            while feature >= 0:
                node = lower[node] if seen_shape[feature] <= thresholds[node] else upper[node]
                feature = features[node]
            total += thresholds[node]
        return total


@attrs.frozen(slots=True, kw_only=True)
class RouterModel:
    """A fitted router."""

    terms: Terms
    trees: Trees
    ranks: tuple[float, ...] = attrs.field(repr=False)
    """Quantiles of the scores of questions that it was not fitted to: in equal steps, from the smallest up."""
    about: Mapping[str, Any] = attrs.field(factory=dict)
    """What it was fitted to, and how well: for people."""
    digest: str = ""
    """SHA-256 (hex) of its file."""

    def score(self, text: str) -> float:
        """Return the score of a text."""
        part = seen(text)
        return self.terms.scale.of(self.terms.score(part)) + self.trees.scale.of(self.trees.score(part))

    def rank(self, text: str) -> float:
        """Return the share of usual texts whose score is below that of a text, within 0 and 1."""
        return rank_of(self.score(text), self.ranks)


def rank_of(score: float, ranks: Sequence[float]) -> float:
    """Return the share of a distribution, given by its quantiles, that lies below a score."""
    last = len(ranks) - 1
    above = bisect_left(ranks, score)
    if above == 0:
        return 0.0
    if above > last:
        return 1.0
    low, high = ranks[above - 1], ranks[above]
    return (above - 1 + (score - low) / (high - low)) / last


def load_model(path: Path) -> RouterModel:
    """Return the model of a file.

    Raises:
        FileError: There is none, or it is damaged.
    """
    try:
        data, _ = read_regular(path, MOST_BYTES)
    except FileNotFoundError as error:
        raise FileError(MISSING, f"no such file: {path}", f"name a fitted router; {_ORIGIN}") from error
    except (OSError, ValueError) as error:
        raise FileError(NO_MODEL, f"it cannot be read: {error}", _ORIGIN, str(path)) from error
    return read_model(data, str(path))


def read_model(data: bytes, place: str = "<model>") -> RouterModel:
    """Return the model of a file's bytes.

    Raises:
        FileError: They are none: cut short, changed by hand, or of another version.
    """
    try:
        return _model(load_json(data.decode("utf-8")), hashlib.sha256(data).hexdigest())
    except (UnicodeDecodeError, JsonError) as error:
        raise FileError(NO_MODEL, f"no fitted router: {error}", _ORIGIN, place) from error
    except _DamagedError as error:
        raise FileError(NO_MODEL, f"no fitted router: {error}", _ORIGIN, place) from error


class _DamagedError(ValueError):
    """What is wrong with the data of a file."""


def _model(data: Any, digest: str) -> RouterModel:
    top = _table(data, "the file", ("format", "version", "about", "terms", "trees", "ranks"))
    if top["format"] != FORMAT:
        raise _DamagedError(f"its format is not '{FORMAT}'")
    if top["version"] != VERSION or isinstance(top["version"], bool):
        raise _DamagedError(f"its version is {top['version']!r:.20}, and this one reads {VERSION}: fit it again")
    ranks = _numbers(top["ranks"], "ranks")
    if len(ranks) < 2 or any(low >= high for low, high in pairwise(ranks)):
        raise _DamagedError("'ranks' are not two or more numbers, each above the one before")
    about = _table(top["about"], "about", ())
    return RouterModel(terms=_terms(top["terms"]), trees=_trees(top["trees"]), ranks=ranks, about=about, digest=digest)


def _terms(data: Any) -> Terms:
    table = _table(data, "terms", ("texts", "rarity", "weights", "constant", "mean", "deviation"))
    texts = _list(table["texts"], "terms.texts")
    if not all(isinstance(text, str) for text in texts) or len(set(texts)) != len(texts):
        raise _DamagedError("'terms.texts' are not distinct texts")
    rarity, weights = _numbers(table["rarity"], "terms.rarity"), _numbers(table["weights"], "terms.weights")
    if not len(texts) == len(rarity) == len(weights):
        raise _DamagedError("'terms' has texts, rarities and weights of different numbers")
    if any(not number > 0.0 for number in rarity):
        raise _DamagedError("'terms.rarity' has a number that is not above 0")
    pairs = dict(zip(texts, zip(rarity, weights, strict=True), strict=True))
    return Terms(weights=pairs, constant=_number(table["constant"], "terms.constant"), scale=_scale(table, "terms"))


def _trees(data: Any) -> Trees:
    table = _table(data, "trees", ("features", "start", "trees", "mean", "deviation"))
    if table["features"] != list(SHAPE):
        raise _DamagedError("its trees look at other features than this version computes: fit it again")
    trees = _list(table["trees"], "trees.trees")
    if len(trees) > _MOST_TREES:
        raise _DamagedError(f"it has more than {_MOST_TREES:,} trees")
    made = tuple(_tree(tree, f"trees.trees[{place}]") for place, tree in enumerate(trees))
    return Trees(start=_number(table["start"], "trees.start"), trees=made, scale=_scale(table, "trees"))


def _tree(data: Any, name: str) -> Tree:
    """Return a tree in which every way leads to a leaf: children stand behind their parents."""
    table = _table(data, name, ("feature", "threshold", "lower", "upper"))
    features, lower, upper = (_places(table[key], f"{name}.{key}") for key in ("feature", "lower", "upper"))
    thresholds = _numbers(table["threshold"], f"{name}.threshold")
    count = len(features)
    if not count or not count == len(thresholds) == len(lower) == len(upper):
        raise _DamagedError(f"'{name}' has parts of different lengths, or none")
    for node, feature in enumerate(features):
        if feature < -1 or feature >= len(SHAPE):
            raise _DamagedError(f"'{name}' looks at a feature that there is not")
        if feature >= 0 and not (node < lower[node] < count and node < upper[node] < count):
            raise _DamagedError(f"'{name}' has a node whose children do not stand behind it")
    return features, thresholds, lower, upper


def _scale(table: Mapping[str, Any], name: str) -> Scale:
    deviation = _number(table["deviation"], f"{name}.deviation")
    if not deviation >= 1.0 / _LARGEST:
        raise _DamagedError(f"'{name}.deviation' is not above 0")
    return Scale(mean=_number(table["mean"], f"{name}.mean"), deviation=deviation)


def _table(data: Any, name: str, keys: Sequence[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _DamagedError(f"'{name}' is no JSON object")
    for key in keys:
        if key not in data:
            raise _DamagedError(f"'{name}' has no '{key}'")
    return data


def _list(data: Any, name: str) -> list[Any]:
    if not isinstance(data, list):
        raise _DamagedError(f"'{name}' is no list")
    return data


def _number(data: Any, name: str) -> float:
    if data.__class__ not in (int, float) or not -_LARGEST <= data <= _LARGEST:
        raise _DamagedError(f"'{name}' is {data!r:.20}, and no number of a fitted router")
    return float(data)


def _numbers(data: Any, name: str) -> tuple[float, ...]:
    return tuple(_number(each, name) for each in _list(data, name))


def _places(data: Any, name: str) -> tuple[int, ...]:
    found = _list(data, name)
    if not all(each.__class__ is int for each in found):
        raise _DamagedError(f"'{name}' are not whole numbers")
    return tuple(found)
