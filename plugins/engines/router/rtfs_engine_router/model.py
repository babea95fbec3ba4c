"""A fitted router: from a text to a score, the higher, the more a strong model is worth its price. Plain data and sums.

Two parts see a text, and what each says is brought to one scale and added: a linear function of its terms (TF-IDF),
and boosted trees on its shape (`texts.shape`). A model is a JSON file, read whole and checked before anything rests on
it: nothing in it is code, every number is finite, every tree ends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs

from rtfs_engine_router.texts import SHAPE, VERSION, seen, shape, terms
from rtfs_framework.api.fitting import (
    LARGEST,
    DamagedError,
    TermTable,
    model_data,
    read_list,
    read_number,
    read_numbers,
    read_places,
    read_table,
)

FORMAT = "rtfs-router"
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

    table: TermTable = attrs.field(repr=False)
    constant: float
    scale: Scale

    def score(self, text: str) -> float:
        """Return what the terms of a text say."""
        return self.constant + self.table.scores(terms(text))[0]


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
    return model_data(path, "a fitted router", _ORIGIN, _model)


def read_model(data: bytes, place: str = "<model>") -> RouterModel:
    """Return the model of a file's bytes.

    Raises:
        FileError: They are none: cut short, changed by hand, or of another version.
    """
    return model_data(data, "a fitted router", _ORIGIN, _model, place)


def _model(data: Any, digest: str) -> RouterModel:
    top = read_table(data, "the file", ("format", "version", "about", "terms", "trees", "ranks"))
    if top["format"] != FORMAT:
        raise DamagedError(f"its format is not '{FORMAT}'")
    if top["version"] != VERSION or isinstance(top["version"], bool):
        raise DamagedError(f"its version is {top['version']!r:.20}, and this one reads {VERSION}: fit it again")
    ranks = read_numbers(top["ranks"], "ranks")
    if len(ranks) < 2 or any(low >= high for low, high in pairwise(ranks)):
        raise DamagedError("'ranks' are not two or more numbers, each above the one before")
    about = read_table(top["about"], "about", ())
    return RouterModel(terms=_terms(top["terms"]), trees=_trees(top["trees"]), ranks=ranks, about=about, digest=digest)


def _terms(data: Any) -> Terms:
    table = read_table(data, "terms", ("texts", "rarity", "weights", "constant", "mean", "deviation"))
    found = TermTable.read({**table, "weights": [table["weights"]]}, "terms")
    return Terms(table=found, constant=read_number(table["constant"], "terms.constant"), scale=_scale(table, "terms"))


def _trees(data: Any) -> Trees:
    table = read_table(data, "trees", ("features", "start", "trees", "mean", "deviation"))
    if table["features"] != list(SHAPE):
        raise DamagedError("its trees look at other features than this version computes: fit it again")
    trees = read_list(table["trees"], "trees.trees")
    if len(trees) > _MOST_TREES:
        raise DamagedError(f"it has more than {_MOST_TREES:,} trees")
    made = tuple(_tree(tree, f"trees.trees[{place}]") for place, tree in enumerate(trees))
    return Trees(start=read_number(table["start"], "trees.start"), trees=made, scale=_scale(table, "trees"))


def _tree(data: Any, name: str) -> Tree:
    """Return a tree in which every way leads to a leaf: children stand behind their parents."""
    table = read_table(data, name, ("feature", "threshold", "lower", "upper"))
    features, lower, upper = (read_places(table[key], f"{name}.{key}") for key in ("feature", "lower", "upper"))
    thresholds = read_numbers(table["threshold"], f"{name}.threshold")
    count = len(features)
    if not count or not count == len(thresholds) == len(lower) == len(upper):
        raise DamagedError(f"'{name}' has parts of different lengths, or none")
    for node, feature in enumerate(features):
        if feature < -1 or feature >= len(SHAPE):
            raise DamagedError(f"'{name}' looks at a feature that there is not")
        if feature >= 0 and not (node < lower[node] < count and node < upper[node] < count):
            raise DamagedError(f"'{name}' has a node whose children do not stand behind it")
    return features, thresholds, lower, upper


def _scale(table: Mapping[str, Any], name: str) -> Scale:
    deviation = read_number(table["deviation"], f"{name}.deviation")
    if not deviation >= 1.0 / LARGEST:
        raise DamagedError(f"'{name}.deviation' is not above 0")
    return Scale(mean=read_number(table["mean"], f"{name}.mean"), deviation=deviation)
