"""Patterns of routes that can fit the same name."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.config.choices import overlap


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a", "a", True), ("a", "b", False), ("*", "x", True), ("a*", "*b", True), ("a*", "b*", False), ("", "", True),
        ("a*c", "ab*", True), ("", "*", True), ("a*b", "acb*d", False), ("a*b*", "*c", True), ("**", "", True),
        ("a?", "ab", False),
    ],
)  # fmt: skip
def test_patterns_that_can_fit_the_same_name(one, other, meet):
    assert overlap(one, other) is overlap(other, one) is meet


def test_huge_patterns_are_taken_to_overlap():
    assert overlap("a" * 100_000, "b" * 100_000)
