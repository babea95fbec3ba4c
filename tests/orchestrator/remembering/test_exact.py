"""Values as text and back: nothing can tell the two apart, and what can be told apart has another text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import generic_error
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.orchestrator.boundary.exact import DEEPEST, MOST, from_text, to_text
from rtfs_framework.testing.effort import effort

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(1 << 5000), 1 << 5000),
    st.floats(),
    st.text(),
    st.text().map(Keyword),
    st.text().map(Symbol),
    st.text().map(Timestamp),
    st.text().map(Uuid),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(List),
        st.lists(inner, max_size=4).map(Set.of),
        st.lists(st.tuples(inner, inner), max_size=4).map(Map.of),
    ),
    max_leaves=12,
)


def seen(value):
    """Return all that a program can see of a value: kinds, order, and the signs of zeros."""
    if isinstance(value, Map):
        return ("map", *[(seen(k), seen(v)) for k, v in value.items()])
    if isinstance(value, tuple | List | Set):
        return (type(value).__name__, *map(seen, value))
    return type(value).__name__, write(value)


@settings(max_examples=effort(200))
@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    text = to_text(value)
    assert seen(from_text(text)) == seen(value)
    assert to_text(from_text(text)) == text


@settings(max_examples=effort(200))
@given(VALUES, VALUES)
def test_values_that_can_be_told_apart_have_texts_of_their_own(one, other):
    assert (to_text(one) == to_text(other)) == (seen(one) == seen(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (1, 1.0),
        (1, True),
        ((1,), List((1,))),
        (Map.of([("a", 1), ("b", 2)]), Map.of([("b", 2), ("a", 1)])),
        (Set.of((1, 2)), Set.of((2, 1))),
        ("a", Keyword("a")),
        (("k", "a"), Keyword("a")),
    ],
)
def test_what_equality_or_json_takes_for_one_is_not(one, other):
    assert to_text(one) != to_text(other)


def nested(levels):
    value = ()
    for _ in range(levels):
        value = (value,)
    return value


def test_what_is_no_plain_data_or_too_much_has_no_text():
    shared = ("x" * 100,)
    for _ in range(40):
        shared = (shared, shared)
    refused = [len, generic_error("e").value, nested(DEEPEST), "x" * MOST, tuple(range(MOST)), shared, 1 << 5_000_000]
    assert [to_text(each) for each in refused] == [None] * len(refused)
    assert to_text(nested(DEEPEST - 2)) is not None


BAD = ["", "{}", '{"a":1}', "[]", "1.5", "NaN", '["q","a"]', '["k"]', '["k",1]', '["{",1]', '["i","zz"]', '["f",""]']


@pytest.mark.parametrize("text", [*BAD, pytest.param("[" * 100_000, id="deep")])
def test_the_text_of_no_value_is_refused(text):
    with pytest.raises(ValueError):
        from_text(text)
