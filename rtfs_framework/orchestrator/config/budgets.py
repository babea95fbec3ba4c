"""Budgets, rates and tenants as the configuration means them, and the configuration as one tenant has it.

In: the tables. Out: records without tables of tenants: a tenant's budgets count that tenant alone, its routes go before
the others, its grants and denies are added. All that depends on who asks is settled here, before a host is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.patterns import is_pattern
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.lang.diagnostics import Diagnostic, did_you_mean
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.routes import target_text

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.grants import ArgumentGrant, GrantReader
    from rtfs_framework.orchestrator.config.layers import Merged
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.config.tables.budgets import BudgetTable, RateTable, ScopeTable, TenantTable

SCOPES = ("tenant", "engine", "model", "target", "symbol")
"""The keys that say which requests a budget or rate is about."""

Named = Callable[[str, "KeyPath"], ExecTarget]
"""The target of a text; what names none is noted at its place."""


@attrs.frozen(slots=True, kw_only=True)
class Scope:
    """Which requests: every key that says something fits."""

    tenant: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    symbol: tuple[str, ...] = ()

    def matcher(self) -> dict[str, Patterns]:
        """Return the patterns of the keys that say something."""
        return {key: Patterns(getattr(self, key)) for key in SCOPES if getattr(self, key)}


ANYBODY = Scope()


@attrs.frozen(slots=True, kw_only=True)
class BudgetSpec:
    """One budget."""

    name: str
    origin: str = ""
    """The file that says it, where that is none of the user's own for all programs: it counts apart from others'."""
    scope: Scope = ANYBODY
    for_each: tuple[str, ...] = ()
    """What is counted apart."""
    per: Literal["run", "hour", "day", "month", "ever"] = "day"
    usd: float | None = None
    """As it is written; who counts makes it whole nano-dollars."""
    tokens: int | None = None
    calls: int | None = None
    used_up: Literal["refuse", "wait"] = "refuse"
    """What becomes of a request that it does not hold: it is refused, or its run waits until the budget is renewed."""


@attrs.frozen(slots=True, kw_only=True)
class RateSpec:
    """One rate."""

    name: str
    scope: Scope = ANYBODY
    per: Literal["second", "minute", "hour"] = "minute"
    calls: int | None = None
    tokens: int | None = None
    burst: int | None = None
    """Calls at once; None for as many as `calls`."""
    wait: float = 30.0
    """Seconds for which a call that comes too early waits; one that would have to wait longer is refused."""


@attrs.frozen(slots=True, kw_only=True)
class TenantSpec:
    """What is another for one tenant."""

    budgets: tuple[BudgetSpec, ...] = ()
    rates: tuple[RateSpec, ...] = ()
    grant: tuple[str, ...] = ()
    arguments: tuple[ArgumentGrant, ...] = ()
    deny: tuple[str, ...] = ()
    routes: Mapping[str, tuple[ExecTarget, ...]] = attrs.field(factory=dict)


@attrs.frozen(slots=True, kw_only=True)
class LedgerSpec:
    """Where budgets are kept, and how requests are estimated."""

    path: str | None = None
    store: str | None = None
    """The ledger of a plug-in; None for the file."""
    own: Any = None
    """Its settings."""
    unknown_price: Literal["refuse", "dearest"] = "refuse"
    """What a budget of money does with a request of which nobody knows the price."""
    max_tokens: int = 4096
    """Of a reply that is paid out of a budget, where nothing else bounds it."""
    lease: float = 60.0
    """Seconds for which something is reserved for a request that is not sent."""


USUAL_LEDGER = LedgerSpec()


@attrs.frozen(slots=True)
class BudgetTables:
    """Reads the tables; mistakes are noted."""

    mistake: Callable[..., None]
    """(code, message, path, way out, key=...)."""
    target: Named
    merged: Merged
    grants: GrantReader

    def budgets(self, tables: Mapping[str, BudgetTable], path: KeyPath, tenant: str = "") -> tuple[BudgetSpec, ...]:
        """Return the budgets of a table."""
        for name in tables:
            if not self._says((*path, name), "usd", "tokens", "calls"):
                way_out = "add usd = ..., tokens = ... or calls = ..."
                self.mistake("E0704", f"the budget '{name}' limits nothing", (*path, name), way_out, key=True)
        return tuple(
            BudgetSpec(
                name=name,
                origin=self.merged.file_of((*path, name)),
                scope=self._scope(table, (*path, name), tenant),
                for_each=tuple(dict.fromkeys(table.for_each)),
                per=table.per,
                usd=table.usd,
                used_up=table.used_up,
                tokens=table.tokens,
                calls=table.calls,
            )
            for name, table in tables.items()
        )

    def rates(self, tables: Mapping[str, RateTable], path: KeyPath, tenant: str = "") -> tuple[RateSpec, ...]:
        """Return the rates of a table."""
        for name in tables:
            here = (*path, name)
            if not self._says(here, "calls", "tokens") or self._says(here, "burst") > self._says(here, "calls"):
                burst = self._says(here, "burst")
                what = "has a burst of calls, and does not limit them" if burst else "limits nothing"
                self.mistake("E0704", f"the rate '{name}' {what}", (*path, name), "add calls = ...", key=True)
        return tuple(
            RateSpec(
                name=name,
                scope=self._scope(table, (*path, name), tenant),
                per=table.per,
                calls=table.calls,
                tokens=table.tokens,
                burst=table.burst,
                wait=table.wait,
            )
            for name, table in tables.items()
        )

    def tenants(self, tables: Mapping[str, TenantTable], general: Mapping[str, Any]) -> dict[str, TenantSpec]:
        """Return the tenants; `general` are the names of the budgets and rates of all, by section."""
        made = {}
        for id_, table in tables.items():
            path: KeyPath = ("tenants", id_)
            wrong = why_no_tenant(id_)
            if wrong is not None:
                self.mistake("E0705", wrong, path, "choose another id", key=True)
                continue
            for section in ("budgets", "rates"):
                for name in filter(general[section].__contains__, getattr(table, section)):
                    message = f"[{section}.{name}] has this name, and counts for every tenant"
                    self.mistake("E0705", message, (*path, section, name), "choose another name", key=True)
            names, arguments = self.grants.read(table.grant, (*path, "grant"))
            made[id_] = TenantSpec(
                budgets=self.budgets(table.budgets, (*path, "budgets"), id_),
                rates=self.rates(table.rates, (*path, "rates"), id_),
                grant=names,
                arguments=arguments,
                deny=tuple(table.deny),
                routes=dict(self._routes(table.static_routes, (*path, "static_routes"))),
            )
        return made

    def _routes(
        self, table: Mapping[str, str | list[str]], path: KeyPath
    ) -> Iterator[tuple[str, tuple[ExecTarget, ...]]]:
        for pattern, texts in table.items():
            here = (*path, pattern)
            if isinstance(texts, str):
                yield pattern, (self.target(texts, here),)
            else:
                yield pattern, tuple(self.target(text, (*here, place)) for place, text in enumerate(texts))

    def _says(self, path: KeyPath, *keys: str) -> bool:
        """Tell whether a table has one of some keys; what is wrong with its value is told elsewhere."""
        return any(self.merged.origin((*path, key)) is not None for key in keys)

    def _scope(self, table: ScopeTable, path: KeyPath, tenant: str) -> Scope:
        found = {key: _texts(getattr(table, key)) for key in SCOPES}
        if tenant and found["tenant"]:
            message = f"a budget or rate of the tenant '{tenant}' is that tenant's alone"
            self.mistake("E0705", message, (*path, "tenant"), "leave the key out", key=True)
        if tenant:
            found["tenant"] = (tenant,)
        found["target"] = tuple(
            text if is_pattern(text) else target_text(self.target(text, (*path, "target"))) for text in found["target"]
        )
        return Scope(**found)


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def why_no_tenant(id_: str) -> str | None:
    """Return why a text is no tenant's id; None when it may be one."""
    if not id_ or id_ != id_.strip() or not id_.isprintable() or len(id_) > _MOST_LETTERS:
        return f"a tenant's id is a printable text of at most {_MOST_LETTERS} characters without spaces around it"
    if is_pattern(id_):
        return f"a tenant's id has no '*': '{id_}' would be a pattern"
    return None


_MOST_LETTERS = 200


def of_tenant(config: Config, tenant: str) -> Config:
    """Return a configuration as a tenant has it; "" is nobody in particular.

    Raises:
        ConfigError: E0719, it is no tenant of a configuration that names its tenants, or can be none.
    """
    if not tenant:
        return config
    wrong = why_no_tenant(tenant)
    if wrong is not None:
        raise _unknown(wrong, "check --tenant, RTFS_TENANT or Session.open(tenant=...)")
    if not config.tenants:
        return attrs.evolve(config, tenant=tenant)
    spec = config.tenants.get(tenant)
    if spec is None:
        known = sorted(config.tenants)
        nearest = did_you_mean(tenant, known) or f"configured: {', '.join(known)}; or add a table [tenants.{tenant}]"
        raise _unknown(f"no tenant is called '{tenant}'", nearest)
    rules = config.security
    return attrs.evolve(
        config,
        tenant=tenant,
        budgets=(*config.budgets, *spec.budgets),
        rates=(*config.rates, *spec.rates),
        routes={**spec.routes, **dict(_not_replaced(config.routes, spec.routes))},
        security=attrs.evolve(
            rules,
            grant=(*rules.grant, *spec.grant),
            arguments=(*rules.arguments, *spec.arguments),
            deny=(*rules.deny, *spec.deny),
        ),
    )


def _not_replaced(
    routes: Mapping[str, tuple[ExecTarget, ...]], first: Mapping[str, tuple[ExecTarget, ...]]
) -> Iterator[tuple[str, tuple[ExecTarget, ...]]]:
    """Yield the routes in whose place none of those that go first stands: a pattern fits what a route's pattern fits.

    Where two patterns only overlap, the more specific one decides, as ever; the tenant's, if they are equally so.
    """
    replacing = Patterns(first)
    for pattern, targets in routes.items():
        if replacing.match(pattern) is None:
            yield pattern, targets


def _unknown(message: str, way_out: str) -> ConfigError:
    return ConfigError([Diagnostic(code="E0719", message=message, help=way_out, kind="ConfigError")])
