"""What each key of a configuration that nobody trusts yet may still say: less than without it, or a choice of targets.

One table, `STANDING`. A key of the model that is not in it is refused by a test, and counts as one that widens; a
plugin's own keys do, too, unless the plugin declares them harmless (`api.settings`). A rule sees a value as it was
written and as it was understood, and the configuration without the file; it returns what is left of the value, or
`WIDENS` when it asks for more than there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import attrs

from rtfs_framework.api.cache import CacheLevel
from rtfs_framework.orchestrator.config.budgets import SCOPES, BudgetSpec, RateSpec
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.isolation import stricter
from rtfs_framework.orchestrator.config.model import DEFAULT_PARALLEL, DEFAULT_TIMEOUT, MANY, Config, ProviderSpec
from rtfs_framework.orchestrator.config.security import PRESETS, Reach, SecurityLevel
from rtfs_framework.orchestrator.config.standing_labels import (
    WIDENS,
    of_accepts,
    of_forbidden,
    of_marks,
    of_model_accepts,
    of_model_marks,
    of_source,
    of_trust,
)
from rtfs_framework.orchestrator.config.tables.agents import McpTable, WriteTable
from rtfs_framework.orchestrator.config.tables.health import HealthTable
from rtfs_framework.orchestrator.config.tables.hints import HintsTable
from rtfs_framework.orchestrator.config.tables.queue import QueueTable
from rtfs_framework.orchestrator.config.tables.serve import ServeTable

_LEVELS = (SecurityLevel.PURE, SecurityLevel.CONTROLLED, SecurityLevel.FULL)
_MADE_HERE = frozenset({CacheLevel.L1, CacheLevel.L4})
_KEPT = ("off", "deterministic", "any")
_REACHES = (Reach.PURE, Reach.LOCAL, Reach.REMOTE)


@attrs.frozen(slots=True, kw_only=True)
class Said:
    """One value of the file, and what stands without it."""

    key: str
    raw: Any
    value: Any
    below: Config
    spec: ProviderSpec | None = None
    """In a provider's table: the provider without the file, None when it is new."""
    level: CacheLevel | None = None
    """In a cache's table: what it remembers, None when no such cache is installed."""
    counted: BudgetSpec | RateSpec | None = None
    """In the table of a budget or rate: what it is without the file, None when it is new."""


Rule = Callable[[Said], Any]

USUAL_ATTEMPTS = 3
"""What a file that nobody trusts may say at most where its user says nothing."""


def widens(_: Said) -> Any:
    """Nothing that it could say is less; what it says is ignored unless it stands already."""
    return WIDENS


def _at_most(most: float | None, said: Said) -> Any:
    """Keep a number that is no larger; without a bound every number is less, and "off" is no bound."""
    if said.value is None or said.value == "off":
        return said.raw if most is None else WIDENS
    return said.raw if most is None or said.value <= most else WIDENS


def _cache_ttl(said: Said) -> Any:
    return _at_most(said.below.cache_ttl, said)


def _concurrency(said: Said) -> Any:
    return _at_most(MANY if said.below.concurrency is None else said.below.concurrency, said)


def _parallel(said: Said) -> Any:
    return _at_most(said.below.parallel, said)


def _attempts(said: Said) -> Any:
    return _at_most(said.below.attempts.most or USUAL_ATTEMPTS, said)


def _on_exhausted(said: Said) -> Any:
    """Keep "error": it gives no answer where there would be one, and sends nothing anywhere."""
    return said.raw if said.value in ("error", said.below.attempts.on_exhausted) else WIDENS


def _quality_floor(said: Said) -> Any:
    return said.raw if said.value >= said.below.attempts.quality_floor else WIDENS


def _approval(said: Said) -> Any:
    return _at_most(said.below.approval_seconds, said)


def _less_warm(said: Said) -> Any:
    return _at_most(getattr(said.below.warming, said.key), said)


def _hint(said: Said) -> Any:
    """Keep what lets hints ask for less."""
    least = getattr(said.below.hints, said.key)
    if said.key == "cache":
        return said.raw if _KEPT.index(said.value) <= _KEPT.index(least) else WIDENS
    return _at_most(least, said)


def _limit(said: Said) -> Any:
    return _at_most(getattr(said.below.limits, said.key), said)


def _engine(said: Said) -> Any:
    """Keep what stands already. Naming an engine where nobody did changes who reads the routes."""
    below = said.below.engine
    same = below is not None and said.below.engine_chosen and said.value == below.name
    return said.raw if same else WIDENS


def _level(said: Said) -> Any:
    return said.raw if _LEVELS.index(said.value) <= _LEVELS.index(said.below.security.level) else WIDENS


def _reach(said: Said) -> Any:
    return said.raw if _REACHES.index(said.value) <= _REACHES.index(said.below.security.reach) else WIDENS


def _isolation(said: Said) -> Any:
    return said.raw if stricter(said.value, said.below.security.isolation) is said.value else WIDENS


def _preset(said: Said) -> Any:
    """Keep one that allows no more than what stands, whatever of it that says."""
    made, stands = PRESETS[said.value], said.below.security
    fine = (
        _LEVELS.index(made.level) <= _LEVELS.index(stands.level)
        and _REACHES.index(made.reach) <= _REACHES.index(stands.reach)
        and stricter(made.isolation, stands.isolation) is made.isolation
    )
    return said.raw if fine else WIDENS


def _grant(said: Said) -> Any:
    """Keep what is granted already: the file asks for no more than these.

    What grants say of arguments is the user's own word: where there is any, a list of others' would take its place.
    """
    if said.below.security.arguments or not all(isinstance(name, str) for name in said.value):
        return WIDENS
    return [name for name in said.value if _granted(said.below, name)]


def _granted(below: Config, name: str) -> bool:
    """Tell whether all that a pattern of grants fits is granted already: another pattern fits the pattern itself."""
    rules = below.security
    return rules.level is SecurityLevel.FULL or _patterns(rules.grant).match(name) is not None


@lru_cache(maxsize=8)
def _patterns(grants: tuple[str, ...]) -> Patterns:
    return Patterns(grants)


def _deny(said: Said) -> Any:
    return list(dict.fromkeys([*said.below.security.deny, *said.value]))


def _off(said: Said) -> Any:
    """Keep "off" for a cache of what this machine made; without one of replies, data travels and is paid for again."""
    return said.raw if said.value is False and said.level in _MADE_HERE else WIDENS


def _l4_off(said: Said) -> Any:
    """Keep "off": what this machine compiled, it compiles again."""
    return said.raw if said.value is False else WIDENS


def _timeout(said: Said) -> Any:
    seconds = DEFAULT_TIMEOUT if said.spec is None else said.spec.timeout
    return _at_most(seconds * 1000, said)


def _requests(said: Said) -> Any:
    return _at_most(DEFAULT_PARALLEL if said.spec is None else said.spec.parallel, said)


def _reuse(said: Said) -> Any:
    """Replies of a model that is the file's own may be remembered when it is deterministic, as ever."""
    return said.raw if said.spec is None and said.value != "always" else WIDENS


def _of_new(said: Said) -> Any:
    """Keep what a budget or rate of the file's own says; of the user's own it may change no more than the amounts."""
    return said.raw if said.counted is None else WIDENS


def _amount(said: Said) -> Any:
    most = None if said.counted is None else getattr(said.counted, said.key)
    return _at_most(most, said)


def _burst(said: Said) -> Any:
    known = said.counted
    return _at_most((known.burst or known.calls) if isinstance(known, RateSpec) else None, said)


def _refusing(said: Said) -> Any:
    """Keep that requests of unknown price are refused."""
    return said.raw if said.value == "refuse" else WIDENS


def _reply_tokens(said: Said) -> Any:
    return _at_most(said.below.ledger.max_tokens, said)


def targets(_: Said) -> Any:
    """Judge a choice of targets: `narrow` does, which knows them."""
    return WIDENS


STANDING: Mapping[str, Rule] = {
    "delegation.default_target": targets,
    "delegation.described": widens,
    "delegation.cache_ttl": _cache_ttl,
    "delegation.enable_l4_cache": _l4_off,
    "delegation.engine": _engine,
    "delegation.shadow": widens,
    "delegation.embedder": widens,
    "delegation.plan": widens,
    "delegation.concurrency": _concurrency,
    "delegation.parallel": _parallel,
    "delegation.attempts": _attempts,
    "delegation.on_exhausted": _on_exhausted,
    "delegation.quality_floor": _quality_floor,
    "delegation.min_confidence": widens,
    "delegation.static_routes.*": targets,
    "delegation.remote_providers.*.provider": widens,
    "delegation.remote_providers.*.timeout": _timeout,
    "delegation.remote_providers.*.reuse": widens,
    "delegation.remote_providers.*.input_cost": widens,
    "delegation.remote_providers.*.output_cost": widens,
    "delegation.remote_providers.*.parallel": _requests,
    "delegation.remote_providers.*.quality": widens,
    "delegation.remote_providers.*.description": widens,
    "delegation.remote_providers.*.idempotent": widens,
    "delegation.remote_providers.*.batch": widens,
    "delegation.remote_providers.*.later": widens,
    "delegation.remote_providers.*.workers": widens,
    "delegation.remote_providers.*.min_confidence": widens,
    "delegation.local_models.*.provider": widens,
    "delegation.local_models.*.timeout": _timeout,
    "delegation.local_models.*.reuse": _reuse,
    "delegation.local_models.*.input_cost": widens,
    "delegation.local_models.*.output_cost": widens,
    "delegation.local_models.*.parallel": _requests,
    "delegation.local_models.*.quality": widens,
    "delegation.local_models.*.description": widens,
    "delegation.local_models.*.idempotent": widens,
    "delegation.local_models.*.batch": widens,
    "delegation.local_models.*.later": widens,
    "delegation.local_models.*.workers": widens,
    "delegation.local_models.*.min_confidence": widens,
    **{
        f"delegation.{part}.*.{key}": rule
        for part in ("remote_providers", "local_models")
        for key, rule in (("accepts", of_model_accepts), ("marks", of_model_marks))
    },
    "labels.marks": of_marks,
    "labels.forbidden": of_forbidden,
    "labels.trust_redaction": of_trust,
    **{f"labels.{source}": of_source for source in ("inputs", "capabilities", "providers", "context")},
    "labels.accepts": of_accepts,
    "labels.declassify": widens,
    "engines.*": widens,
    "embedders.*": widens,
    "observers.*": widens,
    "guards.*": widens,
    "redaction.*": widens,
    "approvals.timeout": _approval,
    "caches.*.enabled": _off,
    "caches.*.ttl": widens,
    "caches.*.patience": widens,
    "security.level": _level,
    "capabilities.*": widens,
    "security.isolation": _isolation,
    "security.child.*": widens,
    "security.grant": _grant,
    "security.deny": _deny,
    "security.reach": _reach,
    "security.context.*": widens,
    "security.preset": _preset,
    "security.agent": widens,
    "security.intent": widens,
    "security.acl.*": widens,
    "security.quota": widens,
    "security.environment.*": widens,
    "security.constraints.*": widens,
    "security.hours.*": widens,
    "security.time_zone": widens,
    **{f"warming.{key}": _less_warm for key in ("per_hour", "usd_per_day", "wasted")},
    "warming.idle": widens,
    "journal.enabled": widens,
    "journal.path": widens,
    "journal.keep": widens,
    "journal.sync": widens,
    "journal.on_failure": widens,
    **{f"journal.{key}": widens for key in ("encrypt", "retain", "most_bytes", "retain_labels")},
    "modules.path": widens,
    "limits.steps": _limit,
    "limits.seconds": _limit,
    "limits.memory": _limit,
    "limits.items": _limit,
    "limits.bits": _limit,
    "limits.depth": _limit,
    "limits.output": _limit,
    "limits.host_calls": _limit,
    "limits.nesting": _limit,
    "limits.step_rounds": _limit,
    **{f"health.{field.name}": widens for field in attrs.fields(HealthTable)},
    **{f"hints.{field.name}": _hint for field in attrs.fields(HintsTable)},
    "keys.*": widens,
    "plugins.allow": widens,
    "plugins.grant": widens,
    **{f"{table}.*.{key}": _of_new for table in ("budgets", "rates") for key in (*SCOPES, "per")},
    "budgets.*.for_each": _of_new,
    "budgets.*.used_up": _of_new,
    "budgets.*.usd": _amount,
    "budgets.*.tokens": _amount,
    "budgets.*.calls": _amount,
    "rates.*.calls": _amount,
    "rates.*.tokens": _amount,
    "rates.*.burst": _burst,
    "rates.*.wait": _amount,
    "tenants.*": widens,
    "publishing.salt": widens,
    "publishing.trusted_keys": widens,
    "publishing.read": widens,
    "stores.*": widens,
    "ledger.path": widens,
    "ledger.store": widens,
    "ledgers.*": widens,
    **{f"queue.{field.name}": widens for field in attrs.fields(QueueTable)},
    "queues.*": widens,
    "ledger.unknown_price": _refusing,
    "ledger.max_tokens": _reply_tokens,
    "ledger.lease": widens,
    **{f"serve.{field.name}": widens for field in attrs.fields(ServeTable)},
    **{f"write.{field.name}": widens for field in attrs.fields(WriteTable)},
    **{f"mcp.{field.name}": widens for field in attrs.fields(McpTable)},
    "prices.*.input": widens,
    "prices.*.output": widens,
    "prices.*.cached": widens,
    "prices.*.context": widens,
}
