"""Fits a prior: a model of P(same answer), and what serving by it gave on look-ups that it was not fitted to.

A stream of the pairs is sent past; at each look-up the nearest entry that passes the gates is a case. Five parts of the
cases, by connected component of the questions, are scored by models that are fitted to the other four: their counts by
threshold are the prior's evidence. The model itself is fitted to all, over a few orders of the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding import Near
from rtfs_cache_similar.deciding.decider import LEAST_SIMILAR
from rtfs_cache_similar.deciding.features import Vector, features
from rtfs_cache_similar.deciding.model import fitted
from rtfs_cache_similar.deciding.prior import GRID, Prior
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
    looked: int


def fit_prior(field: Field, seed: int, told: Told = lambda _: None) -> Prior:
    """Return a prior.

    Raises:
        FileError: Too few look-ups have an entry that passes the gates.
    """
    fold_of = _folds(field, seed)
    orders = []
    for order in range(ORDERS):
        orders.append(_cases(field, seed + order, fold_of))
        told(order + 1)
    rows, same = np.concatenate([each.rows for each in orders]), np.concatenate([each.same for each in orders])
    folds = np.concatenate([each.folds for each in orders])
    judged, wrong = np.zeros(len(GRID)), np.zeros(len(GRID))
    held = orders[0]
    for fold in range(FOLDS):
        apart, mine = folds != fold, held.folds == fold
        if mine.any():
            passes = fitted(rows[apart], same[apart]).probabilities(held.rows[mine])[:, None] >= GRID[None, :]
            judged += passes.sum(axis=0)
            wrong += (passes & (held.same[mine] < 1.0)[:, None]).sum(axis=0)
        told(ORDERS + fold + 1)
    model = fitted(rows, same)
    told(STEPS)
    return Prior(model, float(held.looked), judged, wrong)


def _folds(field: Field, seed: int) -> list[int]:
    roots = field.pairs.components()
    distinct = sorted(set(roots))
    part = dict(zip(distinct, np.random.default_rng(seed).permutation(len(distinct)) % FOLDS, strict=True))
    return [int(part[root]) for root in roots]


def _cases(field: Field, seed: int, fold_of: Sequence[int]) -> _Cases:
    rows: list[Vector] = []
    same: list[float] = []
    folds: list[int] = []
    looked = 0
    for question, near in field.looks(seed):
        looked += 1
        place, row = _case(field, field.pairs.texts[question], near)
        if row is not None:
            rows.append(row)
            same.append(float((question, int(near[place].entry_id)) in field.alike))
            folds.append(fold_of[question])
    if len(rows) < _LEAST_CASES or not 0.0 < sum(same) < len(same):
        way_out = "give more pairs, of questions that are like one another"
        raise FileError(TOO_FEW, f"only {len(rows):,} look-ups have an entry near that passes the gates", way_out)
    return _Cases(np.stack(rows), np.asarray(same), np.asarray(folds), looked)


def _case(field: Field, text: str, near: Sequence[Near]) -> tuple[int, Vector | None]:
    for place, entry in enumerate(near):
        if entry.similarity < LEAST_SIMILAR:
            break
        compared = field.compared(text, entry.text)
        if compared.closed is None:
            return place, features(compared.words, near, place)
    return 0, None
