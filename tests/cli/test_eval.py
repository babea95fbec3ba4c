"""`rtfs eval`."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("(+ 1 2)", "3"),
        ('(str "a" "b")', '"ab"'),
        ("-5", "-5"),
        ("(map inc [1 2 3])", "[2 3 4]"),
        ("{:a 1.0 :b nil}", "{:a 1.0 :b nil}"),
        ("", "nil"),
    ],
)
def test_values_print_readably(rtfs, text: str, printed: str) -> None:
    result = rtfs("eval", text)
    assert (result.code, result.out, result.err) == (0, f"{printed}\n", "")


def test_the_standard_input(rtfs) -> None:
    assert rtfs("eval", "-", stdin="(* 6 7)").out == "42\n"


def test_json(rtfs) -> None:
    data = rtfs("eval", "--json", '{:a [1 "x"]}').data
    assert data["value"] == {"a": [1, "x"]}
    assert data["type"] == "map"
    assert data["summary"]["calls"] == 0


def test_json_of_what_json_cannot_hold(rtfs) -> None:
    data = rtfs("eval", "--json", "[##NaN]").data
    assert (data["value"], data["type"], data["print"]) == ([None], "vector", "[##NaN]")


def test_a_failing_expression(rtfs) -> None:
    result = rtfs("eval", "(let [a 1]\n  (/ a 0))")
    assert (result.code, result.out) == (1, "")
    assert "<eval>:2:3: error[E0504]: DivisionByZero: Division by zero" in result.err
    assert "  2 |   (/ a 0))\n    |   ^^^^^^^\n" in result.err
    assert "help: test the divisor first" in result.err


def test_errors_as_json(rtfs) -> None:
    result = rtfs("eval", "--json", "(/ 1 0)")
    assert (result.code, result.err) == (1, "")
    (error,) = result.data["errors"]
    assert (error["code"], error["line"], error["column"]) == ("E0504", 1, 1)
    assert error["stack"] == ["top level at <eval>:1:1"]


def test_a_refused_expression_as_json(rtfs) -> None:
    result = rtfs("eval", "--json", "(+ 1")
    assert [error["code"] for error in result.data["errors"]] == ["E0101"]
