"""The policy hash: a digest of all that decisions rest on, so that plans of another policy are unreachable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtfs_framework.api.targets import show_target
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Symbol
from rtfs_framework.orchestrator.config.model import Config, EmbedderSpec, ProviderSpec
from rtfs_framework.orchestrator.deciding.engines import Engine
from rtfs_framework.orchestrator.deciding.precedence import Targets
from rtfs_framework.registry.faults import PluginFault, ask


def policy_hash(config: Config, targets: Targets, engine: Engine | None, trust: str = "") -> str:
    """Return the SHA-256 (hex) over routes, default, engine, rules, tenant, providers and whether they can be used.

    Every engine counts with its distribution's version and its `fingerprint()`, if any. Prices count, for engines
    may weigh them; nothing of the environment but whether a provider can be used does. `trust` is the digest of the
    keys whose published programs may run.
    """
    signed = config.security.signed
    held = {} if signed is None else {"manifest": signed.policy()}
    return digest(_value({**_parts(config, targets, engine, trust), **held}))


def policy_parts(config: Config, targets: Targets, engine: Engine | None, trust: str = "") -> dict[str, str]:
    """Return a digest for each part of the policy, by its name, so that one can say which has changed."""
    parts = dict(_parts(config, targets, engine, trust))
    parts.update({f"[{name}]": table for name, table in parts.pop("tables").items()})
    return {name: digest(_value(part))[:16] for name, part in parts.items()}


def _parts(config: Config, targets: Targets, engine: Engine | None, trust: str) -> dict[str, Any]:
    return {
        "default": show_target(config.default_target),
        "engines": [] if engine is None else [_engine(each) for each in engine.all()],
        "routes": [[pattern, [show_target(t) for t in targets]] for pattern, targets in config.routes.items()],
        "security": _rules(config),
        "providers": [
            [show_target(spec.target), spec.plugin, spec.model, spec.table, _prices(spec),
             targets.unusable(spec.target) is None]
            for spec in sorted(config.providers, key=lambda spec: show_target(spec.target))
        ],
        "tables": {name: _deciding(name, table) for name, table in config.tables.items()},
        "tenant": config.tenant,
        **({} if config.found is None else {"found": show_target(config.found.target)}),
        **({"guards": [[spec.name, spec.version] for spec in config.guards]} if config.guards else {}),
        **({"redaction": {name: spec.fingerprint for name, spec in config.redaction.items() if spec.fingerprint}}
           if config.redaction else {}),
        **({"trusted keys": trust} if trust else {}),
        **({} if config.embedder is None else {"embedder": _embedders(config.embedder)}),
    }  # fmt: skip


def _embedders(spec: EmbedderSpec) -> list[Any]:
    """Return an embedder and those behind it; their own keys are among the tables."""
    after = [] if spec.then is None else [spec.floor, *_embedders(spec.then)]
    return [spec.name, spec.version, *after]


def _deciding(name: str, table: Any) -> Any:
    """Return what of a table decisions may rest on: not how much is done at once, nor the name of a plan."""
    if name != "delegation" or not isinstance(table, Mapping):
        return table
    return {key: value for key, value in table.items() if key not in ("parallel", "concurrency", "plan", "shadow")}


def runtime_context_hash(config: Config) -> str:
    """Return the SHA-256 (hex) over the rules under which programs run, and for whom."""
    around = config.surroundings
    said = [around.agent, around.environment, around.constraints]
    return digest(_value(_rules(config) + (said if any(said) else [])))


def _rules(config: Config) -> list[Any]:
    rules = config.security
    said: list[Any] = [rules.level.value, rules.reach.value, rules.grant, rules.deny, config.tenant]
    return said if not rules.acl else [*said, rules.acl]


def _prices(spec: ProviderSpec) -> list[Any]:
    steps = [[step.above, step.input, step.output, step.cached] for step in spec.price_steps]
    costs = [spec.input_cost, spec.output_cost, spec.cached_cost, spec.request_cost]
    return [*costs, steps, spec.context_window]


def _engine(engine: Engine) -> list[str]:
    """Return what tells an engine from another version of it.

    Raises:
        PluginFault: It could not be asked.
    """
    own = ask(engine.part, "`fingerprint`", getattr, engine.engine, "fingerprint", None)
    found = ask(engine.part, "`fingerprint`", own) if callable(own) else ""
    if not isinstance(found, str):
        raise PluginFault(engine.part, "`fingerprint`", f"returned a {type(found).__name__}, which is no text")
    return [engine.name, str(engine.part.provenance), found]


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
