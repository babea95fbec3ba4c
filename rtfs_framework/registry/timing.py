"""How long plugins take to start: each one's import and hooks, the first time that this process loads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import perf_counter
from types import MappingProxyType

import attrs

from rtfs_framework.registry.problems import Provenance

now = perf_counter


@attrs.frozen(slots=True)
class Timing:
    """Seconds that a plugin took."""

    imported: float
    hooks: float


_FIRST: dict[Provenance, Timing] = {}


def note(provenance: Provenance, started: float, imported: float, ended: float) -> None:
    """Keep how long a plugin took, if it is met for the first time: later its module is there already."""
    _FIRST.setdefault(provenance, Timing(imported - started, ended - imported))


def timings(plugins: Iterable[Provenance]) -> Mapping[Provenance, Timing]:
    """Return what is known of plugins."""
    return MappingProxyType({each: _FIRST[each] for each in plugins if each in _FIRST})
