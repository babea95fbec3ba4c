"""Windows, bands, bounds and scopes, each by itself."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import LocalModel, RemoteModel, Usage
from rtfs_framework.api.prices import PriceStep
from rtfs_framework.api.provider import InferenceRequest, Message
from rtfs_framework.api.signals import Left
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.orchestrator.config.budgets import BudgetSpec, Scope
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.performing.budgets.amounts import MOST, Amount, Limit
from rtfs_framework.orchestrator.performing.budgets.estimate import FREE, Prices, bound_of, dearest, prices_of
from rtfs_framework.orchestrator.performing.budgets.left import band_of, share_left
from rtfs_framework.orchestrator.performing.budgets.matching import account_of, counted_apart, definition, matched
from rtfs_framework.orchestrator.performing.budgets.windows import window_of


@pytest.mark.parametrize(
    ("per", "name", "renewed"),
    [
        ("hour", "2024-02-29T23", "2024-03-01T00:00"),
        ("day", "2024-02-29", "2024-03-01T00:00"),
        ("month", "2024-02", "2024-03-01T00:00"),
        ("ever", "", None),
        ("run", "run r1", None),
    ],
)
def test_windows_are_calendar_time(per: str, name: str, renewed: str | None) -> None:
    window = window_of(per, datetime(2024, 2, 29, 23, 59, 59, tzinfo=timezone.utc).timestamp(), "r1")
    assert window.name == name
    found = None if window.renews is None else datetime.fromtimestamp(window.renews, timezone.utc)
    assert found == (None if renewed is None else datetime.fromisoformat(f"{renewed}+00:00"))


def test_a_band_is_left_only_well_past_its_border() -> None:
    assert [band_of(share) for share in (1.0, 0.21, 0.2, 0.05, 0.001, 0.0)] == [
        Left.PLENTY, Left.PLENTY, Left.PLENTY, Left.SOME, Left.LITTLE, Left.NOTHING,
    ]  # fmt: skip
    assert [band_of(share, Left.SOME) for share in (0.2, 0.23, 0.24, 0.045, 0.03)] == [
        Left.SOME, Left.SOME, Left.PLENTY, Left.SOME, Left.LITTLE,
    ]  # fmt: skip
    assert [band_of(share, Left.NOTHING) for share in (0.01, 0.02, 0.5)] == [Left.NOTHING, Left.LITTLE, Left.PLENTY]


@given(st.floats(0, 1), st.sampled_from(list(Left)))
def test_a_band_stands_while_its_share_does(share: float, before: Left) -> None:
    found = band_of(share, before)
    assert band_of(share, found) is found


def test_the_smallest_share_counts() -> None:
    assert share_left(Limit(nano=100, tokens=10), Amount(50, 9, 1)) == pytest.approx(0.1)
    assert share_left(Limit(calls=0), Amount()) == 0.0
    assert share_left(Limit(calls=1), Amount(calls=5)) == 0.0


def spec(**more: object) -> ProviderSpec:
    return ProviderSpec(**{"id": "x", "plugin": "p", "target": RemoteModel("x"), **more})  # type: ignore[arg-type]


def test_prices_are_the_highest_that_may_be_asked() -> None:
    assert prices_of(spec()) is None
    assert prices_of(spec(input_cost=1.0)) is None, "half a price is none"
    assert prices_of(spec(target=LocalModel("x"))) == FREE
    steps = (PriceStep(above=1000, input=4.0, cached=0.5), PriceStep(above=5000, output=9.0))
    found = prices_of(spec(input_cost=1.0, output_cost=2.0, cached_cost=3.0, request_cost=0.5, price_steps=steps))
    assert found == Prices(input=4_000_000, output=9_000_000, request=500_000_000)
    other = spec(input_cost=5.0, output_cost=1.0)
    assert dearest([spec(), other, spec(input_cost=1.0, output_cost=2.0)]) == Prices(5_000_000, 2_000_000)
    assert dearest([spec(), spec(target=LocalModel("x"))]) is None


def request(text: str, max_tokens: int | None = None) -> InferenceRequest:
    return InferenceRequest(
        function=FunctionSignature("f"), args=(), messages=(Message("user", text),), max_tokens=max_tokens
    )


@given(st.text(), st.integers(0, 5000) | st.none(), st.integers(0, 5000) | st.none(), st.integers(0, 500))
def test_what_was_taken_within_the_bound_never_counts_more(
    text: str, given_: int | None, got: int | None, micros: int
) -> None:
    priced = spec(input_cost=micros / 1000, output_cost=micros / 333, cached_cost=micros / 2000)
    prices = prices_of(priced)
    assert prices is not None
    bound = bound_of(request(text, 700), prices, 900)
    assert bound.input_tokens > len(text.encode("utf-8", "surrogatepass"))
    assert bound.output_tokens == 700
    took = bound.took(Usage(given_, got), priced)
    if (given_ or 0) <= bound.input_tokens and (got or 0) <= 700:
        assert took.nano <= bound.amount.nano
        assert took.tokens <= bound.amount.tokens
    assert took.tokens == (bound.input_tokens if given_ is None else given_) + (700 if got is None else got)


@pytest.mark.parametrize("cached", [float("nan"), "many", -(10**20), 10**400])
def test_a_count_of_cached_tokens_that_is_none_is_not_believed(cached: Any) -> None:
    priced = spec(input_cost=2.0, output_cost=4.0, cached_cost=1.0)
    bound = bound_of(request("text", 700), Prices(2_000_000, 4_000_000), 900)
    assert bound.took(Usage(10, 5, cached), priced) == Amount(40_000, 15, 1)


def test_a_price_beyond_all_numbers_is_counted_all_the_same() -> None:
    dear = spec(input_cost=1.7e308, output_cost=1.0)
    prices = prices_of(dear)
    assert prices is not None
    assert bound_of(request("text"), prices, 1).took(Usage(100, 1), dear).bounded().nano == MOST


def test_a_reply_without_a_bound_of_its_own_has_the_ledgers() -> None:
    assert bound_of(request("a"), FREE, 900).output_tokens == 900


def test_who_is_counted_apart_has_an_account_and_amounts_tell_none() -> None:
    budget = BudgetSpec(name="b", usd=1.0, for_each=("tenant",), scope=Scope(symbol=("f*",)))
    one, other = (account_of(budget, {"tenant": name}, now=0.0, run="r") for name in ("a", "b c"))
    assert one.id != other.id
    assert counted_apart(other.key) == {"tenant": "b c"}
    raised = BudgetSpec(name="b", usd=9.0, calls=1, for_each=("tenant",), scope=Scope(symbol=("f*",)))
    assert definition(raised) == definition(budget)
    for changed in ({"per": "month"}, {"scope": Scope()}, {"for_each": ()}, {"origin": "x"}):
        assert definition(
            BudgetSpec(**{"name": "b", "for_each": ("tenant",), "scope": Scope(symbol=("f*",)), **changed})
        ) != (definition(budget))


def test_all_keys_of_a_scope_must_fit() -> None:
    (found,) = matched(
        [BudgetSpec(name="b", calls=1, scope=Scope(symbol=("f*", "g"), target=("remote-*",)))], {"f1": ("old.f",)}
    )
    assert found.fits({"symbol": "fa", "target": "remote-x"})
    assert found.fits({"symbol": "g", "target": "remote-x", "tenant": "t"})
    assert not found.fits({"symbol": "h", "target": "remote-x"})
    assert not found.fits({"symbol": "old.f", "target": "remote-x"})
    assert not found.fits({"symbol": "g", "target": "local-x"})
    assert found.fits({"target": "remote-x"}), "nobody knows the symbol yet"
