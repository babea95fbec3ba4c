"""The model of P(same answer): logistic regression on the features, fitted by Newton's method. Plain numbers.

A prior's has boosted trees besides, on top of which the regression starts. It is fitted with a penalty on its distance
from where it starts: from zero, or from a prior's weights, so that few judged look-ups move it little. Equal data give
equal weights on one machine with one version of numpy.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding.features import NAMES, Vector
from rtfs_cache_similar.deciding.trees import Trees, read_trees
from rtfs_framework.api.fitting import DamagedError, read_numbers, read_table

_STEPS = 25
_ENOUGH = 1e-8
_MOST = 30.0
_PENALTY = 1.0
_LEAST_SCALE = 1e-6


@attrs.frozen(slots=True, eq=False)
class Model:
    """Weights on standardised features; the last weight is the constant."""

    mean: Vector
    scale: Vector
    weights: Vector
    trees: Trees | None = None

    def probability(self, found: Vector) -> float:
        """Return P(same answer) of one pair."""
        return float(self.probabilities(found[None, :])[0])

    def probabilities(self, rows: Vector) -> Vector:
        """Return P(same answer), by row."""
        inside = ((rows - self.mean) / self.scale) @ self.weights[:-1] + self.weights[-1]
        if self.trees is not None:
            inside = inside + self.trees.added(rows)
        chance: Vector = 1.0 / (1.0 + np.exp(-np.clip(inside, -_MOST, _MOST)))
        return chance

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        parts = {"mean": self.mean, "scale": self.scale, "weights": self.weights}
        trees = None if self.trees is None else self.trees.as_data()
        return {"features": list(NAMES), **{name: part.tolist() for name, part in parts.items()}, "trees": trees}


def by_similarity() -> Model:
    """Return the model that nobody has fitted: it only orders candidates by similarity, for exploration."""
    weights = np.zeros(len(NAMES) + 1)
    weights[0], weights[-1] = 15.0, -15.0 * 0.85
    return Model(np.zeros(len(NAMES)), np.ones(len(NAMES)), weights)


def fitted(rows: Vector, same: Vector, start: Model | None = None, penalty: float = _PENALTY) -> Model:
    """Return the model of judged pairs. `rows` is (pairs, features), `same` is 0 or 1 by pair."""
    if start is None:
        mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), _LEAST_SCALE)
        origin = np.zeros(rows.shape[1] + 1)
    else:
        mean, scale, origin = start.mean, start.scale, start.weights
    trees = None if start is None else start.trees
    given = 0.0 if trees is None else trees.added(rows)
    wide = np.hstack([(rows - mean) / scale, np.ones((len(rows), 1))])
    # The constant is free, as good as.
    cost = np.full(wide.shape[1], penalty)
    cost[-1] = penalty / 100.0
    weights = origin.copy()
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(wide @ weights + given, -_MOST, _MOST)))
        slope = wide.T @ (chance - same) + cost * (weights - origin)
        bend = (wide * (chance * (1.0 - chance))[:, None]).T @ wide + np.diag(cost)
        step = np.linalg.solve(bend, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()) / 2.0)
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return Model(mean, scale, weights, trees)


def read_model(data: Any, name: str) -> Model:
    """Return a model that `as_data` made.

    Raises:
        DamagedError: It is none, or is for other features.
    """
    table = read_table(data, name, ("features", "mean", "scale", "weights", "trees"))
    if table["features"] != list(NAMES):
        raise DamagedError(f"'{name}' looks at other features than this version computes: fit it again")
    mean, scale, weights = (
        np.asarray(read_numbers(table[key], f"{name}.{key}")) for key in ("mean", "scale", "weights")
    )
    if not len(mean) == len(scale) == len(weights) - 1 == len(NAMES) or not (scale >= _LEAST_SCALE).all():
        raise DamagedError(f"'{name}' has parts of a wrong length, or a scale that is not above 0")
    trees = None if table["trees"] is None else read_trees(table["trees"], f"{name}.trees")
    return Model(mean, scale, weights, trees)
