"""The ledger in one file of SQLite, shared by all processes of a user.

Each change is one short transaction that takes the file's write lock first, so what was read still holds when it is
written. An account's row is the sum of what was settled and of all bounds that are reserved: looking whether something
is left reads one row. A process that dies leaves its rows, which is the point.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import attrs

from rtfs_framework.api.forks import free_at_forks, leave
from rtfs_framework.api.sqlite_file import NotOurFileError, SqliteTables, in_transaction, open_sqlite
from rtfs_framework.api.values import Clock
from rtfs_framework.orchestrator.performing.budgets.amounts import MOST, Amount
from rtfs_framework.orchestrator.performing.budgets.ledger import (
    Account,
    Claim,
    LedgerError,
    Reservation,
    Standing,
    Typical,
    lacking,
)

T = TypeVar("T")

TABLES = SqliteTables(
    application=0x52544C47,  # "RTLG"
    version=1,
    statements=(
        """create table account (
            budget text not null, key text not null, "window" text not null, renews real, touched real not null,
            nano integer not null, tokens integer not null, calls integer not null,
            primary key (budget, key, "window")) without rowid""",
        """create table reservation (
            id integer primary key autoincrement, made real not null, until real not null,
            begun integer not null default 0,
            nano integer not null, tokens integer not null, calls integer not null,
            said_nano integer, said_tokens integer, said_calls integer,
            tenant text not null, run text not null, path text not null, symbol text not null, target text not null,
            process text not null)""",
        "create index waiting on reservation (until) where begun = 0",
        """create table share (
            reservation integer not null, budget text not null, key text not null, "window" text not null,
            primary key (reservation, budget, key, "window")) without rowid""",
        """create table typical (
            tenant text not null, symbol text not null, target text not null, requests integer not null,
            input_tokens integer not null, output_tokens integer not null,
            most_input integer not null, most_output integer not null,
            primary key (tenant, symbol, target)) without rowid""",
    ),
)

_KEPT = 62 * 86_400.0
"""Seconds for which accounts are kept after their window's end, or, without an end, after their last change."""

_ROWS = 4096
"""So many accounts that were changed last are kept however old the clock says that they are: it may be wrong."""

_CLEAN_EVERY = 512
"""Reservations from one look for accounts that are not needed any more to the next."""

_ROOM = 9 * 10**18
"""The most that a row counts: SQLite's integers end soon after, and would become floats."""

_ADD = """insert into account
    values (:budget, :key, :window, :renews, :now, max(:nano, 0), max(:tokens, 0), max(:calls, 0))
    on conflict do update set touched = max(touched, excluded.touched), renews = excluded.renews,
        nano = max(0, min(nano + :nano, :room)), tokens = max(0, min(tokens + :tokens, :room)),
        calls = max(0, min(calls + :calls, :room))"""
_LEARN = """insert into typical
    select tenant, symbol, target, 1, :given, :got, :given, :got from reservation where id = :id
    on conflict do update set requests = requests + 1,
        input_tokens = min(input_tokens + :given, :room), output_tokens = min(output_tokens + :got, :room),
        most_input = max(most_input, :given), most_output = max(most_output, :got)"""
_GONE = "was deleted or replaced while it was used, so what it has counted is lost; start again to count anew"
"""Going on in the file that has no name any more would be a count that no other process sees."""
_OPEN = """select id, nano, tokens, calls, made, until, begun, said_nano, said_tokens, said_calls,
    tenant, run, path, symbol, target, process from reservation"""


@attrs.define(slots=True, eq=False)
class SqliteLedger:
    """Budgets in a file; None for memory alone, which tests use."""

    path: Path | None
    clock: Clock
    _lock: Lock = attrs.field(factory=lambda: free_at_forks(Lock()), init=False)
    _db: sqlite3.Connection | None = attrs.field(default=None, init=False)
    _file: tuple[int, int] | None = attrs.field(default=None, init=False)
    """Which file was opened: its device and its number there."""
    _process: int = attrs.field(default=0, init=False)
    """Who opened it."""

    def reserve(self, claim: Claim, accounts: Sequence[Account]) -> int:
        """Take an upper bound from all accounts and return the reservation's id."""
        return self._change(lambda db: self._reserve(db, claim, accounts))

    def _reserve(self, db: sqlite3.Connection, claim: Claim, accounts: Sequence[Account]) -> int:
        now, bound = self.clock.now(), claim.bound.bounded()
        self._give_back(db, now)
        for account in accounts:
            wrong = lacking(account, _counted(db, account), bound)
            if wrong is not None:
                raise wrong
        made = db.execute(
            """insert into reservation
                (made, until, nano, tokens, calls, tenant, run, path, symbol, target, process)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (now, now + claim.lease, *attrs.astuple(bound), claim.tenant, claim.run, claim.path, claim.symbol,
             claim.target, _process()),
        )  # fmt: skip
        reservation = made.lastrowid or 0
        for account in accounts:
            _add(db, (*account.id, account.renews), now, bound)
            db.execute("insert into share values (?, ?, ?, ?)", (reservation, *account.id))
        if reservation % _CLEAN_EVERY == 0:
            _clean(db, now)
        return reservation

    def begin(self, reservation: int, seconds: float) -> bool:
        """Note that its request is about to be sent; False when its lease is over."""

        def work(db: sqlite3.Connection) -> bool:
            now = self.clock.now()
            changed = db.execute(
                "update reservation set begun = 1, until = ? where id = ? and begun = 0 and until >= ?",
                (now + seconds, reservation, now),
            )
            return changed.rowcount == 1

        return self._change(work)

    def settle(self, reservation: int, took: Amount | None, told: tuple[int, int] | None = None) -> bool:
        """Count what the request took, None for the bound."""

        def work(db: sqlite3.Connection) -> bool:
            if told is not None:
                tokens = [min(max(each, 0), MOST) for each in told]
                db.execute(_LEARN, {"id": reservation, "given": tokens[0], "got": tokens[1], "room": _ROOM})
            return self._end(db, reservation, None if took is None else took.bounded())

        return self._change(work)

    def release(self, reservation: int) -> bool:
        """Give everything back."""
        return self._change(lambda db: self._end(db, reservation, Amount()))

    def say(self, reservation: int, took: Amount) -> Reservation | None:
        """Count what a person says until it is settled."""

        def work(db: sqlite3.Connection) -> Reservation | None:
            found = _one(db, reservation)
            if found is None:
                return None
            if took.nano > found.bound.nano or took.tokens > found.bound.tokens or took.calls > found.bound.calls:
                raise ValueError("it cannot have taken more than was reserved for it")
            self._count(db, reservation, took - (found.bound if found.said is None else found.said))
            db.execute(
                "update reservation set said_nano = ?, said_tokens = ?, said_calls = ? where id = ?",
                (*attrs.astuple(took), reservation),
            )
            return attrs.evolve(found, said=took)

        return self._change(work)

    def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return what accounts have counted."""

        def work(db: sqlite3.Connection) -> list[Standing]:
            self._give_back(db, self.clock.now())
            return [
                Standing(account=account, counted=_counted(db, account), held=_held(db, account))
                for account in accounts
            ]

        return self._change(work)

    def accounts(self, budget: str) -> list[Standing]:
        """Return all accounts of a budget."""

        def work(db: sqlite3.Connection) -> list[Standing]:
            self._give_back(db, self.clock.now())
            rows = db.execute(
                """select key, "window", renews, nano, tokens, calls from account
                    where budget = ? order by key, "window\"""",
                (budget,),
            ).fetchall()
            found = [
                (Account(budget=budget, key=key, window=window, renews=renews), _amount(counted))
                for key, window, renews, *counted in rows
            ]
            return [Standing(account=each, counted=counted, held=_held(db, each)) for each, counted in found]

        return self._change(work)

    def open(self) -> list[Reservation]:
        """Return the reservations that are not settled, the oldest first."""

        def work(db: sqlite3.Connection) -> list[Reservation]:
            self._give_back(db, self.clock.now())
            return [_reservation(db, row) for row in db.execute(f"{_OPEN} where said_nano is null order by id")]

        return self._change(work)

    def find(self, reservation: int) -> Reservation | None:
        """Return a reservation that is not settled."""
        return self._change(lambda db: _one(db, reservation))

    def typical(self, tenant: str, symbol: str, target: str) -> Typical:
        """Return what is known of a function."""

        def work(db: sqlite3.Connection) -> Typical:
            row = db.execute(
                """select requests, input_tokens, output_tokens, most_input, most_output from typical
                    where tenant = ? and symbol = ? and target = ?""",
                (tenant, symbol, target),
            ).fetchone()
            if row is None:
                return Typical()
            requests, given, got, most_given, most_got = row
            return Typical(
                requests=requests, input_tokens=given, output_tokens=got, most_input=most_given, most_output=most_got
            )

        return self._change(work, begin="begin")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _change(self, work: Callable[[sqlite3.Connection], T], begin: str = "begin immediate") -> T:
        with self._lock:
            try:
                if self._db is not None and self.path is not None and self._process != os.getpid():
                    leave(self._db)
                    self._db = None
                if self._db is None:
                    if self.path is not None:
                        self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._db = open_sqlite(self.path, TABLES)
                    self._file, self._process = _identity(self.path), os.getpid()
                elif self._file != _identity(self.path):
                    raise LedgerError(f"{self.path} {_GONE}")
                return in_transaction(self._db, work, begin)
            except NotOurFileError as error:
                raise LedgerError(f"{self.path} is no ledger of this version of rtfs: {error}") from error
            except (sqlite3.Error, OSError) as error:
                raise LedgerError(f"{self.path} cannot be used: {error}") from error

    def _give_back(self, db: sqlite3.Connection, now: float) -> None:
        """Give back what never began within its lease."""
        for (reservation,) in db.execute("select id from reservation where begun = 0 and until < ?", (now,)).fetchall():
            self._end(db, reservation, Amount())

    def _end(self, db: sqlite3.Connection, reservation: int, took: Amount | None) -> bool:
        found = _one(db, reservation)
        if found is None:
            return False
        so_far = found.bound if found.said is None else found.said
        self._count(db, reservation, (found.bound if took is None else took) - so_far)
        db.execute("delete from share where reservation = ?", (reservation,))
        db.execute("delete from reservation where id = ?", (reservation,))
        return True

    def _count(self, db: sqlite3.Connection, reservation: int, more: Amount) -> None:
        """Count more, or less, on all accounts of a reservation."""
        shares = db.execute(
            """select budget, key, "window", (select renews from account
                where account.budget = share.budget and account.key = share.key and account."window" = share."window")
                from share where reservation = ?""",
            (reservation,),
        ).fetchall()
        for share in shares:
            _add(db, share, self.clock.now(), more)


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return which file lies at a path, None for none."""
    try:
        found = None if path is None else path.stat()
    except FileNotFoundError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _add(db: sqlite3.Connection, account: Sequence[Any], now: float, more: Amount) -> None:
    """Count more, or less, on one account: (budget, key, window, renews)."""
    named = dict(zip(("budget", "key", "window", "renews"), account, strict=True))
    db.execute(_ADD, {**named, "now": now, "room": _ROOM, **attrs.asdict(more)})


def _counted(db: sqlite3.Connection, account: Account) -> Amount:
    row = db.execute(
        'select nano, tokens, calls from account where budget = ? and key = ? and "window" = ?', account.id
    ).fetchone()
    return Amount() if row is None else _amount(row)


def _amount(row: Sequence[Any]) -> Amount:
    """Return what a row counts; SQLite keeps what is no number in a column of numbers, too."""
    if any(each.__class__ is not int for each in row):
        raise sqlite3.DatabaseError("it is damaged: an account counts what is no number")
    return Amount(*row)


def _held(db: sqlite3.Connection, account: Account) -> Amount:
    row = db.execute(
        """select coalesce(sum(coalesce(said_nano, nano)), 0), coalesce(sum(coalesce(said_tokens, tokens)), 0),
            coalesce(sum(coalesce(said_calls, calls)), 0) from share join reservation on id = reservation
            where budget = ? and key = ? and "window" = ? and said_nano is null""",
        account.id,
    ).fetchone()
    return Amount(*row)


def _one(db: sqlite3.Connection, reservation: int) -> Reservation | None:
    row = db.execute(f"{_OPEN} where id = ?", (reservation,)).fetchone()
    return None if row is None else _reservation(db, row)


def _reservation(db: sqlite3.Connection, row: Sequence[Any]) -> Reservation:
    id_, nano, tokens, calls, made, until, begun, *more = row
    said, (tenant, run, path, symbol, target, process) = more[:3], more[3:]
    budgets: Iterable[tuple[str]] = db.execute("select distinct budget from share where reservation = ?", (id_,))
    return Reservation(
        id=id_,
        bound=Amount(nano, tokens, calls),
        made=made,
        until=until,
        begun=bool(begun),
        said=None if said[0] is None else Amount(*said),
        tenant=tenant,
        run=run,
        path=path,
        symbol=symbol,
        target=target,
        process=process,
        budgets=tuple(sorted(name for (name,) in budgets)),
    )


def _clean(db: sqlite3.Connection, now: float) -> None:
    """Forget accounts of windows that are long over, and what people said of reservations on them."""
    old = now - _KEPT
    db.execute("delete from reservation where said_nano is not null and made < ?", (old,))
    db.execute("delete from share where reservation not in (select id from reservation)")
    db.execute(
        """delete from account where touched < :old and (renews < :old or (renews is null and "window" != ''))
            and touched < (select touched from account order by touched desc limit 1 offset :rows)
            and not exists (select 1 from share where share.budget = account.budget and share.key = account.key
                and share."window" = account."window")""",
        {"old": old, "rows": _ROWS},
    )


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
