"""A cache layer that is out: since when, when it is tried again, and what it has missed meanwhile."""

from __future__ import annotations

import attrs

from rtfs_framework.api.cache import CacheKey, CacheLayer

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Seconds for which a layer that broke is not asked: at first, and at most."""

_MOST_MISSED = 4_096
"""Invalidations that are held for a layer that is out; with more, all that it holds is dropped."""


@attrs.define(slots=True, eq=False)
class Outage:
    """A layer that is out, and what it has missed meanwhile."""

    layer: CacheLayer | None
    """The one that broke; None where none could be made."""
    began: float
    wait: float
    due: float
    """When it is tried again, by the steady clock."""
    trying: bool = False
    missed: dict[tuple[str, str], CacheKey] = attrs.field(factory=dict)
    missed_all: bool = False

    def begin(self) -> bool:
        """Begin to try it; tell whether nobody else does."""
        begun, self.trying = not self.trying, True
        return begun

    def miss(self, key: CacheKey | None) -> None:
        """Note that a key must be taken out; None for all."""
        if key is None or len(self.missed) >= _MOST_MISSED:
            self.missed_all = True
            self.missed.clear()
        elif not self.missed_all:
            self.missed[key.namespace, key.digest] = key
