"""The cache layers of a host, made from the catalog: which are on, their settings, and their statistics.

l1 (plans), l2 (replies) and l4 (compiled programs) are on when installed, unless `[caches.<name>] enabled = false` or
another layer of their level is configured; others when configured. A layer that breaks is reported once and left out: a
cache can only ever save work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar, cast

import attrs

from rtfs_framework.api.cache import (
    NO_INFO,
    CacheEntry,
    CacheInfo,
    CacheItem,
    CacheKey,
    CacheLayer,
    CacheLevel,
    CacheRecord,
    CacheSettings,
    CacheStats,
    Claim,
)
from rtfs_framework.api.settings import variables_of
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.model import CacheSpec
from rtfs_framework.orchestrator.config.own import defaults_of
from rtfs_framework.orchestrator.remembering.keyring import Keyring
from rtfs_framework.registry.faults import Part, PluginFault, ask, make
from rtfs_framework.registry.problems import Provenance

ON_BY_DEFAULT = frozenset({"l1", "l2", "l4"})

_OF_REPLIES = (CacheLevel.L2, CacheLevel.SIMILAR, CacheLevel.L3)

Report = Callable[[Part, "BaseException | str", str, str], None]

_LEFT_OUT = "nothing is served from it or kept in it any more"
_OF_ALL = ("put", "invalidate", "scan", "clear", "stats", "close")
_METHODS = ("get", *_OF_ALL)
_OF_SIMILAR = ("scope", "ask", "judged", "right", "wrong", "report", *_OF_ALL)

_T = TypeVar("_T")


class _Unshared:
    """The right to make a value that nobody else asks for."""

    def release(self) -> None:
        """Do nothing."""


UNSHARED = _Unshared()


@attrs.frozen(slots=True, eq=False)
class _SafeClaim:
    """A right that a layer gave."""

    layer: SafeLayer
    claim: Claim

    def release(self) -> None:
        """Give it back."""
        self.layer.give_back(self.claim)


@attrs.define(slots=True, eq=False)
class SafeLayer:
    """A layer whose failures are misses: the first is reported, and the layer is not asked again."""

    part: Part
    layer: CacheLayer | None
    report: Report

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.part.name

    @property
    def broken(self) -> bool:
        """Tell whether it is asked no more."""
        return self.layer is None

    def get(self, key: CacheKey) -> CacheRecord | None:
        """Return the live record of a key, or None."""
        layer = self.layer
        if layer is None:
            return None
        try:
            found: Any = ask(self.part, "`get`", layer.get, key)
        except PluginFault as fault:
            self.blame("`get`", fault)
            return None
        if found is None or isinstance(found, CacheRecord):
            return found
        self.blame("`get`", f"returned a {type(found).__name__}, which is no CacheRecord")
        return None

    def put(self, key: CacheKey, value: Any, ttl: float | None = None, info: CacheInfo = NO_INFO) -> None:
        """Store a value."""
        self._safely("`put`", lambda layer: layer.put(key, value, ttl, info))

    def scan(self) -> list[CacheItem]:
        """Return the live records."""
        return self._safely("`scan`", lambda layer: list(layer.scan())) or []

    def invalidate(self, key: CacheKey) -> None:
        """Forget what is kept under a key: it is not what was put there, or of no use."""
        self._safely("`invalidate`", lambda layer: layer.invalidate(key))

    def clear(self) -> None:
        """Forget everything."""
        self._safely("`clear`", lambda layer: layer.clear())

    def claim(self, key: CacheKey, lease: float) -> Claim | None:
        """Take the right to make a value, among all who share the layer; None while another has it.

        A layer that is not shared, or is broken, gives it to everybody.
        """
        claim = getattr(self.layer, "claim", None)
        if claim is None:
            return UNSHARED
        taken: list[Claim | None] = []
        self._safely("`claim`", lambda _: taken.append(claim(key, lease)))
        found = taken[0] if taken else UNSHARED
        return None if found is None else _SafeClaim(self, found)

    def give_back(self, claim: Claim) -> None:
        """Give a right back."""
        self._safely("`release`", lambda _: claim.release())

    def stats(self) -> CacheStats | None:
        """Return the counters, None when the layer broke."""
        found: object = self._safely("`stats`", lambda layer: layer.stats())
        if found is None or isinstance(found, CacheStats):
            return found
        self.blame("`stats`", f"returned a {type(found).__name__}, which is no CacheStats")
        return None

    def close(self) -> None:
        """Release files."""
        self._safely("`close`", lambda layer: layer.close())
        self.layer = None

    def use(self, doing: str, use: Callable[[CacheLayer], Any]) -> Any:
        """Return what some code that uses the layer returns; None where the layer breaks or broke."""
        return self._safely(doing, use)

    def blame(self, doing: str, wrong: BaseException | str) -> None:
        """Report the layer and ask it no more."""
        self.layer = None
        self.report(self.part, wrong, doing, _LEFT_OUT)

    def _safely(self, doing: str, use: Callable[[CacheLayer], _T]) -> _T | None:
        layer = self.layer
        if layer is None:
            return None
        try:
            return ask(self.part, doing, use, layer)
        except PluginFault as fault:
            self.blame(doing, fault)
            return None


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


def build_stack(
    entries: Mapping[str, tuple[CacheEntry, Provenance]],
    specs: Mapping[str, CacheSpec],
    *,
    clock: Clock,
    ttl: float | None,
    directory: Callable[[], str | None],
    report: Report,
    keyring: Keyring,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> CacheStack:
    """Make the layers that are on; one that cannot be made is reported and left out."""
    made: dict[str, tuple[CacheEntry, SafeLayer]] = {}
    chosen = {entry.level for name, (entry, _) in entries.items() if name in specs and specs[name].enabled}
    for name, (entry, provenance) in entries.items():
        spec = specs.get(name)
        usual = name in ON_BY_DEFAULT and entry.level not in chosen
        if not (usual if spec is None else spec.enabled):
            continue
        part = Part("cache", name, provenance)
        place = directory() if entry.persistent else None
        lifetime = spec.ttl if spec is not None and spec.ttl is not None else ttl
        try:
            own = spec.own if spec is not None else ask(part, "its settings", defaults_of, entry.settings)
            settings = CacheSettings(
                clock=clock,
                ttl=lifetime,
                own=own,
                directory=place,
                seal=partial(keyring.seal, f"cache {entry.level.value} {name}"),
                report=partial(_tell, report, part),
                environ=_named(own, environ),
            )
            methods = _OF_SIMILAR if entry.level is CacheLevel.SIMILAR else _METHODS
            layer = make(part, entry.factory, settings, methods=methods)
        except PluginFault as fault:
            report(part, fault, "", "nothing is remembered by it")
            continue
        made[name] = (entry, SafeLayer(part, cast("CacheLayer", layer), report))
    return CacheStack(made)


def _named(own: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a layer's settings name."""
    fields = attrs.fields(type(own)) if attrs.has(type(own)) else ()
    names = {name for each in fields if each.name.endswith("_env") for name in variables_of(getattr(own, each.name))}
    return {name: environ[name] for name in names if name in environ}


def _tell(report: Report, part: Part, wrong: str) -> None:
    report(part, wrong, "what it keeps", "it was not served")
