"""JSON data and plain text to values of a declared type: what fits, and what is refused and where."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.jsontext import JsonError, dump, load
from rtfs_framework.lang.types.coerce import from_json, from_text, to_json
from rtfs_framework.lang.types.model import NamedType, Primitive
from rtfs_framework.lang.values import Keyword, Uuid

NAMES = {}


@pytest.mark.parametrize(
    ("type_", "data", "printed"),
    [
        (":int", 5, "5"),
        (":float", 5, "5"),
        (":float", 5.0, "5.0"),
        (":string", "5", '"5"'),
        (":bool", True, "true"),
        (":nil", None, "nil"),
        (":keyword", "a/b", ":a/b"),
        (":keyword", ":a", ":a"),
        (":symbol", "inc", "inc"),
        (":timestamp", "2026-01-01T00:00:00Z", '#timestamp("2026-01-01T00:00:00Z")'),
        (":uuid", "123e4567-e89b-12d3-a456-426614174000", '#uuid("123e4567-e89b-12d3-a456-426614174000")'),
        (":any", {"a": [1, None]}, '{"a" [1 nil]}'),
        ("int?", None, "nil"),
        ("[:optional :int]", 1, "1"),
        ("[:enum :positive :negative]", "positive", ":positive"),
        ("[:enum :positive :negative]", ":negative", ":negative"),
        ('[:enum :a "a" 1 true nil]', "a", '"a"'),
        ('[:enum :a "a" 1 true nil]', ":a", ":a"),
        ('[:enum :a "a" 1 true nil]', 1, "1"),
        ('[:enum :a "a" 1 true nil]', True, "true"),
        ("[:enum :a nil]", None, "nil"),
        ("[:val 5]", 5, "5"),
        ("[:vector :keyword]", ["a"], "[:a]"),
        ("[:list :int]", [1], "(1)"),
        ("[:set :int]", [1, 2, 1], "#{1 2}"),
        ("[:tuple :int :string]", [1, "a"], '[1 "a"]'),
        ("[:array :int [2 ?]]", [[1], []], "[[1] []]"),
        ("[:map [:a :int]]", {"a": 1, "b": {"c": 2}}, '{"b" {"c" 2} :a 1}'),
        ('[:map ["a" :int] [5 :keyword]]', {"a": 1, "5": "x"}, '{"a" 1 5 :x}'),
        ("[:map [:a :int] [:* :keyword]]", {"a": 1, "b": "x"}, '{"b" :x :a 1}'),
        ("[:map [:a :int ?]]", {}, "{}"),
        ("[:map [:a :int ?]]", {"a": None}, "{}"),
        ("[:map [:a int? ?]]", {"a": None}, "{:a nil}"),
        ("[:map-of :keyword :int]", {"a": 1}, "{:a 1}"),
        ("[:map-of :string :int]", {"a": 1}, '{"a" 1}'),
        ("[:map-of :int :int]", {"5": 1, "-7": 2}, "{-7 2 5 1}"),
        ("[:map-of :bool :int]", {"true": 1}, "{true 1}"),
        ("[:map-of [:enum :a :b] :int]", {"a": 1}, "{:a 1}"),
        ("[:union :int :keyword :string]", "a", ":a"),
        ("[:union :int :keyword :string]", "a b", '"a b"'),
        ("[:and :int [:> 0]]", 5, "5"),
        ("[:and [:map [:a :keyword]] [:map [:b :keyword]]]", {"a": "x", "b": "y"}, "{:a :x :b :y}"),
        ("Point", {"x": 1, "next": {"x": 2}}, "{:next {:x 2} :x 1}"),
    ],
)
def test_data_becomes_what_the_type_says(make, type_: str, data: object, printed: str) -> None:
    names = {"Point": make("[:map [:x :int] [:next Point ?]]")}
    assert canonical_print(from_json(make(type_), data, names.get)) == printed


@pytest.mark.parametrize(
    ("type_", "data", "message"),
    [
        (":int", "5", "Type mismatch: expected :int, got string"),
        (":int", 5.0, "Type mismatch: expected :int, got float"),
        (":int", True, "Type mismatch: expected :int, got boolean"),
        (":bool", 1, "Type mismatch: expected :bool, got integer"),
        (":keyword", "a b", "Type mismatch: expected :keyword, got string"),
        (":symbol", "nil", "Type mismatch: expected :symbol, got string"),
        (":uuid", "x", "Type mismatch: expected :uuid, got string"),
        (":timestamp", "2026", "Type mismatch: expected :timestamp, got string"),
        (":never", None, "Type mismatch: expected :never, got nil"),
        (":any", b"x", "Type mismatch: expected JSON data, got bytes is not JSON data"),
        (":any", {1: 2}, "Type mismatch: expected JSON data, got an object's names are strings, not int"),
        ("Missing", 1, "Type mismatch: expected Missing, got integer (Missing is not a known type)"),
        ("[:vector :int]", {"a": 1}, "Type mismatch: expected [:vector :int], got map"),
        ("[:vector :int]", [1, "x"], "Type mismatch at [1]: expected :int, got string"),
        ("[:tuple :int]", [1, 2], "Shape violation: expected 1 item, got 2"),
        ("[:tuple :int]", ["x"], "Type mismatch at [0]: expected :int, got string"),
        ("[:tuple :int]", 5, "Type mismatch: expected [:tuple :int], got integer"),
        ("[:array :int [2]]", [1], "Shape violation: expected 2 items, got 1"),
        ("[:map [:a [:map [:b :int]]]]", {"a": {"b": "x"}}, "Type mismatch at .a.b: expected :int, got string"),
        ("[:map [:a :int]]", {}, "Missing required key :a"),
        ("[:map [:a :int]]", [], "Type mismatch: expected [:map [:a :int]], got vector"),
        ("[:map [:a :int ?]]", {"a": "x"}, "Type mismatch at .a: expected :int, got string"),
        ("[:map-of :int :int]", {"05": 1}, 'Type mismatch at (key "05"): expected :int, got string'),
        ("[:map-of :keyword :int]", {"a": "x"}, "Type mismatch at .a: expected :int, got string"),
        ("[:map-of :keyword :int]", 5, "Type mismatch: expected [:map-of :keyword :int], got integer"),
        ("[:map-of :string :int]", {1: 2}, "Type mismatch: expected [:map-of :string :int], got map"),
        ("[:enum :a]", "b", 'Type mismatch: expected [:enum :a], got string "b"'),
        ("[:enum 1]", True, "Type mismatch: expected [:enum 1], got boolean true"),
        ("[:enum 1]", [1], "Type mismatch: expected [:enum 1], got vector"),
        ("[:union :int :bool]", "x", "Type mismatch: expected [:union :int :bool], got string"),
        ("[:union :int [:vector :int]]", ["x"], "Type mismatch at [0]: expected :int, got string"),
        ("[:and :int [:> 0]]", 0, "Predicate violation: [:> 0] failed for value 0"),
        ("[:fn [] :int]", "f", "Type mismatch: expected [:fn [] :int], got string"),
        ("[:resource F]", "resource://f", "Type mismatch: expected [:resource F], got string"),
    ],
)
def test_misfits_say_where(make, type_: str, data: object, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        from_json(make(type_), data)
    assert (caught.value.kind, caught.value.message) == ("TypeValidationError", f"Type validation error: {message}")


def test_deep_data_is_refused(make) -> None:
    names = {"T": make("[:vector T]")}
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    for type_ in (NamedType("T"), Primitive.ANY):
        with pytest.raises(ProgramError) as caught:
            from_json(type_, deep, names.get)
        assert caught.value.kind == "TypeValidationError"


@pytest.mark.parametrize(
    ("type_", "text", "printed"),
    [
        (":int", " 42\n", "42"),
        (":float", "1.5", "1.5"),
        (":float", "3", "3"),
        (":bool", "True", "true"),
        (":bool", "false", "false"),
        (":nil", "nil", "nil"),
        ("int?", "None", "nil"),
        ("[:optional :string]", "null", "nil"),
        (":string", "plain words", '"plain words"'),
        (":string", '"quoted"', '"quoted"'),
        (":string", "'quoted'", '"quoted"'),
        (":string", "5", '"5"'),
        (":string", "true", '"true"'),
        (":string", '{"a": 1}', '"{\\"a\\": 1}"'),
        (":string", "see ```x\ny\n``` there", '"see ```x\\ny\\n``` there"'),
        (":string", "```\ntext\n```", '"text"'),
        (":keyword", "spam", ":spam"),
        (":keyword", ":spam", ":spam"),
        (":keyword", '"spam"', ":spam"),
        ("[:enum :positive :negative]", "positive", ":positive"),
        ("[:enum :positive :negative]", "'negative'", ":negative"),
        ("[:enum :positive :negative]", "`negative`", ":negative"),
        ("[:enum :positive :negative]", "Positive.", ":positive"),
        ('[:val "Yes"]', "yes", '"Yes"'),
        ("[:enum 1 2]", "2", "2"),
        ("Mood", "GOOD", ":good"),
        ("[:vector :int]", "[1, 2]", "[1 2]"),
        ("[:map [:a :int]]", '```json\n{"a": 1}\n```', "{:a 1}"),
        ("[:map [:a :int]]", 'Here it is:\n```json\n{"a": 1}\n```\nEnjoy.', "{:a 1}"),
        (":any", "5", "5"),
        (":any", "words", '"words"'),
        ("[:union :int :string]", "words", '"words"'),
        ("[:union :bool :string]", "true", "true"),
    ],
)
def test_plain_replies_become_values(make, type_: str, text: str, printed: str) -> None:
    names = {"Mood": make("[:enum :good :bad]")}
    assert canonical_print(from_text(make(type_), text, names.get)) == printed


@pytest.mark.parametrize(
    ("type_", "text", "word"),
    [
        (":int", "about 5", "is no :int"),
        (":int", '"5"', "is no :int"),
        (":int", "5.0", "is no :int: Type mismatch: expected :int, got float"),
        (":bool", "yes", "is no :bool"),
        ("[:enum :a :b]", "a or b", "is no [:enum :a :b]"),
        ("[:enum :a :A]", "a.", "is no [:enum :a :A]"),
        ("[:map [:a :int]]", '{"a": "x"}', "at .a"),
        ("[:map [:a :int]]", "```\n{}\n```\n```\n{}\n```", "2 code blocks"),
        ("[:union :int :string]", "5", "ambiguous"),
        ('[:enum "5" 5]', "5", "ambiguous"),
        ("[:vector :int]", "", "is no [:vector :int]"),
        ("Missing", "x", "not a known type"),
    ],
)
def test_replies_that_do_not_fit_or_fit_twice_are_refused(make, type_: str, text: str, word: str) -> None:
    with pytest.raises(ProgramError) as caught:
        from_text(make(type_), text)
    assert caught.value.kind == "TypeValidationError"
    assert caught.value.message.startswith("Type validation error: the reply ")
    assert word in caught.value.message


def test_values_as_plain_data(value) -> None:
    shown = to_json(value('{:a [1 2.5 nil true] "b" #{:k} 5 (sym) :u 123e4567-e89b-12d3-a456-426614174000}'))
    assert shown == {"a": [1, 2.5, None, True], "b": ["k"], "5": ["sym"], "u": "123e4567-e89b-12d3-a456-426614174000"}


@pytest.mark.parametrize("hostile", [float("inf"), float("nan"), lambda: 1])
def test_what_json_cannot_hold_is_refused(hostile) -> None:
    with pytest.raises(JsonError, match="JSON cannot hold"):
        to_json((hostile,))


def test_deep_values_are_refused() -> None:
    deep: object = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(JsonError, match="nested deeper"):
        to_json(deep)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the text ends too early at line 1 column 1"),
        ("{bad", "not JSON at line 1 column 2"),
        ("[NaN]", "NaN is not JSON"),
        ("-Infinity", "-Infinity is not JSON"),
        ("1e999", "out of range"),
        ('"\\ud800"', "surrogate"),
        ("[" * 100_000, "nested deeper than 200 levels"),
        ("[" * 201 + "]" * 201, "nested deeper than 200 levels"),
    ],
)
def test_bad_json_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        load(text)


def test_json_text_round_trips() -> None:
    assert load("[" * 200 + "]" * 200) is not None
    assert load('["' + "[" * 300 + '", "\\ud83d\\ude00"]') == ["[" * 300, "😀"]
    assert dump({"é": [1, 2.5]}) == '{"é":[1,2.5]}'
    assert dump([1], pretty=True) == "[\n  1\n]"
    with pytest.raises(JsonError):
        dump(float("nan"))
    with pytest.raises(JsonError):
        dump(10**5000)


def test_keywords_made_of_replies_read_back(make) -> None:
    assert from_json(make(":keyword"), "a.b/c") is Keyword("a.b/c")
    assert from_json(make(":uuid"), "123E4567-e89b-12d3-a456-426614174000") == Uuid(
        "123E4567-e89b-12d3-a456-426614174000"
    )
