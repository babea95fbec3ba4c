"""Patterns: what matches, which is more specific, and that nothing can make matching slow."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.api import compile_patterns, is_pattern, specificity


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("ai-*", "ai-draft", True),
        ("ai-*", "ai-", True),
        ("ai-*", "my-ai-draft", False),
        ("*-ai", "draft-ai", True),
        ("*", "", True),
        ("**", "anything", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("a*bb*b", "abb", False),
        ("a*bb*b", "abbb", True),
        ("empty?", "empty?", True),
        ("empty?", "emptyx", False),
        ("x*?", "x/empty?", True),
        ("x[ab]*", "x[ab]c", True),
        ("x[ab]*", "xac", False),
        ("a.b*", "axb", False),
        ("a*", "a\nb", True),
        ("exact", "exactly", False),
    ],
)
def test_a_star_is_the_only_wildcard(pattern, name, matches):
    assert (compile_patterns([pattern])(name) == 0) is matches


@given(
    st.lists(st.text("ab*", max_size=6), min_size=1, max_size=6),
    st.text("ab", max_size=8),
)
def test_the_first_pattern_that_matches_is_found(patterns, name):
    first = next((i for i, p in enumerate(patterns) if fnmatch.fnmatchcase(name, p)), None)
    assert compile_patterns(patterns)(name) == first


def test_specificity_orders_by_literals_then_wildcards():
    patterns = ["*", "a*", "a*b*", "ab*", "abc*"]
    assert sorted(patterns, key=specificity) == ["abc*", "ab*", "a*b*", "a*", "*"]


def test_specificity_keeps_the_order_of_ties():
    assert sorted(["b*", "a*"], key=specificity) == ["b*", "a*"]


def test_only_a_star_makes_a_pattern():
    assert is_pattern("ai-*")
    assert not is_pattern("empty?")


def test_no_pattern_matches_nothing():
    assert compile_patterns([])("x") is None


def test_many_wildcards_and_a_long_name_stay_fast():
    match = compile_patterns(["*a" * 30 + "*b"])
    started = time.perf_counter()
    assert match("a" * 5_000 + "c") is None
    assert time.perf_counter() - started < 1.0
