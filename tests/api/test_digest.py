"""The digest that plugins make keys of: strict, so that nothing of Python's own is silently alike."""

from __future__ import annotations

import enum

import pytest

from rtfs_framework.api import Keyword, Map, digest
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.values import ErrorValue, Symbol
from rtfs_framework.lang.vectors import GrownVector, List


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize("foreign", [{"a": 1}, [1], {1}, b"x", object(), Colour.RED, Name("x"), 1j, bytearray()])
def test_what_is_no_value_is_refused_wherever_it_stands(foreign):
    kind = type(foreign).__name__
    shared = (foreign,)
    for given in (
        (foreign,),
        ("a", (1, foreign)),
        (Map.wrap({"a": foreign}),),
        (List((Set(Map.wrap({1: shared})), 1)),),
    ):
        with pytest.raises(TypeError, match=f"a {kind} is none: give a text, a tuple or a Map"):
            digest(*given)


def test_values_of_every_kind_are_taken():
    values = [None, True, 1, 1.5, "a", Keyword("a"), Symbol("a"), (1,), List((1,)), GrownVector([2], 1), Set.of([1])]
    values += [Map.wrap({1: 2}), ErrorValue("Generic", "m"), len, lambda: 1]
    assert len({digest(each) for each in values}) == len(values) - 1  # functions are alike
    assert digest() == digest()


def test_shared_parts_are_looked_at_once():
    value = (1,)
    for _ in range(200):
        value = (value, value)
    assert len(digest(value)) == 64
