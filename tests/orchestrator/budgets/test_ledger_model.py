"""The ledger against a model that keeps everything in a dict: equal after any sequence of operations."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from rtfs_framework.orchestrator.performing.budgets.amounts import Amount, Limit
from rtfs_framework.orchestrator.performing.budgets.ledger import Account, Claim, ExhaustedError
from rtfs_framework.orchestrator.performing.budgets.sqlite_ledger import SqliteLedger
from rtfs_framework.testing.clock import FakeClock

ACCOUNTS = (
    Account(budget="a", limit=Limit(nano=100)),
    Account(budget="a", key="other", limit=Limit(nano=100, tokens=40)),
    Account(budget="b", window="2026-11", limit=Limit(tokens=60, calls=5)),
)
AMOUNTS = st.builds(Amount, st.integers(0, 70), st.integers(0, 40), st.integers(0, 2))
LEASE = 10.0


class Held:
    """A reservation of the model."""

    def __init__(self, accounts: list[int], bound: Amount, until: float) -> None:
        self.accounts, self.bound, self.until = accounts, bound, until
        self.counts = bound
        self.begun = self.said = False


class LedgerMachine(RuleBasedStateMachine):
    """Both, side by side. Leases end when time passes; the model looks at every step."""

    made = Bundle("made")
    reserved: ClassVar[set[bool]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.ledger = SqliteLedger(None, self.clock)
        self.settled = [Amount()] * len(ACCOUNTS)
        self.held: dict[int, Held] = {}
        self.overdrawn = False

    def counted(self, place: int) -> Amount:
        total = self.settled[place]
        for each in self.held.values():
            if place in each.accounts:
                total += each.counts
        return total

    @rule(target=made, which=st.sets(st.sampled_from(range(3)), min_size=1), bound=AMOUNTS)
    def reserve(self, which: set[int], bound: Amount) -> Any:
        places = sorted(which)
        claim = Claim(bound=bound, lease=LEASE, symbol="f", target="remote:x")
        fits = all(self.fits(place, bound) for place in places)
        self.reserved.add(fits)
        try:
            reservation = self.ledger.reserve(claim, [ACCOUNTS[place] for place in places])
        except ExhaustedError:
            assert not fits
            return -1
        assert fits
        self.held[reservation] = Held(places, bound, self.clock.now() + LEASE)
        return reservation

    def fits(self, place: int, bound: Amount) -> bool:
        limit, counted = ACCOUNTS[place].limit, self.counted(place)
        return all(
            most is None or not asked or so_far + asked <= most
            for most, asked, so_far in (
                (limit.nano, bound.nano, counted.nano),
                (limit.tokens, bound.tokens, counted.tokens),
                (limit.calls, bound.calls, counted.calls),
            )
        )

    @rule(reservation=made)
    def begin(self, reservation: int) -> None:
        held = self.held.get(reservation)
        assert self.ledger.begin(reservation, 5) == (held is not None and not held.begun)
        if held is not None:
            held.begun = True

    @rule(reservation=consumes(made), took=st.none() | AMOUNTS)
    def settle(self, reservation: int, took: Amount | None) -> None:
        held = self.held.pop(reservation, None)
        assert self.ledger.settle(reservation, took) == (held is not None)
        if held is not None:
            for place in held.accounts:
                self.settled[place] += held.bound if took is None else took

    @rule(reservation=consumes(made))
    def release(self, reservation: int) -> None:
        assert self.ledger.release(reservation) == (self.held.pop(reservation, None) is not None)

    @rule(reservation=made, share=st.integers(0, 4))
    def say(self, reservation: int, share: int) -> None:
        held = self.held.get(reservation)
        bound = Amount() if held is None else held.bound
        took = Amount(bound.nano * share // 4, bound.tokens * share // 4, bound.calls * share // 4)
        assert (self.ledger.say(reservation, took) is None) == (held is None)
        if held is not None:
            held.counts, held.said = took, True

    @rule(seconds=st.sampled_from([1.0, 4.0, LEASE, 1e6]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        now = self.clock.now()
        self.held = {id_: each for id_, each in self.held.items() if each.begun or each.until >= now}

    @invariant()
    def accounts_agree(self) -> None:
        for place, standing in enumerate(self.ledger.standings(ACCOUNTS)):
            assert standing.counted == self.counted(place)
            held = Amount()
            for each in self.held.values():
                if place in each.accounts and not each.said:
                    held += each.bound
            assert standing.held == held

    @invariant()
    def open_ones_agree(self) -> None:
        assert [each.id for each in self.ledger.open()] == sorted(
            id_ for id_, each in self.held.items() if not each.said
        )

    def teardown(self) -> None:
        self.ledger.close()


@pytest.mark.hypothesis
def test_the_ledger_is_equal_to_its_model() -> None:
    LedgerMachine.reserved.clear()
    run_state_machine_as_test(LedgerMachine)
    assert LedgerMachine.reserved == {True, False}, "some were refused, and some were not"
