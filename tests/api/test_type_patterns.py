"""Patterns of argument types: what fits, what a text must be, and how much a pattern says."""

from __future__ import annotations

import re

import pytest

from rtfs_framework.api import BadTypePattern, Keyword, Map, TypePattern, types_fit
from rtfs_framework.lang.maps import Set
from rtfs_framework.testing.fakes import call_context

VALUES = {
    "an int": 1, "a float": 1.5, "a text": "x", "true": True, "nil": None, "a keyword": Keyword("a"),
    "ints": (1, 2), "numbers": (1, 2.5), "texts": ("a",), "mixed": (1, "a"), "none": (), "rows": ((1,), (2,)),
    "a set": Set.of([1]), "a map": Map.of([(Keyword("a"), 1)]), "an empty map": Map.of([]), "a function": len,
}  # fmt: skip

FITS = [
    (":int", {"an int"}),
    (":float", {"an int", "a float"}),
    (":string", {"a text"}),
    ("string", {"a text"}),
    (":bool", {"true"}),
    (":any", set(VALUES)),
    (":string?", {"a text", "nil"}),
    ("[:optional :int]", {"an int", "nil"}),
    ("[:union :int :string]", {"an int", "a text"}),
    ("[:vector :int]", {"ints", "none"}),
    ("[:vector :float]", {"ints", "numbers", "none"}),
    ("[:vector :any]", {"ints", "numbers", "texts", "mixed", "none", "rows"}),
    ("[:vector [:vector :int]]", {"rows", "none"}),
    ("[:set :int]", {"a set"}),
    ("[:map-of :keyword :int]", {"a map", "an empty map"}),
    ("[:map-of :any :any]", {"a map", "an empty map"}),
    ("[:map-of :string :any]", {"an empty map"}),
]


@pytest.mark.parametrize(("text", "fitting"), FITS)
def test_a_pattern_fits_the_values_of_its_type(text, fitting):
    pattern = (TypePattern(text),)
    found = {name for name, value in VALUES.items() if types_fit(pattern, call_context("f", value).types)}
    assert found == fitting


@pytest.mark.parametrize(
    ("patterns", "args", "fit"),
    [
        ([], (), True),
        ([], (1,), False),
        ([":int", ":string"], (1, "a"), True),
        ([":int", ":string"], ("a", 1), False),
        ([":int"], (1, 2), False),
        ([":int", "& :string"], (1,), True),
        ([":int", "& :string"], (1, "a", "b"), True),
        ([":int", "& :string"], (1, "a", 2), False),
        ([":int", "& :string"], (), False),
        (["& :any"], (), True),
    ],
)
def test_there_is_one_pattern_for_each_argument(patterns, args, fit):
    assert types_fit([TypePattern(each) for each in patterns], call_context("f", *args).types) is fit


@pytest.mark.parametrize(
    ("text", "said", "way_out"),
    [
        ("", "is no type", "such as"),
        ("[:vector", "is no type", ""),
        ("[:vektor :int]", "unknown type constructor :vektor", "did you mean 'vector'?"),
        (":number", "no type is called number", "[:union :int :float]"),
        ("Invoice", "no type is called Invoice", ""),
        ("[:map [:a :int]]", "more than argument types tell", "[:map-of :any :any]"),
        ("[:vector [:and :int [:> 0]]]", "more than argument types tell", ":int"),
        ("[:tuple :int :int]", "more than argument types tell", ""),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_way_out(text, said, way_out):
    with pytest.raises(BadTypePattern, match=re.escape(said)) as raised:
        TypePattern(text)
    assert way_out in (raised.value.way_out or "")


def test_a_pattern_that_says_more_is_more_specific():
    ordered = [":any", ":int", "[:vector :any]", "[:vector :int]", "[:vector [:vector :int]]"]
    said = [TypePattern(text).specificity for text in ordered]
    assert said == [0, 1, 1, 2, 3]
    assert TypePattern("[:union :any :int]").specificity == 0
    assert TypePattern("[:map-of :keyword :int]").specificity == 3


def test_patterns_are_equal_by_what_they_mean():
    assert TypePattern("int") == TypePattern(":int")
    assert len({TypePattern(":int"), TypePattern("Int"), TypePattern("& :int")}) == 2
