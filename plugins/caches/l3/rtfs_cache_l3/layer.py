"""The layer: what it learns (`memory`), what is near (`near`), and what people see of it (`BoundedCache`)."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_cache_l3.memory import experience_of, folded
from rtfs_framework.api import BoundedCache, CacheStats, Clock, Experience, ExperienceQuestion, Outcome, State

if TYPE_CHECKING:
    from rtfs_cache_l3.near import Texts


class ExperienceCache(BoundedCache):
    """At most `capacity` situations, each for `ttl` seconds after its latest outcome (None: until it makes room)."""

    def __init__(self, *, capacity: int, ttl: float | None, clock: Clock, decay: float = 0.998) -> None:
        super().__init__(capacity=capacity, ttl=ttl, clock=clock)
        self._most, self._lifetime, self._decay = capacity, ttl, decay
        self._texts: Texts | None = None
        self._found = self._nothing = 0
        self._looking = Lock()

    def initial(self) -> State:
        """Return nothing: nothing is known."""
        return {}

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return what is known after one more outcome."""
        return folded(state, outcome, capacity=self._most, ttl=self._lifetime, decay=self._decay)

    def read(self, cell: Any) -> Experience:
        """Return the experience that a cell holds.

        Raises:
            ValueError: It holds none.
        """
        return experience_of(cell)

    def nearest(self, known: Sequence[Experience], question: ExperienceQuestion) -> Sequence[Experience]:
        """Return the experiences nearest to a situation, the nearest first; what is not near at all is left out."""
        from rtfs_cache_l3.near import Texts, nearness

        with self._looking:
            if self._texts is None:
                self._texts = Texts()
            near = nearness(self._texts, known, question.situation, question.vector)
            order = sorted((n for n, each in enumerate(near) if each > 0.0), key=lambda n: (-near[n], n))
            found = [attrs.evolve(known[n], nearness=near[n]) for n in order[: question.most]]
            self._found, self._nothing = self._found + bool(found), self._nothing + (not found)
        return found

    def stats(self) -> CacheStats:
        """Return the counters. A situation for which something near was found is a hit."""
        made = super().stats()
        return attrs.evolve(made, hits=made.hits + self._found, misses=made.misses + self._nothing)
