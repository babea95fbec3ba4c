"""Ledgers of budgets: what may be spent, counted by all who spend from it. A plug-in may offer one that machines share.

The life of a reservation: `reserve` takes an upper bound from every account that it counts on, or from none. `begin`
says that the request is about to be sent. `settle` puts what it took in the place of the bound. A reservation that has
not begun when its lease ends is given back: nothing was sent. One that has begun counts in full until it is settled,
whatever became of its process, because it may be billed.

Money is whole nano-dollars (10^-9 US dollars), never a float. A ledger that cannot be used raises `LedgerError`, and
then nothing is spent: it must never answer from a count that may be too low.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.settings import SettingsSchema

if TYPE_CHECKING:
    from rtfs_framework.api.values import Clock

MOST = 10**15
"""Of each thing that one call may take: a million dollars in nano-dollars. What is more counts as this."""


@attrs.frozen(slots=True)
class Amount:
    """Some of everything that is counted."""

    nano: int = 0
    """Nano-dollars."""
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.nano + other.nano, self.tokens + other.tokens, self.calls + other.calls)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.nano - other.nano, self.tokens - other.tokens, self.calls - other.calls)

    def bounded(self) -> Amount:
        """Return what one call may count: nothing below 0, nothing beyond `MOST`."""
        return Amount(*(min(max(each, 0), MOST) for each in (self.nano, self.tokens, self.calls)))


@attrs.frozen(slots=True)
class Limit:
    """How much of each thing may be taken; None is any amount."""

    nano: int | None = None
    tokens: int | None = None
    calls: int | None = None


NO_LIMIT = Limit()

KINDS = ("nano", "tokens", "calls")
"""What is counted, by the names of its fields."""


@attrs.frozen(slots=True, kw_only=True)
class Account:
    """One budget in one window of time, for one of those that it counts apart."""

    budget: str
    key: str = ""
    """For whom: a digest of the budget's scope and of what it counts apart (tenant, model, run)."""
    window: str = ""
    """Such as "2026-11-29"; "" for ever."""
    renews: float | None = None
    """When the window ends (seconds since the epoch); None for never by itself."""
    limit: Limit = NO_LIMIT

    @property
    def id(self) -> tuple[str, str, str]:
        """What tells it from others in the ledger. Its limit may change from one day to the next."""
        return self.budget, self.key, self.window


@attrs.frozen(slots=True, kw_only=True)
class BudgetClaim:
    """Who wants to reserve how much."""

    bound: Amount
    """At most what the request can take."""
    lease: float
    """Seconds after which it is given back unless it has begun."""
    tenant: str = ""
    run: str = ""
    path: str = ""
    """Of the call in its run."""
    symbol: str = ""
    target: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Reservation:
    """One that is not settled."""

    id: int
    bound: Amount
    made: float
    until: float
    """The end of its lease; of one that has begun, when its answer should be there at the latest."""
    begun: bool
    said: Amount | None
    """What a person says that it took."""
    tenant: str
    run: str
    path: str
    symbol: str
    target: str
    process: str
    """Whose it is: host and process id."""
    budgets: tuple[str, ...]


@attrs.frozen(slots=True, kw_only=True)
class Standing:
    """What an account has counted, reservations included, and how much of it is reserved."""

    account: Account
    counted: Amount
    held: Amount


@attrs.frozen(slots=True, kw_only=True)
class Typical:
    """What is known of a function of one tenant at one target, from the requests that were settled."""

    requests: int = 0
    input_tokens: int = 0
    """Of all of them together, as the most below is of one."""
    output_tokens: int = 0
    most_input: int = 0
    most_output: int = 0


class ExhaustedError(Exception):
    """An account does not hold what was asked for; nothing was reserved."""

    def __init__(self, account: Account, kind: str, counted: int, asked: int) -> None:
        """Say which account, and of what (`KINDS`) how much it has counted and how much was asked for."""
        super().__init__(f"budget '{account.budget}': {counted} counted, {asked} asked")
        self.account = account
        self.kind = kind
        self.counted = counted
        self.asked = asked

    @property
    def limit(self) -> int:
        """How much may be taken of it."""
        return int(getattr(self.account.limit, self.kind))

    @property
    def left(self) -> int:
        """How much is left."""
        return max(0, self.limit - self.counted)


class LedgerError(Exception):
    """The ledger cannot be read or written; nothing was changed."""


class Ledger(Protocol):
    """Keeps budgets. All methods may wait, may be called by any thread, and raise `LedgerError` when it is broken."""

    def reserve(self, claim: BudgetClaim, accounts: Sequence[Account]) -> int:
        """Take an upper bound from all accounts and return the reservation's id.

        Raises:
            ExhaustedError: One of them does not hold it; nothing was taken from any.
        """
        ...

    def begin(self, reservation: int, seconds: float) -> bool:
        """Note that its request is about to be sent and is answered within `seconds`; False when its lease is over.

        When that returned True, whatever happens to this process or this machine's other processes, it counts.
        """
        ...

    def settle(self, reservation: int, took: Amount | None, told: tuple[int, int] | None = None) -> bool:
        """Count what the request took, None for the bound; False when there is no such reservation any more.

        It goes before what a person said meanwhile. `told` are input and output tokens where a server told both: they
        become a part of what is known of the function (`typical`).
        """
        ...

    def release(self, reservation: int) -> bool:
        """Give everything back: its request was not sent."""
        ...

    def say(self, reservation: int, took: Amount) -> Reservation | None:
        """Count what a person says until it is settled; None when there is no such reservation.

        Raises:
            ValueError: It is more than the bound.
        """
        ...

    def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return what accounts have counted."""
        ...

    def accounts(self, budget: str) -> list[Standing]:
        """Return all accounts of a budget, of whatever window; their limits are not known here."""
        ...

    def open(self) -> list[Reservation]:
        """Return the reservations that are not settled, the oldest first."""
        ...

    def find(self, reservation: int) -> Reservation | None:
        """Return a reservation that is not settled."""
        ...

    def typical(self, tenant: str, symbol: str, target: str) -> Typical:
        """Return what is known of a function."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...


def lacking(account: Account, counted: Amount, bound: Amount) -> ExhaustedError | None:
    """Return why an account does not hold an amount; what takes nothing of a kind is never refused for it."""
    for kind in KINDS:
        limit, asked, so_far = getattr(account.limit, kind), getattr(bound, kind), getattr(counted, kind)
        if limit is not None and asked and so_far + asked > limit:
            return ExhaustedError(account, kind, so_far, asked)
    return None


@attrs.frozen(slots=True, kw_only=True)
class LedgerSettings:
    """What a ledger is made from."""

    clock: Clock
    own: Any = None
    """The plug-in's own settings."""
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Of the environment, the variables that settings named `*_env` name. Never logged."""


@attrs.frozen(slots=True, kw_only=True)
class LedgerEntry:
    """A ledger that a plug-in offers under a name: `[ledger] store` chooses one."""

    name: str
    summary: str
    factory: Callable[[LedgerSettings], Ledger]
    """Opens nothing yet: what cannot be reached is a `LedgerError` when it is first used."""
    settings: SettingsSchema | None = None
