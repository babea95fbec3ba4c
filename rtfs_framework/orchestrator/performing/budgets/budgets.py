"""The budgets of a host: reserved before a request is sent, begun when it is, settled when its answer is there.

What the ledger does not let pass is refused, and so is everything while it cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.provider import Usage, token_count
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.config.budgets import BudgetSpec, LedgerSpec
from rtfs_framework.orchestrator.config.routes import target_text
from rtfs_framework.orchestrator.performing.budgets.amounts import Amount, shown
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, Bound, Prices, bound_of, prices_of
from rtfs_framework.orchestrator.performing.budgets.ledger import Account, Claim, ExhaustedError, Ledger, LedgerError
from rtfs_framework.orchestrator.performing.budgets.left import Bands, share_left
from rtfs_framework.orchestrator.performing.budgets.matching import (
    Matched,
    account_of,
    counted_apart,
    facts_of,
    facts_of_instance,
)
from rtfs_framework.orchestrator.performing.budgets.windows import shown_renewal
from rtfs_framework.orchestrator.performing.gate import Check, Held, RefusedError

if TYPE_CHECKING:
    from rtfs_framework.api.signals import Left
    from rtfs_framework.orchestrator.performing.gate import Asking, Outcome
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance

USED_UP = "E0610"
NO_PRICE = "E0611"
NO_LEDGER = "E0613"
EVERY = 1.0
"""Seconds between two looks at what is left of a budget, for engines."""
_LATE = 30.0
"""Seconds after a request's time-out before its reservation is shown as overdue."""
_KEYS = {"nano": "usd"}


@attrs.define(slots=True, eq=False)
class _Looked:
    """What was last seen of a budget."""

    account: Account
    band: Left
    at: float


@attrs.define(slots=True, eq=False)
class Budgets:
    """The budgets that count for one tenant's host."""

    specs: tuple[Matched[BudgetSpec], ...]
    ledger: Ledger
    rules: LedgerSpec
    tenant: str
    clock: Clock
    dearest: Callable[[], Prices | None]
    """The highest prices of all that are known."""
    bands: Bands
    failed: Callable[[LedgerError], None]
    """Told when something cannot be settled."""
    _looked: dict[str, _Looked] = attrs.field(factory=dict, init=False)

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether a budget may count requests to a provider; one of money alone counts none that are free."""
        facts = facts_of_instance(instance.spec, self.tenant)
        free = prices_of(instance.spec) == FREE
        return any(each.fits(facts) and not (free and _only_money(each.spec)) for each in self.specs)

    def most_reply(self, instance: ProviderInstance) -> int:
        """Return the tokens that a reply of a provider may have at most."""
        own = getattr(instance.spec.own, "max_tokens", None)
        return own if own.__class__ is int and own > 0 else self.rules.max_tokens

    def prices(self, instance: ProviderInstance, specs: list[BudgetSpec]) -> Prices:
        """Return the prices that a request is counted at.

        Raises:
            RefusedError: E0611, nobody knows them, and a budget of money counts the request.
        """
        found = prices_of(instance.spec)
        if found is not None:
            return found
        if self.rules.unknown_price == "dearest":
            found = self.dearest()
        money = next((each.name for each in specs if each.usd is not None), None)
        if found is None and money is not None:
            text = target_text(instance.target)
            raise RefusedError(
                "budget",
                f"nobody knows what {text} costs, and the budget '{money}' counts money",
                "set input_cost and output_cost in its table, install rtfs-data-prices, or let unknown prices count as "
                'the dearest that is known (unknown_price = "dearest" under [ledger])',
                kind="BudgetExhausted",
                code=NO_PRICE,
            )
        return FREE if found is None else found

    def reserve(self, asking: Asking) -> Reserved | None:
        """Reserve what a request may take; None when no budget counts it.

        Raises:
            RefusedError: A budget does not hold it, its price is not known, or the ledger cannot be used.
        """
        facts = facts_of(asking)
        specs = [each.spec for each in self.specs if each.fits(facts)]
        if not specs:
            return None
        prices = self.prices(asking.instance, specs)
        bound = bound_of(asking.request, prices, self.most_reply(asking.instance))
        run, now = asking.opened.scope.run, self.clock.now()
        accounts = [account_of(spec, facts, now=now, run=run) for spec in specs]
        claim = Claim(
            bound=bound.amount,
            lease=self.rules.lease,
            tenant=self.tenant,
            run=run,
            path=asking.opened.record.path,
            symbol=asking.opened.record.symbol,
            target=target_text(asking.instance.target),
        )
        made = Reserved(self, asking.instance, claim, bound, specs, accounts)
        made.take()
        return made

    def budget(self, name: str) -> Left | None:
        """Return what is left of a budget, in bands; None when there is none of that name.

        Of one that is counted apart or by runs, the account that was used last.
        """
        spec = next((each.spec for each in self.specs if each.spec.name == name), None)
        if spec is None:
            return None
        now, seen = self.clock.monotonic(), self._looked.get(name)
        if seen is not None and now - seen.at < EVERY:
            return seen.band
        account = account_of(spec, {"tenant": self.tenant}, now=self.clock.now(), run="")
        if seen is not None and (spec.per == "run" or spec.for_each) and seen.account.renews in (None, account.renews):
            account = seen.account
        try:
            (standing,) = self.ledger.standings([account])
        except LedgerError as error:
            self.failed(error)
            return None if seen is None else seen.band
        return self._saw(account, standing.counted)

    def _saw(self, account: Account, counted: Amount) -> Left:
        band = self.bands.put(account.budget, share_left(account.limit, counted))
        self._looked[account.budget] = _Looked(account, band, self.clock.monotonic())
        return band

    def used(self, accounts: list[Account]) -> None:
        """Note which accounts were used last."""
        for account in accounts:
            seen = self._looked.get(account.budget)
            if seen is not None:
                seen.account = account

    def exhausted(self, error: ExhaustedError, specs: list[BudgetSpec]) -> RefusedError:
        """Return the refusal of a request that a budget does not hold."""
        account, kind = error.account, error.kind
        spec = next(each for each in specs if each.name == account.budget)
        if error.left == 0:
            self._saw(account, Amount(**{kind: error.counted}))
        apart = ", ".join(f"{key} {value}" for key, value in counted_apart(account.key).items())
        whose = f" ({apart})" if apart else ""
        reason = (
            f"the budget '{spec.name}'{whose} has {shown(kind, error.left)} left of {shown(kind, error.limit)}, and "
            f"this request may take {shown(kind, error.asked)}; {shown_renewal(spec.per, account.renews)}"
        )
        way_out = (
            f"raise {_KEYS.get(kind, kind)} under [budgets.{spec.name}], bound replies by max_tokens, or see what is "
            "reserved (`rtfs budget list`)"
        )
        wait = None if account.renews is None else max(0.0, account.renews - self.clock.now())
        waits = spec.used_up == "wait" and error.asked <= error.limit  # what no renewal holds waits for none
        until = account.renews if waits else None
        return RefusedError(
            "budget", reason, way_out, kind="BudgetExhausted", code=USED_UP, retry_after=wait, until=until
        )


def _only_money(spec: BudgetSpec) -> bool:
    return spec.tokens is None and spec.calls is None


@attrs.define(slots=True, eq=False)
class Reserved(Held):
    """What is reserved for one request."""

    budgets: Budgets
    instance: ProviderInstance
    claim: Claim
    bound: Bound
    specs: list[BudgetSpec]
    accounts: list[Account]
    _id: int = attrs.field(default=0, init=False)
    _over: bool = attrs.field(default=False, init=False)
    _one: Lock = attrs.field(factory=Lock, init=False)
    """A request that is given up is settled while a thread may still be beginning it."""

    def take(self) -> None:
        """Reserve.

        Raises:
            RefusedError: A budget does not hold it, or the ledger cannot be used.
        """
        try:
            self._id = self.budgets.ledger.reserve(self.claim, self.accounts)
        except ExhaustedError as error:
            raise self.budgets.exhausted(error, self.specs) from error
        except LedgerError as error:
            raise _unusable(error) from error
        self.budgets.used(self.accounts)

    def begin(self, seconds: float) -> None:
        """Note that the request is sent now and answered within some seconds; whose lease is over reserves anew.

        Raises:
            RefusedError: There is nothing left to reserve, or the ledger cannot be used.
        """
        with self._one:
            try:
                begun = not self._over and self._begin(seconds + _LATE)
            except LedgerError as error:
                raise _unusable(error) from error
        if not begun:
            raise _unusable(LedgerError("what was reserved is gone at once; is the clock being set?"))

    def _begin(self, seconds: float) -> bool:
        ledger = self.budgets.ledger
        if ledger.begin(self._id, seconds):
            return True
        self.take()
        return ledger.begin(self._id, seconds)

    def settle(self, outcome: Outcome) -> None:
        """Count what the request took."""
        with self._one:
            self._over = True
            self._settle(outcome)

    def _settle(self, outcome: Outcome) -> None:
        ledger = self.budgets.ledger
        took = self.bound.after(outcome, self.instance.spec)
        try:
            if took is None:
                ledger.release(self._id)
                return
            ledger.settle(self._id, took, _told(outcome.usage))
        except LedgerError as error:  # it stays reserved in full
            self.budgets.failed(error)


def _told(usage: Usage | None) -> tuple[int, int] | None:
    """Return input and output tokens, where both are believed."""
    given, got = (None, None) if usage is None else map(token_count, (usage.input_tokens, usage.output_tokens))
    return None if given is None or got is None else (given, got)


def _unusable(error: LedgerError) -> RefusedError:
    return RefusedError(
        "budget",
        f"the ledger of budgets cannot be used: {error}",
        "free some space, make the file writable, or choose another place with path under [ledger]; a store that is a "
        "server must be reached",
        kind="BudgetExhausted",
        code=NO_LEDGER,
    )


@attrs.frozen(slots=True, eq=False)
class BudgetCheck(Check):
    """Lets requests pass that their budgets hold."""

    name = "budget"
    waits = True
    budgets: Budgets

    def concerns(self, instance: ProviderInstance) -> bool:
        """Tell whether a budget may count requests to a provider."""
        return self.budgets.concerns(instance)

    def most_reply(self, instance: ProviderInstance) -> int | None:
        """Return the tokens that replies are reserved for."""
        return self.budgets.most_reply(instance)

    def enter(self, asking: Asking) -> Reserved | None:
        """Reserve what a request may take.

        Raises:
            RefusedError: It is more than there is.
        """
        return self.budgets.reserve(asking)
