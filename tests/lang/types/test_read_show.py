"""Reading and printing type expressions: every form, every refusal, and the way back."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.types.model import MapEntry, MapType, NamedType, Primitive
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Keyword


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":int", ":int"),
        ("int", ":int"),
        ("Int", "Int"),
        (":number", "number"),
        ("[:vector :int]", "[:vector :int]"),
        ("[:map [:a :int] [:b :string ?]]", "[:map [:a :int] [:b :string ?]]"),
        ("[:map {:a :int}]", "[:map [:a :int]]"),
        ("[:map {:a :int :* :string}]", "[:map [:a :int] [:* :string]]"),
        ("[:record [:a :int]]", "[:map [:a :int]]"),
        ("[:map]", "[:map]"),
        ('[:map ["k" :int] [5 :int]]', '[:map ["k" :int] [5 :int]]'),
        ("[:map [:a :int] [:* :any]]", "[:map [:a :int] [:* :any]]"),
        ("[:map-of :keyword :int]", "[:map-of :keyword :int]"),
        ("[:dict :string :int]", "[:map-of :string :int]"),
        ("[:tuple :int :string]", "[:tuple :int :string]"),
        ("[:fn [:int :int] :string]", "[:fn [:int :int] :string]"),
        ("[:=> [:int] :int]", "[:fn [:int] :int]"),
        ("[:fn [] :int]", "[:fn [] :int]"),
        ("[:fn [:int & :string] :nil]", "[:fn [:int & :string] :nil]"),
        ('[:enum :a "b" 3]', '[:enum :a "b" 3]'),
        ("[:union :int :nil]", "[:union :int :nil]"),
        ("[:or :int :string]", "[:union :int :string]"),
        ("[:optional :int]", "[:optional :int]"),
        ("[:list :int]", "[:list :int]"),
        ("[:set :int]", "[:set :int]"),
        ("[:and :int :string]", "[:and :int :string]"),
        ("[:and [:> 0] :int [:<= 9]]", "[:and :int [:> 0] [:<= 9]]"),
        ("[:and [:map] [:required-keys [:a :b]]]", "[:and [:map] [:required-keys [:a :b]]]"),
        (
            '[:and :string [:matches-regex "^a\\\\d$"] [:is-email]]',
            '[:and :string [:matches-regex "^a\\\\d$"] [:is-email]]',
        ),
        ('[:val "x"]', '[:val "x"]'),
        ("[:array :float]", "[:array :float]"),
        ("[:array :float [2 ?]]", "[:array :float [2 ?]]"),
        ("[:resource Handle]", "[:resource Handle]"),
        ("[:stream [:vector Int]]", "[:stream [:vector Int]]"),
        ("[:stream-bi :int :string]", "[:stream-bi :int :string]"),
        (":int?", "int?"),
        ("a.b/Type", "a.b/Type"),
        ("com.x:v1/T", "com.x:v1/T"),
        (":never", ":never"),
    ],
)
def test_a_type_prints_as_it_reads(make, text: str, shown: str) -> None:
    assert show_type(make(text)) == shown
    assert make(shown) == make(text)


@pytest.mark.parametrize(
    ("text", "code", "place", "word"),
    [
        ('"text"', "E0301", '"text"', "not a type"),
        ("5", "E0301", "5", "not a type"),
        ("{:a :int}", "E0301", "{:a :int}", "[:map"),
        ("(or :int)", "E0301", "(or :int)", "not a type"),
        ("[]", "E0301", "[]", "keyword"),
        ("[int]", "E0301", "[int]", "keyword"),
        ("[:vektor :int]", "E0302", ":vektor", "did you mean 'vector'?"),
        ("[:zzz :int]", "E0302", ":zzz", "known are"),
        ("[:vector]", "E0303", "[:vector]", "[:vector T]"),
        ("[:vector :int :int]", "E0303", "[:vector :int :int]", "[:vector T]"),
        ("[:tuple]", "E0303", "[:tuple]", "[:tuple T U ...]"),
        ("[:union]", "E0303", "[:union]", "[:union T U ...]"),
        ("[:map-of :int]", "E0303", "[:map-of :int]", "K V"),
        ("[:fn :int :int]", "E0303", "[:fn :int :int]", "[:fn [A B & V] R]"),
        ("[:fn [& :int :int] :int]", "E0303", "[:fn [& :int :int] :int]", "[:fn [A B & V] R]"),
        ("[:enum]", "E0303", "[:enum]", "literal"),
        ("[:val 1 2]", "E0303", "[:val 1 2]", "[:val literal]"),
        ("[:array]", "E0303", "[:array]", "[:array T]"),
        ("[:resource 5]", "E0303", "[:resource 5]", "Name"),
        ("[:stream :int :int]", "E0303", "[:stream :int :int]", "[:stream T]"),
        ("[:stream-bi :int]", "E0303", "[:stream-bi :int]", "[:stream-bi IN OUT]"),
        ("[:and]", "E0303", "[:and]", "[:and T"),
        ("[:and [:> 0]]", "E0303", "[:and [:> 0]]", "[:and T"),
        ("[:map [:a]]", "E0304", "[:a]", "[:key T ?]"),
        ("[:map [:a :int !]]", "E0304", "[:a :int !]", "[:key T ?]"),
        ("[:map :a]", "E0304", ":a", "[:key T ?]"),
        ("[:map [true :int]]", "E0304", "true", "keyword, string or integer"),
        ("[:map [:a :int] [:a :int]]", "E0304", "[:a :int]", "already"),
        ("[:map [:* :int] [:* :int]]", "E0304", "[:* :int]", "once"),
        ("[:and :int [:abov 0]]", "E0305", "[:abov 0]", "unknown predicate"),
        ("[:and :int [:in-rang 0 1]]", "E0305", "[:in-rang 0 1]", "in-range"),
        ("[:and :int [:> :a]]", "E0306", "[:> :a]", "[:> number]"),
        ("[:and :int [:in-range 1]]", "E0306", "[:in-range 1]", "low high"),
        ("[:and :string [:length -1]]", "E0306", "[:length -1]", "non-negative"),
        ('[:and :string [:matches-regex "("]]', "E0306", '[:matches-regex "("]', "Invalid regex pattern"),
        ("[:and [:map] [:required-keys :a]]", "E0306", "[:required-keys :a]", "vector of keys"),
        ("[:and :string [:is-url 1]]", "E0306", "[:is-url 1]", "no argument"),
        ("[:enum a]", "E0307", "a", "literal"),
        ("[:val [1]]", "E0307", "[1]", "literal"),
        ("[:array :int []]", "E0308", "[]", "vector of lengths"),
        ("[:array :int [-1]]", "E0308", "-1", "non-negative"),
    ],
)
def test_a_refusal_shows_its_place_and_the_way_out(make, text: str, code: str, place: str, word: str) -> None:
    with pytest.raises(LanguageError) as caught:
        make(text)
    (found,) = caught.value.diagnostics
    assert (found.code, found.kind) == (code, "ParseError")
    assert text[found.span.start : found.span.end] == place
    assert word in found.render()


def test_nesting_is_bounded(make) -> None:
    with pytest.raises(LanguageError, match="E0309"):
        make("[:vector " * 61 + ":int" + "]" * 61)
    assert show_type(make("[:vector " * 60 + ":int" + "]" * 60)).count("[") == 60


def test_words_are_primitives_or_names(make) -> None:
    assert make("uuid") is Primitive.UUID
    assert make("Point?") == NamedType("Point?")
    assert make("[:map [:a Point ?]]") == MapType((MapEntry(Keyword("a"), NamedType("Point"), optional=True),))
