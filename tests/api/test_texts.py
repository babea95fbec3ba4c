"""Texts in values are exchanged; everything else of a value stays, and what would change a call's shape is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.api import Keyword, Map, TextInKeyError, with_texts
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.vectors import List

A = Keyword("a")


def hidden(text):
    return text.replace("x", "?")


@pytest.mark.parametrize(
    ("value", "exchanged"),
    [
        ("x", "?"),
        ((1, ("x", None), True), (1, ("?", None), True)),
        (List(["x"]), List(["?"])),
        (Set.of(["x", 1]), Set.of(["?", 1])),
        (Map.of([(A, "x"), ("b", ("x",))]), Map.of([(A, "?"), ("b", ("?",))])),
        ({"a": ["x", {"b": "x"}]}, {"a": ["?", {"b": "?"}]}),
    ],
)
def test_texts_are_exchanged_wherever_they_stand(value, exchanged):
    found = with_texts(value, hidden)
    assert found == exchanged
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value", ["y", 7, None, Keyword("x"), (1, ("y",)), List(["y"]), Set.of(["y"]), Map.of([(A, "y")]), {"a": ["y"]}]
)
def test_what_holds_none_is_the_same_object(value):
    assert with_texts(value, hidden) is value


@pytest.mark.parametrize("value", [Map.of([("x", 1)]), {"x": 1}, (Map.of([(("x",), 1)]),)])
def test_a_key_is_never_exchanged(value):
    with pytest.raises(TextInKeyError, match="key of a map"):
        with_texts(value, hidden)


def test_a_value_may_not_nest_without_end():
    value = "y"
    for _ in range(300):
        value = (value,)
    with pytest.raises(TextInKeyError, match="deeper than 200"):
        with_texts(value, hidden)
