"""A stream of look-ups and inserts in random order, through the real decider; truth is looked up only for scoring.

Each pair's first question is inserted once; its second is looked up, and a tenth of the look-ups come again later. What
lies near is found exactly, among what was inserted before. A look-up whose own text is already there is an exact hit:
it is counted apart, for every cache has it. An answer is right where the file says that both questions mean the same; a
hit without a label counts as wrong. The decider hears of a look-up's truth only when it explored it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from rtfs_cache_similar.deciding import Decider, Look, Near
from rtfs_cache_similar.deciding.features import Compared, compare
from rtfs_cache_similar.fitting.pairs import Pairs, Vectors
from rtfs_framework.api import Served

REPEATED = 0.1
_NEAR = 64
_GIVEN = 8
_ROWS = 512


class Field:
    """The pairs with all that does not depend on the order: what lies near each question, and comparisons."""

    def __init__(self, pairs: Pairs, vectors: Vectors) -> None:
        """Find the nearest first questions of each second one. `vectors` are those of `pairs.texts`."""
        self.pairs = pairs
        self._vectors = vectors
        self.alike = pairs.alike()
        entries = np.asarray(sorted(set(pairs.first)))
        self._near: dict[int, list[tuple[int, float]]] = {}
        asked = np.asarray(sorted(set(pairs.second)))
        for start in range(0, len(asked), _ROWS):
            part = asked[start : start + _ROWS]
            cosines = vectors[part] @ vectors[entries].T
            many = min(_NEAR, len(entries))
            best = np.argpartition(-cosines, many - 1, axis=1)[:, :many]
            for question, row, places in zip(part.tolist(), cosines, best, strict=True):
                ranked = places[np.argsort(-row[places], kind="stable")]
                self._near[question] = [(int(entries[each]), float(row[each])) for each in ranked]
        self._compared: dict[tuple[str, str], Compared] = {}

    def turned(self) -> Field:
        """Return the field of the pairs the other way round: what is looked up here is inserted there."""
        return Field(attrs.evolve(self.pairs, first=self.pairs.second, second=self.pairs.first), self._vectors)

    def near(self, question: int, present: set[int]) -> list[Near]:
        """Return what lies near a question, of what is there: the nearest first."""
        texts = self.pairs.texts
        found = []
        for entry, cosine in self._near[question]:
            if entry in present:
                found.append(Near(str(entry), texts[entry], cosine))
                if len(found) == _GIVEN:
                    break
        return found

    def beside(self, question: int, entry: int) -> tuple[int, list[Near]]:
        """Return the place of an entry among what lies near a question when all are there, and that; near or not."""
        found = [(each, cosine) for each, cosine in self._near[question] if each not in (question, entry)]
        cosine = float(self._vectors[question] @ self._vectors[entry])
        place = sum(other >= cosine for _, other in found[: _GIVEN - 1])
        found = [*found[:place], (entry, cosine), *found[place : _GIVEN - 1]]
        return place, [Near(str(each), self.pairs.texts[each], alike) for each, alike in found]

    def compared(self, question: str, entry: str) -> Compared:
        """Compare two texts, once."""
        found = self._compared.get((question, entry))
        if found is None:
            found = self._compared[question, entry] = compare.__wrapped__(question, entry)
        return found

    def looks(self, seed: int) -> Iterator[tuple[int, list[Near]]]:
        """Yield the look-ups of a stream that are no exact hits: the question and what lies near."""
        chance = random.Random(seed)  # noqa: S311 - nobody must guess it
        events = [(entry, True) for entry in sorted(set(self.pairs.first))]
        asked = list(self.pairs.second)
        events += [(question, False) for question in (*asked, *chance.sample(asked, int(REPEATED * len(asked))))]
        chance.shuffle(events)
        present: set[int] = set()
        for place, inserted in events:
            if inserted:
                present.add(place)
            elif place not in present:
                yield place, self.near(place, present)


@attrs.frozen(slots=True, eq=False)
class Told:
    """What a stream gave: by look-up, the best cosine and whether its entry was right, and what the decider did."""

    cosines: npt.NDArray[np.float64]
    nearest_right: npt.NDArray[np.bool_]
    hits: int
    wrong: int
    explored: int

    @property
    def looked(self) -> int:
        """Look-ups that were no exact hits."""
        return len(self.cosines)


def run(field: Field, decider: Decider, seed: int, partition: str = "bench") -> Told:
    """Send one stream through a decider."""
    chance = random.Random(seed + 1_000_003)  # noqa: S311 - nobody must guess it
    cosines: list[float] = []
    right: list[bool] = []
    hits = wrong = explored = 0
    for question, near in field.looks(seed):
        look = Look(field.pairs.texts[question])
        cosines.append(near[0].similarity if near else -1.0)
        right.append(bool(near) and (question, int(near[0].entry_id)) in field.alike)
        verdict = decider.decide(partition, look, near, draw=chance.random())
        if verdict.served is Served.MISS:
            continue
        same = (question, int(verdict.entry)) in field.alike
        if verdict.served is Served.HIT:
            hits, wrong = hits + 1, wrong + (not same)
        else:
            explored += 1
            decider.judged(partition, look, next(each for each in near if each.entry_id == verdict.entry), same=same)
    return Told(np.asarray(cosines), np.asarray(right, dtype=bool), hits, wrong, explored)


def best_static(told: Sequence[Told], allowed: float) -> float:
    """Return the hit rate of the best threshold of cosine with hindsight: at most so many wrong of all look-ups."""
    cosines = np.concatenate([each.cosines for each in told])
    wrong = ~np.concatenate([each.nearest_right for each in told])
    order = np.argsort(-cosines, kind="stable")
    rates = np.cumsum(wrong[order]) / len(cosines)
    # A threshold takes all of the same cosine.
    last = np.append(cosines[order][1:] != cosines[order][:-1], True)
    holds = np.flatnonzero((rates <= allowed) & last)
    return float(holds[-1] + 1) / len(cosines) if len(holds) else 0.0
