"""Laws over generated types: printing reads back, JSON comes back, made values fit, nothing crashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types import model as m
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.coerce import from_json, from_text, to_json
from rtfs_framework.lang.types.jsonable import from_plain
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.lang.types.schema import to_json_schema
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.types.subtypes import is_subtype
from rtfs_framework.lang.types.tests import compiled_test
from rtfs_framework.lang.values import Keyword, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.testing.effort import effort

INTS = st.integers(-(10**20), 10**20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
KEYWORDS = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True).map(Keyword)
LITERALS = st.one_of(KEYWORDS, TEXTS, INTS, FLOATS, st.booleans(), st.none())
NAMES = st.sampled_from(["Point", "a.b/Type", "Tree?", "Int"]).map(m.NamedType)
PREDICATES = st.one_of(
    st.builds(m.Predicate, st.sampled_from([">", "<", ">=", "<=", "=", "!="]), st.tuples(INTS)),
    st.builds(m.Predicate, st.sampled_from(["min-length", "max-count", "count"]), st.tuples(st.integers(0, 9))),
    st.just(m.Predicate("required-keys", ((Keyword("a"), Keyword("b")),))),
    st.just(m.Predicate("non-empty")),
)


def _key_text(key: Any) -> str:
    return key.name if isinstance(key, Keyword) else str(key)


def _maps(inner: st.SearchStrategy[m.Type]) -> st.SearchStrategy[m.Type]:
    # The keys are drawn first: hypothesis prints what a unique list rejects, and before 6.170 a print of `inner` was
    # so long that it warned, which pytest makes an error here.
    keys = st.lists(st.one_of(KEYWORDS, INTS, TEXTS), max_size=3, unique_by=_key_text)
    entries = keys.flatmap(lambda ks: st.tuples(*[st.builds(m.MapEntry, st.just(k), inner, st.booleans()) for k in ks]))
    return st.builds(m.MapType, entries, st.none() | inner)


def _collections(inner: st.SearchStrategy[m.Type]) -> st.SearchStrategy[m.Type]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    shape = st.lists(st.none() | st.integers(0, 3), max_size=2).map(tuple)
    return st.one_of(
        st.builds(m.VectorType, inner),
        st.builds(m.ListType, inner),
        st.builds(m.SetType, inner),
        st.builds(m.TupleType, some),
        _maps(inner),
        st.builds(m.MapOfType, inner, inner),
        st.builds(m.FunctionType, st.lists(inner, max_size=2).map(tuple), st.none() | inner, inner),
        st.builds(m.UnionType, some),
        st.builds(m.OptionalType, inner),
        st.builds(m.AndType, some, st.lists(PREDICATES, max_size=2).map(tuple)),
        st.builds(m.ArrayType, inner, shape),
        st.builds(m.ResourceType, st.just("File")),
        st.builds(m.StreamType, inner, st.none() | inner),
    )


LEAVES = st.one_of(
    st.sampled_from(list(m.Primitive)),
    NAMES,
    st.builds(m.EnumType, st.lists(LITERALS, min_size=1, max_size=3).map(tuple)),
    st.builds(m.LiteralType, LITERALS),
)
TYPES = st.recursive(LEAVES, _collections, max_leaves=6)
DATA = st.recursive(
    st.one_of(st.none(), st.booleans(), INTS, FLOATS, TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
USER = {"Point": m.MapType((m.MapEntry(Keyword("x"), m.Primitive.INT),)), "Tree": m.VectorType(m.NamedType("Tree?"))}


def _made(make: Callable[[], Any]) -> Any:
    """Return the value, or the kind of the error that was raised instead."""
    try:
        return make()
    except ProgramError as error:
        return error.kind


@given(TYPES)
def test_a_printed_type_reads_back(type_: m.Type) -> None:
    assert read_type(read_program(Source("type", show_type(type_)))[0]) == type_


@given(TYPES, DATA)
@settings(max_examples=effort(300))
def test_what_from_json_makes_fits_its_type(type_: m.Type, data: Any) -> None:
    value = _made(lambda: from_json(type_, data, USER.get))
    assert value == "TypeValidationError" or violation(type_, value, USER.get) is None


@given(TYPES, TEXTS | DATA.map(str))
def test_from_text_returns_what_fits_or_a_program_error(type_: m.Type, text: str) -> None:
    value = _made(lambda: from_text(type_, text, USER.get))
    assert value == "TypeValidationError" or violation(type_, value, USER.get) is None


@given(TYPES, DATA)
def test_checks_and_schemas_never_crash(type_: m.Type, data: Any) -> None:
    assert isinstance(violation(type_, from_plain(data), USER.get), str | None)
    assert "$schema" in to_json_schema(type_, USER.get)


def _primitives() -> st.SearchStrategy[tuple[m.Type, Any]]:
    uuids = st.uuids().map(lambda u: Uuid(str(u)))
    times = st.datetimes().map(lambda t: Timestamp(t.strftime("2%m0-%m-%dT%H:%M:%SZ")))
    pairs = [
        (m.Primitive.INT, INTS),
        (m.Primitive.FLOAT, FLOATS | INTS),
        (m.Primitive.STRING, TEXTS),
        (m.Primitive.BOOL, st.booleans()),
        (m.Primitive.NIL, st.none()),
        (m.Primitive.KEYWORD, KEYWORDS),
        (m.Primitive.UUID, uuids),
        (m.Primitive.TIMESTAMP, times),
    ]
    return st.one_of([st.tuples(st.just(type_), values) for type_, values in pairs])


def _enums(value: Any, others: list[Any]) -> tuple[m.Type, Any]:
    return m.EnumType((value, *[o for o in others if not isinstance(o, str | Keyword)])), value


def _larger(inner: st.SearchStrategy[tuple[m.Type, Any]]) -> st.SearchStrategy[tuple[m.Type, Any]]:
    keys = st.lists(st.one_of(KEYWORDS, TEXTS), max_size=3, unique_by=lambda k: str(to_json(k)))
    entries = keys.flatmap(lambda ks: st.tuples(*[st.tuples(st.just(k), inner) for k in ks]))
    return st.one_of(
        inner.map(lambda p: (m.VectorType(p[0]), (p[1], p[1]))),
        inner.map(lambda p: (m.ListType(p[0]), List((p[1],)))),
        inner.map(lambda p: (m.SetType(p[0]), Set.of([p[1]]))),
        inner.map(lambda p: (m.OptionalType(p[0]), p[1])),
        inner.map(lambda p: (m.ArrayType(p[0], (1,)), (p[1],))),
        inner.map(lambda p: (m.MapOfType(m.Primitive.KEYWORD, p[0]), Map.of([(Keyword("k"), p[1])]))),
        inner.map(lambda p: (m.MapOfType(m.Primitive.INT, p[0]), Map.of([(-7, p[1])]))),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda ps: (m.TupleType(tuple(t for t, _ in ps)), tuple(v for _, v in ps))
        ),
        entries.map(
            lambda es: (m.MapType(tuple(m.MapEntry(k, t) for k, (t, _) in es)), Map.of([(k, v) for k, (_, v) in es]))
        ),
    )


TYPED = st.recursive(
    _primitives() | st.builds(_enums, LITERALS, st.lists(LITERALS, max_size=2)),
    _larger,
    max_leaves=6,
)


@given(TYPED)
@settings(max_examples=effort(300))
def test_values_come_back_from_json(typed: tuple[m.Type, Any]) -> None:
    type_, value = typed
    assert violation(type_, value) is None
    assert equal(from_json(type_, to_json(value)), value)


@given(TYPED, TYPED, TYPES, DATA)
@settings(max_examples=effort(300))
def test_a_compiled_test_says_what_the_checker_says(
    typed: tuple[m.Type, Any], other: tuple[m.Type, Any], free: m.Type, data: Any
) -> None:
    """It may leave values to the checker only where keys stand in for others."""
    for type_ in (typed[0], free):
        test = compiled_test(type_, no_names)
        assert test is not None
        for value in (typed[1], other[1], from_plain(data)):
            fits = violation(type_, value, no_names) is None
            assert fits or not test(value)
            assert test(value) or not fits or ":map" in show_type(type_)
    test = compiled_test(typed[0], no_names)
    assert test is not None
    assert test(typed[1])


@pytest.mark.parametrize(
    ("text", "fits", "misfits"),
    [
        (
            "[:map [:a :int] [:b :int ?]]",
            ["{:a 1}", "{:a 1 :b 2}"],
            ["{}", "{:a 1.0}", "{:a 1 :b nil}", '{:a 1 "b" :c}'],
        ),
        ("[:map [:a :int?]]", ["{:a nil}", "{:a 1}"], ["{}", "{:a 1.0}", "nil", "[]"]),
        ('[:map ["a" [:enum :x :y]]]', ['{"a" :x}'], ['{"a" :z}', "{:a :x}", '{"a" nil}']),
        (
            "[:vector [:or [:tuple [:enum :a] :int] [:tuple [:enum :b]]]]",
            ["[[:a 1] [:b]]", "[]"],
            ["[[:a]]", "[[:b 1]]"],
        ),
        ("[:vector [:vector :string]]", ['[["a"] []]'], ['[["a" 1]]', "[5]", "5"]),
        ("[:and :int [:> 3] [:< 9]]", ["4", "8"], ["3", "9", "5.5", "nil"]),
        ("[:enum 1 true]", ["1", "true"], ["1.0", "false", "nil"]),
        ("[:enum :a :b :c :d :e]", [":a", ":e"], [":f", '"a"']),
        ('[:enum "a" "b"]', ['"a"'], [":a", '"c"']),
        ("Point", ["{:x 1}"], ["{:x 1.5}", "nil"]),
        ("[:optional Point]", ["{:x 1}", "nil"], ["{}"]),
        ("Nothing", [], ["nil", "1"]),
    ],
)
def test_a_compiled_test_by_example(text: str, fits: list[str], misfits: list[str]) -> None:
    point = m.MapType((m.MapEntry(Keyword("x"), m.Primitive.INT),))
    type_ = read_type(read_program(Source("t", text))[0])
    test = compiled_test(type_, {"Point": point}.get)
    assert test is not None
    assert [each for each in fits if not test(run_pure(each))] == []
    assert [each for each in misfits if test(run_pure(each))] == []


def test_a_recursive_type_has_no_compiled_test() -> None:
    tree = m.MapType((m.MapEntry(Keyword("next"), m.OptionalType(m.NamedType("Tree"))),))
    assert compiled_test(m.VectorType(m.NamedType("Tree")), {"Tree": tree}.get) is None


@given(TYPED, TYPED, TYPES)
@settings(max_examples=effort(300))
def test_what_fits_a_type_fits_the_wider_ones(
    typed: tuple[m.Type, Any], other: tuple[m.Type, Any], free: m.Type
) -> None:
    type_, value = typed
    for wider in (m.OptionalType(type_), m.UnionType((free, type_)), m.Primitive.ANY):
        assert is_subtype(type_, wider, no_names)
    for wider in (other[0], free, m.VectorType(free), m.OptionalType(other[0])):
        if is_subtype(type_, wider, no_names):
            assert violation(wider, value, no_names) is None


@pytest.mark.parametrize(
    ("narrow", "wide", "holds"),
    [
        (":int", ":float", True),
        ("[:vector :int]", "[:list :float]", True),
        ("[:tuple :int :int]", "[:vector :float]", True),
        ("[:enum 1 2]", ":int", True),
        ("[:map [:a :int] [:b :int]]", "[:map [:a :float]]", True),
        ("[:map [:a :int]]", "[:map [:a :int ?]]", True),
        ("[:and :int [:> 3]]", ":int", True),
        ("[:val 1]", "[:val true]", False),
        ("[:val 1]", "[:val 1.0]", False),
        (":float", ":int", False),
        ("[:list :int]", "[:vector :int]", False),
        ("[:map [:a :int ?]]", "[:map [:a :int]]", False),
        ("[:map [:a :int]]", "[:map [:a :int] [:* :int]]", False),
        ("[:vector :int]", "[:tuple :int]", False),
        (":int?", ":int", False),
        (":int", "[:and :int [:> 3]]", False),
        ("[:stream :int]", "[:stream :any]", True),
        ("[:stream :int]", "[:stream :float]", False),
        ("[:stream-bi :int :string]", "[:stream :int]", True),
        ("[:stream-bi :int :string]", "[:stream-bi :int :any]", True),
        ("[:stream :int]", "[:stream-bi :int :any]", False),
        ("Tree", "Tree", True),
        ("Tree", "Other", False),
    ],
)
def test_subtypes_by_example(narrow: str, wide: str, holds: bool) -> None:
    read = [read_type(read_program(Source("t", text))[0]) for text in (narrow, wide)]
    assert is_subtype(*read, no_names) is holds
