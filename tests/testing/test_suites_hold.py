"""A suite cannot be weakened: no test is overridden, a known gap is strict, and `make` must be given."""

from __future__ import annotations

import pytest

from rtfs_framework.testing.conformance import CacheConformance


def made(**body):
    return type("TestMine", (CacheConformance,), {"make": lambda self, settings, capacity: None, **body})


@pytest.mark.parametrize("replacement", [None, lambda self: None])
def test_a_test_of_the_contract_cannot_be_overridden(replacement):
    with pytest.raises(TypeError, match="TestMine overrides test_counters_add_up, which is part of the contract"):
        made(test_counters_add_up=replacement)


def test_not_by_a_mixin_either():
    mixin = type("Mixin", (), {"test_counters_add_up": lambda self: None})
    with pytest.raises(TypeError, match="test_counters_add_up"):
        type("TestMine", (mixin, CacheConformance), {})


def test_nor_further_down():
    first = made()
    with pytest.raises(TypeError, match="test_counters_add_up"):
        type("TestLater", (first,), {"test_counters_add_up": lambda self: None})


def test_tests_of_ones_own_are_welcome():
    mine = made(test_something_else=lambda self: None)
    assert type("TestLater", (mine,), {"test_something_else": lambda self: None})


def test_a_known_gap_is_a_strict_xfail():
    mine = made(known_gaps={"test_counters_add_up": "puts are not counted yet"})
    (mark,) = mine.test_counters_add_up.pytestmark
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": "puts are not counted yet", "strict": True})
    assert not hasattr(CacheConformance.test_counters_add_up, "pytestmark")
    assert type("TestLater", (mine,), {}).test_counters_add_up is mine.test_counters_add_up


def test_a_gap_must_name_a_test():
    with pytest.raises(TypeError, match="names test_nonsense, which is no test of the contract"):
        made(known_gaps={"test_nonsense": "?"})


def test_make_must_be_given():
    with pytest.raises(TypeError, match="abstract"):
        type("TestMine", (CacheConformance,), {})()
