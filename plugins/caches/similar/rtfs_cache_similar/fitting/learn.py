"""Fits a prior: a model of P(same answer), and what serving by it gave on look-ups that it was not fitted to.

A stream of the pairs is sent past; at each look-up every near entry that passes the gates is a case: the others than
the nearest are the harder ones to tell from right ones. Five parts of the cases, by connected component of the
questions, are scored by models that are fitted to the other four: their counts by threshold (of the nearest alone),
over a few orders of the stream, are the prior's evidence. The model itself is fitted to all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding import Near
from rtfs_cache_similar.deciding.decider import LEAST_SIMILAR
from rtfs_cache_similar.deciding.features import Vector, features
from rtfs_cache_similar.deciding.model import Model
from rtfs_cache_similar.deciding.prior import GRID, Prior
from rtfs_cache_similar.fitting.boosting import boosted
from rtfs_cache_similar.fitting.stream import Field
from rtfs_framework.api.fitting import TOO_FEW, FileError, Told

FOLDS = 5
ORDERS = 3
STEPS = ORDERS + FOLDS + 1
_LEAST_CASES = 100


@attrs.frozen(slots=True, eq=False)
class _Cases:
    rows: Vector
    same: Vector
    folds: Any
    roots: Any
    """The component of each question."""
    first: Any
    """Whether it is the nearest: the one that a decision is about."""
    looked: int


def fit_prior(field: Field, seed: int, told: Told = lambda _: None) -> Prior:
    """Return a prior.

    Raises:
        FileError: Too few look-ups have an entry that passes the gates.
    """
    roots = field.pairs.components()
    fold_of = _folds(roots, seed)
    orders = []
    for order in range(ORDERS):
        orders.append(_cases(field, seed + order, fold_of, roots))
        told(order + 1)
    rows, same = np.concatenate([each.rows for each in orders]), np.concatenate([each.same for each in orders])
    folds = np.concatenate([each.folds for each in orders])
    scores = np.zeros(len(rows))
    for fold in range(FOLDS):
        apart, mine = folds != fold, folds == fold
        if mine.any():
            scores[mine] = boosted(rows[apart], same[apart], seed).probabilities(rows[mine])
        told(ORDERS + fold + 1)
    model = boosted(rows, same, seed)
    told(STEPS)
    first, their = (np.concatenate(parts) for parts in zip(*((each.first, each.roots) for each in orders), strict=True))
    return _prior(model, fmean(each.looked for each in orders), scores[first], same[first], their[first])


def _prior(model: Model, looked: float, scores: Vector, same: Vector, roots: Any) -> Prior:
    """Return a prior, with its counts per order of the stream. What of them is wrong comes by component."""
    passes = scores[:, None] >= GRID[None, :]
    lost = passes & (same < 1.0)[:, None]
    known, places = np.unique(roots, return_inverse=True)
    by_component = np.zeros((len(known), len(GRID)))
    np.add.at(by_component, places, lost / ORDERS)
    wrong = by_component.sum(axis=0)
    spread = np.where(wrong > 0.0, (by_component**2).sum(axis=0) / np.maximum(wrong, 1.0 / ORDERS), 1.0)
    return Prior(model, looked, passes.sum(axis=0) / ORDERS, wrong, spread)


def _folds(roots: Sequence[int], seed: int) -> list[int]:
    distinct = sorted(set(roots))
    part = dict(zip(distinct, np.random.default_rng(seed).permutation(len(distinct)) % FOLDS, strict=True))
    return [int(part[root]) for root in roots]


def _cases(field: Field, seed: int, fold_of: Sequence[int], roots: Sequence[int]) -> _Cases:
    rows: list[Vector] = []
    same: list[float] = []
    first: list[bool] = []
    questions: list[int] = []
    looked = 0
    for question, near in field.looks(seed):
        looked += 1
        found = list(_open(field, field.pairs.texts[question], near))
        for place, row in found:
            rows.append(row)
            same.append(float((question, int(near[place].entry_id)) in field.alike))
            first.append(place == found[0][0])
            questions.append(question)
    if len(rows) < _LEAST_CASES or not 0.0 < sum(same) < len(same):
        way_out = "give more pairs, of questions that are like one another"
        raise FileError(TOO_FEW, f"only {len(rows):,} look-ups have an entry near that passes the gates", way_out)
    parts, components = (np.asarray(of)[questions] for of in (fold_of, roots))
    return _Cases(np.stack(rows), np.asarray(same), parts, components, np.asarray(first), looked)


def _open(field: Field, text: str, near: Sequence[Near]) -> Iterator[tuple[int, Vector]]:
    """Yield the near entries that pass the gates, the nearest first, with their features."""
    for place, entry in enumerate(near):
        if entry.similarity < LEAST_SIMILAR:
            return
        compared = field.compared(text, entry.text)
        if compared.closed is None:
            yield place, features(compared.words, near, place)
