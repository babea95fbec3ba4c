"""A purse counts: what was taken beyond its bound is owed, and in whatever order requests end, the sum is the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.orchestrator.recording.purse import NOTHING_SPENT, Purse, Spending
from rtfs_framework.testing.effort import effort

AMOUNTS = st.builds(Spending, *[st.integers(0, 6)] * 3)


def test_a_debt_is_paid_by_what_others_give_back():
    purse = Purse(tokens=10)
    assert purse.take(Spending(tokens=2)) is None
    assert purse.take(Spending(tokens=8)) is None
    purse.settle(Spending(tokens=2), Spending(tokens=5))
    assert purse.left == (None, 0, None)
    purse.settle(Spending(tokens=8), Spending(tokens=4))
    assert purse.left == (None, 1, None)
    assert purse.take(Spending(tokens=2)) == "tokens"


def test_a_debt_shortens_what_another_request_may_use():
    purse = Purse(tokens=10)
    small, large = Spending(tokens=2), Spending(tokens=8)
    assert (purse.take(small), purse.take(large)) == (None, None)
    purse.settle(small, Spending(tokens=5))
    assert purse.left_to(large) == (None, 5, None)


def test_who_owes_may_take_nothing_but_nothing():
    purse = Purse(tokens=1)
    purse.settle(NOTHING_SPENT, Spending(tokens=4))
    assert purse.take(NOTHING_SPENT) is None
    assert purse.take(Spending(tokens=1)) == "tokens"


@pytest.mark.parametrize("most", [(40, 40, 40), (40, None, 7), (None, 3, None)], ids=["all", "two", "one"])
@settings(max_examples=effort(150), deadline=None)
@given(data=st.data())
def test_any_order_of_holding_and_settling_ends_with_most_less_used(most, data):
    purse, used, held = Purse(*most), NOTHING_SPENT, []
    for _ in range(data.draw(st.integers(1, 15))):
        if held and data.draw(st.booleans()):
            reserved, took = held.pop(data.draw(st.integers(0, len(held) - 1))), data.draw(AMOUNTS)
            purse.settle(reserved, took)
            used += took
        elif purse.take(wanted := data.draw(AMOUNTS)) is None:
            held.append(wanted)
    for reserved in held:
        purse.settle(reserved, NOTHING_SPENT)
    ends = [None if bound is None else bound - taken for bound, taken in zip(most, used.to_json(), strict=True)]
    assert [purse.nano, purse.tokens, purse.calls] == ends
