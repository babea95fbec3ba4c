"""Types as values: validate, explain, conform, and types that are none."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS

A, INT, MAP, VECTOR, ENUM = (Keyword(name) for name in ("a", "int", "map", "vector", "enum"))
RECORD = (MAP, (A, INT), (Keyword("b"), (ENUM, Keyword("x")), Symbol("?")))


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


def test_values_fit_or_say_why_not():
    assert call("validate", RECORD, Map.wrap({A: 1})) is call("instance?", INT, 1) is True
    assert call("validate", (MAP, Map.wrap({A: INT})), Map.wrap({})) is False
    assert call("explain-type", RECORD, Map.wrap({A: 1})) is None
    assert call("explain-type", RECORD, Map.wrap({A: "x"})) == "Type mismatch at .a: expected :int, got string"
    assert call("validate", Symbol("int"), 5) is True


def test_conform_makes_data_what_the_type_says():
    data = Map.wrap({"a": 1, "b": "x", "c": 2})
    assert call("conform", RECORD, data) == Map.of([(A, 1), (Keyword("b"), Keyword("x")), ("c", 2)])
    fitting = Map.wrap({A: 1, Keyword("z"): 2})
    assert call("conform", RECORD, fitting) is fitting
    message = "TypeValidationError: Type validation error: Type mismatch at .a: expected :int, got string"
    assert refusal("conform", RECORD, Map.wrap({"a": "x"})) == message
    assert refusal("conform", INT, lambda: 1).endswith("expected :int, got function")


@pytest.mark.parametrize("name", ["validate", "instance?", "explain-type", "conform"])
@pytest.mark.parametrize(
    ("type_", "message"),
    [
        (5, "this is not a type"),
        (None, "this is not a type"),
        (List((INT,)), "this is not a type"),
        (lambda: 1, "this is not a type"),
        ((), "a type in brackets starts with a keyword"),
        ((VECTOR,), "malformed type [:vector ...] (the accepted form is [:vector T])"),
        (Keyword("nope"), "no type is called 'nope' (define it with (deftype Name T) or defstruct)"),
        (Keyword("integr?"), "no type is called 'integr?' ("),
        (Keyword("number"), "no type is called 'number' (write [:union :int :float]"),
        ((VECTOR, (VECTOR, Keyword("strng"))), "no type is called 'strng' (did you mean 'string'?)"),
        ((Keyword("vectr"), INT), "unknown type constructor :vectr (did you mean 'vector'?)"),
    ],
)
def test_what_is_no_type_is_refused(name, type_, message):
    assert refusal(name, type_, 1).startswith(f"InvalidArgument: Invalid argument: {name}: {message}")


def test_deep_types_are_refused():
    type_ = INT
    for _ in range(100_000):
        type_ = (VECTOR, type_)
    assert "may not nest deeper than 60 levels" in refusal("validate", type_, 1)


def test_a_type_that_shares_its_parts_billions_of_times_is_refused():
    type_ = (INT, INT)
    for _ in range(40):
        type_ = (type_, type_)
    for name in ("validate", "instance?", "conform", "explain-type"):
        assert "may not have more than 100000 parts" in refusal(name, type_, 1)
