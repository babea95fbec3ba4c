"""The gate's look into the purse of a run: what its asker allowed, besides the budgets of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.budgets.budgets import NO_PRICE, USED_UP
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, Bound, Prices, bound_of, prices_of
from rtfs_framework.orchestrator.performing.gate import Check, Held, RefusedError
from rtfs_framework.orchestrator.recording.purse import NOTHING_SPENT, Purse, Spending

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.performing.budgets.amounts import Amount
    from rtfs_framework.orchestrator.performing.gate import Asking, Outcome
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_WAY_OUT = "ask with a larger budget, or raise quota under [security] where the host bounds its runs"


@attrs.frozen(slots=True, eq=False)
class PurseCheck(Check):
    """Lets pass what the asker of a run allows; runs that nobody bounds pass at once."""

    name = "budget"
    most_tokens: int
    """Of a reply that nothing else bounds."""
    unknown: Callable[[], Prices | None]
    """At which prices to count where they are not known; None to refuse what has a bound of money."""

    def concerns(self, instance: ProviderInstance) -> bool:  # noqa: ARG002 - any run may have a purse
        """Tell that every provider is concerned."""
        return True

    def enter(self, asking: Asking) -> Held | None:
        """Reserve what a request may take.

        Raises:
            RefusedError: There is not that much left, or nobody knows what it costs.
        """
        purse = asking.opened.scope.purse
        if purse is None:
            return None
        instance = asking.instance
        prices = prices_of(instance.spec) or self.unknown()
        if prices is None and purse.nano is not None:
            text = target_text(instance.target)
            raise RefusedError(
                "budget",
                f"nobody knows what {text} costs, and the request has a bound of money",
                "ask for a bound of tokens or calls instead",
                kind="BudgetExhausted",
                code=NO_PRICE,
            )
        bound = bound_of(asking.request, prices or FREE, self.most_tokens)
        wanted = _spending(bound.amount)
        missing = purse.take(wanted)
        if missing is not None:
            reason = f"the request may take more {missing} than is left of what its asker allows"
            raise RefusedError("budget", reason, _WAY_OUT, kind="BudgetExhausted", code=USED_UP)
        opened = asking.opened
        opened.reserved = opened.record.held = wanted
        return _Reserved(purse, instance, bound, wanted, opened if opened.leg_of is None else opened.leg_of)


@attrs.frozen(slots=True, eq=False)
class _Reserved(Held):
    purse: Purse
    instance: ProviderInstance
    bound: Bound
    wanted: Spending
    opened: OpenCall
    """The call whose request it is: its record says what was taken, for whoever goes on with the run."""

    def settle(self, outcome: Outcome) -> None:
        """Count what the request took, as budgets do."""
        after = self.bound.after(outcome, self.instance.spec)
        took = NOTHING_SPENT if after is None else _spending(after)
        self.purse.settle(self.wanted, took)
        if not self.opened.closed:
            record = self.opened.record
            record.charged = took if record.charged is None else record.charged + took


def _spending(amount: Amount) -> Spending:
    return Spending(amount.nano, amount.tokens, amount.calls)
