"""Whose turn it is among the places that a provider asks: each in turn, those that do not serve last.

A place rests after it has refused to serve: as long as it asks for, else some seconds. Resting is no ban: where all
rest, all are asked. Whether a provider is asked at all is the host's own matter (its breakers).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from rtfs_framework.api import FailureKind, ProviderAuthError, ProviderError, ProviderUnavailable, RateLimited

_LIMITED, _UNAVAILABLE, _KEY = 1.0, 5.0, 60.0
"""Seconds of rest: after 429 without a word, without a connection, and with a key that is refused or used up."""
_LONGEST = 300.0


class Turns:
    """Orders places by their numbers; may be used from several threads."""

    def __init__(self, places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._next = count()
        self._rests_until = [0.0] * places

    def order(self) -> list[int]:
        """Return the places in the order in which the next call asks them."""
        first = next(self._next) % self._places if self._places > 1 else 0
        now = self._clock()
        turn = [(first + step) % self._places for step in range(self._places)]
        return sorted(turn, key=lambda place: max(self._rests_until[place] - now, 0.0))

    def rest(self, place: int, seconds: float) -> None:
        """Let a place rest."""
        self._rests_until[place] = self._clock() + min(seconds, _LONGEST)


def rest_after(error: ProviderError) -> float | None:
    """Return the rest after a failure by which a place surely did nothing, so that the next may be asked; else None."""
    if isinstance(error, RateLimited):
        return _LIMITED if error.retry_after is None else error.retry_after
    if isinstance(error, ProviderAuthError) or error.status == 429:
        return _KEY
    if isinstance(error, ProviderUnavailable) and error.failure is FailureKind.SAFE:
        return _UNAVAILABLE if error.retry_after is None else error.retry_after
    return None
