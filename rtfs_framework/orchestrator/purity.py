"""Whether a value is plain data: only then does its canonical print say all of it, so only then may a key rest on it.

Functions print alike whatever they do, and an error's print leaves out its kind and data.
"""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import GrownVector, Keyword, List, Resource, Symbol, Timestamp, Uuid

_ATOMS = frozenset({type(None), bool, int, float, str, Keyword, Symbol, Timestamp, Uuid, Resource})
_SEQUENCES = frozenset({tuple, List, GrownVector, Set})


def is_plain(value: Any) -> bool:
    """Tell whether a value is data through and through. Iterative: nesting cannot exhaust the stack."""
    if value.__class__ in _ATOMS:
        return True
    todo = [value]
    while todo:
        item = todo.pop()
        kind = item.__class__
        if kind in _ATOMS:
            continue
        if kind in _SEQUENCES:
            todo.extend(item)
        elif kind is Map:
            for key, inner in item.items():
                todo += (key, inner)
        else:
            return False
    return True
