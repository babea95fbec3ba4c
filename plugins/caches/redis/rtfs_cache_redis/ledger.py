"""The ledger at one server: what machines spend together never exceeds a budget.

**Lost is refused.** While the server is away every method raises `LedgerError`, so nothing is spent: a share that each
node could spend alone would exceed the budget with the number of nodes. What was reserved and has begun stays counted
in full; what had not begun is given back when its lease is over.

**Counts do not go back.** See `ledger_script`: a server that lost what it had acknowledged is refused by everybody who
saw it, until they start again, as with a file that was deleted. So a server that keeps budgets needs `appendonly yes`
and `appendfsync always`, and the policy `noeviction`; the docs say so.

A request whose answer is lost may have been carried out. Then a reservation that nobody knows is given back by its
lease, a begun one counts in full, and a settled one stays settled: never too little.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from json import dumps, loads
from secrets import token_hex
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote

import attrs

from rtfs_cache_redis.faults import Away
from rtfs_cache_redis.ledger_script import KEYS, ROOM, SCRIPT
from rtfs_cache_redis.link import Address, Link
from rtfs_framework.api import (
    Account,
    Amount,
    BudgetClaim,
    Clock,
    ExhaustedError,
    LedgerError,
    Reservation,
    Standing,
    Typical,
)

_KINDS = ("nano", "tokens", "calls")
_MOST = 10**15
_NOT_GREETED = "return 1"


class RedisLedger:
    """Budgets at a server, for all nodes that use one prefix."""

    def __init__(self, address: Address, prefix: str, clock: Clock) -> None:
        """Make no connection yet."""
        keys = [f"{prefix}:{{ledger}}:{name}" for name in KEYS]
        self._link = Link(address, {"ledger": SCRIPT}, keys, (_NOT_GREETED, ""))
        self._clock = clock
        self._lock = Lock()
        self._life, self._serial = "", 0

    def reserve(self, claim: BudgetClaim, accounts: Sequence[Account]) -> int:
        """Take an upper bound from all accounts and return the reservation's id."""
        bound, now = claim.bound.bounded(), self._clock.now()
        about = {name: getattr(claim, name) for name in ("tenant", "run", "path", "symbol", "target")}
        about |= {"made": now, "process": f"{socket.gethostname()}:{os.getpid()}"}
        about["budgets"] = [account.budget for account in accounts]
        known = _joined(claim.tenant, claim.symbol, claim.target)
        sent: list[Any] = [*attrs.astuple(bound), repr(now + claim.lease), known, dumps(about)]
        for account in accounts:
            limits = [getattr(account.limit, kind) for kind in _KINDS]
            sent += [_name(account), "-" if account.renews is None else repr(account.renews)]
            sent += ["" if limit is None else min(limit, ROOM) for limit in limits]
        with self._reading():
            kind, *more = self._ask("reserve", *sent)
            if kind == b"lacking":
                account, counted = accounts[int(more[0])], _KINDS[int(more[1])]
                raise ExhaustedError(account, counted, int(more[2]), getattr(bound, counted))
            return int(more[0])

    def begin(self, reservation: int, seconds: float) -> bool:
        """Note that its request is about to be sent; False when its lease is over."""
        with self._reading():
            return bool(self._ask("begin", reservation, repr(self._clock.now() + seconds))[0] == b"begun")

    def settle(self, reservation: int, took: Amount | None, told: tuple[int, int] | None = None) -> bool:
        """Count what the request took, None for the bound."""
        counted = ("", "", "") if took is None else attrs.astuple(took.bounded())
        tokens = ("", "") if told is None else tuple(min(max(each, 0), _MOST) for each in told)
        with self._reading():
            return bool(self._ask("settle", reservation, *counted, *tokens)[0] == b"ended")

    def release(self, reservation: int) -> bool:
        """Give everything back."""
        return self.settle(reservation, Amount())

    def say(self, reservation: int, took: Amount) -> Reservation | None:
        """Count what a person says until it is settled."""
        with self._reading():
            kind, *more = self._ask("say", reservation, *attrs.astuple(took))
        if kind == b"more":
            raise ValueError("it cannot have taken more than was reserved for it")
        with self._reading():
            return _reservation(reservation, more[0], more[1]) if kind == b"said" else None

    def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return what accounts have counted."""
        with self._reading():
            rows, held = self._ask("standings", *map(_name, accounts))
            return [
                Standing(account=account, counted=_amount(row), held=_held(_name(account), held))
                for account, row in zip(accounts, rows, strict=True)
            ]

    def accounts(self, budget: str) -> list[Standing]:
        """Return all accounts of a budget."""
        with self._reading():
            rows, held, _ = self._ask("look")
            found = []
            for name, row in _pairs(rows):
                of, key, window = map(unquote, name.decode().split("|"))
                renews = row.split()[4]
                if of == budget:
                    end = None if renews == b"-" else float(renews)
                    account = Account(budget=of, key=key, window=window, renews=end)
                    found.append(Standing(account=account, counted=_amount(row), held=_held(name.decode(), held[1::2])))
            return sorted(found, key=lambda each: each.account.id)

    def open(self) -> list[Reservation]:
        """Return the reservations that are not settled, the oldest first."""
        return [each for each in self._all() if each.said is None]

    def find(self, reservation: int) -> Reservation | None:
        """Return a reservation that is not settled."""
        return next((each for each in self._all("peek") if each.id == reservation), None)

    def typical(self, tenant: str, symbol: str, target: str) -> Typical:
        """Return what is known of a function."""
        with self._reading():
            (known,) = self._ask("typical", _joined(tenant, symbol, target))
            told = list(map(int, known.split())) if known else [0] * 5
            requests, given, got, most_given, most_got = told
        return Typical(
            requests=requests, input_tokens=given, output_tokens=got, most_input=most_given, most_output=most_got
        )

    def close(self) -> None:
        """Close the connections."""
        self._link.close()

    def _all(self, want: str = "look") -> list[Reservation]:
        with self._reading():
            _, held, about = self._ask(want)
            known = dict(_pairs(about))
            found = (_reservation(int(number), row, known.get(number, b"{}")) for number, row in _pairs(held))
            return sorted(found, key=lambda each: each.id)

    def _ask(self, want: str, *arguments: Any) -> list[Any]:
        """Run the script; its answer without life and serial number, which are kept for the next call."""
        with self._lock:
            life, serial = self._life, self._serial
        try:
            found = self._link.ask("ledger", life, serial, token_hex(16), repr(self._clock.now()), want, *arguments)
        except Away as error:
            raise LedgerError(f"{self._link.address.shown} cannot be used: {error.why} ({error.way_out})") from error
        with self._reading(), self._lock:
            self._life, self._serial = found[0].decode(), max(self._serial, int(found[1]))
            return list(found[2:])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn rows that no ledger wrote into the error of a ledger that cannot be used."""
        try:
            yield
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            wrong = f"{self._link.address.shown} holds rows that are none of a ledger's"
            raise LedgerError(f"{wrong} (choose another prefix, or delete the keys below it)") from error


def _name(account: Account) -> str:
    return _joined(*account.id)


def _joined(*texts: str) -> str:
    """Return texts as one without spaces, each told from the next."""
    return "|".join(quote(each, safe="") for each in texts)


def _pairs(flat: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _amount(row: bytes) -> Amount:
    return Amount(*map(int, row.split()[:3]))


def _held(name: str, rows: Sequence[bytes]) -> Amount:
    found = Amount()
    for row in rows:
        words = row.decode().split()
        if words[5] == "-" and name in words[9:]:
            found += _amount(row)
    return found


def _reservation(number: int, row: bytes, about: bytes) -> Reservation:
    words, told = row.decode().split(), loads(about)
    return Reservation(
        id=number,
        bound=_amount(row),
        made=float(told.get("made", 0.0)),
        until=float(words[3]),
        begun=words[4] == "1",
        said=None if words[5] == "-" else Amount(*map(int, words[5:8])),
        **{name: str(told.get(name, "")) for name in ("tenant", "run", "path", "symbol", "target", "process")},
        budgets=tuple(sorted(set(told.get("budgets", ())))),
    )
