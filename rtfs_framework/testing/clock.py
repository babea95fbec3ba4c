"""A clock that stands still until it is told to move."""

from __future__ import annotations


class FakeClock:
    """A `Clock` for tests. `advance` moves both hands; setting `wall` moves that one alone, as operators may."""

    def __init__(self, wall: float = 1_700_000_000.0, steady: float = 0.0) -> None:
        self.wall = wall
        self.steady = steady

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.wall

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.steady

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: `seconds` is negative; only `wall` may be set back.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back ({seconds} s)")
        self.wall += seconds
        self.steady += seconds
