"""What is printed reads back to the same: values of every kind, and forms that were read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword, List, Resource, Symbol, Timestamp, Uuid
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


def test_a_wrong_printer_would_be_noticed():
    assert not equal(read("3"), 3.0)
    assert not equal(read("(1)"), (1,))
