"""Budgets of what is spread: shares are reserved at home and settled by what came back, so the cap holds."""

from __future__ import annotations

TEXTS = [f"text {number}" for number in range(40)]
ERROR = "[delegation]\non_exhausted = 'error'\n[ledger]\nmax_tokens = 60\n"


def _spread(world, session, texts=TEXTS):
    spread = world.spread(session, texts)
    found = [*spread]
    spread.close()
    return found


def test_what_was_taken_is_counted_and_nothing_stays_reserved(world):
    with world.open(ERROR + "[budgets.b]\nusd = 1\ncalls = 1000\n") as session:
        found = _spread(world, session)
        assert all(each.ok for each in found)
        assert world.total(session) == (40 * (100 * 1000 + 50 * 2000), 40 * 150, 40)
        assert session.host.counting.budgets.ledger.open() == []


def test_a_cap_holds_and_is_used_up_to_the_last_call(world):
    with world.open(ERROR + "[budgets.b]\ncalls = 25\n") as session:
        found = _spread(world, session)
        assert world.total(session)[2] == 25
    assert len(world.requests) == 25
    assert [each.index for each in found] == list(range(40))
    assert sum(each.ok for each in found) == 25
    assert {each.error.kind for each in found if not each.ok} == {"BudgetExhausted"}


def test_a_share_that_was_lost_counts_in_full(world):
    world.loses = (1,)
    with world.open(ERROR + "[budgets.b]\ncalls = 400\n") as session:
        found = _spread(world, session)
        assert all(each.ok for each in found)
        (left,) = session.host.counting.budgets.ledger.open()
        assert left.begun
        assert left.bound.calls == 100, "a quarter of the budget: the share of each of two places, and as much again"
        assert world.total(session)[2] == 40 + left.bound.calls


def test_a_budget_of_one_function_counts_that_one_alone(world):
    config = "[budgets.b]\ncalls = 100\nsymbol = 'g'\n[budgets.c]\ncalls = 100\nsymbol = 'f'\n"
    with world.open(ERROR + config) as session:
        _spread(world, session)
        ledger = session.host.counting.budgets.ledger
        counted = {name: [each.counted.calls for each in ledger.accounts(name)] for name in "bc"}
    assert counted == {"b": [0], "c": [40]}
