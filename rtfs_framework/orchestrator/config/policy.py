"""The policy hash: a digest of all that decisions rest on, so that plans of another policy are unreachable."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from rtfs_framework.api.targets import show_target
from rtfs_framework.orchestrator.config.model import Config
from rtfs_framework.orchestrator.journal.chain import canonical_json
from rtfs_framework.orchestrator.providers import ProviderPool


def policy_hash(config: Config, pool: ProviderPool, engine: str) -> str:
    """Return the SHA-256 (hex) over routes, default, engine, security rules, providers and whether they can be used.

    `engine` names the engine with its distribution's version. Prices count, for engines may weigh them; nothing of the
    environment but whether a provider can be used does.
    """
    rules = config.security
    parts: dict[str, Any] = {
        "default": show_target(config.default_target),
        "engine": engine,
        "routes": [[pattern, [show_target(t) for t in targets]] for pattern, targets in config.routes.items()],
        "security": [rules.level.value, rules.reach.value, rules.grant, rules.deny],
        "providers": sorted(
            [show_target(spec.target), spec.plugin, spec.model, spec.input_cost, spec.output_cost, _plain(spec.table),
             pool.unusable(spec.target) is None]
            for spec in config.providers
        ),
        "tables": _plain(config.tables),
    }  # fmt: skip
    return sha256(canonical_json(parts).encode()).hexdigest()


def _plain(value: Any) -> str:
    """Return TOML data as one text; dates and times print as themselves."""
    import json

    return json.dumps(value, sort_keys=True, default=str)
