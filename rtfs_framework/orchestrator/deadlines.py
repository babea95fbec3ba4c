"""How long a call may take: the host's bound, shortened by the program's `runtime.learning.timeout` hint."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword

_HINT = "runtime.learning.timeout"
_FIELDS = ("absolute-ms", "timeout-ms")


def seconds_for(bound: float, hints: Map) -> float:
    """Return the deadline of one call in seconds. A hint only ever shortens it: waiting is the host's to grant."""
    if not len(hints):
        return bound
    hint = _get(hints, _HINT)
    if not isinstance(hint, Map):
        return bound
    for name in _FIELDS:
        wanted = _get(hint, name)
        if isinstance(wanted, int | float) and not isinstance(wanted, bool) and wanted > 0:
            return min(bound, wanted / 1000)
    return bound


def _get(table: Map, name: str) -> Any:
    found = table.get(Keyword(name))
    return table.get(name) if found is None else found
