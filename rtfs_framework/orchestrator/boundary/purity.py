"""Whether a value is plain data: only then does its digest say all of it, so only then may a key rest on it.

Functions have one digest whatever they do, and an error's leaves out its data.
"""

from __future__ import annotations

from typing import Any

from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import GrownVector, List

ATOMS = frozenset({type(None), bool, int, float, str, Keyword, Symbol, Timestamp, Uuid, Resource})
UNTAGGED = ATOMS - {Timestamp, Uuid, Resource}
"""Those that are values whatever they hold: the text of the others may be none."""
_SEQUENCES = frozenset({tuple, List, GrownVector, Set})


def is_plain(value: Any, atoms: frozenset[type] = ATOMS) -> bool:
    """Tell whether a value is data through and through: collections, and `atoms` in them.

    Iterative, so that nesting cannot exhaust the stack; parts that are shared are looked at once.
    """
    if value.__class__ in atoms:
        return True
    todo = [value]
    seen: set[int] = set()
    while todo:
        item = todo.pop()
        kind = item.__class__
        if kind in atoms:
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        if kind in _SEQUENCES:
            todo.extend(item)
        elif kind is Map:
            for entry in item.items():
                todo += entry
        else:
            return False
    return True
