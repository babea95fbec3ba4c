"""Checking values: what fits, the message and path of what does not, recursive names, hostile values."""

from __future__ import annotations

import time

import pytest

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.types.check import checker, violation
from rtfs_framework.lang.types.model import AndType, MapType, NamedType, Predicate, Primitive, VectorType
from rtfs_framework.lang.values import Keyword, Resource
from rtfs_framework.lang.vectors import GrownVector, conj

FITS = [
    (":int", "1"), ("Int", "1"), (":float", "1.5"), (":float", "1"), (":string", '"a"'), (":bool", "true"),
    (":nil", "nil"), (":keyword", ":k"), (":symbol", "'s"), (":any", "[1]"), (":timestamp", "2026-01-01T00:00:00Z"),
    (":uuid", "123e4567-e89b-12d3-a456-426614174000"), ("int?", "nil"), ("int?", "1"), ("String?", "nil"),
    ("[:optional :int]", "nil"), ("[:vector :int]", "[1 2]"), ("[:vector :int]", "[]"), ("[:list :int]", "(1)"),
    ("[:list :int]", "[1]"), ("[:set :int]", "#{1 2}"), ("[:tuple :int :string]", '[1 "a"]'), ("[:map]", "{:a 1}"),
    ("[:map [:a :int]]", "{:a 1 :extra 2}"), ("[:map [:a :int]]", '{"a" 1}'), ("[:map [:a :int ?]]", "{}"),
    ("[:map [:a :int] [:* :int]]", '{"a" 1 :b 2}'),
    ("[:map-of :keyword :int]", "{:a 1}"), ("[:map-of :int :any]", "{}"),
    ("[:enum :a :b]", ":a"), ('[:enum "x" 1]', "1"), ("[:union :int :string]", '"a"'), ("[:val 5]", "5"),
    ("[:and :int [:> 0] [:< 10]]", "5"), ("[:and :int [:>= 0]]", "0"), ("[:and :int [:<= 0]]", "0"),
    ("[:and :int [:= 5]]", "5"), ("[:and :int [:!= 5]]", "6"), ("[:and :int [:in-range 1 5]]", "5"),
    ("[:and :float [:> 0]]", "1.5"), ("[:and :string [:min-length 2]]", '"ab"'), ("[:and :string [:length 2]]", '"éé"'),
    ("[:and :string [:max-length 2]]", '"ab"'), ('[:and :string [:matches-regex "^[a-z]+$"]]', '"abc"'),
    ("[:and :string [:is-email]]", '"a@b.co"'), ("[:and :string [:is-url]]", '"https://a.b/c?d"'),
    ("[:and [:vector :int] [:min-count 1]]", "[1]"), ("[:and [:vector :int] [:max-count 1]]", "[1]"),
    ("[:and [:vector :int] [:count 2]]", "[1 2]"), ("[:and [:vector :any] [:non-empty]]", "[1]"),
    ("[:and [:map] [:has-key :a]]", "{:a 1}"), ("[:and [:map] [:required-keys [:a :b]]]", '{:a 1 "b" 2}'),
    ("[:array :float [2]]", "[1 2]"), ("[:array :int [2 ?]]", "[[1] [2 3]]"), ("[:array :int]", "[1]"),
]  # fmt: skip
MISFITS = [
    (":int", "1.5", "Type mismatch: expected :int, got float"),
    (":int", "true", "Type mismatch: expected :int, got boolean"),
    ("Int", '"a"', "Type mismatch: expected Int, got string"),
    (":float", '"a"', "Type mismatch: expected :float, got string"),
    (":never", "1", "Type mismatch: expected :never, got integer"),
    (":keyword", '"k"', "Type mismatch: expected :keyword, got string"),
    ("number", "1", "Type mismatch: expected number, got integer (number is not a known type)"),
    ("Missing?", "nil", "Type mismatch: expected Missing?, got nil (Missing? is not a known type)"),
    ("int?", '"a"', "Type mismatch: expected int?, got string"),
    ("[:optional [:map [:a :int]]]", '{:a "x"}', "Type mismatch at .a: expected :int, got string"),
    ("[:optional :int]", '"a"', "Type mismatch: expected [:optional :int], got string"),
    ("[:vector :int]", '[1 "a"]', "Type mismatch at [1]: expected :int, got string"),
    ("[:vector :int]", "(1)", "Type mismatch: expected [:vector :int], got list"),
    ("[:set :int]", "[1]", "Type mismatch: expected [:set :int], got vector"),
    ("[:tuple :int :string]", "[1]", "Shape violation: expected 2 items, got 1"),
    ("[:tuple :int :string]", '["a" 1]', "Type mismatch at [0]: expected :int, got string"),
    ("[:tuple :int]", "5", "Type mismatch: expected [:tuple :int], got integer"),
    ("[:map [:a :int]]", "{}", "Missing required key :a"),
    ("[:map [:a [:map [:b :int]]]]", "{:a {}}", "Missing required key :b at .a"),
    ("[:map [:a [:vector :int]]]", '{:a [1 "x"]}', "Type mismatch at .a[1]: expected :int, got string"),
    ("[:map [:a :int]]", "5", "Type mismatch: expected [:map [:a :int]], got integer"),
    ("[:map [:b :string ?]]", "{:b nil}", "Type mismatch at .b: expected :string, got nil"),
    ("[:map [:a :int] [:* :string]]", "{:a 1 :z 5}", "Type mismatch at .z: expected :string, got integer"),
    ('[:map ["k" :int]]', '{"k" nil}', 'Type mismatch at ["k"]: expected :int, got nil'),
    ("[:map-of :keyword :int]", '{:a "x"}', "Type mismatch at .a: expected :int, got string"),
    ("[:map-of :keyword :int]", '{"a" 1}', 'Type mismatch at (key "a"): expected :keyword, got string'),
    ("[:map-of :keyword :int]", "1", "Type mismatch: expected [:map-of :keyword :int], got integer"),
    ("[:enum :a :b]", '"a"', 'Type mismatch: expected [:enum :a :b], got string "a"'),
    ("[:enum 1]", "1.0", "Type mismatch: expected [:enum 1], got float 1.0"),
    ("[:val 5]", "[1 [2]]", "Type mismatch: expected [:val 5], got a vector of 2 items"),
    ("[:union :int :string]", ":k", "Type mismatch: expected [:union :int :string], got keyword"),
    ("[:union :int [:map [:a :int]]]", '{:a ""}', "Type mismatch at .a: expected :int, got string"),
    ("[:and :int [:> 0]]", "-1", "Predicate violation: [:> 0] failed for value -1"),
    ("[:vector [:and :int [:> 0]]]", "[1 0]", "Predicate violation at [1]: [:> 0] failed for value 0"),
    ("[:and :int [:> 0]]", '"a"', "Type mismatch: expected :int, got string"),
    ("[:and :any [:> 0]]", '"a"', 'Predicate violation: [:> 0] failed for value "a"'),
    ("[:and :float [:> 0]]", "##NaN", "Predicate violation: [:> 0] failed for value ##NaN"),
    ("[:and :string [:length 2]]", '"é"', 'Predicate violation: [:length 2] failed for value "é"'),
    ("[:and :string [:is-email]]", '"a@b"', 'Predicate violation: [:is-email] failed for value "a@b"'),
    ("[:and :string [:is-url]]", '"a b"', 'Predicate violation: [:is-url] failed for value "a b"'),
    ("[:and [:vector :any] [:non-empty]]", "[]", "Predicate violation: [:non-empty] failed for value []"),
    ("[:and [:map] [:has-key :a]]", "{:b 1}", "Predicate violation: [:has-key :a] failed for value {:b 1}"),
    ("[:and :int :string]", "1", "Type mismatch: expected :string, got integer"),
    ("[:fn [:int] :int]", "5", "Type mismatch: expected [:fn [:int] :int], got integer"),
    ("[:resource File]", '"f"', "Type mismatch: expected [:resource File], got string"),
    ("[:stream :int]", "5", "Type mismatch: expected [:stream :int], got integer"),
    ("[:stream :int]", '{:of ":int"}', "Type mismatch: expected [:stream :int], got map"),
    ("[:stream :int]", '{:stream "s" :of ":string"}', "Type mismatch at .of: expected :int, got :string"),
    ("[:stream :any]", '{:stream "s"}', "Missing required key :of"),
    (
        "[:stream-bi :any :int]",
        '{:stream "s" :of ":int" :takes ":any"}',
        "Type mismatch at .takes: expected :int, got :any",
    ),
    ("[:array :float [2]]", "[1.0]", "Shape violation: expected 2 items, got 1"),
    ("[:array :int [2 1]]", "[[1] [2 3]]", "Shape violation at [1]: expected 1 item, got 2"),
    ("[:array :int [2]]", "5", "Type mismatch: expected [:array :int [2]], got integer"),
]


@pytest.mark.parametrize(("type_", "text"), FITS)
def test_it_fits(make, value, type_: str, text: str) -> None:
    assert violation(make(type_), value(text)) is None


@pytest.mark.parametrize(("type_", "text", "message"), MISFITS)
def test_it_says_where_and_why_not(make, value, type_: str, text: str, message: str) -> None:
    assert violation(make(type_), value(text)) == message


def test_functions_and_handles_fit_by_their_kind(make) -> None:
    assert violation(make("[:fn [:int] :int]"), lambda x: x) is None
    assert violation(make("[:fn [:int] :int]"), Keyword("a")) is not None
    assert violation(make("[:resource File]"), Resource("resource://f")) is None


def test_a_grown_vector_is_a_vector(make) -> None:
    grown = tuple(range(40))
    for item in range(3):
        grown = conj(grown, item)
    assert grown.__class__ is GrownVector
    assert violation(make("[:vector :int]"), grown) is None
    assert violation(make("[:tuple :int]"), grown) == "Shape violation: expected 1 item, got 43"


def test_names_resolve_late_and_may_recur(make, value) -> None:
    names: dict[str, object] = {}
    check = checker(make("[:vector Tree]"), names.get)
    assert "not a known type" in check((1,))
    names["Tree"] = make("[:map [:value :int] [:left Tree ?] [:right Tree?  ?]]".replace("  ", " "))
    assert check((value("{:value 1 :left {:value 2 :right nil}}"),)) is None
    found = check((value('{:value 1 :left {:value "x"}}'),))
    assert found == "Type mismatch at [0].left.value: expected :int, got string"
    names["Tree"] = Primitive.INT
    assert check((1,)) is None


def test_a_user_name_hides_a_primitive_name() -> None:
    assert violation(NamedType("Int"), "a", {"Int": Primitive.STRING}.get) is None


@pytest.mark.parametrize("text", ["A", "[:union A :int]", "[:optional A]", "[:and :int A]", "A?", "B"])
def test_a_name_that_only_stands_for_itself_fits_nothing(make, text: str) -> None:
    names = {"A": make(text), "B": make("A")}
    assert "not a known type" in violation(NamedType("A"), "x", names.get)


def test_checking_is_linear_where_unions_overlap(make) -> None:
    names = {"T": make("[:union [:tuple T :int] [:tuple T :string] :nil]")}
    deep: object = True
    for _ in range(300):
        deep = (deep, 1)
    start = time.perf_counter()
    assert violation(NamedType("T"), deep, names.get) is not None
    assert time.perf_counter() - start < 5


def test_deep_values_are_refused_not_a_crash(make) -> None:
    names = {"T": make("[:vector T]")}
    deep: object = ()
    for _ in range(100_000):
        deep = (deep,)
    assert violation(NamedType("T"), deep, names.get).endswith("nested too deeply to be checked")


def test_types_made_by_hand_may_hold_bad_predicates() -> None:
    bad = AndType((Primitive.STRING,), (Predicate("matches-regex", ("(",)),))
    assert violation(bad, "a").startswith("Invalid regex pattern: ")
    unknown = AndType((Primitive.STRING,), (Predicate("zzz", ()),))
    assert violation(unknown, "a") == "Unknown predicate [:zzz]"


def test_messages_stay_short() -> None:
    small = AndType((Primitive.ANY,), (Predicate(">", (0,)),))
    assert len(violation(small, "x" * 10_000)) < 150
    assert violation(small, -(10**9000)).endswith("an integer of 29898 bits")
    big = Map.of([(i, i) for i in range(1000)])
    assert violation(small, big).endswith("a map of 1000 items")
    assert violation(VectorType(MapType(())), ((),)) == "Type mismatch at [0]: expected [:map], got vector"
