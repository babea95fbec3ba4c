"""Fits boosted trees to judged pairs; needs the extra `learn` (scikit-learn). Deciding by them needs nothing more."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtfs_cache_similar.deciding.features import NAMES, Vector
from rtfs_cache_similar.deciding.model import Model
from rtfs_cache_similar.deciding.trees import Trees
from rtfs_framework.api.fitting import NO_LIBRARY, FileError

_TREES = 150
_DEPTH = 4
_RATE = 0.06
_LEAST_IN_LEAF = 30
_DIGITS = 5


def library() -> Any:
    """Return what fits trees.

    Raises:
        FileError: scikit-learn is not installed.
    """
    try:
        from sklearn import ensemble
    except ImportError as error:
        way_out = 'pip install "rtfs-cache-similar[learn]"; serving by a prior does not need it'
        raise FileError(NO_LIBRARY, "fitting a prior needs scikit-learn", way_out) from error
    return ensemble


def boosted(rows: Vector, same: Vector, seed: int) -> Model:
    """Return a model of trees. `rows` is (pairs, features), `same` is 0 or 1 by pair, with some of both.

    Raises:
        FileError: scikit-learn is not installed.
    """
    ensemble = library()
    made = ensemble.GradientBoostingClassifier(
        n_estimators=_TREES,
        learning_rate=_RATE,
        max_depth=_DEPTH,
        min_samples_leaf=max(1, min(_LEAST_IN_LEAF, len(rows) // 20)),
        subsample=0.5,
        max_features=8,
        random_state=seed,
    ).fit(rows, same)
    odds = float(same.sum()) / float(len(same) - same.sum())
    weights = np.zeros(len(NAMES) + 1)
    weights[-1] = np.log(odds)  # what it starts from: the log-odds of all
    trees = _joined([each.tree_ for each in made.estimators_[:, 0]])
    return Model(rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6), weights, trees)


def _joined(found: list[Any]) -> Trees:
    """Return trees of scikit-learn's, one after the other."""
    roots: list[int] = []
    feature: list[int] = []
    most: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    for tree in found:
        start, count = len(value), tree.node_count
        own, leaf = np.arange(count), tree.children_left < 0
        roots.append(start)
        feature += np.where(leaf, 0, tree.feature).tolist()
        # scikit-learn compares as float32, so what lies between two of those goes where it goes.
        most += np.where(leaf, 0.0, tree.threshold).tolist()
        left += (start + np.where(leaf, own, tree.children_left)).tolist()
        right += (start + np.where(leaf, own, tree.children_right)).tolist()
        value += np.where(leaf, _RATE * tree.value[:, 0, 0], 0.0).round(_DIGITS).tolist()
    return Trees(np.asarray(roots), _DEPTH, *map(np.asarray, (feature, most, left, right, value)))
