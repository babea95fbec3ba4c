"""Fits a stack to labelled texts; needs the extra `learn` (scikit-learn). Deciding by what it makes needs nothing.

The functions of each view are fitted to all texts. What they say of a text that they were fitted to is too good, so the
function that combines is fitted to what others of their kind say, which have not seen that text: five parts of the
texts are held out in turn, equal texts together.

Deterministic: equal rows and an equal seed give the same bytes, on one machine with one version of the libraries.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import attrs

from rtfs_framework.api.fitting import NO_LIBRARY, TOO_FEW, FileError, Told
from rtfs_provider_stack.model import FORMAT, GROUPS, VECTOR_GROUPS, Said, features_of, read_model
from rtfs_provider_stack.texts import VERSION, VIEWS

FOLDS = 5
LEAST = 100
"""Texts: with fewer, a held-out part is too small to say anything."""
LEAST_OF_LABEL = 10
STEPS = FOLDS + 1
_MOST_TERMS = 60_000
_DIGITS = 6
_ALPHA = 0.3
_OF_VECTORS = 0.003
"""How freely functions of vectors are fitted: the inverse strength of their regularization."""


@attrs.define(slots=True)
class Labelled:
    """Texts with their labels, and what each member says of each."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    said: dict[str, list[Said]] = attrs.field(factory=dict)
    digest: str = ""
    embedder: str = ""
    """Whose vectors `vectors` are: a fingerprint."""
    vectors: Sequence[Sequence[float]] = ()
    """One for each text, or none at all."""

    def part(self, places: Sequence[int]) -> Labelled:
        """Return some of them."""
        said = {name: [each[place] for place in places] for name, each in self.said.items()}
        texts, labels = (tuple(each[place] for place in places) for each in (self.texts, self.labels))
        vectors = [self.vectors[place] for place in places] if self.vectors else ()
        return Labelled(texts, labels, said, embedder=self.embedder, vectors=vectors)


@attrs.frozen(slots=True)
class Fitted:
    """A stack in the making: the data of its file."""

    data: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return the file."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def fit(rows: Labelled, seed: int = 0, told: Told = lambda _: None) -> Fitted:
    """Return a stack that is fitted to all rows.

    Raises:
        FileError: A library is missing, or the rows tell nothing.
    """
    names = _checked(rows)
    import numpy as np

    wanted = np.asarray([names.index(label) for label in rows.labels])
    seen = {view: [see(text) for text in rows.texts] for view, see in VIEWS.items()}
    count = len(names) * len(GROUPS)
    vectors = np.asarray(rows.vectors, dtype=float) if rows.vectors else None
    of_vectors = 0 if vectors is None else len(names) * len(VECTOR_GROUPS)
    held_out = np.zeros((len(rows.texts), count * len(VIEWS) + of_vectors))
    for number, fold in enumerate(folds(rows.texts, seed)):
        rest = sorted(set(range(len(rows.texts))) - set(fold))
        for place, view in enumerate(VIEWS):
            table = _Table.fit([seen[view][n] for n in rest], wanted[rest])
            held_out[fold, place * count : (place + 1) * count] = table.features([seen[view][n] for n in fold])
        if vectors is not None:
            held_out[fold, -of_vectors:] = _VectorTable.fit(vectors[rest], wanted[rest]).features(vectors[fold])
        told(number + 1)
    members = [
        [number for name in rows.said for number in features_of(rows.said[name][place], names)]
        for place in range(len(rows.texts))
    ]
    weights, constants = _combined(np.hstack([held_out, np.asarray(members).reshape(len(members), -1)]), wanted)
    data = {
        "format": FORMAT,
        "version": VERSION,
        "about": {"seed": seed, "rows": rows.digest, "texts": len(rows.texts)},
        "labels": names,
        "members": list(rows.said),
        "views": {view: _Table.fit(seen[view], wanted).data() for view in VIEWS},
        "weights": weights,
        "constants": constants,
    }
    if vectors is not None:
        data["vectors"] = {"embedder": rows.embedder, **_VectorTable.fit(vectors, wanted).data()}
    told(STEPS)
    return Fitted(data)


def cross_validate(rows: Labelled, seed: int = 0, told: Told = lambda _: None) -> float:
    """Return the share of right labels among texts that the stack was not fitted to, in five parts.

    Raises:
        FileError: A library is missing, or the rows tell nothing.
    """
    _checked(rows)
    right = 0
    for number, fold in enumerate(folds(rows.texts, seed)):
        rest = sorted(set(range(len(rows.texts))) - set(fold))
        model = read_model(fit(rows.part(rest), seed).to_bytes())
        for place in fold:
            said = {name: each[place] for name, each in rows.said.items()}
            vector = rows.vectors[place] if rows.vectors else ()
            shares = model.shares(rows.texts[place], said, model.labels, vector)
            right += max(shares, key=shares.__getitem__) == rows.labels[place]
        told(number + 1)
    return right / len(rows.texts)


def interval(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's interval of a share of so many texts, for 95 %: between which shares the true one lies."""
    from scipy.stats import binomtest

    found = binomtest(round(share * count), count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(found.low), float(found.high)


def folds(texts: Sequence[str], seed: int) -> list[list[int]]:
    """Return the places of texts in five parts, in a random order; equal texts are in the same part."""
    distinct = list(dict.fromkeys(texts))
    random.Random(seed).shuffle(distinct)  # noqa: S311 - nobody must guess it
    part = {text: place % FOLDS for place, text in enumerate(distinct)}
    found: list[list[int]] = [[] for _ in range(FOLDS)]
    for place, text in enumerate(texts):
        found[part[text]].append(place)
    return found


def _checked(rows: Labelled) -> list[str]:
    """Return the labels in their order, if the rows are enough to learn from."""
    names = sorted(set(rows.labels))
    if len(set(rows.texts)) < LEAST:
        way_out = f"give at least {LEAST:,}; some thousands make a good stack"
        raise FileError(TOO_FEW, f"{len(set(rows.texts)):,} different texts are too few to fit a stack", way_out)
    if len(names) < 2:
        raise FileError(TOO_FEW, "all texts have the same label", "give texts of every label that there may be")
    rare = min(names, key=rows.labels.count)
    if rows.labels.count(rare) < LEAST_OF_LABEL:
        problem = f"only {rows.labels.count(rare)} texts have the label '{rare:.40}'"
        raise FileError(TOO_FEW, problem, f"give at least {LEAST_OF_LABEL} of each label, or leave the label out")
    try:
        import numpy as np  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        way_out = "pip install 'rtfs-provider-stack[learn]'"
        raise FileError(NO_LIBRARY, f"fitting a stack needs {error.name}", way_out) from error
    return names


@attrs.frozen(slots=True)
class _Table:
    """The functions of one view."""

    words: Any
    weights: Any
    constants: Any

    @classmethod
    def fit(cls, terms: Sequence[Sequence[str]], wanted: Any) -> _Table:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.naive_bayes import MultinomialNB

        words = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True, max_features=_MOST_TERMS)
        try:
            counted = words.fit_transform(terms)
        except ValueError as error:  # no term is left
            raise FileError(TOO_FEW, "the texts share no words", "give more texts, or texts of a kind") from error
        labels = int(wanted.max()) + 1
        logistic = LogisticRegression(C=3.0, max_iter=300, tol=1e-3).fit(counted, wanted)
        ridge = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-4).fit(counted, np.eye(labels)[wanted])
        bayes = MultinomialNB(alpha=_ALPHA).fit(counted, wanted)
        of_logistic, rest = _for_each_label(logistic)
        weights = np.vstack([of_logistic, ridge.coef_, bayes.feature_log_prob_])
        return cls(words, weights, np.concatenate([rest, ridge.intercept_, bayes.class_log_prior_]))

    def features(self, terms: Sequence[Sequence[str]]) -> Any:
        """Return what the functions say of texts, as `model.View` does."""
        import numpy as np

        return _log_shares(np.asarray(self.words.transform(terms) @ self.weights.T) + self.constants, len(GROUPS))

    def data(self) -> dict[str, Any]:
        return {
            "texts": self.words.get_feature_names_out().tolist(),
            "rarity": list(map(_short, self.words.idf_.tolist())),
            "weights": [list(map(_short, each)) for each in self.weights.tolist()],
            "constants": self.constants.tolist(),
        }


@attrs.frozen(slots=True)
class _VectorTable:
    """The functions of vectors."""

    weights: Any
    constants: Any

    @classmethod
    def fit(cls, vectors: Any, wanted: Any) -> _VectorTable:
        import numpy as np
        from sklearn.linear_model import LogisticRegression, Ridge

        deviation = vectors.std(axis=0)
        deviation[deviation < 1e-9] = 1.0
        scaled = vectors / deviation
        logistic = LogisticRegression(C=_OF_VECTORS, max_iter=1000, tol=1e-3).fit(scaled, wanted)
        ridge = Ridge(alpha=1 / _OF_VECTORS).fit(scaled, np.eye(int(wanted.max()) + 1)[wanted])
        of_logistic, rest = _for_each_label(logistic)
        weights = np.vstack([of_logistic, ridge.coef_]) / deviation
        return cls(weights, np.concatenate([rest, ridge.intercept_]))

    def features(self, vectors: Any) -> Any:
        """Return what the functions say of vectors, as `model.VectorView` does."""
        return _log_shares(vectors @ self.weights.T + self.constants, len(VECTOR_GROUPS))

    def data(self) -> dict[str, Any]:
        weights = [list(map(_short, each)) for each in self.weights.tolist()]
        return {"weights": weights, "constants": self.constants.tolist()}


def _for_each_label(logistic: Any) -> tuple[Any, Any]:
    """Return the weights and constants of a logistic regression for each label: of two it has but one row."""
    import numpy as np

    weights, rest = logistic.coef_, logistic.intercept_
    if len(weights) > 1:
        return weights, rest
    return np.vstack([0 * weights, weights]), np.concatenate([0 * rest, rest])


def _log_shares(scores: Any, groups: int) -> Any:
    import numpy as np
    from scipy.special import log_softmax

    return np.hstack([log_softmax(part, axis=1) for part in np.split(scores, groups, axis=1)])


def _combined(features: Any, wanted: Any) -> tuple[list[list[float]], list[float]]:
    """Return the weights of the features for each label, and the constants."""
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation < 1e-9] = 1.0
    found = LogisticRegression(C=0.1, max_iter=1000).fit((features - mean) / deviation, wanted)
    weights, rest = _for_each_label(found)
    weights = weights / deviation
    return weights.tolist(), (rest - weights @ mean).tolist()


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
