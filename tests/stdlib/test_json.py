"""JSON: what is read and written, every refusal, and the way back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS

WRITERS = ["serialize-json", "serialize-json-pretty", "tool/serialize-json", "tool/serialize-json-pretty"]
READERS = ["parse-json", "tool/parse-json"]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(max_size=4), inner).map(Map.wrap),
    max_leaves=20,
)


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


def nested(levels):
    value = ()
    for _ in range(levels):
        value = (value,)
    return value


@pytest.mark.parametrize("name", WRITERS)
@given(value=VALUES)
def test_what_is_written_reads_back(name, value):
    text = call(name, value)
    assert equal(call("parse-json", text), value)
    assert json.loads(text) is not ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Map.of([(Keyword("a/b"), 1), (5, 2), (True, 3), (Symbol("s"), 4)]), '{"a/b":1,"5":2,"true":3,"s":4}'),
        (Map.of([((1, 2), "x")]), '{"[1 2]":"x"}'),
        (List((1, 2)), "[1,2]"),
        (Set.of([1, 2]), "[1,2]"),
        (Timestamp("2026-01-01T00:00:00Z"), '"2026-01-01T00:00:00Z"'),
        (Uuid("123e4567-e89b-12d3-a456-426614174000"), '"123e4567-e89b-12d3-a456-426614174000"'),
        ("é☃", '"é☃"'),
        (3.0, "3.0"),
    ],
)
def test_values_of_rtfs_become_what_json_has(value, text):
    assert call("serialize-json", value) == text


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Keyword("a"), "JSON cannot hold a keyword"),
        ((Symbol("a"),), "JSON cannot hold a symbol"),
        (Map.wrap({"a": lambda: 1}), "JSON cannot hold a function"),
        (ErrorValue("K", "m"), "JSON cannot hold a error"),
        (Resource("resource://a"), "JSON cannot hold a resource-handle"),
        (float("nan"), "a number that JSON cannot hold"),
        ((float("-inf"),), "a number that JSON cannot hold"),
        (Map.of([(Keyword("a"), 1), ("a", 2)]), "two keys of a map would both be named a"),
        (nested(201), "nested deeper than 200 levels"),
        (nested(100_000), "nested deeper than 200 levels"),
    ],
)
def test_what_json_cannot_hold_is_refused(name, value, reason):
    assert refusal(name, value) == f"Generic: Runtime error: JSON serialization error: {reason}"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the text ends too early at line 1 column 1"),
        ("{bad", "not JSON at line 1 column 2"),
        ("[1,\n2", "the text ends too early at line 2 column 2"),
        ("[1, ]", "not JSON at line 1 column 5"),
        ('{"a": 1,\n}', "not JSON at line 2 column 1"),
        ("1 2", "not JSON at line 1 column 3"),
        ("NaN", "NaN is not JSON"),
        ("1e999", "number out of range"),
        ('"\\ud800"', "lone surrogate in a string"),
        ("[" * 201 + "]" * 201, "nested deeper than 200 levels"),
        ("[" * 1_000_000, "nested deeper than 200 levels"),
    ],
)
def test_bad_text_is_refused(name, text, reason):
    assert refusal(name, text) == f"Generic: Runtime error: JSON parsing error: {reason}"


@pytest.mark.parametrize("wrong", [5, None, Keyword("a"), ("[]",)])
def test_only_text_is_read(wrong):
    assert refusal("parse-json", wrong).startswith("TypeError: Type error in parse-json: expected string, got ")


def test_the_last_of_equal_names_stays():
    assert call("parse-json", '{"a": 1, "b": 2, "a": 3}').items() == [("a", 3), ("b", 2)]
    assert call("parse-json", "18446744073709551615") == 18446744073709551615
