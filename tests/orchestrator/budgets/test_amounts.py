"""Money is counted in whole nano-dollars, never less than what is billed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.orchestrator.performing.budgets.amounts import (
    nano_of,
    pico_per_token,
    price_of,
    shown,
    shown_dollars,
)


@pytest.mark.parametrize(
    ("dollars", "nano"), [(0.1, 100_000_000), (0.3, 300_000_000), (1e-9, 1), (1e-10, 1), (0.0, 0), (5.0, 5 * 10**9)]
)
def test_dollars_are_the_decimal_number_that_was_written(dollars: float, nano: int) -> None:
    assert nano_of(dollars) == nano


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_prices_of_six_decimals_are_exact_up_to_the_last_nano_dollar(tokens: int, micro: int) -> None:
    price = micro / 10**6
    assert pico_per_token(price) == micro
    exact = Fraction(tokens * micro, 1000)
    assert exact <= price_of(tokens, pico_per_token(price)) < exact + 1


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "$0.00"), (1_250_000_000, "$1.25"), (1_234_567_000_000_000, "$1,234,567.00"), (15_000, "$0.000015"),
     (-500_000_000, "-$0.50")],
)  # fmt: skip
def test_dollars_for_people(nano: int, text: str) -> None:
    assert shown_dollars(nano) == text


def test_counts_for_people() -> None:
    assert [shown("nano", 10**9), shown("tokens", 1200), shown("calls", 1)] == ["$1.00", "1,200 tokens", "1 call"]
