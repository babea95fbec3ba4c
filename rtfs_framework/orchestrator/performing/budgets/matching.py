"""Which budgets and rates a request counts on, and on which of their accounts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from rtfs_framework.orchestrator.config.budgets import SCOPES, BudgetSpec, RateSpec
from rtfs_framework.orchestrator.config.globs import Patterns
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.budgets.amounts import Limit, nano_of
from rtfs_framework.orchestrator.performing.budgets.ledger import Account
from rtfs_framework.orchestrator.performing.budgets.windows import window_of
from rtfs_framework.orchestrator.remembering.keys import key_of

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.config.model import ProviderSpec
    from rtfs_framework.orchestrator.performing.gate import Asking

Spec = TypeVar("Spec", BudgetSpec, RateSpec)
Facts = Mapping[str, str]
"""What is known of a request, by the keys of a scope."""

_OF_INSTANCE = ("tenant", "model", "target")
_DEFINITION = 16


@attrs.frozen(slots=True)
class Matched(Generic[Spec]):
    """A budget or rate with its patterns."""

    spec: Spec
    patterns: Mapping[str, Patterns]
    ids: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """The other ids of capabilities, by their own: what is said of one counts under all."""

    def fits(self, facts: Facts) -> bool:
        """Tell whether it counts a request of which this is known; what is not known fits."""
        return all(key not in facts or self._fits(key, facts[key]) for key in self.patterns)

    def _fits(self, key: str, fact: str) -> bool:
        names = (fact, *self.ids.get(fact, ())) if key == "symbol" else (fact,)
        return any(self.patterns[key].match(name) is not None for name in names)


def matched(specs: Iterable[Spec], ids: Mapping[str, tuple[str, ...]]) -> tuple[Matched[Spec], ...]:
    """Return specs with their patterns; `ids` are the other ids of capabilities, by their own."""
    return tuple(Matched(spec, spec.scope.matcher(), ids) for spec in specs)


def facts_of_instance(spec: ProviderSpec, tenant: str) -> dict[str, str]:
    """Return what is known of all requests to a provider."""
    return dict(zip(_OF_INSTANCE, (tenant, spec.model or spec.id, target_text(spec.target)), strict=True))


def facts_of(asking: Asking) -> dict[str, str]:
    """Return what is known of a request. A consultation counts for the function whose call is decided."""
    opened = asking.opened
    decision = opened.record.decision
    facts = facts_of_instance(asking.instance.spec, opened.scope.tenant)
    return {**facts, "engine": "" if decision is None else decision.plan.engine, "symbol": opened.record.symbol}


def definition(spec: BudgetSpec) -> str:
    """Return what tells a budget from others of its name: whose it is and what it counts, but not how much.

    A budget that is raised or lowered goes on counting where it was.
    """
    scope = [list(getattr(spec.scope, key)) for key in SCOPES]
    return key_of("budget-1", json.dumps([spec.origin, spec.per, list(spec.for_each), scope]))[:_DEFINITION]


def account_of(spec: BudgetSpec, facts: Facts, *, now: float, run: str) -> Account:
    """Return the account of a budget on which a request counts."""
    window = window_of(spec.per, now, run)
    apart = {key: facts.get(key, "") for key in spec.for_each}
    return Account(
        budget=spec.name,
        key=" ".join((definition(spec), *([json.dumps(apart, sort_keys=True)] if apart else []))),
        window=window.name,
        renews=window.renews,
        limit=limit_of(spec),
    )


def limit_of(spec: BudgetSpec) -> Limit:
    """Return how much a budget allows."""
    return Limit(None if spec.usd is None else nano_of(spec.usd), spec.tokens, spec.calls)


def counted_apart(key: str) -> dict[str, str]:
    """Return whom an account of a budget with `for_each` is for."""
    _, _, text = key.partition(" ")
    found: dict[str, str] = json.loads(text) if text else {}
    return found
