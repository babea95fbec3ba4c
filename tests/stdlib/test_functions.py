"""Functions made of functions: laws, arities, and what is no function."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword, is_function
from rtfs_framework.stdlib.library import BUILTINS

A = Keyword("a")
MAKERS = ["comp", "partial", "complement", "juxt", "memoize", "every-pred", "some-fn"]


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(function, *args):
    with pytest.raises(ProgramError) as caught:
        function(*args)
    return f"{caught.value.kind}: {caught.value.message}"


def inc(n):
    return n + 1


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(("wrong", "what"), [(5, "integer"), (None, "nil"), ("inc", "string")])
def test_what_is_no_function_is_refused_when_it_is_given(name, wrong, what):
    message = f"TypeError: Type error in {name}: expected function, got {what}"
    assert refusal(BUILTINS[name].function, wrong) == message


def test_fnil_wants_a_function_too():
    assert refusal(BUILTINS["fnil"].function, 5, 0) == "TypeError: Type error in fnil: expected function, got integer"


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_made_is_a_function_that_checks_arity_when_called(name):
    made = call(name, inc)
    assert is_function(made)
    if name not in {"every-pred", "some-fn"}:
        expected = "ArityMismatch: Arity mismatch in user-defined function: expected 1, got 2"
        assert refusal(made, 1, 2) == expected


@given(st.integers(), st.integers())
def test_made_functions_mean_what_they_say(x, y):
    assert call("identity", x) == call("process-data", x) == x
    assert call("constantly", x)(y, y) == x
    assert call("comp")(x) == x
    assert call("comp", inc, lambda a, b: a * b)(x, y) == x * y + 1
    assert call("partial", lambda a, b: a - b, x)(y) == x - y
    assert call("complement", lambda a: a == x)(y) is (x != y)
    assert call("juxt", inc, lambda a: a * 2)(x) == (x + 1, x * 2)
    assert call("fnil", lambda a, b: (a, b), x)(None, None) == (x, None)
    assert call("fnil", inc, x, y)(None) == x + 1
    assert call("every-pred", lambda a: a == x, lambda a: a == y)(x) is (x == y)
    assert call("some-fn", lambda a: None, lambda a: a == x)(y, x) is True
    assert call("some-fn", lambda a: None)(y) is None


def test_keywords_and_maps_may_be_combined():
    inner = Map.wrap({A: Map.wrap({A: 5})})
    assert call("comp", A, A)(inner) == 5
    assert call("juxt", A)(inner) == (Map.wrap({A: 5}),)
    assert call("partial", Map.wrap({A: 1}))(A) == 1
    assert refusal(call("comp", A), 5) == "TypeError: Type error in :a: expected map, got integer"


def test_a_memoized_function_runs_once_for_equal_arguments():
    calls = []

    def note(x):
        calls.append(x)
        return x

    remembering = call("memoize", note)
    for value in (1, 1.0, True, 1, (1,), (1,)):
        assert remembering(value) is value or value == (1,)
    assert calls == [1, 1.0, True, (1,)]
    assert remembering.rtfs_shapes == ((1, 1),)
    assert call("memoize", A)(Map.wrap({A: 2})) == 2


def test_long_chains_do_not_need_the_stack():
    assert call("comp", *[inc] * 50_000)(0) == 50_000
