"""Grammars form by form: what is allowed, what is left out, what is refused and why."""

from __future__ import annotations

import json
import random
import re

import pytest

from rtfs_framework.lang.pattern import compile_pattern
from rtfs_provider_llama.grammar import Bounds, GrammarError, choices, gbnf, spelled

pytestmark = pytest.mark.needs("rtfs-provider-llama")

TREE = {"$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}, "$ref": "#/$defs/T"}


@pytest.fixture
def texts(gbnf_of):
    """Return what draws many texts of a schema's grammar."""

    def draw(schema, many: int = 300, bounds: Bounds | None = None) -> set[str]:
        grammar = gbnf_of(gbnf(schema, bounds))
        dice = random.Random(7)
        return {grammar.sample(dice) for _ in range(many)}

    return draw


@pytest.mark.parametrize(
    ("schema", "all_of_them"),
    [
        ({"enum": ["a", 1, True, None]}, {'"a"', "1", "true", "null"}),
        ({"const": 'say "no"\n'}, {r'"say \"no\"\n"'}),
        ({"type": "boolean"}, {"true", "false"}),
        ({"type": "boolean", "not": {"const": True}}, {"false"}),
        ({"type": "null"}, {"null"}),
        ({"anyOf": [{"const": 1}, {"type": "null"}]}, {"1", "null"}),
        ({"enum": [1, 2, 3], "minimum": 2}, {"2", "3"}),
        ({"allOf": [{"enum": ["a", "b"]}, {"not": {"const": "a"}}]}, {'"b"'}),
        ({"type": "array", "items": {"not": {}}}, {"[]"}),
        (
            {"type": "array", "items": {"enum": ["x", "y"]}, "uniqueItems": True},
            {"[]", '["x"]', '["y"]', '["x","y"]'},
        ),
        (
            {"type": "array", "items": {"enum": ["x", "y"]}, "uniqueItems": True, "minItems": 2},
            {'["x","y"]'},
        ),
        (
            {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False, "minItems": 1},
            {"[1]", "[1,2]"},
        ),
        (
            {
                "type": "object",
                "properties": {"b": {"const": 1}, "a": {"const": 2}, "c": {"not": {}}},
                "required": ["a"],
            },
            {'{"b":1,"a":2}', '{"a":2}'},
        ),
        (
            {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "minProperties": 1},
            {'{"a":1}', '{"b":2}', '{"a":1,"b":2}'},
        ),
        (
            {"type": "object", "additionalProperties": {"const": 0}, "propertyNames": {"enum": ["k", "l"]}},
            {"{}", '{"k":0}', '{"l":0}', '{"k":0,"l":0}'},
        ),
        ({"type": "string", "pattern": "^(ab?|c)$"}, {'"a"', '"ab"', '"c"'}),
        ({"type": "string", "pattern": "^[ab]*$", "maxLength": 1, "not": {"const": "b"}}, {'""', '"a"'}),
        ({"allOf": [{"pattern": "^a"}, {"pattern": "b$"}], "maxLength": 2}, {'"ab"'}),
        ({"type": "integer", "minimum": 9, "maximum": 11, "not": {"const": 10}}, {"9", "11"}),
        ({"type": "number", "minimum": 1, "exclusiveMaximum": 1}, None),
        ({"minimum": 3, "type": "string"}, None),
    ],
)
def test_small_schemas_have_exactly_these_texts(texts, schema, all_of_them: set[str] | None) -> None:
    if all_of_them is None:
        with pytest.raises(GrammarError, match="nothing fits"):
            gbnf(schema)
    else:
        assert texts(schema) == all_of_them


@pytest.mark.parametrize("low", [-1200, -100, -10, -9, -1, 0, 1, 7, 10, 99, 100, 101])
@pytest.mark.parametrize("width", [0, 1, 9, 10, 95, 1300])
def test_integers_within_limits_are_all_there_and_no_others(low: int, width: int) -> None:
    found = gbnf({"type": "integer", "minimum": low, "maximum": low + width})
    pattern = re.compile(_as_python(found))
    fits = {n for n in range(low - 150, low + width + 151) if pattern.fullmatch(str(n))}
    assert fits == set(range(low, low + width + 1))
    assert not pattern.fullmatch("01")
    assert not pattern.fullmatch("-0")


def _as_python(grammar: str) -> str:
    """Return a grammar of one rule as a regular expression of Python."""
    (line,) = grammar.splitlines()
    return line.removeprefix("root ::= ").replace('"', "").replace(" ", "")


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-1, 1), (0.25, 0.75), (-2.5, -0.125), (99.5, 100.25), (-0.001, 0.001), (1e20, 1e21), (-5, 1e-6)],
)
@pytest.mark.parametrize("ends", [("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum")])
def test_decimals_stay_within_their_limits(texts, low: float, high: float, ends: tuple[str, str]) -> None:
    found = {json.loads(text) for text in texts({"type": "number", ends[0]: low, ends[1]: high})}
    assert len(found) > 5
    if ends[0] == "minimum":
        assert all(low <= number <= high for number in found)
    else:
        assert all(low < number < high for number in found)


@pytest.mark.parametrize(
    ("low", "high"),
    [(10**70, 10**70), (10**70, 10**70 + 5), (5.5e153, 5.5e153), (-(10**90), -(10**80)), (7, 10**99), (1e300, 1.5e300)],
)
def test_integers_beyond_what_is_usual_keep_both_limits(texts, low: float, high: float) -> None:
    found = {json.loads(text) for text in texts({"type": "integer", "minimum": low, "maximum": high})}
    assert found
    assert all(low <= number <= high for number in found)


@pytest.mark.parametrize(
    ("low", "high"), [(1e-9, 5e-9), (0.1, 0.1), (5e-324, 5e-324), (-2e-30, -1e-30), (0.5, 0.5 + 1e-12)]
)
def test_decimals_of_a_narrow_interval_are_there(texts, low: float, high: float) -> None:
    found = {json.loads(text) for text in texts({"type": "number", "minimum": low, "maximum": high})}
    assert found
    assert all(low <= number <= high for number in found)


@pytest.mark.parametrize("limit", [{"minimum": 0}, {"exclusiveMinimum": 2.5}, {"maximum": -1}, {"minimum": 1000}])
def test_one_limit_leaves_fractions(texts, limit) -> None:
    found = {json.loads(text) for text in texts({"type": "number", **limit})}
    assert any(number % 1 for number in found)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{2,3}-[0-9]+$", "ab+c?", "^a|b$", r"^\d{3}(?:-\d{4})?$", "^[^x]*$", r"\.txt$", "(?i)^yes|no$",
        r"^\w+(\s\w+)*$", "^.{2,5}$", r"^[[:alpha:]_][[:alnum:]_]*$", r"^\p{Lu}\PL$", r"^[^\d\s]{3}$", r"^\x41\x{42}$",
        "^(?P<year>[0-9]{4})?$", "(?s)^.$", "^$", "a{2}", "^(?:a|)+?b$", r"^\D\W\S$", "^[]a]+$", "^[a-]+$", "x{,3}",
        "^(ab|cd)*e$",
    ],
)  # fmt: skip
def test_patterns_allow_only_what_the_pattern_matches(texts, pattern: str) -> None:
    matcher = compile_pattern(pattern)
    found = {json.loads(text) for text in texts({"type": "string", "pattern": pattern})}
    assert found
    assert all(matcher.search(text.encode()) for text in found)


@pytest.mark.parametrize(
    ("rare", "escape"),
    [("\U000bfca1", r"\udabf\udca1"), ("\U0010ffff", r"\udbff\udfff"), ("\1", r"\u0001"), ("\x7f", r"\u007f")],
)
@pytest.mark.parametrize("common", ["a", "é", "😀", "\U0003ffff"])
def test_rare_characters_are_escapes_where_they_are_demanded(texts, rare: str, escape: str, common: str) -> None:
    text = common + rare
    whole = f'"{common}{escape}"'
    assert spelled(text) == whole
    assert texts({"const": text}, 20) == texts({"type": "string", "pattern": f"^{text}$"}, 20) == {whole}
    member = {"type": "object", "properties": {text: {"const": 1}}, "required": [text]}
    assert texts(member, 20) == {f"{{{whole}:1}}"}
    one_of = {"type": "string", "pattern": f"^[{text}]$"}
    assert texts(one_of) == {f'"{common}"', f'"{escape}"'}
    assert texts({**one_of, "not": {"const": rare}}, 20) == {f'"{common}"'}


def test_free_texts_hold_no_character_whose_first_byte_a_vocabulary_may_lack(texts) -> None:
    found = texts({"type": "string", "minLength": 20}) | texts({"type": "string", "pattern": "^[^x]{20}$"})
    bytes_ = {byte for text in found for byte in text.encode()}
    assert 0xF0 in bytes_
    assert not bytes_ & {*range(0x20), 0x7F, *range(0xF1, 0x100)}


def test_a_set_of_rare_characters_alone_is_written_by_some_of_them(texts) -> None:
    found = {json.loads(text) for text in texts({"type": "string", "pattern": "^[\U000f0000-\U000fffff]$"})}
    assert len(found) > 5
    assert all(0xF0000 <= ord(text) <= 0xFFFFF for text in found)


def test_a_look_ahead_at_the_start_leaves_words_out(texts) -> None:
    found = texts({"type": "string", "pattern": "^(?!no$)[no]{1,2}$"})
    assert found == {'"n"', '"o"', '"nn"', '"oo"', '"on"'}


def test_lengths_count_characters_as_json_reads_them(texts) -> None:
    found = {json.loads(text) for text in texts({"type": "string", "minLength": 3, "maxLength": 5})}
    assert {len(text) for text in found} == {3, 4, 5}
    assert not any(0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for text in found for char in text)


def test_other_members_never_have_the_name_of_a_declared_one(texts) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": {"type": "boolean"},
        "propertyNames": {"pattern": "^[ab]{1,2}$"},
    }
    found = [json.loads(text, object_pairs_hook=list) for text in texts(schema)]
    assert all(pairs[0][0] == "a" and type(pairs[0][1]) is int for pairs in found)
    rest = {name for pairs in found for name, _ in pairs[1:]}
    assert rest == {"b", "aa", "ab", "ba", "bb"}


def test_recursion_and_repetitions_are_bounded(gbnf_of) -> None:
    grammar = gbnf(TREE, Bounds(depth=3, items=2))
    dice = random.Random(1)
    found = {gbnf_of(grammar).sample(dice) for _ in range(500)}
    assert max(map(_depth, found)) == 4  # the document, and three levels of what it names
    assert len(gbnf(TREE).splitlines()) < 12


def _depth(text: str) -> int:
    data = json.loads(text)
    return 1 + max((_depth(json.dumps(each)) for each in data), default=0)


def test_a_type_that_needs_more_levels_than_the_bound_gets_them(texts) -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {}}
    for n, name in enumerate("ABCD"):
        below = {"$ref": f"#/$defs/{'BCDA'[n]}"}
        ends = {"anyOf": [below, {"const": 0}]} if name == "D" else below
        schema["$defs"][name] = {"type": "array", "prefixItems": [ends], "items": False, "minItems": 1}
    assert texts(schema, bounds=Bounds(depth=1)) == {"[[[[0]]]]"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"not": {}}, "nothing fits"),
        ({"enum": []}, "nothing fits"),
        ({"$ref": "#/$defs/No"}, "'#/\\$defs/No' leads nowhere"),
        ({"$defs": {"L": {"$ref": "#/$defs/L"}}, "$ref": "#/$defs/L"}, "nothing fits"),
        (
            {
                "$defs": {"L": {"type": "array", "prefixItems": [{"$ref": "#/$defs/L"}], "minItems": 1}},
                "$ref": "#/$defs/L",
            },
            "nothing fits",
        ),
        ({"type": "string", "contains": 1}, "contains: not known"),
        ({"items": 5}, "a schema is an object"),
        ({"not": {"type": "string"}}, "leave out values alone"),
        ({"type": "array", "not": {"const": []}}, "leave out plain values"),
        ({"enum": [[1]]}, "an array or an object"),
        ({"type": "string", "format": "iri"}, "'iri' is not known"),
        ({"type": "string", "pattern": "(a"}, "a bracket is not closed, at character 3"),
        ({"type": "string", "pattern": "a)"}, "a bracket too many"),
        ({"type": "string", "pattern": r"\bx"}, r"\\b"),
        ({"type": "string", "pattern": "(?<=a)b"}, "look-around"),
        ({"type": "string", "pattern": "a(?!b)"}, "look-ahead"),
        ({"type": "string", "pattern": "[a"}, "ends too early"),
        ({"type": "string", "pattern": "[b-a]"}, "a range of characters that is none"),
        ({"type": "string", "pattern": "*"}, "a repetition of nothing"),
        ({"type": "string", "pattern": "a{1001}"}, "more than 1000"),
        ({"type": "string", "pattern": "((a{99}){99}){99}"}, "too large"),
        ({"type": "string", "pattern": "(a{100}){100}"}, "a pattern is too large"),
        ({"type": "string", "pattern": "a{1000}"}, "a pattern is too large"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1_000_000_000}, "at least 1,000,000,000"),
        ({"type": "string", "minLength": 10_000_000}, "at least 10,000,000"),
        ({"type": "string", "pattern": "[[:foo:]]"}, "the class"),
        ({"type": "string", "pattern": r"\p{Greek}"}, "Greek"),
        ({"type": "string", "pattern": r"\xZZ"}, "wrong number"),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2}, "keep them different"),
        ({"type": "object", "minProperties": 2}, "keep the names different"),
        ({"allOf": [{"anyOf": [{"minimum": n} for n in range(9)]}] * 3}, "more than 256 alternatives"),
        ({"type": "array", "prefixItems": [{"const": n} for n in range(7000)]}, "rules|deeply"),
    ],
)
def test_what_cannot_be_said_is_refused_with_a_reason(schema, why: str) -> None:
    with pytest.raises(GrammarError, match=why):
        gbnf(schema)


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"enum": ["a", 1]}, ["a", 1]),
        ({"const": None}, [None]),
        ({"type": "boolean"}, [True, False]),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, [True, False, None]),
        ({"anyOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, ["a", "b", "c"]),
        ({"$defs": {"E": {"enum": [1]}}, "$ref": "#/$defs/E"}, [1]),
        ({"allOf": [{"enum": [1, 2]}, {"minimum": 2}]}, [2]),
        ({"type": "integer"}, None),
        ({"anyOf": [{"const": 1}, {"type": "string"}]}, None),
        ({}, None),
    ],
)
def test_the_values_to_choose_from(schema, found) -> None:
    assert choices(schema) == found


@pytest.mark.parametrize("schema", [{"enum": [1], "type": "string"}, {"contains": 1}, {"$ref": "#/$defs/No"}])
def test_where_there_is_no_choice_the_grammar_tells_why(schema) -> None:
    assert choices(schema) is None
    with pytest.raises(GrammarError):
        gbnf(schema)
