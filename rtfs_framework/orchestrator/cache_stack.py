"""The cache layers of a host, made from the catalog: which are on, their settings, and their statistics.

l1 (plans), l2 (replies) and l4 (compiled programs) are on when installed, unless `[caches.<name>] enabled = false`;
others when configured. A layer that breaks is reported once and left out: a cache can only ever save work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from rtfs_framework.api.cache import (
    CacheEntry,
    CacheKey,
    CacheLayer,
    CacheLevel,
    CacheRecord,
    CacheSettings,
    CacheStats,
)
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.model import CacheSpec
from rtfs_framework.orchestrator.config.own import defaults_of

ON_BY_DEFAULT = frozenset({"l1", "l2", "l4"})

Report = Callable[[str, Exception], None]


@attrs.define(slots=True, eq=False)
class SafeLayer:
    """A layer whose failures are misses: the first is reported, and the layer is not asked again."""

    name: str
    layer: CacheLayer | None
    report: Report

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        found: CacheRecord | None = self._safely(lambda layer: layer.get(key))
        return found

    def put(self, key: CacheKey, value: Any, ttl: float | None = None) -> None:
        """Store a value."""
        self._safely(lambda layer: layer.put(key, value, ttl))

    def clear(self) -> None:
        """Forget everything."""
        self._safely(lambda layer: layer.clear())

    def stats(self) -> CacheStats | None:
        """Return the counters, None when the layer broke."""
        found: CacheStats | None = self._safely(lambda layer: layer.stats())
        return found

    def close(self) -> None:
        """Release files."""
        self._safely(lambda layer: layer.close())
        self.layer = None

    def _safely(self, use: Callable[[CacheLayer], Any]) -> Any:
        if self.layer is None:
            return None
        try:
            return use(self.layer)
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            self.layer = None
            self.report(f"cache '{self.name}'", error)
            return None


@attrs.define(slots=True, eq=False)
class CacheStack:
    """The layers that are on, by name."""

    layers: Mapping[str, tuple[CacheEntry, SafeLayer]]

    def of_level(self, level: CacheLevel) -> SafeLayer | None:
        """Return the first layer of a level, None when none is on."""
        return next((layer for entry, layer in self.layers.values() if entry.level is level), None)

    def plans(self) -> CacheLayer | None:
        """Return the bare layer of plans; the delegator handles its failures itself, on its hot path."""
        found = self.of_level(CacheLevel.L1)
        return None if found is None else found.layer

    def stats(self) -> dict[str, CacheStats]:
        """Return the counters of every layer that works."""
        found = {name: layer.stats() for name, (_, layer) in self.layers.items()}
        return {name: stats for name, stats in found.items() if stats is not None}

    def close(self) -> None:
        """Close every layer."""
        for _, layer in self.layers.values():
            layer.close()


def build_stack(
    entries: Iterable[CacheEntry],
    specs: Mapping[str, CacheSpec],
    clock: Clock,
    ttl: float | None,
    directory: Callable[[], str | None],
    report: Report,
) -> CacheStack:
    """Make the layers that are on; one that cannot be made is reported and left out."""
    made: dict[str, tuple[CacheEntry, SafeLayer]] = {}
    for entry in entries:
        spec = specs.get(entry.name)
        if not (entry.name in ON_BY_DEFAULT if spec is None else spec.enabled):
            continue
        place = directory() if entry.persistent else None
        lifetime = spec.ttl if spec is not None and spec.ttl is not None else ttl
        try:
            own = spec.own if spec is not None else defaults_of(entry.settings)
            layer = entry.factory(CacheSettings(clock=clock, ttl=lifetime, own=own, directory=place))
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            report(f"cache '{entry.name}'", error)
            continue
        made[entry.name] = (entry, SafeLayer(entry.name, layer, report))
    return CacheStack(made)
