"""A fitted stack: from a text and what the members say of it to the probability of each label. Plain data and sums.

Each view of a text has a table of linear functions of TF-IDF, several for each label (`GROUPS`); its vector, where it
was fitted with an embedder's, has such functions, too. What they say, as logarithms of probabilities, and what the
members say are the features of one more linear function for each label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api.fitting import (
    DamagedError,
    TermTable,
    model_data,
    read_list,
    read_numbers,
    read_table,
)
from rtfs_provider_stack.texts import VERSION, VIEWS

FORMAT = "rtfs-stack"
GROUPS = ("logistic", "ridge", "bayes")
"""The kinds of functions of a view; each has one for every label."""
VECTOR_GROUPS = ("logistic", "ridge")
"""Those of vectors, whose numbers may be negative."""
_ORIGIN = "it is written by `rtfs learn stack FILE --out MODEL`"
_WHAT = "a fitted stack"
_KEYS = ("format", "version", "about", "labels", "members", "views", "weights", "constants")


@attrs.frozen(slots=True)
class Said:
    """What a member says: a label, and how sure it is."""

    label: str
    confidence: float | None = None


def features_of(said: Said | None, labels: Sequence[str]) -> list[float]:
    """Return a member's answer in numbers: for each label whether it is that, then how sure. None is no answer."""
    place = labels.index(said.label) if said is not None and said.label in labels else -1
    sure = 0.0 if said is None or said.confidence is None else said.confidence
    return [*(float(n == place) for n in range(len(labels))), *(sure * (n == place) for n in range(len(labels)))]


def log_shares(scores: Sequence[float]) -> list[float]:
    """Return the logarithms of a softmax."""
    high = max(scores)
    total = high + log(sum(exp(score - high) for score in scores))
    return [score - total for score in scores]


def grouped(scores: Sequence[float], count: int) -> list[float]:
    """Return the logarithms of probabilities of scores, of `count` labels each group."""
    found: list[float] = []
    for start in range(0, len(scores), count):
        found += log_shares(scores[start : start + count])
    return found


@attrs.frozen(slots=True, kw_only=True)
class View:
    """One view of a text."""

    table: TermTable
    constants: tuple[float, ...]

    def features(self, terms: Sequence[str], count: int) -> list[float]:
        """Return what its functions say, of `count` labels each group."""
        scores = [score + rest for score, rest in zip(self.table.scores(terms), self.constants, strict=True)]
        return grouped(scores, count)


@attrs.frozen(slots=True, kw_only=True)
class VectorView:
    """What is made of a text's vector."""

    embedder: str
    """The fingerprint of the embedder whose vectors it was fitted to: another one's mean nothing to it."""
    weights: tuple[tuple[float, ...], ...] = attrs.field(repr=False)
    constants: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return len(self.weights[0])

    def features(self, vector: Sequence[float], count: int) -> list[float]:
        """Return what its functions say, of `count` labels each group."""
        scores = [
            rest + sum(weight * each for weight, each in zip(weights, vector, strict=True))
            for weights, rest in zip(self.weights, self.constants, strict=True)
        ]
        return grouped(scores, count)


@attrs.frozen(slots=True, kw_only=True)
class StackModel:
    """A fitted stack."""

    labels: tuple[str, ...]
    members: tuple[str, ...]
    views: Mapping[str, View] = attrs.field(repr=False)
    weights: tuple[tuple[float, ...], ...] = attrs.field(repr=False)
    """For each label, of the features: those of the views, the vector, and then the members, in their orders."""
    constants: tuple[float, ...]
    vectors: VectorView | None = None
    about: Mapping[str, Any] = attrs.field(factory=dict)
    """What it was fitted to, and how well: for people."""
    digest: str = ""
    """SHA-256 (hex) of its file."""

    def shares(
        self, text: str, said: Mapping[str, Said], allowed: Sequence[str], vector: Sequence[float] = ()
    ) -> dict[str, float]:
        """Return the probability of each allowed label, given what the members say.

        `vector` is the text's, of the embedder that it was fitted to; of a model without one nothing looks at it.
        """
        features: list[float] = []
        for name, see in VIEWS.items():
            features += self.views[name].features(see(text), len(self.labels))
        if self.vectors is not None:
            features += self.vectors.features(vector, len(self.labels))
        for member in self.members:
            features += features_of(said.get(member), self.labels)
        scores = {
            label: rest + sum(weight * feature for weight, feature in zip(weights, features, strict=True))
            for label, weights, rest in zip(self.labels, self.weights, self.constants, strict=True)
            if label in allowed
        }
        return dict(zip(scores, map(exp, log_shares(list(scores.values()))), strict=True))


def load_model(path: Path) -> StackModel:
    """Return the model of a file.

    Raises:
        FileError: There is none, or it is damaged.
    """
    return model_data(path, _WHAT, _ORIGIN, _model)


def read_model(data: bytes) -> StackModel:
    """Return the model of a file's bytes.

    Raises:
        FileError: They are none: cut short, changed by hand, or of another version.
    """
    return model_data(data, _WHAT, _ORIGIN, _model)


def _model(data: Any, digest: str) -> StackModel:
    top = read_table(
        data, "the file", ("format", "version", "about", "labels", "members", "views", "weights", "constants")
    )
    if top["format"] != FORMAT:
        raise DamagedError(f"its format is not '{FORMAT}'")
    if top["version"] != VERSION or isinstance(top["version"], bool):
        raise DamagedError(f"its version is {top['version']!r:.20}, and this one reads {VERSION}: fit it again")
    labels, members = _names(top["labels"], "labels"), _names(top["members"], "members")
    if len(labels) < 2:
        raise DamagedError("'labels' are not two or more")
    views = {name: _view(top["views"], name, len(labels)) for name in VIEWS}
    vectors = None if top.get("vectors") is None else _vectors(top["vectors"], len(labels))
    size = sum(len(view.constants) for view in views.values()) + 2 * len(labels) * len(members)
    size += 0 if vectors is None else len(vectors.constants)
    weights = tuple(read_numbers(each, "weights") for each in read_list(top["weights"], "weights"))
    constants = read_numbers(top["constants"], "constants")
    if not len(weights) == len(constants) == len(labels) or any(len(each) != size for each in weights):
        raise DamagedError(f"'weights' and 'constants' are not {len(labels)}, with {size} weights each")
    about = read_table(top["about"], "about", ())
    return StackModel(
        labels=labels,
        members=members,
        views=views,
        weights=weights,
        constants=constants,
        vectors=vectors,
        about=about,
        digest=digest,
    )


def _vectors(data: Any, labels: int) -> VectorView:
    table = read_table(data, "vectors", ("embedder", "weights", "constants"))
    if not isinstance(table["embedder"], str) or not table["embedder"]:
        raise DamagedError("'vectors.embedder' is no text")
    weights = tuple(read_numbers(each, "vectors.weights") for each in read_list(table["weights"], "vectors.weights"))
    constants = read_numbers(table["constants"], "vectors.constants")
    functions = labels * len(VECTOR_GROUPS)
    if not len(weights) == len(constants) == functions or len(set(map(len, weights))) != 1 or not weights[0]:
        raise DamagedError(f"'vectors' has not {functions} functions of equally many numbers")
    return VectorView(embedder=table["embedder"], weights=weights, constants=constants)


def _view(data: Any, name: str, labels: int) -> View:
    table = read_table(read_table(data, "views", (name,))[name], f"views.{name}", ("constants",))
    made = View(
        table=TermTable.read(table, f"views.{name}"),
        constants=read_numbers(table["constants"], f"views.{name}.constants"),
    )
    if not made.table.outputs == len(made.constants) == labels * len(GROUPS):
        raise DamagedError(f"'views.{name}' has not {labels * len(GROUPS)} functions")
    return made


def _names(data: Any, name: str) -> tuple[str, ...]:
    found = read_list(data, name)
    if not all(isinstance(each, str) and each for each in found) or len(set(found)) != len(found):
        raise DamagedError(f"'{name}' are not distinct names")
    return tuple(found)
