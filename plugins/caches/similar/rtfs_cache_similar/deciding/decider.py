"""The decision to serve. Pure but for its state: no clock, no chance of its own (a draw comes with each question)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from rtfs_cache_similar.deciding.looks import Look, Near
from rtfs_framework.api import Served, SimilarReport, SimilarVerdict


@attrs.frozen(slots=True, kw_only=True)
class DeciderSettings:
    """What an operator says of the decision."""

    false_hits: float = attrs.field(default=0.01, validator=[attrs.validators.ge(0.0), attrs.validators.lt(1.0)])
    """Wrong answers of all look-ups, at most; 0 serves nothing."""
    explore: float = attrs.field(default=0.15, validator=[attrs.validators.ge(0.0), attrs.validators.le(1.0)])
    """Look-ups at most, as a share, that are explored: the model is asked though an entry might have been served."""


class Decider:
    """Decides per partition. One thread at a time calls it; the layer holds its lock."""

    def __init__(self, settings: DeciderSettings | None = None) -> None:
        """Start without evidence: nothing is served."""
        self.settings = settings or DeciderSettings()
        self._looked: Counter[str] = Counter()
        self._judged: Counter[tuple[str, bool]] = Counter()

    def decide(
        self, partition: str, question: Look, near: Sequence[Near], draw: float = 1.0, bound: float | None = None
    ) -> SimilarVerdict:
        """Decide about one look-up, which counts. `near` is sorted, the nearest first; `draw` is in [0, 1).

        An entry whose text is the question's own is no matter for this class: the exact tier answers it.
        """
        self._looked[partition] += 1
        allowed = self.settings.false_hits if bound is None else min(bound, self.settings.false_hits)
        if not near or allowed <= 0.0:
            return SimilarVerdict(served=Served.MISS, why="nothing is near" if allowed > 0.0 else "the bound is 0")
        nearest = near[0]
        served = Served.EXPLORE if draw < self.settings.explore and nearest.text != question.text else Served.MISS
        return SimilarVerdict(
            served=served,
            why="there is no evidence yet",
            entry=nearest.entry_id,
            record=nearest.record,
            similarity=nearest.similarity,
        )

    def judged(self, partition: str, question: Look, near: Near, *, same: bool) -> None:
        """Learn from one comparison of an entry's answer with the model's: of an explored look-up."""
        if question.text != near.text:
            self._judged[partition, same] += 1

    def feedback(self, partition: str, entry_id: str, text: str, *, same: bool) -> None:
        """Learn what somebody said of a served answer: `text` is the question's that it answered."""
        if entry_id and text:
            self._judged[partition, same] += 1

    def report(self) -> Mapping[str, SimilarReport]:
        """Return the evidence by partition."""
        return {
            partition: SimilarReport(
                lookups=count,
                served=0,
                explored=self._judged[partition, True] + self._judged[partition, False],
                judged_same=self._judged[partition, True],
                judged_other=self._judged[partition, False],
                wrong_of_all=None,
                wrong_of_served=None,
            )
            for partition, count in self._looked.items()
        }

    def dump(self) -> bytes:
        """Return the state: JSON, for `load`."""
        return json.dumps({"looked": self._looked}).encode()

    def load(self, data: bytes) -> None:
        """Take a state that `dump` returned, in place of this one.

        Raises:
            ValueError: It is none, or is damaged; the state is unchanged.
        """
        looked = json.loads(data)
        if not isinstance(looked, dict) or not isinstance(looked.get("looked"), dict):
            raise ValueError("no state of a decider")  # noqa: TRY004 - it is what is read that is wrong
        self._looked = Counter(looked["looked"])
