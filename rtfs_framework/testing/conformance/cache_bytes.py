"""That a cache layer is bounded in bytes, as the suite checks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtfs_framework.api import CacheLayer, CacheSettings
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.conformance.base import check
from rtfs_framework.testing.fakes import cache_key

Make = Callable[[CacheSettings, int, int], "CacheLayer | None"]
_MOST = 10_000


def check_bytes(make: Make, large: Callable[[int, int], Any]) -> None:
    """Fail when a layer ever holds more bytes, or more records, than it may; nothing, where none is made."""
    for capacity in (100, 3):
        layer = make(CacheSettings(clock=FakeClock()), capacity, _MOST)
        if layer is None:
            return
        most = 0
        for i in range(40):
            layer.put(cache_key(i % 11), large(i, 700 * (i % 7)))
            stats = layer.stats()
            most = max(most, stats.size_bytes)
            check(stats.size_bytes <= _MOST, f"{stats.size_bytes} bytes in a layer for {_MOST}")
            check(stats.size <= capacity, f"{stats.size} records in a layer for {capacity}")
            check(stats.size_bytes > 0, "a layer that is bounded in bytes does not count them")
        said = layer.stats().capacity_bytes
        check(said == _MOST, f"a layer for {_MOST} bytes says {said}")
        check(most > _MOST // 4, f"a layer for {_MOST} bytes never held more than {most}")
        layer.close()


def check_too_large(make: Make, value: Callable[[int], Any], large: Callable[[int, int], Any]) -> None:
    """Fail when a value that is larger than the layer is kept, pushes others out, or leaves the one before it."""
    layer = make(CacheSettings(clock=FakeClock()), 10, _MOST)
    if layer is None:
        return
    for i in (1, 2):
        layer.put(cache_key(i), value(i))
    layer.put(cache_key(1), large(1, 6 * _MOST))
    found, other = layer.get(cache_key(1)), layer.get(cache_key(2))
    check(found is None, f"a value larger than the layer was put; got {found!r:.80}")
    check(other is not None and other.value == value(2), "what is too large to be kept has pushed out another record")
    counted = layer.stats().puts, layer.stats().evictions
    check(counted == (3, 1), f"3 puts, of which the last went at once: puts and evictions are {counted}, not (3, 1)")
    layer.close()
