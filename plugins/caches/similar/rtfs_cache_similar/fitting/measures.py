"""What the decision does with streams of look-ups, beside the best static threshold with hindsight."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import attrs
import numpy as np

from rtfs_cache_similar.deciding import Decider, DeciderSettings
from rtfs_cache_similar.deciding.features import Vector, features
from rtfs_cache_similar.deciding.prior import Prior
from rtfs_cache_similar.fitting.stream import Field, best_static, run
from rtfs_framework.api.fitting import Told


@attrs.frozen(slots=True, kw_only=True)
class Measured:
    """Shares of all look-ups, pooled over the orders; exact hits are left out."""

    lookups: int
    hit_rate: float
    false_hit_rate: float
    explored_rate: float
    static_hit_rate: float
    """The mean over the orders: the threshold is chosen in each by itself."""

    @property
    def ratio(self) -> float:
        """The hit rate in static ones; 0 where those have none."""
        return self.hit_rate / self.static_hit_rate if self.static_hit_rate else 0.0

    @property
    def wrong_of_served(self) -> float:
        """Wrong answers of those served."""
        return self.false_hit_rate / self.hit_rate if self.hit_rate else 0.0

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**attrs.asdict(self), "ratio": self.ratio, "wrong_of_served": self.wrong_of_served}


def measure(
    field: Field, prior: Prior | None, false_hits: float, explore: float, seeds: Sequence[int], told: Told
) -> Measured:
    """Send streams past, each past a new decider."""
    found = []
    for number, seed in enumerate(seeds, start=1):
        settings = DeciderSettings(false_hits=false_hits, explore=explore)
        found.append(run(field, Decider(settings, prior, field.compared), seed))
        told(number)
    looked = sum(each.looked for each in found)
    return Measured(
        lookups=looked,
        hit_rate=sum(each.hits for each in found) / looked,
        false_hit_rate=sum(each.wrong for each in found) / looked,
        explored_rate=sum(each.explored for each in found) / looked,
        static_hit_rate=fmean(best_static([each], false_hits) for each in found),
    )


@attrs.frozen(slots=True, kw_only=True)
class Labelled:
    """Of the labelled pairs alone, whatever else lies near: how many that mean the same would be told so.

    Each by the best threshold with hindsight: at most so many, as a share, of those that do not mean the same pass.
    """

    found: float
    """Of the pairs that mean the same, by the prior's model behind the gates."""
    static: float
    """By cosine."""

    @property
    def ratio(self) -> float:
        """The first in those of the second; 0 where that found none."""
        return self.found / self.static if self.static else 0.0


def labelled(field: Field, prior: Prior, allowed: float) -> Labelled:
    """Compare a prior's model with the cosine on the labelled pairs."""
    scores, cosines = [], []
    for entry, question in zip(field.pairs.first, field.pairs.second, strict=True):
        place, near = field.beside(question, entry)
        compared = field.compared(field.pairs.texts[question], field.pairs.texts[entry])
        shut = compared.closed is not None
        scores.append(-1.0 if shut else prior.model.probability(features(compared, near, place, prior.rarity)))
        cosines.append(near[place].similarity)
    same = np.asarray(field.pairs.same)
    found, static = (_passing(np.asarray(each), same, allowed) for each in (scores, cosines))
    return Labelled(found=found, static=static)


def _passing(scores: Vector, same: Any, allowed: float) -> float:
    """Return the share of `same` above the lowest threshold above which so few of the others are. -1 passes never."""
    others = np.sort(scores[~same])[::-1]
    most = int(allowed * len(others))
    threshold = max(float(others[most]), 0.0) if most < len(others) else 0.0
    return float((scores[same] > threshold).mean())
