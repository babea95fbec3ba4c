"""Fits a router to labelled outcomes; needs the extra `learn` (scikit-learn). Deciding by what it makes needs nothing.

In: `Outcomes`. Out: the data of a model file (`model.py` reads it), and what it does with questions that it was not
fitted to. Both parts are fitted to the same: what asking the strong model gains on a question. Five parts of the
questions are held out in turn, equal questions together; what the parts of the router say of those gives their scales,
the distribution of scores from which thresholds come, and the measures. Then it is fitted once more, to all.

Deterministic: equal outcomes and an equal seed give the same bytes, on one machine with one version of the libraries.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Any

import attrs

from rtfs_engine_router.measures import Measured, NoGapError, measure
from rtfs_engine_router.model import FORMAT
from rtfs_engine_router.outcomes import Outcomes
from rtfs_engine_router.texts import SHAPE, VERSION, seen, shape, terms
from rtfs_framework.api.fitting import NO_LIBRARY, TOO_FEW, FileError, Told

FOLDS = 5
LEAST = 100
"""Questions: with fewer, a held-out part is too small to say anything."""
STEPS = FOLDS + 1
_SEEDS = 1 << 32
_RANKS = 500
_DIGITS = 7
"""Of a weight in the file: more than single precision has."""
_PENALTY = 10.0
_TERMS_COUNT = 1.5
"""How much what the terms say counts, where what the shape says counts once: they are the better part by themselves."""
_LEAST_SPREAD = 1e-9


@attrs.frozen(slots=True)
class Fitted:
    """A router in the making: the data of its file, and its measures by cross-validation."""

    data: dict[str, Any]
    measured: Measured

    def to_bytes(self) -> bytes:
        """Return the file."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


@attrs.frozen(slots=True)
class _Seen:
    """The terms of all questions, and their shapes."""

    terms: list[list[str]]
    shapes: Any


@attrs.frozen(slots=True)
class _Parts:
    """Both parts, fitted to some questions."""

    words: Any
    linear: Any
    trees: Any

    def scores(self, known: _Seen, places: Sequence[int]) -> tuple[list[float], list[float]]:
        """Return what each part says of some questions."""
        of_terms = self.linear.predict(self.words.transform([known.terms[place] for place in places]))
        return of_terms.tolist(), self.trees.predict(known.shapes[places]).tolist()


def cross_validate(outcomes: Outcomes, seed: int = 0, divisions: int = 1, told: Told = lambda _: None) -> Measured:
    """Return what routers do with the questions that each was not fitted to: the mean of several divisions.

    Raises:
        FileError: A library is missing, or the questions tell nothing.
    """
    known = _seen(outcomes)
    found = [_held_out(outcomes, known, seed + number, _after(number * FOLDS, told))[2] for number in range(divisions)]
    first = found[0]
    return attrs.evolve(
        first,
        apgr=fmean(each.apgr for each in found),
        cpt50=fmean(each.cpt50 for each in found),
        cpt80=fmean(each.cpt80 for each in found),
    )


def _after(done: int, told: Told) -> Told:
    return lambda step: told(done + step)


def fit(outcomes: Outcomes, seed: int = 0, told: Told = lambda _: None) -> Fitted:
    """Return a router that is fitted to all outcomes.

    Raises:
        FileError: A library is missing, or the questions tell nothing.
    """
    known = _seen(outcomes)
    of_terms, of_shape, measured = _held_out(outcomes, known, seed, told)
    scores = sorted(_together(of_terms, of_shape))
    parts = _fitted(known, outcomes.gains, range(len(outcomes.prompts)), seed)
    told(STEPS)
    data = {
        "format": FORMAT,
        "version": VERSION,
        "about": {"seed": seed, "outcomes": outcomes.digest, **attrs.asdict(measured)},
        "terms": {**_terms(parts), **_scale(of_terms, _TERMS_COUNT)},
        "trees": {**_trees(parts), **_scale(of_shape, 1.0)},
        "ranks": _ranks(scores),
    }
    return Fitted(data, measured)


def _seen(outcomes: Outcomes) -> _Seen:
    count = len(outcomes.prompts)
    if count < LEAST:
        way_out = f"give at least {LEAST:,}; some thousands make a good router"
        raise FileError(TOO_FEW, f"{count:,} questions are too few to fit a router", way_out)
    try:
        import numpy as np
        import scipy  # noqa: F401 - scikit-learn needs it; said here once
        import sklearn  # noqa: F401
    except ImportError as error:
        way_out = "pip install 'rtfs-engine-router[learn]'"
        raise FileError(NO_LIBRARY, f"fitting a router needs {error.name}", way_out) from error
    texts = list(map(seen, outcomes.prompts))
    return _Seen(list(map(terms, texts)), np.asarray(list(map(shape, texts)), dtype=np.float32))


def _held_out(outcomes: Outcomes, known: _Seen, seed: int, told: Told) -> tuple[list[float], list[float], Measured]:
    """Return what each part says of each question when it was not fitted to it, and the measures of both together."""
    count = len(outcomes.prompts)
    of_terms, of_shape = [0.0] * count, [0.0] * count
    folds = _folds(outcomes.prompts, seed)
    for number, fold in enumerate(folds):
        rest = sorted(place for other in folds if other is not fold for place in other)
        found = _fitted(known, outcomes.gains, rest, seed).scores(known, fold)
        for place, by_terms, by_shape in zip(fold, *found, strict=True):
            of_terms[place], of_shape[place] = by_terms, by_shape
        told(number + 1)
    try:
        measured = measure(_together(of_terms, of_shape), outcomes.weak, outcomes.strong)
    except NoGapError as error:
        way_out = "swap the columns if the other model is the strong one; there is nothing to gain by routing otherwise"
        raise FileError(TOO_FEW, "the strong model is not better than the weak one", way_out) from error
    return of_terms, of_shape, measured


def _folds(prompts: Sequence[str], seed: int) -> list[list[int]]:
    """Return the questions in as many parts, in a random order; equal ones are in the same part."""
    distinct = list(dict.fromkeys(prompts))
    random.Random(seed).shuffle(distinct)  # noqa: S311 - nobody must guess it
    part = {prompt: place % FOLDS for place, prompt in enumerate(distinct)}
    folds: list[list[int]] = [[] for _ in range(FOLDS)]
    for place, prompt in enumerate(prompts):
        folds[part[prompt]].append(place)
    if not all(folds):
        way_out = f"give at least {LEAST:,} different questions"
        raise FileError(TOO_FEW, f"there are only {len(distinct):,} different questions", way_out)
    return folds


def _fitted(known: _Seen, gains: Sequence[float], places: Sequence[int], seed: int) -> _Parts:
    import numpy as np
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    wanted = np.asarray([gains[place] for place in places])
    words = TfidfVectorizer(analyzer=list, min_df=2, sublinear_tf=True)
    try:
        counted = words.fit_transform([known.terms[place] for place in places])
    except ValueError as error:  # no term is left
        way_out = "route by something else than the words of requests"
        raise FileError(TOO_FEW, "the questions share no words", way_out) from error
    linear = Ridge(alpha=_PENALTY, solver="sparse_cg", tol=1e-6).fit(counted, wanted)
    trees = GradientBoostingRegressor(
        n_estimators=200,
        learning_rate=0.05,
        max_depth=4,
        min_samples_leaf=min(30, len(places) // 10),
        subsample=0.5,
        max_features=5,
        random_state=seed % _SEEDS,
    ).fit(known.shapes[list(places)], wanted)
    return _Parts(words, linear, trees)


def _together(of_terms: Sequence[float], of_shape: Sequence[float]) -> list[float]:
    first, second = _scale(of_terms, _TERMS_COUNT), _scale(of_shape, 1.0)
    return [
        (by_terms - first["mean"]) / first["deviation"] + (by_shape - second["mean"]) / second["deviation"]
        for by_terms, by_shape in zip(of_terms, of_shape, strict=True)
    ]


def _scale(scores: Sequence[float], counts: float) -> dict[str, float]:
    return {"mean": fmean(scores), "deviation": max(pstdev(scores), _LEAST_SPREAD) / counts}


def _terms(parts: _Parts) -> dict[str, Any]:
    texts = parts.words.get_feature_names_out().tolist()
    return {
        "texts": texts,
        "rarity": list(map(_short, parts.words.idf_.tolist())),
        "weights": list(map(_short, parts.linear.coef_.tolist())),
        "constant": float(parts.linear.intercept_),
    }


def _trees(parts: _Parts) -> dict[str, Any]:
    boosted = parts.trees
    rate = boosted.learning_rate
    made = []
    for estimator in boosted.estimators_[:, 0]:
        tree = estimator.tree_
        features = [feature if feature >= 0 else -1 for feature in tree.feature.tolist()]
        values = (tree.value[:, 0, 0] * rate).tolist()
        cuts = tree.threshold.tolist()
        made.append(
            {
                "feature": features,
                "threshold": [
                    cut if feature >= 0 else value for feature, cut, value in zip(features, cuts, values, strict=True)
                ],
                "lower": tree.children_left.tolist(),
                "upper": tree.children_right.tolist(),
            }
        )
    return {"features": list(SHAPE), "start": float(boosted.init_.constant_.item()), "trees": made}


def _ranks(scores: Sequence[float]) -> list[float]:
    """Return quantiles in equal steps; where scores are equal, each a hair above the one before."""
    import math

    last = len(scores) - 1
    found: list[float] = []
    for step in range(_RANKS + 1):
        score = scores[round(step * last / _RANKS)]
        found.append(max(score, math.nextafter(found[-1], math.inf)) if found else score)
    return found


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")
