"""The last outcomes of a target: at most so many, none older than so long, counted as they come and go."""

from __future__ import annotations

from collections import deque

import attrs


@attrs.define(slots=True, eq=False)
class Window:
    """A sliding window over outcomes. Each is added and dropped once, so an outcome costs O(1)."""

    seconds: float
    calls: int
    failed: int = attrs.field(default=0, init=False)
    slow: int = attrs.field(default=0, init=False)
    _outcomes: deque[tuple[float, bool, bool]] = attrs.field(factory=deque, init=False)

    def __len__(self) -> int:
        return len(self._outcomes)

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """Count an outcome, and forget those that are too old or too many."""
        self._outcomes.append((now, failed, slow))
        self.failed += failed
        self.slow += slow
        while len(self._outcomes) > self.calls:
            self._forget()
        self.age(now)

    def age(self, now: float) -> None:
        """Forget what is too old."""
        outcomes, oldest = self._outcomes, now - self.seconds
        while outcomes and outcomes[0][0] <= oldest:
            self._forget()

    def clear(self) -> None:
        """Forget everything."""
        self._outcomes.clear()
        self.failed = self.slow = 0

    def _forget(self) -> None:
        _, failed, slow = self._outcomes.popleft()
        self.failed -= failed
        self.slow -= slow
