"""The policy hash: a digest of all that decisions rest on, so that plans of another policy are unreachable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Symbol
from rtfs_framework.orchestrator.config.model import Config
from rtfs_framework.orchestrator.deciding.precedence import Targets


def policy_hash(config: Config, targets: Targets, engine: str) -> str:
    """Return the SHA-256 (hex) over routes, default, engine, security rules, providers and whether they can be used.

    `engine` names the engine with its distribution's version. Prices count, for engines may weigh them; nothing of the
    environment but whether a provider can be used does.
    """
    rules = config.security
    parts = {
        "default": show_target(config.default_target),
        "engine": engine,
        "routes": [[pattern, [show_target(t) for t in targets]] for pattern, targets in config.routes.items()],
        "security": [rules.level.value, rules.reach.value, rules.grant, rules.deny],
        "providers": [
            [show_target(spec.target), spec.plugin, spec.model, spec.input_cost, spec.output_cost, spec.table,
             targets.unusable(spec.target) is None]
            for spec in sorted(config.providers, key=lambda spec: show_target(spec.target))
        ],
        "tables": config.tables,
    }  # fmt: skip
    return digest(_value(parts))


def _value(data: Any) -> Any:
    """Return TOML data as a value. Dates and times are of a kind that nothing else in it is."""
    if isinstance(data, Mapping):
        return Map.of((_value(key), _value(item)) for key, item in data.items())
    if isinstance(data, list | tuple | set | frozenset):
        items = sorted(data) if isinstance(data, set | frozenset) else data
        return tuple(map(_value, items))
    for kind in (bool, int, float, str):
        if isinstance(data, kind):
            return kind(data)
    return None if data is None else Symbol(f"{type(data).__name__} {data}")
