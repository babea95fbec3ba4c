"""Equality, the order of all values, sorting, logic: their laws, and what has no order."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map, Set, equal, hash_value
from rtfs_framework.lang.values import ErrorValue, Keyword, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List, conj
from rtfs_framework.stdlib import comparison, reordering  # noqa: F401 - they fill the table
from rtfs_framework.stdlib.order import compare_values, merge_sort, sort_values
from rtfs_framework.stdlib.table import BUILTINS

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from("ab").map(Keyword),
    st.sampled_from("ab").map(Symbol),
    st.sampled_from([Timestamp("2026-01-01T00:00:00Z"), Uuid("0"), ErrorValue("Generic", "m"), print]),
)


def collections(items):
    return st.one_of(
        st.lists(items, max_size=3).map(tuple),
        st.lists(items, max_size=3).map(List),
        st.lists(items, max_size=3).map(Set.of),
        st.lists(st.tuples(items, items), max_size=3).map(Map.of),
    )


VALUES = st.recursive(ATOMS, collections, max_leaves=8)


def call(name, *args):
    return BUILTINS[name].function(*args)


def deep(levels, core):
    value = core
    for _ in range(levels):
        value = (value,)
    return value


@given(VALUES, VALUES, VALUES)
def test_compare_is_a_total_order(a, b, c):
    assert compare_values(a, b) == -compare_values(b, a)
    assert compare_values(a, a) == 0
    if compare_values(a, b) <= 0 and compare_values(b, c) <= 0:
        assert compare_values(a, c) <= 0
    if equal(a, b):
        assert compare_values(a, b) == 0
        assert hash_value(a) == hash_value(b)


@given(st.lists(VALUES, max_size=8))
def test_sort_is_an_ordered_permutation(items):
    result = call("sort", tuple(items))
    assert sorted(map(id, result)) == sorted(map(id, items))
    assert all(compare_values(x, y) <= 0 for x, y in pairwise(result))
    assert merge_sort(items, lambda x, y: compare_values(x, y) < 0) == sort_values(items)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers()), max_size=40))
def test_merge_sort_is_stable(pairs):
    assert merge_sort(pairs, lambda x, y: x[0] < y[0]) == sorted(pairs, key=lambda pair: pair[0])


@given(VALUES)
def test_equality_is_reflexive_but_for_nan_and_knows_kinds(value):
    if "nan" not in repr(value):
        assert call("=", value, value)
    assert not call("=", (value,), List((value,)))
    assert call("!=", value, 1) is not call("=", value, 1)


@given(st.lists(ATOMS, max_size=40))
def test_a_grown_vector_is_the_vector(items):
    grown = ()
    for item in items:
        grown = conj(grown, item)
    assert compare_values(grown, tuple(items)) == 0
    assert hash_value(grown) == hash_value(tuple(items))
    if not any("nan" in repr(item) for item in items):
        assert call("=", grown, tuple(items))


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("=", (1, 1.0), False),
        ("=", (1, True), False),
        ("=", (math.nan, math.nan), False),
        ("=", ((1, math.nan), (1, math.nan)), False),
        ("=", (5,), True),
        ("=", (1, 1, 2), False),
        ("<", (1, 2, 3), True),
        ("<", (1, 3, 2), False),
        ("<", (2**53, 2**53 + 1.0), False),
        ("<", (float(2**53), 2**53 + 1), True),
        (">", (math.inf, 10**400), True),
        ("<", (10**400, math.inf), True),
        ("<", (math.nan, 1), False),
        (">=", ("b", "a", "a"), True),
        ("<=", ("Z", "a"), True),
        ("compare", (1, 1.0), 0),
        ("compare", (math.nan, math.inf), 1),
        ("compare", ((1, 2), (1,)), 1),
        ("compare", ((9,), List((1,))), -1),
        ("compare", (Map.of([(1, 2), (0, 3)]), Map.of([(0, 3), (1, 2)])), 0),
        ("compare", (Map.of([("a", 2)]), Map.of([("a", 1)])), 1),
        ("compare", (Set.of([2, 1]), Set.of([1, 2])), 0),
        ("not", (None,), True),
        ("not", (0,), False),
        ("and", (), True),
        ("and", (1, None, 3), None),
        ("or", (), False),
        ("or", (None, False), False),
        ("or", (False, None), None),
    ],
)
def test_value(name, args, expected):
    got = call(name, *args)
    assert got == expected
    assert got.__class__ is expected.__class__


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((1, "2"), "Type error in <: expected number, got string"),
        (("a", 1), "Type error in <: expected string, got integer"),
        ((None, 1), "Type error in <: expected number or string, got nil"),
        ((True, False), "Type error in <: expected number or string, got boolean"),
        (((1,), (0,)), "Type error in <: expected number or string, got vector"),
        ((3, 2, "x"), "Type error in <: expected number, got string"),
    ],
)
def test_what_has_no_order(args, message):
    for name in ("<", ">", "<=", ">="):
        with pytest.raises(ProgramError) as caught:
            call(name, *args)
        assert caught.value.message == message.replace("<", name)


def test_a_comparator_may_give_a_boolean_or_a_number():
    assert call("sort", call_of(">"), (1, 3, 2)) == (3, 2, 1)
    assert call("sort", call_of("compare"), (3, 1, 2)) == (1, 2, 3)
    assert call("sort", call_of("compare"), List((2, 1))) == List((1, 2))
    for wrong, kind in ((5, "TypeError"), (call_of("inc"), "ArityMismatch")):
        with pytest.raises(ProgramError) as caught:
            call("sort", wrong, (1, 2))
        assert caught.value.kind == kind


def call_of(name):
    import rtfs_framework.stdlib.arithmetic

    assert rtfs_framework.stdlib.arithmetic
    return BUILTINS[name].function


def test_deep_values_are_compared_without_recursion():
    a, b, other = deep(50_000, 1), deep(50_000, 1), deep(50_000, 2)
    assert call("=", a, b)
    assert not call("=", a, other)
    assert call("compare", a, other) == -1
    assert hash_value(a) == hash_value(b)
    assert call("distinct", (a, b, other))[0] is a


def test_shared_structure_hashes_at_once():
    value = (1,)
    for _ in range(200):
        value = (value, value)
    assert hash_value(value) == hash_value(tuple(value))
