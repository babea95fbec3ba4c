"""Budgets of a run that is spread: a piece gets a share, reserved before it is handed out, settled by what came back.

A piece whose worker is lost may have spent all of its share, so that counts in full, as any request does whose answer
never came. Shares leave room for others; a piece whose share was too small is done again with all that is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api.attempts import FailureKind
from rtfs_framework.api.ledger import KINDS, Amount, ExhaustedError, LedgerError
from rtfs_framework.orchestrator.performing.budgets.amounts import nano_of
from rtfs_framework.orchestrator.performing.budgets.ledger import Claim
from rtfs_framework.orchestrator.performing.budgets.matching import account_of, facts_of_instance
from rtfs_framework.orchestrator.recording.attempts import total_cost
from rtfs_framework.orchestrator.recording.journal.recorded import target_of
from rtfs_framework.orchestrator.spreading.fit import refused

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.orchestrator.config.budgets import BudgetSpec
    from rtfs_framework.orchestrator.host import Host
    from rtfs_framework.orchestrator.performing.budgets.budgets import Budgets
    from rtfs_framework.orchestrator.performing.budgets.matching import Matched
    from rtfs_framework.orchestrator.recording.attempts import AttemptRecord
    from rtfs_framework.orchestrator.recording.records import CallRecord
    from rtfs_framework.orchestrator.spreading.pieces import DonePiece

NO_LEDGER = "E0613"
_SECONDS = 3600.0
"""After so many seconds a piece that is not over is shown as overdue (`rtfs budget list`)."""
_TRIES = 8
"""Shares that are tried to be reserved while others spend from the same budgets."""
_SERVED = frozenset({"l2 hit", "similar hit", "in flight"})
PurseText = tuple[int | None, int | None, int | None]


@attrs.frozen(slots=True)
class _Held:
    """What one budget has reserved."""

    spec: Matched[BudgetSpec]
    reservation: int


@attrs.frozen(slots=True)
class Share:
    """What a piece may spend: `purse` is None for no bound."""

    purse: PurseText | None = None
    whole: bool = True
    """Whether it is all that there was."""
    held: tuple[_Held, ...] = ()


ANYTHING = Share()


@attrs.frozen(slots=True)
class _Took:
    """What is told of one request."""

    facts: dict[str, str]
    cost: float | None
    """US dollars, None where they are not known."""
    tokens: int
    """0 where nobody told how many."""

    @property
    def known(self) -> Amount:
        """What it took at least."""
        return Amount(0 if self.cost is None else nano_of(self.cost), self.tokens, 1)


@attrs.frozen(slots=True, eq=False)
class Shares:
    """The budgets that count a run."""

    host: Host
    run: str

    @property
    def _budgets(self) -> Budgets | None:
        host = self.host
        return host.counting.budgets if host.config.ledger.store is None else None

    def take(self, places: int, *, alone: bool, whole: bool = False) -> Share | None:
        """Reserve the share of a piece, one of so many; None while others must come back first.

        `alone` tells that no other piece is under way; `whole` asks for all that is left.

        Raises:
            SpreadError: E0613, the ledger cannot be used.
        """
        budgets = self._budgets
        if budgets is None:
            return ANYTHING
        if whole and not alone:
            return None
        try:
            for _ in range(_TRIES):  # somebody else may be quicker: then look again
                with suppress(ExhaustedError):
                    return self._take(budgets, 2 * places, alone=alone, whole=whole)
        except LedgerError as error:
            raise _unusable(error) from error
        return None if not alone else Share((0, 0, 0))

    def _take(self, budgets: Budgets, parts: int, *, alone: bool, whole: bool) -> Share | None:
        now, facts = budgets.clock.now(), {"tenant": budgets.tenant}
        specs = [each for each in budgets.specs if each.fits(facts)]
        accounts = [account_of(each.spec, facts, now=now, run=self.run) for each in specs]
        left = [
            {
                kind: max(0, limit - getattr(standing.counted, kind))
                for kind in KINDS
                if (limit := getattr(standing.account.limit, kind)) is not None
            }
            for standing in (budgets.ledger.standings(accounts) if accounts else [])
        ]
        small = any(amount < parts for each in left for amount in each.values())
        if small and not alone:
            return None  # what is under way may give something back
        whole = whole or small
        bounds = [{kind: n if whole else n // parts for kind, n in each.items()} for each in left]
        held: list[_Held] = []
        try:
            for spec, account, bound in zip(specs, accounts, bounds, strict=True):
                claim = Claim(bound=Amount(**bound), lease=budgets.rules.lease, tenant=budgets.tenant, run=self.run,
                              path="", symbol="", target="workers")  # fmt: skip
                held.append(_Held(spec, budgets.ledger.reserve(claim, [account])))
        except BaseException:
            for each in held:
                budgets.ledger.release(each.reservation)
            raise
        for each in held:
            budgets.ledger.begin(each.reservation, _SECONDS)
        nano, tokens, calls = (min((each[kind] for each in bounds if kind in each), default=None) for kind in KINDS)
        return Share((nano, tokens, calls), whole, tuple(held))

    def settle(self, share: Share, done: DonePiece) -> None:
        """Count what a piece took, in the place of its share."""
        budgets = self._budgets
        if budgets is None or not share.held:
            return
        took = [each for record in done.records for call in record.calls for each in self._took(call)]
        for held in share.held:
            counted = _counted(held.spec, took, done.spent).bounded()
            try:
                budgets.ledger.settle(held.reservation, counted)
            except LedgerError as error:  # it stays reserved in full
                budgets.failed(error)

    def _took(self, call: CallRecord) -> Iterator[_Took]:
        """Yield what each request of a call took."""
        sent = list(filter(_was_sent, call.attempts))
        for each in sent:
            yield _Took(self._facts(call, each.attempt.target), each.cost, each.input_tokens + each.output_tokens)
        cost = call.cost
        if cost is not None:
            cost = max(0.0, cost - (total_cost([each.cost for each in sent]) or 0.0))
        tokens = call.input_tokens + call.output_tokens - sum(each.input_tokens + each.output_tokens for each in sent)
        target = target_of(call.target)
        asked = target in self.host.pool.instances and call.cache not in _SERVED and not call.error_kind
        if asked or tokens > 0 or cost:
            yield _Took(self._facts(call, target), cost, max(0, tokens))

    def _facts(self, call: CallRecord, target: ExecTarget) -> dict[str, str]:
        instance = self.host.pool.instances.get(target)
        known = {} if instance is None else facts_of_instance(instance.spec, self.host.config.tenant)
        engine = "" if call.decision is None else call.decision.plan.engine
        return {**known, "engine": engine, "symbol": call.symbol}


def _was_sent(attempt: AttemptRecord) -> bool:
    """Tell whether a budget counts an attempt at home: one for which nothing was done is given back."""
    used = attempt.cost or attempt.input_tokens or attempt.output_tokens
    kind = attempt.attempt.kind
    return kind is not FailureKind.REFUSED and bool(kind is not FailureKind.SAFE or used)


def _counted(spec: Matched[BudgetSpec], took: Sequence[_Took], seen: Amount) -> Amount:
    """Return what a budget counts of a piece; `seen` is what the worker's gate has counted.

    The gate saw every request, also one that is a part of another's call, and counted what nobody told at its bound
    and at the price that the ledger's rule says. It does not know whose request was which: where some of them are no
    concern of the budget, it is asked only of what is not known otherwise, and may then say too much.
    """
    own = [each for each in took if spec.fits(each.facts)]
    every = len(own) == len(took)
    asked = {
        "nano": every or any(each.cost is None for each in own),
        "tokens": every or not all(each.tokens for each in own),
        "calls": every,
    }
    known = sum((each.known for each in own), Amount())
    return Amount(*(max(getattr(known, kind), getattr(seen, kind) if asked[kind] else 0) for kind in KINDS))


def _unusable(error: LedgerError) -> Exception:
    return refused(NO_LEDGER, f"the ledger of budgets cannot be used: {error}", "make its file writable, or free space")
