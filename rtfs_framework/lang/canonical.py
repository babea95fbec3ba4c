"""The canonical print: as `write`, but map entries and set members stand in the order of their printed keys."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.vectors import GrownVector, List

MOST = 10_000_000
"""Characters of a canonical print: a small value may share its parts many times over."""
DEEPEST = 200
"""Levels of nesting, as in JSON: what leaves the kernel is no deeper."""


def canonical_print(value: Any) -> str:
    """Return a text that is the same for equal values and different for unequal ones (functions aside).

    Raises:
        LimitError: more than `MOST` characters, or more than `DEEPEST` levels.
    """
    return _text(value, 0)


def _text(value: Any, depth: int) -> str:
    kind = value.__class__
    if kind is tuple or kind is GrownVector:
        return _joined("[", [_text(item, _deeper(depth)) for item in value], "]")
    if kind is List:
        return _joined("(", [_text(item, _deeper(depth)) for item in value], ")")
    if kind is Map:
        inner = _deeper(depth) if value else depth
        entries = sorted((_text(k, inner), _text(v, inner)) for k, v in value.items())
        return _joined("{", [part for entry in entries for part in entry], "}")
    if kind is Set:
        return _joined("#{", sorted(_text(item, _deeper(depth)) for item in value), "}")
    return write(value)


def _deeper(depth: int) -> int:
    if depth >= DEEPEST:
        raise LimitError("nesting", DEEPEST, f"a value nested deeper than {DEEPEST} levels")
    return depth + 1


def _joined(start: str, parts: list[str], end: str) -> str:
    made = f"{start}{' '.join(parts)}{end}"
    if len(made) > MOST:
        raise LimitError("items", MOST, f"Text of a value would have more than {MOST} characters")
    return made
