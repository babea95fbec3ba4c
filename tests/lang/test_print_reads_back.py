"""What is printed reads back to the same: values of every kind, and forms that were read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.testing.effort import effort

WORD = st.from_regex(r"[a-zA-Z_$*!?<>=][a-zA-Z0-9_$+*/=<>!?.-]{0,8}", fullmatch=True)
NAMES = WORD.filter(lambda word: word not in {"nil", "true", "false"} and not word.startswith("."))
UUIDS = st.uuids().map(str).map(Uuid)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",))),
    NAMES.map(Keyword),
    NAMES.map(Symbol),
    UUIDS,
    st.datetimes().map(lambda d: Timestamp(d.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))),
    NAMES.map(lambda name: Resource(f"resource://{name}")),
)
KEYS = st.one_of(NAMES.map(Keyword), st.text(max_size=5), st.integers(), st.booleans(), NAMES.map(Symbol))
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(List),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(Map.of),
        st.lists(inner, max_size=4).map(Set.of),
    ),
    max_leaves=12,
)


FLOATS = {
    0.0001: "0.0001", 0.00009: "9.0E-5", 1e-5: "1.0E-5", -1.5e-7: "-1.5E-7", 5e-324: "5.0E-324", 1e-100: "1.0E-100",
    1e15: "1000000000000000.0", 1e16: "1e16", 1e20: "1e20", -1.25e21: "-1.25e21", 1.7976931348623157e308:
    "1.7976931348623157e308",
}  # fmt: skip


@pytest.mark.parametrize("value", FLOATS)
def test_large_and_small_floats(value):
    assert write(value) == FLOATS[value]
    assert read(FLOATS[value]) == value


def read(text):
    return run_pure(f"(quote {text})")


@pytest.mark.filterwarnings("ignore:The recursion limit")  # a run may raise it
@settings(max_examples=effort(300))
@given(VALUES)
def test_a_value_prints_and_reads_back(value):
    text = write(value)
    again = read(text)
    assert equal(again, value)
    assert write(again) == text


@pytest.mark.filterwarnings("ignore:The recursion limit")
@settings(max_examples=effort(200))
@given(st.floats())
def test_floats_keep_every_bit(value):
    again = read(write(value))
    assert (
        math.isnan(again)
        if math.isnan(value)
        else (again == value and math.copysign(1, again) == math.copysign(1, value))
    )


@settings(max_examples=effort(200))
@given(VALUES, st.integers(0, 3))
def test_a_form_spans_the_text_that_it_was_read_from(value, blanks):
    text = " " * blanks + write(value)
    (form,) = read_program(Source("<test>", text))
    assert text[form.span.start : form.span.end] == text.strip(" ") or text.strip() == ""


ODD_TEXTS = st.one_of(
    st.sampled_from(
        ["nil", "true", "1", "-1", "1.5", "##Inf", ":a", "a:b", "a 1 :b", "a] [b", '"', 'a") #uuid("b', "@x", "'x"]
    ),
    st.sampled_from(
        ["x#", "x#12", "x#{", "#x", "#{", "#()", "##do", "##NaN", "resource://a", "2025-01-01T00:00:00Z", ""]
    ),
    st.sampled_from(
        ["a\nb", "a\u00a0b", "é", "\ud83d", "..", ".x", "a/b", "a|b", "a;b", "\0", "%&", "&", "λ", ":", "~x", "a\\b"]
    ),
    st.text("ab1.:/#'@`~^&%|-+\\\"\0 (){}[],;\n\r\u00a0é", max_size=6),
    st.text(max_size=6),
    st.from_regex(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fullmatch=True),
)
ODD = st.builds(
    lambda kind, text: kind(text), st.sampled_from([Keyword, Symbol, Timestamp, Uuid, Resource, str]), ODD_TEXTS
)


@pytest.mark.filterwarnings("ignore:The recursion limit")
@settings(max_examples=effort(300))
@given(ODD, st.sampled_from([lambda v: v, lambda v: (v, 1), lambda v: List((v, v)), lambda v: Map.of([(v, v)])]))
def test_a_print_never_reads_back_to_another_value(odd, around):
    value = around(odd)
    try:
        again = read(write(value))
    except LanguageError:
        assert odd.__class__ is not str or any("\ud800" <= char < "\ue000" for char in odd)  # halves are not text
    else:
        assert equal(again, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Keyword("a 1 :b"), '#<keyword: "a 1 :b">'),
        (Symbol("nil"), '#<symbol: "nil">'),
        (Symbol("1"), '#<symbol: "1">'),
        (Symbol("g#12"), "g#12"),
        (Symbol("g\x1b[31m#12"), '#<symbol: "g\\u001b[31m#12">'),
        (Uuid('a") #uuid("b'), '#uuid("a\\") #uuid(\\"b")'),
        (Resource("a\nb"), '#resource-handle("a\\nb")'),
    ],
)
def test_what_no_program_can_write_is_printed_so_that_nothing_reads_it(value, text):
    assert write(value) == text
    with pytest.raises(LanguageError):
        read(text)


@pytest.mark.parametrize("tag", ["#uuid", "#timestamp", "#resource-handle"])
@pytest.mark.parametrize(
    "text", ["", "a", '\\"', "resource://", "resource://a b", "2025-01-01", "٢٠٢٥-01-01T00:00:00Z"]
)
def test_a_tagged_text_is_refused_where_it_is_no_such_literal(tag, text):
    with pytest.raises(LanguageError, match=rf"E0104\]: the text is no {tag[1:]}\n.*\n.*\n *help: for example {tag}"):
        read(f'[1 {tag}("{text}")]')


def test_digits_of_other_alphabets_make_no_timestamp():
    with pytest.raises(LanguageError, match="E0105"):
        read("٢٠٢٥-01-01T00:00:00Z")


def test_a_wrong_printer_would_be_noticed():
    assert not equal(read("3"), 3.0)
    assert not equal(read("(1)"), (1,))
