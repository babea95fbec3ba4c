"""Fits a prior: a model of P(same answer), and what serving by it gave on look-ups that it was not fitted to.

Streams of the pairs are sent past; at each look-up every near entry that passes the gates is a case: the others than
the nearest are the harder ones to tell from right ones. So is each pair by itself, near or not. Five parts of the
cases, by connected component of the questions, are scored by models that are fitted to the other four: their counts by
threshold (of the nearest alone) over all streams are the prior's evidence. The model itself is fitted to all.

Every other stream inserts what the pairs have second and looks up what they have first: nobody asked in that order.
More streams are counted than models are fitted to, for that is cheap: the more there are, the less of the counts is the
chance of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding import Near
from rtfs_cache_similar.deciding.decider import LEAST_SIMILAR
from rtfs_cache_similar.deciding.features import Vector, features
from rtfs_cache_similar.deciding.model import Model
from rtfs_cache_similar.deciding.prior import GRID, Prior
from rtfs_cache_similar.deciding.rarity import Rarity, rarity
from rtfs_cache_similar.fitting.boosting import boosted
from rtfs_cache_similar.fitting.stream import Field
from rtfs_framework.api.fitting import TOO_FEW, FileError, Told

FOLDS = 5
ORDERS = 16
"""Streams of which the outcomes are counted."""
_FITTED = 4
"""Of them, those that models are fitted to."""
STEPS = ORDERS + FOLDS + 1
_LEAST_CASES = 100
Looks = Iterable[tuple[int, list[Near]]]


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
    fold_of, words = _folds(roots, seed), rarity(field.pairs.texts)
    both, orders = (field, field.turned()), []
    for order in range(ORDERS):
        side = both[order % 2]
        orders.append(_cases(side, side.looks(seed + order), words, fold_of, roots))
        told(order + 1)
    cases = [*orders[:_FITTED], *(_alone(side, words, fold_of, roots) for side in both)]
    rows, same, folds = (np.concatenate([getattr(each, part) for each in cases]) for part in ("rows", "same", "folds"))
    scores = [np.zeros(len(each.rows)) for each in orders]
    for fold in range(FOLDS):
        model = boosted(rows[folds != fold], same[folds != fold], seed)
        for each, found in zip(orders, scores, strict=True):
            mine = each.folds == fold
            found[mine] = model.probabilities(each.rows[mine])
        told(ORDERS + fold + 1)
    model = boosted(rows, same, seed)
    told(STEPS)
    first = [each.first for each in orders]
    counted = (np.concatenate([part[of] for part, of in zip(parts, first, strict=True)])
               for parts in (scores, [each.same for each in orders], [each.roots for each in orders]))  # fmt: skip
    return attrs.evolve(_prior(model, fmean(each.looked for each in orders), *counted), rarity=words)


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


def _cases(field: Field, looks: Looks, words: Rarity, fold_of: Sequence[int], roots: Sequence[int]) -> _Cases:
    rows: list[Vector] = []
    same: list[float] = []
    first: list[bool] = []
    questions: list[int] = []
    looked = 0
    for question, near in looks:
        looked += 1
        found = list(_open(field, field.pairs.texts[question], near, words))
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


def _alone(field: Field, words: Rarity, fold_of: Sequence[int], roots: Sequence[int]) -> _Cases:
    """Return a case for each pair, as if all entries were there."""
    pairs = field.pairs
    rows, same, asked = [], [], []
    for entry, question, alike in zip(pairs.first, pairs.second, pairs.same, strict=True):
        compared = field.compared(pairs.texts[question], pairs.texts[entry])
        if compared.closed is None:
            place, near = field.beside(question, entry)
            rows.append(features(compared, near, place, words))
            same.append(float(alike))
            asked.append(question)
    parts, components = (np.asarray(of)[asked] for of in (fold_of, roots))
    return _Cases(np.stack(rows), np.asarray(same), parts, components, np.ones(len(rows), dtype=bool), 0)


def _open(field: Field, text: str, near: Sequence[Near], words: Rarity) -> Iterator[tuple[int, Vector]]:
    """Yield the near entries that pass the gates, the nearest first, with their features."""
    for place, entry in enumerate(near):
        if entry.similarity < LEAST_SIMILAR:
            return
        compared = field.compared(text, entry.text)
        if compared.closed is None:
            yield place, features(compared, near, place, words)
