"""How much a grammar lets a model write where the schema sets no limit."""

from __future__ import annotations

import attrs


@attrs.frozen(slots=True, kw_only=True)
class Bounds:
    """Limits for what a schema leaves open. A schema that demands more gets what it demands, up to the `most_*`."""

    characters: int = 1000
    """Characters of a text that may be anything."""
    loops: int = 64
    """Characters of a name, and of each repeated part of a pattern."""
    items: int = 48
    """Items of an array, members of an open object."""
    depth: int = 8
    """Levels of a recursive type, and of a value that may be anything."""
    digits: int = 15
    """Digits of a number: so many are exact in every JSON reader."""
    most_rules: int = 6000
    """Rules of one grammar: what needs more is refused."""
    most_alternatives: int = 256
    """Alternatives into which unions within conjunctions may unfold."""
