"""The canonical print: as `write`, but map entries and set members stand in the order of their printed keys."""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import GrownVector, List


def canonical_print(value: Any) -> str:
    """Return a text that is the same for equal values and different for unequal ones (functions aside).

    Raises:
        RecursionError: never for values that a program can build under the default nesting limit.
    """
    kind = value.__class__
    if kind is tuple or kind is GrownVector:
        return f"[{' '.join(map(canonical_print, value))}]"
    if kind is List:
        return f"({' '.join(map(canonical_print, value))})"
    if kind is Map:
        entries = sorted((canonical_print(k), canonical_print(v)) for k, v in value.items())
        return "{" + " ".join(f"{k} {v}" for k, v in entries) + "}"
    if kind is Set:
        return "#{" + " ".join(sorted(map(canonical_print, value))) + "}"
    return write(value)
