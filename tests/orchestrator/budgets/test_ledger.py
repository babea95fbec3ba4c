"""The ledger: bounds are taken from all accounts or from none, and given back only where nothing was sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rtfs_framework.orchestrator.performing.budgets import sqlite_ledger
from rtfs_framework.orchestrator.performing.budgets.amounts import MOST, Amount, Limit
from rtfs_framework.orchestrator.performing.budgets.ledger import Account, Claim, ExhaustedError, LedgerError, Typical
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing.clock import FakeClock

LEASE = 60.0
DAY = Account(budget="day", window="2026-11-29", renews=1e10, limit=Limit(nano=100, calls=3))
TOKENS = Account(budget="tokens", limit=Limit(tokens=50))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: FakeClock) -> Iterator[SqliteLedger]:
    made = SqliteLedger(tmp_path / "new" / "ledger.sqlite", clock)
    yield made
    made.close()


def claim(nano: int = 10, tokens: int = 10, calls: int = 1) -> Claim:
    return Claim(bound=Amount(nano, tokens, calls), lease=LEASE, tenant="acme", run="r1", symbol="f", target="remote:x")


def counted(ledger: SqliteLedger, account: Account = DAY) -> Amount:
    return ledger.standings([account])[0].counted


def test_a_bound_counts_until_it_is_settled_at_what_was_taken(ledger: SqliteLedger) -> None:
    made = ledger.reserve(claim(60), [DAY])
    assert ledger.standings([DAY])[0].held == Amount(60, 10, 1)
    assert ledger.begin(made, 30)
    assert ledger.settle(made, Amount(25, 5, 1))
    standing = ledger.standings([DAY])[0]
    assert (standing.counted, standing.held) == (Amount(25, 5, 1), Amount())
    assert not ledger.settle(made, Amount(25, 5, 1)), "once"
    assert counted(ledger) == Amount(25, 5, 1)


@pytest.mark.parametrize(
    ("taken", "asked", "kind", "left"),
    [((95, 0, 1), (6, 0, 1), "nano", 5), ((0, 0, 3), (0, 0, 1), "calls", 0), ((200, 0, 1), (1, 0, 1), "nano", 0)],
)
def test_a_refusal_says_what_is_left_and_takes_nothing(
    ledger: SqliteLedger, taken: tuple[int, int, int], asked: tuple[int, int, int], kind: str, left: int
) -> None:
    ledger.settle(ledger.reserve(claim(0, 0, 0), [DAY]), Amount(*taken))
    before = counted(ledger)
    with pytest.raises(ExhaustedError) as error:
        ledger.reserve(claim(*asked), [TOKENS, DAY])
    assert (error.value.account, error.value.kind, error.value.left) == (DAY, kind, left)
    assert counted(ledger) == before
    assert counted(ledger, TOKENS) == Amount()
    assert ledger.open() == []


def test_what_takes_nothing_is_not_refused_for_money(ledger: SqliteLedger) -> None:
    ledger.settle(ledger.reserve(claim(100), [DAY]), None)
    ledger.reserve(claim(0), [DAY])
    assert counted(ledger) == Amount(100, 20, 2)


def test_windows_and_keys_are_counted_apart(ledger: SqliteLedger) -> None:
    ledger.reserve(claim(100), [DAY])
    for other in (
        Account(budget="day", window="2026-11-30", limit=DAY.limit),
        Account(budget="day", key="acme", window="2026-11-29", limit=DAY.limit),
    ):
        ledger.reserve(claim(100), [other])
        assert counted(ledger, other).nano == 100


def test_a_lease_that_is_over_gives_back_what_never_began(ledger: SqliteLedger, clock: FakeClock) -> None:
    waiting, sent = ledger.reserve(claim(40), [DAY]), ledger.reserve(claim(50), [DAY])
    assert ledger.begin(sent, 5)
    clock.advance(LEASE)
    assert ledger.find(waiting) is not None, "not yet"
    clock.advance(1)
    assert counted(ledger) == Amount(50, 10, 1)
    assert [each.id for each in ledger.open()] == [sent]
    assert not ledger.begin(waiting, 5), "its place may be another's"
    assert not ledger.settle(waiting, None)
    clock.advance(10 * 365 * 86_400)
    assert counted(ledger) == Amount(50, 10, 1), "one that has begun may be billed, however long ago"


def test_a_lease_that_is_over_cannot_begin_even_if_nobody_looked(ledger: SqliteLedger, clock: FakeClock) -> None:
    made = ledger.reserve(claim(), [DAY])
    clock.advance(LEASE + 1)
    assert not ledger.begin(made, 5)


def test_release_gives_everything_back(ledger: SqliteLedger) -> None:
    made = ledger.reserve(claim(), [DAY, TOKENS])
    assert ledger.release(made)
    assert (counted(ledger), counted(ledger, TOKENS)) == (Amount(), Amount())
    assert not ledger.release(made)


def test_a_person_may_say_less_and_the_process_knows_better(ledger: SqliteLedger) -> None:
    made = ledger.reserve(claim(60), [DAY])
    ledger.begin(made, 30)
    with pytest.raises(ValueError, match="more than was reserved"):
        ledger.say(made, Amount(61, 0, 1))
    said = ledger.say(made, Amount(20, 0, 1))
    assert said is not None
    assert said.budgets == ("day",)
    assert counted(ledger) == Amount(20, 0, 1)
    assert ledger.open() == []
    ledger.say(made, Amount())
    assert counted(ledger) == Amount()
    assert ledger.settle(made, Amount(55, 9, 1)), "it lived, and was billed"
    assert counted(ledger) == Amount(55, 9, 1)
    assert ledger.say(made, Amount()) is None


def test_what_took_more_than_its_bound_is_counted_as_it_is(ledger: SqliteLedger) -> None:
    ledger.settle(ledger.reserve(claim(1), [DAY]), Amount(150, 1, 1))
    assert counted(ledger).nano == 150


def test_absurd_amounts_stay_whole_numbers(ledger: SqliteLedger) -> None:
    free = Account(budget="free", limit=Limit(calls=10**9))
    for _ in range(3):
        ledger.settle(ledger.reserve(claim(10**30, -5, 1), [free]), Amount(10**40, 10**40, 1))
    assert counted(ledger, free) == Amount(3 * MOST, 3 * MOST, 3)


def test_two_processes_share_a_file(ledger: SqliteLedger, clock: FakeClock) -> None:
    made = ledger.reserve(claim(60), [DAY])
    other = SqliteLedger(ledger.path, clock)
    with pytest.raises(ExhaustedError):
        other.reserve(claim(50), [DAY])
    assert other.settle(made, Amount(0, 0, 1))
    other.close()
    assert counted(ledger) == Amount(0, 0, 1)


def test_what_is_known_of_a_function_is_kept_per_tenant(ledger: SqliteLedger) -> None:
    for told in ((100, 10), (300, 5), None):
        ledger.settle(ledger.reserve(claim(), [DAY]), None, told)
    known = Typical(requests=2, input_tokens=400, output_tokens=15, most_input=300, most_output=10)
    assert ledger.typical("acme", "f", "remote:x") == known
    assert ledger.typical("other", "f", "remote:x") == Typical()


def test_accounts_of_long_ago_are_forgotten_but_not_those_for_ever(
    ledger: SqliteLedger, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_ledger, "_ROWS", 0)
    ever, run = Account(budget="ever", limit=Limit(nano=10**6)), Account(budget="run", window="run:1")
    past = Account(budget="past", window="2023-11-14", renews=clock.now() + 60)
    ledger.settle(ledger.reserve(claim(), [ever, run, past]), None)
    clock.advance(100 * 86_400)
    ledger.release(ledger.reserve(claim(), [TOKENS]))
    for _ in range(512):
        ledger.release(ledger.reserve(claim(0, 0, 0), []))
    assert [counted(ledger, each).nano for each in (ever, run, past)] == [10, 0, 0]


def test_a_clock_that_is_wrong_for_a_while_forgets_nothing_that_was_counted_lately(
    ledger: SqliteLedger, clock: FakeClock
) -> None:
    ledger.settle(ledger.reserve(claim(nano=30), [DAY]), Amount(30, 10, 1))
    clock.wall += 3e10
    for _ in range(1100):  # long enough for several looks at what is not needed any more
        ledger.release(ledger.reserve(claim(), [TOKENS]))
    clock.wall -= 3e10
    assert counted(ledger).nano == 30


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_is_deleted_while_it_is_used_lets_nothing_pass_and_is_told(
    ledger: SqliteLedger, clock: FakeClock, replaced: bool
) -> None:
    reserved = ledger.reserve(claim(), [DAY])
    assert ledger.path is not None
    for each in ledger.path.parent.iterdir():
        each.unlink()
    if replaced:
        with closing(SqliteLedger(ledger.path, clock)) as other:
            assert counted(other) == Amount()
    for use in (lambda: ledger.reserve(claim(), [DAY]), lambda: ledger.settle(reserved, None)):
        with pytest.raises(LedgerError, match="was deleted or replaced while it was used"):
            use()
    ledger.close()
    assert counted(ledger) == Amount(), "whoever starts again counts anew"


def test_what_is_no_number_is_a_broken_ledger(ledger: SqliteLedger, tmp_path: Path) -> None:
    ledger.reserve(claim(), [DAY])
    other = sqlite3.connect(tmp_path / "new" / "ledger.sqlite")
    other.execute("update account set calls = 'many'")
    other.commit()
    other.close()
    for look in (lambda: ledger.reserve(claim(), [DAY]), lambda: ledger.accounts("day")):
        with pytest.raises(LedgerError, match="damaged"):
            look()


def test_a_file_of_somebody_else_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table t (a)")
    db.close()
    broken = SqliteLedger(path, clock)
    with pytest.raises(LedgerError, match="no ledger"):
        broken.reserve(claim(), [DAY])
    path.write_text("no database at all" * 100)
    with pytest.raises(LedgerError, match="cannot be used"):
        SqliteLedger(path, clock).reserve(claim(), [DAY])
