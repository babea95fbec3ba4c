"""The effort of property tests: a factor on every count, never nothing."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.effort import LEAST, effort


@pytest.mark.parametrize(
    ("factor", "examples"), [(None, 300), ("", 300), ("1", 300), ("10", 3000), ("0.25", 75), ("0.0001", LEAST)]
)
def test_counts_are_multiplied_and_never_vanish(monkeypatch, factor, examples):
    monkeypatch.delenv("TEST_EFFORT", raising=False)
    if factor is not None:
        monkeypatch.setenv("TEST_EFFORT", factor)
    assert effort(300) == examples


def test_a_small_count_stays_what_it_is(monkeypatch):
    monkeypatch.setenv("TEST_EFFORT", "0.1")
    assert effort(3) == 3


@pytest.mark.parametrize("factor", ["0", "-1", "nan", "inf", "much"])
def test_what_is_no_factor_is_refused(monkeypatch, factor):
    monkeypatch.setenv("TEST_EFFORT", factor)
    with pytest.raises(ValueError, match="is no factor"):
        effort(300)
