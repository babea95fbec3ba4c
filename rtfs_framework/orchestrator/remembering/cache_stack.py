"""The cache layers of a host, made from the catalog: which are on, their settings, and their statistics.

l1 (plans), l2 (replies) and l4 (compiled programs) are on when installed, unless `[caches.<name>] enabled = false` or
another layer of their level is configured; others when configured. A layer that breaks, or cannot be made, is reported
and left out, and tried again later (`safe_layer`): a cache can only ever save work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import attrs

from rtfs_framework.api.cache import CacheEntry, CacheLayer, CacheLevel, CacheSettings, CacheStats
from rtfs_framework.api.settings import variables_of
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.model import CacheSpec
from rtfs_framework.orchestrator.config.own import defaults_of
from rtfs_framework.orchestrator.remembering.bounded_calls import BoundedCalls
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.orchestrator.remembering.safe_layer import Report, SafeLayer
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import Provenance

ON_BY_DEFAULT = frozenset({"l1", "l2", "l4"})

PATIENCE = 5.0
"""Seconds for which a call waits for a layer, where nobody says."""

_OF_REPLIES = (CacheLevel.L2, CacheLevel.SIMILAR, CacheLevel.L3)

_OF_ALL = ("put", "invalidate", "scan", "clear", "stats", "close")
_METHODS = ("get", *_OF_ALL)
_OF_SIMILAR = ("scope", "ask", "judged", "right", "wrong", "report", *_OF_ALL)


@attrs.define(slots=True, eq=False)
class CacheStack:
    """The layers that are on, by name."""

    layers: Mapping[str, tuple[CacheEntry, SafeLayer]]

    def of_level(self, level: CacheLevel) -> SafeLayer | None:
        """Return the first layer of a level, None when none is on."""
        return next((layer for entry, layer in self.layers.values() if entry.level is level), None)

    def shared(self, name: str) -> bool:
        """Tell whether what a layer keeps leaves this machine."""
        return self.layers[name][0].shared

    @property
    def keeps_replies(self) -> bool:
        """Tell whether any layer keeps replies, or what comes from them."""
        return any(entry.level in _OF_REPLIES for entry, _ in self.layers.values())

    def stats(self) -> dict[str, CacheStats]:
        """Return the counters of every layer that works."""
        found = {name: layer.stats() for name, (_, layer) in self.layers.items()}
        return {name: stats for name, stats in found.items() if stats is not None}

    def close(self) -> None:
        """Close every layer."""
        for _, layer in self.layers.values():
            layer.close()


def build_stack(  # noqa: PLR0913 - each is a part of a host
    entries: Mapping[str, tuple[CacheEntry, Provenance]],
    specs: Mapping[str, CacheSpec],
    *,
    clock: Clock,
    ttl: float | None,
    directory: Callable[[], str | None],
    report: Report,
    back: Callable[[Part, float], None],
    keyring: Keyring,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> CacheStack:
    """Make the layers that are on; one that cannot be made is reported, left out, and tried again later."""
    made: dict[str, tuple[CacheEntry, SafeLayer]] = {}
    chosen = {entry.level for name, (entry, _) in entries.items() if name in specs and specs[name].enabled}
    for name, (entry, provenance) in entries.items():
        spec = specs.get(name)
        usual = name in ON_BY_DEFAULT and entry.level not in chosen
        if not (usual if spec is None else spec.enabled):
            continue
        part = Part("cache", name, provenance)
        settings = CacheSettings(
            clock=clock,
            ttl=spec.ttl if spec is not None and spec.ttl is not None else ttl,
            directory=directory() if entry.persistent else None,
            base=None if spec is None else spec.directory,
            seal=partial(keyring.seal, f"cache {entry.level.value} {name}"),
            report=partial(_tell, report, part),
        )
        make_one = partial(_made, part, entry, spec, settings, environ)
        said = None if spec is None else spec.patience
        calls = BoundedCalls() if said is not None or not entry.bounded else None
        safe = SafeLayer(part, None, report, clock, make_one, back, calls=calls, patience=said or PATIENCE)
        made[name] = entry, safe
        try:
            safe.layer = safe.made()
        except PluginFault as fault:
            safe.never_made(fault)
    return CacheStack(made)


def _made(
    part: Part, entry: CacheEntry, spec: CacheSpec | None, settings: CacheSettings, environ: Mapping[str, str]
) -> CacheLayer:
    """Make a layer.

    Raises:
        PluginFault: It cannot be made.
    """
    own = spec.own if spec is not None else ask(part, "its settings", defaults_of, entry.settings)
    settings = attrs.evolve(settings, own=own, environ=_named(own, environ))
    methods = _OF_SIMILAR if entry.level is CacheLevel.SIMILAR else _METHODS
    return cast("CacheLayer", make(part, entry.factory, settings, methods=methods))


def _named(own: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a layer's settings name."""
    fields = attrs.fields(type(own)) if attrs.has(type(own)) else ()
    names = {name for each in fields if each.name.endswith("_env") for name in variables_of(getattr(own, each.name))}
    return {name: environ[name] for name in names if name in environ}


def _tell(report: Report, part: Part, wrong: str) -> None:
    report(part, wrong, "what it keeps", "it was not served")
