"""The decision to serve. Pure but for its state: no clock, no chance of its own (a draw comes with each question)."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from math import log2

import attrs
import numpy as np

from rtfs_cache_similar.deciding.evidence import CHANCES, Asked, Evidence
from rtfs_cache_similar.deciding.features import CONSIDERED, Compared, compare, features
from rtfs_cache_similar.deciding.looks import Found, Look, Near
from rtfs_cache_similar.deciding.prior import GRID, Prior
from rtfs_cache_similar.deciding.rarity import PLAIN, Rarity
from rtfs_cache_similar.deciding.state import dumped, loaded
from rtfs_framework.api import Served, SimilarReport, SimilarVerdict
from rtfs_framework.api.fitting import FileError

LEAST_SIMILAR = 0.6
"""Cosine below which an entry is no candidate."""
_PARTITIONS = 1_000
_FULL = 100.0
"""Judged look-ups up to which every one that may be explored is. Some are for ever: else nobody would see changes."""
_BESIDE_PRIOR = 2
"""The place in `CHANCES` for what is not served, with a prior: enough to see that it is about other requests."""
_START = 3.0
_EARLY = 50
_LEVELS = tuple(GRID.tolist())


@attrs.frozen(slots=True, kw_only=True)
class DeciderSettings:
    """What an operator says of the decision."""

    false_hits: float = attrs.field(default=0.01, validator=[attrs.validators.ge(0.0), attrs.validators.lt(1.0)])
    """Wrong answers of all look-ups, at most; 0 serves nothing."""
    explore: float = attrs.field(default=0.15, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    """Look-ups at most, as a share, that are explored: the model is asked though an entry might have been served."""
    judge: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    """Of served answers, about the share that is judged afterwards: the next lower of `CHANCES`."""


@attrs.frozen(slots=True, eq=False)
class _Candidate:
    near: Found
    features: np.ndarray[tuple[int], np.dtype[np.float64]]
    score: float
    level: int


class Decider:
    """Decides per partition. One thread at a time calls it; the layer holds its lock."""

    def __init__(
        self,
        settings: DeciderSettings | None = None,
        prior: Prior | None = None,
        compared: Callable[[str, str], Compared] = compare,
    ) -> None:
        """Start without evidence; without a prior nothing is served."""
        self.settings = settings or DeciderSettings()
        self._prior = prior
        self._compared = compared
        self._partitions: OrderedDict[str, Evidence] = OrderedDict()

    def decide(
        self, partition: str, question: Look, near: Sequence[Found], draw: float = 1.0, bound: float | None = None,
        judge_draw: float = 1.0,
    ) -> SimilarVerdict:  # fmt: skip
        """Decide about one look-up, which counts. `near` is sorted, the nearest first; draws are in [0, 1), 1 for none.

        An entry whose text is the question's own is no candidate: the exact tier answers it. A wish below the bound of
        the settings makes it stricter, one above it changes nothing.
        """
        evidence = self._of(partition)
        evidence.look()
        allowed = self.settings.false_hits if bound is None else min(bound, self.settings.false_hits)
        if not allowed > 0.0:
            return _miss("the bound is 0")
        found = self._candidate(evidence, question, near)
        if isinstance(found, str):
            return _miss(found)
        evidence.passed[: found.level] += 1.0
        threshold = evidence.threshold(allowed)
        chance = self._chance(evidence, found.level, threshold)
        if chance is not None:
            explored = draw < CHANCES[chance]
            evidence.draws(found.level, chance, explored=bool(explored))
            if explored:
                evidence.explored += 1
                asked = Asked(found.level, found.features, chance)
                evidence.remember(_key(question.text, found.near.entry_id), asked)
                return _verdict(Served.EXPLORE, found, "explored: the model is asked as well")
        return self._served(evidence, question, found, threshold, allowed, judge_draw)

    def preview(
        self, partition: str, question: Look, near: Sequence[Found], bound: float | None = None
    ) -> SimilarVerdict:
        """Return what `decide` would say of a look-up that is not explored; nothing counts."""
        imagined = Decider(self.settings, self._prior, self._compared)
        if partition in self._partitions:
            imagined._partitions[partition] = deepcopy(self._partitions[partition])
        return imagined.decide(partition, question, near, bound=bound)

    def judged(self, partition: str, question: Look, near: Near, *, same: bool) -> None:
        """Learn from one comparison of an entry's answer with the model's, or from what a judge says of a served one.

        One that no draw of this decider chose, or that it has forgotten, teaches nothing: nobody knows what it is a
        sample of.
        """
        evidence = self._of(partition)
        asked = evidence.asked.pop(_key(question.text, near.entry_id), None)
        if asked is not None and (asked.judged or not asked.served):
            evidence.learn(asked, same=same)

    def feedback(self, partition: str, entry_id: str, text: str, *, same: bool) -> None:
        """Learn what somebody said of a served answer: `text` is the question's that it answered.

        That it was wrong raises the bound. That it was right changes nothing: who says so is no fair sample.
        """
        evidence = self._of(partition)
        asked = evidence.asked.pop(_key(text, entry_id), None)
        if not same:
            evidence.blame(asked)

    def report(self) -> Mapping[str, SimilarReport]:
        """Return the evidence by partition."""
        return {partition: _report(evidence) for partition, evidence in self._partitions.items()}

    @property
    def prior(self) -> Prior | None:
        """The prior that it starts from."""
        return self._prior

    def without_prior(self) -> None:
        """Start anew without the prior: it is about other requests than those that come."""
        self._prior = None
        self._partitions.clear()

    def dump(self) -> bytes:
        """Return the state: JSON, for `load`."""
        return dumped(self._partitions)

    def load(self, data: bytes) -> None:
        """Take a state that `dump` returned, in place of this one.

        Raises:
            ValueError: It is none, or is damaged; the state is unchanged.
        """
        try:
            self._partitions = loaded(data, self._prior)
        except FileError as error:
            raise ValueError(str(error)) from error

    def _of(self, partition: str) -> Evidence:
        found = self._partitions.get(partition)
        if found is None:
            found = self._partitions[partition] = Evidence(prior=self._prior)
        self._partitions.move_to_end(partition)
        while len(self._partitions) > _PARTITIONS:
            self._partitions.popitem(last=False)
        return found

    def _candidate(self, evidence: Evidence, question: Look, near: Sequence[Found]) -> _Candidate | str:
        """Return the nearest entry that passes the gates, or why there is none."""
        why = "nothing is near"
        for place, entry in enumerate(near[:CONSIDERED]):
            if not entry.similarity >= LEAST_SIMILAR:
                break
            text = entry.text
            if text is None or text == question.text:
                continue
            compared = self._compared(question.text, text)
            if compared.closed is not None:
                if why == "nothing is near":
                    why = f"gate {compared.closed.gate}: {compared.closed.why}"
                continue
            seen = features(compared, near, place, self._rarity())
            score = evidence.scorer().probability(seen)
            return _Candidate(entry, seen, score, bisect_right(_LEVELS, score))
        return why

    def _rarity(self) -> Rarity:
        return PLAIN if self._prior is None else self._prior.rarity

    def _floor(self, evidence: Evidence) -> int:
        """Return the place of the highest threshold above which more look-ups lie than may be explored."""
        if evidence.since < _EARLY and evidence.prior is None:
            return len(GRID) // 2
        crowded = np.flatnonzero(evidence.shares() > self.settings.explore)
        return int(crowded[-1]) if len(crowded) else 0

    def _chance(self, evidence: Evidence, level: int, threshold: int | None) -> int | None:
        """Return the place in `CHANCES` of the probability with which a look-up is explored; None where it is not.

        It rests on nothing but the past and the score. Below the threshold exploring costs no hit; above it does.
        """
        if evidence.explored >= self.settings.explore * evidence.looked + _START or not self.settings.explore:
            return None
        if level <= self._floor(evidence):
            return None
        served = threshold is not None and level > threshold
        if not served:
            return 0 if evidence.prior is None else _BESIDE_PRIOR
        known = float(evidence.same + evidence.other) + (evidence.prior.looked if evidence.prior else 0.0)
        return min(len(CHANCES) - 1, max(0, round(log2(max(known, 1.0) / _FULL))))

    def _served(
        self, evidence: Evidence, question: Look, found: _Candidate, threshold: int | None, allowed: float, draw: float
    ) -> SimilarVerdict:
        if threshold is None:
            return _verdict(Served.MISS, found, "there is too little evidence that answers like it are right")
        if found.level <= threshold:
            return _verdict(Served.MISS, found, f"P(same answer) {found.score:.2f} is below {GRID[threshold]:.2f}")
        if evidence.spent() + float(evidence.rates()[threshold]) > allowed * evidence.ledger_looks:
            return _verdict(Served.MISS, found, "what may be wrong is spent")
        evidence.charged[threshold] += 1.0
        evidence.served += 1
        # A bet of its own: that it was not explored says nothing of whether it is right.
        chance = np.flatnonzero(self.settings.judge >= CHANCES)
        judged = bool(len(chance)) and bool(draw < CHANCES[chance[0]])
        if len(chance) and draw < 1.0:
            evidence.draws(found.level, int(chance[0]), explored=judged)
        kept = Asked(found.level, found.features, int(chance[0]) if judged else 0, served=True, judged=judged)
        evidence.remember(_key(question.text, found.near.entry_id), kept)
        why = f"P(same answer) {found.score:.2f}, at least {GRID[threshold]:.2f}"
        return attrs.evolve(_verdict(Served.HIT, found, why, evidence.spent() / evidence.ledger_looks), judge=judged)


def _key(text: str, entry: str) -> tuple[str, str]:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), entry


def _miss(why: str) -> SimilarVerdict:
    return SimilarVerdict(served=Served.MISS, why=why)


def _verdict(served: Served, found: _Candidate, why: str, bound: float | None = None) -> SimilarVerdict:
    return SimilarVerdict(
        served=served,
        why=why,
        entry=found.near.entry_id,
        record=None if served is Served.MISS else found.near.record,
        similarity=found.near.similarity,
        probability=found.score,
        bound=bound,
    )


def _report(evidence: Evidence) -> SimilarReport:
    known = evidence.served > 0
    evidence.bounds = None  # by all that is known, not by all but the latest few
    return SimilarReport(
        lookups=evidence.looked,
        served=evidence.served,
        explored=evidence.explored,
        judged_same=evidence.same,
        judged_other=evidence.other,
        wrong_of_all=evidence.spent() / evidence.ledger_looks if known else None,
        wrong_of_served=min(1.0, evidence.spent() / evidence.served) if known else None,
    )
