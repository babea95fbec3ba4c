"""JSON Schemas of types, form by form."""

from __future__ import annotations

import re

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.types.coerce import from_json
from rtfs_framework.lang.types.schema import DRAFT, to_json_schema


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        (":int", {"type": "integer"}),
        (":float", {"type": "number"}),
        (":any", {}),
        (":never", {"not": {}}),
        (":timestamp", {"type": "string", "format": "date-time"}),
        ("int?", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("Missing", {"not": {}}),
        ("[:optional :bool]", {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        ("[:vector :int]", {"type": "array", "items": {"type": "integer"}}),
        ("[:list :nil]", {"type": "array", "items": {"type": "null"}}),
        ("[:set :int]", {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (
            "[:tuple :int]",
            {"type": "array", "prefixItems": [{"type": "integer"}], "items": False, "minItems": 1, "maxItems": 1},
        ),
        ("[:map]", {"type": "object"}),
        (
            '[:map [:a :int] ["b" :string ?] [:* :bool]]',
            {
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                "required": ["a"],
                "additionalProperties": {"type": "boolean"},
            },
        ),
        ("[:map-of :string :int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
        (
            "[:map-of [:enum :a] :any]",
            {"type": "object", "additionalProperties": {}, "propertyNames": {"enum": ["a"]}},
        ),
        (
            "[:map-of Int :any]",
            {"type": "object", "additionalProperties": {}, "propertyNames": {"pattern": "^-?(0|[1-9][0-9]*)$"}},
        ),
        (
            "[:map-of :bool :any]",
            {"type": "object", "additionalProperties": {}, "propertyNames": {"enum": ["true", "false"]}},
        ),
        (
            "[:map-of [:union :uuid [:val 7]] :any]",
            {
                "type": "object",
                "additionalProperties": {},
                "propertyNames": {"anyOf": [{"type": "string", "format": "uuid"}, {"enum": ["7"]}]},
            },
        ),
        ("[:map-of [:optional :string] :any]", {"type": "object", "additionalProperties": {}}),
        (
            "[:map-of [:vector :int] :any]",
            {"type": "object", "additionalProperties": {}, "propertyNames": {"not": {}}},
        ),
        ("[:map-of Zzz :any]", {"type": "object", "additionalProperties": {}, "propertyNames": {"not": {}}}),
        ('[:enum :a "a" 1 true nil]', {"enum": ["a", 1, True, None]}),
        ("[:val :a]", {"const": "a"}),
        ("[:union :int :nil]", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("[:fn [] :int]", {"not": {}}),
        ("[:resource F]", {"not": {}}),
        ("[:and :int [:> 0] [:<= 9]]", {"type": "integer", "exclusiveMinimum": 0, "maximum": 9}),
        ("[:and :int [:in-range 1 5]]", {"type": "integer", "minimum": 1, "maximum": 5}),
        ("[:and :int [:> 0] [:> 1]]", {"type": "integer", "allOf": [{"exclusiveMinimum": 0}, {"exclusiveMinimum": 1}]}),
        ("[:and :int [:!= 5]]", {"type": "integer", "not": {"const": 5}}),
        ('[:and :string [:matches-regex "^a"]]', {"type": "string", "pattern": "^a"}),
        ("[:and :string [:length 2]]", {"type": "string", "minLength": 2, "maxLength": 2}),
        ("[:and :string [:is-email]]", {"type": "string", "format": "email"}),
        ("[:and [:map] [:required-keys [:a :b]]]", {"type": "object", "required": ["a", "b"]}),
        ("[:and :int :string]", {"allOf": [{"type": "integer"}, {"type": "string"}]}),
        (
            "[:array :int [2 ?]]",
            {
                "type": "array",
                "items": {"type": "array", "items": {"type": "integer"}},
                "minItems": 2,
                "maxItems": 2,
            },
        ),
    ],
)
def test_each_form_has_its_schema(make, text: str, schema: dict[str, object]) -> None:
    assert to_json_schema(make(text)) == {"$schema": DRAFT, **schema}


def test_counts_hold_for_every_sized_value(make) -> None:
    schema = to_json_schema(make("[:and [:vector :int] [:min-count 1]]"))
    assert schema["minItems"] == 1
    assert to_json_schema(make("[:and :any [:non-empty]]"))["minLength"] == 1


def test_names_become_definitions_and_may_recur(make) -> None:
    names = {"a/Tree": make("[:map [:value :int] [:next a/Tree ?]]")}
    schema = to_json_schema(make("[:vector a/Tree]"), names.get)
    ref = {"$ref": "#/$defs/a~1Tree"}
    assert schema["items"] == ref
    assert schema["$defs"]["a/Tree"]["properties"]["next"] == ref
    refined = to_json_schema(make("[:and a/Tree [:has-key :value]]"), names.get)
    assert refined["allOf"] == [ref, {"required": ["value"]}]


@pytest.mark.parametrize(
    ("type_", "name", "fits"),
    [
        (":keyword", "a-b", True),
        (":keyword", ":a", True),
        (":keyword", "two words", False),
        (":keyword", "", False),
        (":symbol", "+", True),
        (":symbol", ".a", True),
        (":symbol", "nil", False),
        (":symbol", "nilly", True),
        (":symbol", "-1", False),
        (":symbol", "..a", False),
    ],
)
def test_names_have_the_pattern_by_which_they_are_read(make, type_: str, name: str, fits: bool) -> None:
    assert (re.search(to_json_schema(make(type_))["pattern"], name) is not None) is fits
    if fits:
        assert from_json(make(type_), name).name == name.removeprefix(":")
        return
    with pytest.raises(ProgramError):
        from_json(make(type_), name)
