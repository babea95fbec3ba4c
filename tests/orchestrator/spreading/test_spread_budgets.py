"""Budgets of what is spread: shares are reserved at home and settled by what came back, so the cap holds."""

from __future__ import annotations

import pytest

from rtfs_framework.api import InferenceReply, ProviderError, Usage

DEAR = "[delegation.remote_providers.dear]\nprovider = 'cloud'\ninput_cost = 7\noutput_cost = 9\n"
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


def _counted(world, session, budget="b"):
    ledger = session.host.counting.budgets.ledger
    (standing,) = ledger.accounts(budget)
    assert ledger.open() == []
    return standing.counted.tokens, standing.counted.calls


def test_what_nobody_priced_counts_its_tokens_and_calls(world):
    world.prices = ""
    with world.open(ERROR + "[budgets.b]\ncalls = 100\ntokens = 100000\n") as session:
        assert all(each.ok for each in _spread(world, session))
        assert _counted(world, session) == (40 * 150, 40)


def test_a_cap_of_calls_holds_where_nothing_is_priced(world):
    world.prices = ""
    with world.open(ERROR + "[budgets.b]\ncalls = 25\n") as session:
        _spread(world, session)
        assert _counted(world, session)[1] == 25
    assert len(world.requests) == 25


@pytest.mark.parametrize("scope", ["", "symbol = 'f'\n"], ids=["all", "one-function"])
def test_tokens_that_nobody_tells_count_at_their_bound_as_at_home(world, scope):
    world.answer = lambda request: InferenceReply(text=request.args[0])
    config = ERROR + "[budgets.b]\ncalls = 1000\ntokens = 1000000\n" + scope
    with world.open(config) as session:
        _spread(world, session)
        tokens, calls = _counted(world, session)
        with session.load(world.main) as program:
            assert all(each.ok for each in session.stream(program, "main", [{"text": text} for text in TEXTS]))
        assert _counted(world, session) == (2 * tokens, 2 * calls)
    assert tokens > 40 * 60
    assert calls == 40


def test_requests_for_which_nothing_was_done_are_given_back_as_at_home(world):
    def answer(request):
        if "1" in request.args[0]:
            return ProviderError("no", provider="cloud", status=503)
        return InferenceReply(text=request.args[0], usage=Usage(100, 50))

    world.answer = answer
    with world.open(ERROR + "[budgets.b]\ncalls = 1000\ntokens = 1000000\n") as session:
        _spread(world, session)
        spread = _counted(world, session)
        with session.load(world.main) as program:
            for _ in session.stream(program, "main", [{"text": text} for text in TEXTS]):
                pass
        both = _counted(world, session)
    assert both == (2 * spread[0], 2 * spread[1])


def test_money_that_is_not_known_counts_as_the_ledger_says(world):
    world.prices = ""
    for rule, fine in (("refuse", False), ("dearest", True)):
        config = DEAR + ERROR + f"unknown_price = '{rule}'\n[budgets.{rule}]\nusd = 1\n"
        with world.open(config) as session:
            found = _spread(world, session)
            assert {each.ok for each in found} == {fine}
            (standing,) = session.host.counting.budgets.ledger.accounts(rule)
            assert standing.counted.nano == (40 * (100 * 7000 + 50 * 9000) if fine else 0)
