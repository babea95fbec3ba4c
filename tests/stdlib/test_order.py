"""Sorting by Python's own comparisons gives the order of tokens, for keys of one kind and for all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib.order import order_key, sort_by_keys, sort_keys, sort_values

NUMBERS = st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 10**400, -(10**400), float("inf")])
WORDS = st.text("abé😀", max_size=2)
PLAIN_COLUMNS = (
    st.integers(-2, 2),
    NUMBERS,
    WORDS,
    st.booleans(),
    WORDS.map(Keyword),
    st.tuples(st.integers(0, 1), WORDS),
)
OTHER_COLUMNS = (
    NUMBERS | st.just(float("nan")),
    st.none(),
    NUMBERS | WORDS,
    st.tuples(),
    st.builds(List, st.tuples(WORDS)),
)
COLUMNS = st.sampled_from((*PLAIN_COLUMNS, *OTHER_COLUMNS))
ROWS = st.lists(COLUMNS, max_size=3).flatmap(lambda kinds: st.lists(st.tuples(*kinds), max_size=12))


@given(ROWS)
def test_vectors_of_columns_are_in_the_order_of_tokens(rows):
    wanted = sorted(range(len(rows)), key=lambda place: order_key(rows[place]))
    assert sort_by_keys(range(len(rows)), sort_keys(rows)) == wanted
    assert list(map(id, sort_values(rows))) == [id(rows[place]) for place in wanted]


@given(st.lists(st.lists(st.integers(-1, 1), max_size=3).map(tuple), max_size=12))
def test_vectors_of_several_lengths_are_too(rows):
    mixed = [GrownVector([9, *row], len(row), 1) if place % 2 else row for place, row in enumerate(rows)]
    assert sort_by_keys(rows, sort_keys(mixed)) == sorted(rows, key=order_key)


PLAIN = [[3, 1], ["b", "a"], [True, False], [1, 2.5], [(1, "a"), (0, "b")], [((1, 2.0), True), ((0, 2), False)]]
CAREFUL = [[None, None], [float("nan"), 1.0], [1, True], [(1,), (1, 2)], [(), ()], [List((1,)), (1,)], ["a", 1]]


@pytest.mark.parametrize("keys", PLAIN, ids=repr)
def test_keys_of_one_kind_are_compared_as_they_are(keys):
    assert sort_keys(keys)[0] is keys


@pytest.mark.parametrize("keys", CAREFUL, ids=repr)
def test_other_keys_become_tokens(keys):
    assert sort_keys(keys) == [[order_key(key) for key in keys]]


def test_columns_that_tie_are_sorted_one_after_the_other():
    rows = [(place % 3, f"{place * 7 % 50}") for place in range(50)]
    assert sort_keys(rows) == list(zip(*rows, strict=True))
    assert sort_keys([(place, 1) for place in range(50)])[0][0] == (0, 1)
    assert sort_values(rows) == sorted(rows)
