"""Patterns of routes that can fit the same name."""

from __future__ import annotations

import pytest

from rtfs_framework.api import LocalPure
from rtfs_framework.orchestrator.config.choices import Choices, overlap


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


def test_work_is_bounded_and_what_is_beyond_it_overlaps():
    choices = Choices(
        local=frozenset(), remote=frozenset({"far"}), mentioned=frozenset(), routes={"x": (LocalPure(),)}, default=None
    )
    assert choices.route("y", ["remote-far"]) == ["remote-far"]
    assert choices.route("y" * 2_000_000, ["remote-far"]) == []
    assert choices.route("y", ["remote-far"]) == []
    assert choices.route("y", ["local-pure"]) == ["local-pure"]
