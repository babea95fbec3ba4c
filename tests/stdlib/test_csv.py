"""CSV: rows, headers, options, and every refusal."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.stdlib.library import BUILTINS

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
HEADER, KEYS, SEPARATOR = Keyword("header"), Keyword("keys"), Keyword("separator")


def parse(*args):
    return BUILTINS["parse-csv"].function(*args)


def refusal(*args):
    with pytest.raises(ProgramError) as caught:
        parse(*args)
    return f"{caught.value.kind}: {caught.value.message}"


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6))
def test_what_python_writes_is_read(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    assert parse(out.getvalue()) == tuple(tuple(row) for row in rows)


def test_rows_become_vectors_or_maps():
    assert parse("") == parse("\n\n") == ()
    assert parse("", Map.wrap({HEADER: True})) == ()
    assert parse('a,"b\nc"\r\n\r\n1,2') == (("a", "b\nc"), ("1", "2"))
    assert parse("a,b\n1,2\n3", Map.wrap({HEADER: True})) == (Map.wrap({"a": "1", "b": "2"}), Map.wrap({"a": "3"}))
    named = Map.wrap({HEADER: True, KEYS: Keyword("keyword"), SEPARATOR: "\t"})
    assert parse("a\tb\n1\t2", named) == (Map.wrap({Keyword("a"): "1", Keyword("b"): "2"}),)
    assert parse("a,b", Map.wrap({HEADER: False})) == (("a", "b"),)


@pytest.mark.parametrize(
    "name", ["amount 5 :approved true :x", "a 1 :b", "a] [b", "1", "", "größe", "nil)", "x" * 99 + " "]
)
def test_a_column_whose_keyword_nothing_could_read_is_refused_with_a_way_out(name):
    shown = f"{name[:40]}..." if len(name) > 40 else name
    assert refusal(f'"{name}",b\n1,2', Map.wrap({HEADER: True, KEYS: Keyword("keyword")})) == (
        f'Generic: Runtime error: CSV parsing error: "{shown}" is not the name of a keyword; '
        "leave :keys out for text keys"
    )
    assert parse(f'"{name}",b\n1,2', Map.wrap({HEADER: True})) == (Map.wrap({name: "1", "b": "2"}),)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((5,), "TypeError: Type error in parse-csv: expected string, got integer"),
        ((None,), "TypeError: Type error in parse-csv: expected string, got nil"),
        (("a", 5), "TypeError: Type error in parse-csv: expected map, got integer"),
        (('"open',), "Generic: Runtime error: CSV parsing error: unexpected end of data"),
        (('"a"b',), "Generic: Runtime error: CSV parsing error: ',' expected after '\"'"),
        (("a\0b",), "Generic: Runtime error: CSV parsing error: the text holds a NUL character"),
        (
            ("a,b\n1,2,3", Map.wrap({HEADER: True})),
            "Generic: Runtime error: CSV parsing error: row 2 has 3 cells under 2 columns",
        ),
        (
            ("a,a\n1,2", Map.wrap({HEADER: True})),
            "Generic: Runtime error: CSV parsing error: two columns have the same name",
        ),
        (
            ("a", Map.wrap({Keyword("heder"): True})),
            "InvalidArgument: Invalid argument: parse-csv takes the options :header, :keys and :separator",
        ),
        (
            ("a", Map.wrap({SEPARATOR: ";;"})),
            "InvalidArgument: Invalid argument: parse-csv: :separator is one character",
        ),
        (
            ("a", Map.wrap({SEPARATOR: '"'})),
            "InvalidArgument: Invalid argument: parse-csv: :separator is one character",
        ),
        (("a", Map.wrap({SEPARATOR: 5})), "InvalidArgument: Invalid argument: parse-csv: :separator is one character"),
        (
            ("a", Map.wrap({KEYS: "keyword"})),
            "InvalidArgument: Invalid argument: parse-csv: :keys is :string or :keyword",
        ),
    ],
)
def test_refusals(args, message):
    assert refusal(*args) == message


def test_a_huge_cell_is_refused():
    assert refusal('"' + "x" * 200_000 + '"').startswith("Generic: Runtime error: CSV parsing error: field larger than")
