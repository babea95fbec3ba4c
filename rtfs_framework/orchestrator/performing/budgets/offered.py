"""A plug-in's ledger, at arm's length: whatever it does wrong is a `LedgerError`, and then nothing is spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from rtfs_framework.api.ledger import ExhaustedError, LedgerError, LedgerSettings
from rtfs_framework.orchestrator.performing.arms_length import Kind, made_at_arms_length, named_variables

if TYPE_CHECKING:
    from rtfs_framework.api.ledger import Ledger
    from rtfs_framework.api.values import Clock
    from rtfs_framework.orchestrator.config.budgets import LedgerSpec
    from rtfs_framework.registry.catalog import Catalog

_KIND = Kind(
    word="ledger",
    methods=(
        "reserve", "begin", "settle", "release", "say", "standings", "accounts", "open", "find", "typical", "close",
    ),
    error=LedgerError,
    passes=(ExhaustedError, LedgerError, ValueError),
)  # fmt: skip


def offered_ledger(spec: LedgerSpec, environ: Mapping[str, str], clock: Clock, catalog: Catalog | None) -> Ledger:
    """Return the ledger that a configuration chose; one that cannot be made lets nothing pass."""
    name = spec.store or ""
    found = None if catalog is None else catalog.ledgers.get(name)
    part = None if catalog is None or found is None else catalog.part("ledger", name)
    settings = LedgerSettings(clock=clock, own=spec.own, environ=named_variables(spec.own, environ))
    made = made_at_arms_length(_KIND, name, part, lambda: found[0].factory(settings) if found is not None else None)
    return cast("Ledger", made)
