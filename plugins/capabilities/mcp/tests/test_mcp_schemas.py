"""Schemas of servers as types: what RTFS can say, what is `:any`, and what a hostile schema cannot do."""

from __future__ import annotations

from random import Random

import pytest

from rtfs_capability_mcp.schemas import checker, too_much, type_of, type_text
from rtfs_capability_mcp.sizes import MOST_DEPTH
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
        {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/E"} for n in range(100)},
         "$defs": {"E": {"enum": ["x" * 1_000_000]}}},
        {"type": "object", "properties": {f"p{n}": {"$ref": "#/$defs/E"} for n in range(100)},
         "$defs": {"E": {"enum": ["x" * 1_000]}}},
        {"type": "object", "properties": {"x" * 1_000_000: {}}},
    ],
    ids=["recursive", "wide", "long", "surrogate", "unseen", "exploding", "huge", "multiplied", "name"],
)  # fmt: skip
def test_a_schema_that_means_harm_is_a_type_all_the_same(schema):
    assert len(type_text(schema)) <= 20_000
    assert type_of(schema) is not None


NAMES = ("a", "nil", "a/b", ":x", "", "1", "\ud800", "é", "a?", "\x00", 'a"b', "\\", "\n", "&", "union", "_", "-")


def odd(chance, depth=0):
    """Return a schema of odd names and literals."""
    name = lambda: chance.choice(NAMES)  # noqa: E731
    inner = lambda: odd(chance, depth + 1)  # noqa: E731
    match chance.randrange(8 if depth < 4 else 4):
        case 0:
            return {"enum": [chance.choice([name(), True, None, 10**400, -3, 1.5]) for _ in range(chance.randrange(4))]}
        case 1:
            return {"const": name()}
        case 2:
            return {"type": chance.choice(["string", "number", "none", ["string", "null"], [], ["object", "array"]])}
        case 3:
            return chance.choice([True, {}, None, 3])
        case 4:
            members = {name(): inner() for _ in range(chance.randrange(5))}
            return {"type": "object", "properties": members, "required": [name()]}
        case 5:
            return {"type": "array", "items": inner()}
        case 6:
            return {"anyOf": [inner() for _ in range(chance.randrange(4))]}
    return {"type": "object", "additionalProperties": inner()}


def test_whatever_a_schema_says_its_text_is_a_type():
    chance = Random(3)
    texts = {type_text(odd(chance)) for _ in range(1_000)}
    assert len(texts) > 200
    assert all(parse_type(text) is not None for text in texts)


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


def chain(levels, make):
    """Return a schema of so many, each of which refers to the next as `make` says."""
    next_ = [{"$ref": f"#/$defs/T{n + 1}"} for n in range(levels)]
    defs = {f"T{n}": make(each) for n, each in enumerate(next_)}
    return {"$ref": "#/$defs/T0", "$defs": {**defs, f"T{levels}": {"type": "string"}}}


def recursive(*parts):
    """Return a schema of which `T` is any of some."""
    return {"$ref": "#/$defs/T", "$defs": {"T": {"anyOf": list(parts)}}}


AGAIN = {"$ref": "#/$defs/T"}
TOO_MUCH = {
    "all": chain(28, lambda each: {"allOf": [each, each]}),
    "any": chain(20, lambda each: {"anyOf": [each, each]}),
    "one-and-if": chain(20, lambda each: {"oneOf": [each], "if": each}),
    "members": chain(20, lambda each: {"properties": {"a": each}, "anyOf": [{"patternProperties": {"a": each}}]}),
    "by-depth": recursive({"items": AGAIN}, {"items": AGAIN}),
    "by-depth-later": recursive({"items": {"items": {"items": AGAIN}}}, {"items": {"items": {"items": AGAIN}}}),
    "itself": {"$ref": "#"},
    "around": {"allOf": [{"anyOf": [{"$ref": "#"}]}]},
    "many": {"properties": {f"p{n}": {} for n in range(6_000)}},
    "long": chain(300, lambda each: {"allOf": [each]}),
    "enums": {"allOf": [{"enum": list(range(100_000))}, {"enum": list(range(100_000))}]},
    "dynamic": {"items": {"$dynamicRef": "#T"}},
    "anchor": {"$ref": "#T", "$defs": {"T": {"$anchor": "T"}}},
    "base": {"$ref": "#/$defs/T/items", "$defs": {"T": {"$id": "http://a/b", "items": {"$ref": "#/items"}}}},
    "nowhere": {"$ref": "#/$defs/none"},
}


@pytest.mark.parametrize("schema", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_a_schema_that_takes_too_much_work_checks_nothing(validator, schema):
    assert too_much(schema) is not None
    assert "cannot be used" in validator(schema)({})


@pytest.mark.parametrize(
    "schema",
    [
        TREE,
        recursive({"type": "array", "items": AGAIN}, {"type": "object", "additionalProperties": AGAIN}, {}),
        chain(22, lambda each: {"type": "object", "properties": {"a": each, "b": each}}),
        {"$id": "http://a/b", "$ref": "http://a/b#/$defs/a%20b", "$defs": {"a b": {"type": ["array", "object"]}}},
        {"anyOf": [{"type": "object", "properties": {"kind": {"const": n}}} for n in range(100)]},
        {"type": "object", "properties": {f"p{n}": {"enum": ["a", "b"]} for n in range(1_000)}},
    ],
    ids=["tree", "json", "binary", "named", "union", "wide"],
)
def test_schemas_of_honest_servers_check(validator, schema):
    assert too_much(schema) is None
    value: object = []
    assert "cannot be used" not in (validator(schema)(value) or "")
    for _ in range(MOST_DEPTH):
        value = [value]
    assert "nested" in validator(schema)(value)


def test_data_that_take_too_much_work_are_refused(validator):
    schema = {"items": {"anyOf": [{"minimum": n} for n in range(500)]}}
    assert validator(schema)([1] * 100) is None
    assert "too large" in validator(schema)([1] * 10_000)


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"items": {"anyOf": [{"minimum": 3}] * 900}}, [1] * 2_000),
        ({"anyOf": [{"maxProperties": 0}] * 900}, {f"k{n}": "x" * 100 for n in range(500)}),
        ({"anyOf": [{"minLength": 10**7}] * 900}, "x" * 100_000),
    ],
    ids=["many", "members", "text"],
)
def test_of_large_data_no_reason_is_told_for_the_library_would_copy_them_into_each(validator, schema, data):
    assert validator(schema)(data) == "it is not what the schema says"


def test_long_texts_count_as_work(validator):
    assert "too large" in validator({"anyOf": [{"minLength": 1}] * 900})("x" * 1_000_000)


def test_data_that_fit_pass(validator):
    assert validator({"properties": {"n": {"minimum": 3}}})({"n": 3}) is None


def test_without_the_library_types_alone_are_checked(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jsonschema_rs", None)
    assert checker({"type": "object"}) is None
