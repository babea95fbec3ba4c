"""What the fast ways of JSON give is what the careful ways give, and whatever these refuse goes to them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.jsontext import MAX_DEPTH, JsonError, _check_depth, _is_shallow
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.meter import LARGE
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.lang.values import Keyword, Timestamp
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.stdlib.json import parse_json, serialize_json
from rtfs_framework.stdlib.json_text import plain_text
from rtfs_framework.stdlib.json_writer import written
from rtfs_framework.testing.effort import effort

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
OTHERS = st.sampled_from([Keyword("k"), Timestamp("2026-01-01T00:00:00Z"), Set.of([1]), abs])
KEYS = st.sampled_from(["a", "b", Keyword("a"), Keyword("c"), 1, "1", None, True, 1.5])


def nest(inner):
    vectors = st.lists(inner, max_size=4)
    grown = vectors.map(lambda items: GrownVector([*items, 1], len(items)))
    maps = st.lists(st.tuples(KEYS, inner), max_size=4).map(Map.of)
    tries = st.lists(inner, min_size=20, max_size=20).map(
        lambda items: Map.wrap(dict(zip("abcdefghijklmnopqrst", items, strict=True))).assoc("a", 1)
    )
    return vectors.map(tuple) | vectors.map(List) | grown | maps | tries


VALUES = st.recursive(SCALARS | OTHERS, nest, max_leaves=12)


@given(VALUES)
@settings(max_examples=effort(500))
def test_the_encoder_writes_what_looking_at_each_value_writes(value):
    text = plain_text(value)
    try:
        wanted = written(value, pretty=False)
    except ProgramError:
        assert text is None
    else:
        assert text in (None, wanted)
        assert serialize_json(value) == wanted


@pytest.mark.parametrize(
    "value",
    [
        1,
        "a",
        (),
        (1, "a", (2.5, None)),
        Map.wrap({"a": (True,)}),
        Map.wrap({Keyword("a"): 1}),
        List((1,)),
        GrownVector([1, 2], 1),
    ],
    ids=repr,
)
def test_plain_values_are_left_to_the_encoder(value):
    assert plain_text(value) == written(value, pretty=False)


@pytest.mark.parametrize(
    "value",
    [
        Keyword("a"),
        (Set.of([1]),),
        float("nan"),
        Map.wrap({"a": 1, Keyword("b"): 2}),
        Map.wrap({None: 1}),
        Map.wrap({1: 1}),
    ],
    ids=repr,
)
def test_other_values_are_not(value):
    assert plain_text((value,)) is None


def test_a_large_value_is_written_in_pieces():
    row = {"id": 1, "name": "é" * 20, "tags": ["a", "b"]}
    data = {"rows": [row] * LARGE, "more": [[row] * LARGE, "x" * (10 * LARGE)], "none": []}
    assert plain_text(from_plain(data)) == json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def test_shared_parts_count_wherever_they_stand():
    value = ("ab",)
    for _ in range(40):
        value = (value, value)
    with pytest.raises(LimitError, match="JSON of more than"):
        serialize_json(value)


@given(VALUES)
def test_what_is_read_is_what_the_plain_data_is(value):
    text = plain_text(value)
    if text is not None:
        assert equal(parse_json(text), from_plain(json.loads(text)))


BRACKETS = st.sampled_from(
    ["[" * 70, "{" * 70, "]" * 50, "}" * 50, "[", "]", '"', '\\"', "\\\\", '"]"', '"["', "[[]]", "é"]
)


@given(st.lists(BRACKETS, max_size=12).map("".join))
def test_what_is_called_shallow_is(text):
    if _is_shallow(text):
        _check_depth(text)


SHALLOW = ["[" * MAX_DEPTH, "[{}]" * 1000, '[{"a": ["\\"", "\\\\"]}, []]' * 100, '{"a":' * 20 + "1" + "}" * 20]
UNKNOWN = ["[" * (MAX_DEPTH + 1), '["]"]', '["', "[" * 150 + "]" * 150]


@pytest.mark.parametrize("text", SHALLOW)
def test_usual_texts_are_known_to_be_shallow(text):
    assert _is_shallow(text)


@pytest.mark.parametrize("text", UNKNOWN)
def test_of_others_nothing_is_known(text):
    assert not _is_shallow(text)


def test_a_string_full_of_brackets_is_not_deep():
    text = json.dumps(["[" * 1000, "]" * 1000, "\\"] * 3)
    assert parse_json(text) == tuple(json.loads(text))
    with pytest.raises(JsonError):
        _check_depth("[" * (MAX_DEPTH + 1))
