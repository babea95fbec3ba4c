"""Walking nested values without recursion: collections from the outside in, results from the inside out."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable, Iterator
from rtfs_framework.lang.errors import LimitError, type_error
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.meter import charge, watched
from rtfs_framework.lang.vectors import GrownVector, List

MAX_LEVELS = 100_000
"""Levels of nesting that a walk may go down to (a function that keeps adding levels would never end)."""
MOST_VISITED = 2_000_000
"""Parts of one value that a walk meets: a small value may share its parts many times over."""

_SEQUENCES = frozenset({tuple, GrownVector, List, Set})
_BLOCK = 1_024
_END = object()


def children(value: Any) -> Any:
    """Return what a collection holds (a map its [key value] pairs), None for anything else."""
    kind = value.__class__
    if kind in _SEQUENCES:
        charge(len(value))
        return value
    return value.items() if kind is Map else None


def rebuilt(op: str, source: Any, parts: list[Any]) -> Any:
    """Return a collection of the kind of `source` with other parts; a map's parts must be pairs."""
    kind = source.__class__
    if kind is Map:
        return Map.of([_pair(op, part) for part in watched(parts)])
    if kind is Set:
        return Set.of(parts)
    return List(parts) if kind is List else tuple(parts)


def _pair(op: str, part: Any) -> tuple[Any, Any]:
    if part.__class__ in (tuple, GrownVector) and len(part) == 2:
        return part[0], part[1]
    raise type_error(op, "[key value] pair", part)


def fold(op: str, value: Any, before: Callable[[Any], Any], after: Callable[[Any, list[Any] | None], Any]) -> Any:
    """Return what `after(node, results of its children)` makes of a value; `before` may replace each node first.

    Raises:
        LimitError: nesting beyond MAX_LEVELS, or more than MOST_VISITED parts (shared ones count each time).
    """
    open_: list[tuple[Any, Iterator[Any], list[Any]]] = []
    node = before(value)
    visited = 0
    while True:
        visited += 1
        if not visited % _BLOCK:
            charge(_BLOCK)
        if visited > MOST_VISITED:
            raise LimitError("items", MOST_VISITED, f"{op} met more than {MOST_VISITED} parts")
        inside = children(node)
        if inside is not None:
            open_.append((node, iter(inside), []))
            if len(open_) > MAX_LEVELS:
                raise LimitError("nesting", MAX_LEVELS, f"{op} went more than {MAX_LEVELS} levels down")
        result = after(node, None) if inside is None else _END
        while open_:
            source, rest, results = open_[-1]
            if result is not _END:
                results.append(result)
            following = next(rest, _END)
            if following is not _END:
                node = before(following)
                break
            open_.pop()
            result = after(source, results)
        else:
            return result
