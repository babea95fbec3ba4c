"""Flags and settings: `--force`, `-x`, `KEY=value`. Both texts must have the same, letter by letter."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_FLAGS = re.compile(r"(?<![\w-])-{1,2}[A-Za-z][\w-]*(?:[= ]?\d+)?|(?<!\w)/[A-Za-z?]\b|\b\w+=\S+|(?<!\w)\+[a-z]\b")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the flags differ."""
    return differing("flags", flags(first), flags(second))


@of_text
def flags(text: Seen) -> tuple[str, ...]:
    """Return the flags of a text as they are written, sorted."""
    if text.signs.isdisjoint("-/=+"):
        return ()
    return tuple(sorted(hit.group(0).rstrip(".,;:!?)") for hit in _FLAGS.finditer(text.text)))
