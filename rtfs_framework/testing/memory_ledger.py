"""A ledger in memory: what tests use in place of one that lasts, and what the contract suite of ledgers is tried on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from threading import RLock
from typing import Any

import attrs

from rtfs_framework.api import (
    Account,
    Amount,
    BudgetClaim,
    ExhaustedError,
    LedgerSettings,
    Reservation,
    Standing,
    Typical,
    lacking,
)

_NONE = Amount()
_KINDS = ("nano", "tokens", "calls")


@attrs.define(slots=True, eq=False)
class Book:
    """What several ledgers share: the counts of accounts, what is reserved on them, and what is known of functions."""

    lock: Any = attrs.field(factory=RLock)
    counted: defaultdict[Any, Amount] = attrs.field(factory=lambda: defaultdict(Amount))
    known: dict[Any, Account] = attrs.field(factory=dict)
    held: dict[int, Reservation] = attrs.field(factory=dict)
    on: dict[int, list[Any]] = attrs.field(factory=dict)
    typical: dict[Any, Typical] = attrs.field(factory=dict)
    last: int = 0


_BOOKS: dict[str, Book] = {}


def book_of(name: str) -> Book:
    """Return the book of a name, which all ledgers of this process share."""
    return _BOOKS.setdefault(name, Book())


class MemoryLedger:
    """Counts in a book; ledgers that are given the same book share it."""

    def __init__(self, settings: LedgerSettings, book: Book | None = None) -> None:
        """Make a ledger on a book; on one of its own without any."""
        self.clock = settings.clock
        self.book = Book() if book is None else book

    def reserve(self, claim: BudgetClaim, accounts: Sequence[Account]) -> int:
        """Take a bound from all accounts, or from none."""
        with self.book.lock:
            self.tidy()
            bound = self.bound_of(claim.bound)
            for account in accounts:
                refused = self.refusal(account, bound)
                if refused is not None:
                    raise refused
            return self.take(claim, bound, accounts)

    def begin(self, reservation: int, seconds: float) -> bool:
        """Note that a request is about to be sent."""
        with self.book.lock:
            self.tidy()
            made = self.book.held.get(reservation)
            if made is None or made.begun:
                return False
            self.book.held[reservation] = attrs.evolve(made, begun=True, until=self.clock.now() + seconds)
            return True

    def settle(self, reservation: int, took: Amount | None, told: tuple[int, int] | None = None) -> bool:
        """Count what a request took."""
        with self.book.lock:
            self.tidy()
            made = self.book.held.get(reservation)
            if made is None:
                return False
            self.finish(made, self.goes_first(made, made.bound if took is None else self.bound_of(took)))
            self.learn(made, told)
            return True

    def release(self, reservation: int) -> bool:
        """Give everything back."""
        with self.book.lock:
            made = self.book.held.get(reservation)
            if made is not None:
                self.finish(made, _NONE)
            return made is not None

    def say(self, reservation: int, took: Amount) -> Reservation | None:
        """Count what a person says."""
        with self.book.lock:
            made = self.book.held.get(reservation)
            if made is None:
                return None
            if any(getattr(took, kind) > getattr(made.bound, kind) for kind in _KINDS):
                raise ValueError("it is more than the bound")
            self.add(made, took - (made.said or made.bound))
            self.book.held[reservation] = attrs.evolve(made, said=took)
            return self.book.held[reservation]

    def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return what accounts have counted."""
        with self.book.lock:
            self.tidy()
            return [
                Standing(account=each, counted=self.book.counted[self.id_of(each)], held=self.still(each))
                for each in accounts
            ]

    def accounts(self, budget: str) -> list[Standing]:
        """Return all accounts of a budget."""
        return self.standings([each for each in self.book.known.values() if each.budget == budget])

    def open(self) -> list[Reservation]:
        """Return what is not settled."""
        with self.book.lock:
            self.tidy()
            return [each for each in self.book.held.values() if each.said is None]

    def find(self, reservation: int) -> Reservation | None:
        """Return a reservation that is not settled."""
        with self.book.lock:
            self.tidy()
            return self.book.held.get(reservation)

    def typical(self, tenant: str, symbol: str, target: str) -> Typical:
        """Return what is known of a function."""
        with self.book.lock:
            return self.book.typical.get(self.whose(tenant, symbol, target), Typical())

    def close(self) -> None:
        """Do nothing."""

    # the steps, each of which a ledger that breaks the contract may get wrong

    def id_of(self, account: Account) -> Any:
        """Return what tells an account from others."""
        return account.id

    def bound_of(self, amount: Amount) -> Amount:
        """Return what one call may count."""
        return amount.bounded()

    def is_over(self, made: Reservation) -> bool:
        """Tell whether a reservation is given back: what has begun never is."""
        return not made.begun and made.until < self.clock.now()

    def refusal(self, account: Account, bound: Amount) -> ExhaustedError | None:
        """Return why an account does not hold an amount."""
        return lacking(account, self.book.counted[self.id_of(account)], bound)

    def whose(self, tenant: str, symbol: str, target: str) -> Any:
        """Return of whom something becomes known."""
        return tenant, symbol, target

    def goes_first(self, made: Reservation, took: Amount) -> Amount:  # noqa: ARG002 - what a person said does not
        """Return what counts when a request is over."""
        return took

    def add(self, made: Reservation, amount: Amount) -> None:
        """Count an amount on all accounts of a reservation."""
        for account in self.book.on[made.id]:
            self.book.counted[account] += amount

    def tidy(self) -> None:
        """Give back what never began."""
        for made in [each for each in self.book.held.values() if self.is_over(each)]:
            self.finish(made, _NONE)

    def finish(self, made: Reservation, amount: Amount) -> None:
        """Put an amount in the place of what was reserved."""
        self.add(made, amount - (made.said or made.bound))
        del self.book.held[made.id]

    def take(self, claim: BudgetClaim, bound: Amount, accounts: Sequence[Account]) -> int:
        """Reserve."""
        self.book.last += 1
        now = self.clock.now()
        made = Reservation(
            id=self.book.last, bound=bound, made=now, until=now + claim.lease, begun=False, said=None,
            tenant=claim.tenant, run=claim.run, path=claim.path, symbol=claim.symbol, target=claim.target,
            process="", budgets=tuple(each.budget for each in accounts),
        )  # fmt: skip
        self.book.held[made.id] = made
        self.book.on[made.id] = [self.id_of(each) for each in accounts]
        self.book.known.update({self.id_of(each): each for each in accounts})
        self.add(made, bound)
        return made.id

    def learn(self, made: Reservation, told: tuple[int, int] | None) -> None:
        """Keep what a server told of a request."""
        if told is not None:
            who = self.whose(made.tenant, made.symbol, made.target)
            old = self.book.typical.get(who, Typical())
            self.book.typical[who] = Typical(
                requests=old.requests + 1, input_tokens=old.input_tokens + told[0],
                output_tokens=old.output_tokens + told[1], most_input=max(old.most_input, told[0]),
                most_output=max(old.most_output, told[1]),
            )  # fmt: skip

    def still(self, account: Account) -> Amount:
        """Return what is reserved on an account, and nobody has said anything of."""
        held = _NONE
        for made in self.book.held.values():
            if self.id_of(account) in self.book.on[made.id] and made.said is None:
                held += made.bound
        return held
