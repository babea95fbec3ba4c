"""Schemas of servers as types: what RTFS can say, what is `:any`, and what a hostile schema cannot do."""

from __future__ import annotations

import pytest

from rtfs_capability_mcp.schemas import checker, type_of, type_text
from rtfs_framework.api import parse_type

TREE = {"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, ":string"),
        ({"type": "number"}, "[:union :int :float]"),
        ({"type": ["integer", "null"]}, "[:union :int :nil]"),
        ({"type": "array", "items": {"type": "boolean"}}, "[:vector :bool]"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "[:vector :any]"),
        ({"type": "object"}, "[:map-of :any :any]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "[:map-of :any :int]"),
        ({"type": "object", "properties": {"a": {}, "b-c": {"type": "string"}}, "required": ["b-c"]},
         "[:map [:a :any ?] [:b-c :string]]"),
        ({"type": "object", "required": ["x"]}, "[:map [:x :any]]"),
        ({"type": "object", "properties": {"a b": True, "1": True}}, '[:map ["a b" :any ?] ["1" :any ?]]'),
        ({"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]}, "[:map [:a :any ?]]"),
        ({"enum": ["a", 1, True, None]}, '[:enum "a" 1 true nil]'),
        ({"const": '"] (evil'}, '[:enum "\\"] (evil"]'),
        ({"enum": [{"a": 1}]}, ":any"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "[:union :string :nil]"),
        ({"oneOf": [{"type": "string"}, {}]}, ":any"),
        ({"allOf": [{"type": "string"}]}, ":string"),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, ":any"),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}, ":string"),
        ({"$ref": "http://127.0.0.1/x"}, ":any"),
        ({"$ref": "#"}, ":any"),
        ({"$ref": "#/$defs/none"}, ":any"),
        ({"not": {}}, ":any"),
        (True, ":any"),
        ("nonsense", ":any"),
        ({"type": "object", "properties": "nonsense", "required": 3}, "[:map-of :any :any]"),
    ],
)  # fmt: skip
def test_a_schema_is_a_type(schema, text):
    assert type_text(schema) == text
    assert type_of(schema) == parse_type(text)


@pytest.mark.parametrize(
    "schema",
    [
        TREE,
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5_000)}},
        {"enum": list(range(5_000))},
        {"enum": ["\ud800"]},
        {"type": "object", "properties": {'\u202e\n"]': {"type": "string"}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}}},
    ],
    ids=["recursive", "wide", "long", "surrogate", "unseen", "exploding"],
)  # fmt: skip
def test_a_schema_that_means_harm_is_a_type_all_the_same(schema):
    assert len(type_text(schema)) < 100_000
    assert type_of(schema) is not None


@pytest.fixture
def validator():
    pytest.importorskip("jsonschema_rs")
    return checker


@pytest.mark.parametrize(
    ("schema", "data", "says"),
    [
        ({"properties": {"n": {"minimum": 3}}}, {"n": 1}, "n: 1 is less"),
        ({"additionalProperties": False}, {"x": 1}, "it: "),
        ({"$ref": "http://127.0.0.1:9/x"}, {}, "cannot be used"),
        ({"$ref": "file:///etc/passwd"}, {}, "cannot be used"),
        ({"type": "nonsense"}, {}, "cannot be used"),
        ({"properties": {"t": {"pattern": "^(a+)+$"}}}, {"t": "a" * 10_000 + "b"}, "t: "),
        ({"properties": {"t": {"pattern": "^(?=a)(a+)+\\1$"}}}, {"t": "a" * 60 + "b"}, "t: "),
    ],
    ids=["bound", "more", "network", "file", "no-schema", "backtracking", "lookahead"],
)
def test_data_are_checked_by_the_schema(validator, schema, data, says):
    assert says in validator(schema)(data)


def test_data_that_fit_pass(validator):
    assert validator({"properties": {"n": {"minimum": 3}}})({"n": 3}) is None


def test_without_the_library_types_alone_are_checked(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jsonschema_rs", None)
    assert checker({"type": "object"}) is None
