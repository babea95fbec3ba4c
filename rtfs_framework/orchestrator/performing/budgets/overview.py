"""What a person sees of budgets: the accounts of the windows that are now, and what is reserved."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rtfs_framework.orchestrator.config.budgets import BudgetSpec
from rtfs_framework.orchestrator.performing.budgets.amounts import KINDS, Amount
from rtfs_framework.orchestrator.performing.budgets.ledger import Ledger, Standing
from rtfs_framework.orchestrator.performing.budgets.matching import counted_apart, definition, limit_of
from rtfs_framework.orchestrator.performing.budgets.windows import window_of


@attrs.frozen(slots=True, kw_only=True)
class Row:
    """One thing that an account counts. `nano` counts nano-dollars."""

    budget: str
    kind: str
    limit: int
    counted: int = 0
    """What was spent, and what is reserved."""
    held: int = 0
    """What is reserved of it."""
    window: str = ""
    renews: float | None = None
    apart: dict[str, str] = attrs.field(factory=dict)
    """For whom, where a budget counts apart."""
    per: str = "day"

    @property
    def left(self) -> int:
        """What may still be taken."""
        return max(0, self.limit - self.counted)


def rows_of(specs: tuple[BudgetSpec, ...], ledger: Ledger | None, now: float) -> list[Row]:
    """Return what budgets have counted in the windows that are now; without a ledger nothing was ever counted."""
    return [row for spec in specs for row in _rows(spec, ledger, now)]


def _rows(spec: BudgetSpec, ledger: Ledger | None, now: float) -> Iterator[Row]:
    window, mine = window_of(spec.per, now, ""), definition(spec)
    found = [] if ledger is None else ledger.accounts(spec.name)
    found = [each for each in found if each.account.key.partition(" ")[0] == mine]
    if spec.per == "run":  # of runs that have nothing reserved there is nothing left to say
        found = [each for each in found if each.held != Amount()]
    else:
        found = [each for each in found if each.account.window == window.name]
    for each in found:
        yield from _of_account(spec, each)
    if not found and not spec.for_each:
        name = "" if spec.per == "run" else window.name
        for kind, limit in _limits(spec):
            yield Row(budget=spec.name, kind=kind, limit=limit, window=name, renews=window.renews, per=spec.per)


def _of_account(spec: BudgetSpec, found: Standing) -> Iterator[Row]:
    for kind, limit in _limits(spec):
        yield Row(
            budget=spec.name,
            kind=kind,
            limit=limit,
            counted=getattr(found.counted, kind),
            held=getattr(found.held, kind),
            window=found.account.window,
            renews=found.account.renews,
            apart=counted_apart(found.account.key),
            per=spec.per,
        )


def _limits(spec: BudgetSpec) -> Iterator[tuple[str, int]]:
    limit = limit_of(spec)
    for kind in KINDS:
        most = getattr(limit, kind)
        if most is not None:
            yield kind, most
