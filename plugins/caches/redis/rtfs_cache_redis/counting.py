"""The counters of one node."""

from __future__ import annotations

from threading import Lock

from rtfs_framework.api import CacheStats

_NAMES = ("hits", "misses", "puts", "evictions", "expiries", "invalidations", "errors")


class Counts:
    """Counts since the layer was made; any thread may add."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_NAMES, 0)
        self._lock = Lock()

    def add(self, **more: int) -> None:
        """Add to counters, by name."""
        with self._lock:
            for name, value in more.items():
                self._counts[name] += int(value)

    def stats(self, *, size: int, capacity: int, away: bool = False) -> CacheStats:
        """Return the counters beside what the layer says of its size."""
        with self._lock:
            return CacheStats(size=size, capacity=capacity, away=away, **self._counts)
