"""Numbers: exactness against Python's own integers, every rejection and its message, and the bounds of results."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.stdlib import conversions, mathematics, operators  # noqa: F401 - they fill the table
from rtfs_framework.stdlib.table import BUILTINS

HUGE = 10**400
INTEGERS = st.integers(-(10**30), 10**30)


def call(name, *args):
    return BUILTINS[name].function(*args)


def same(got, expected):
    assert got.__class__ is expected.__class__
    assert got == expected or (math.isnan(got) and math.isnan(expected))


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("+", (), 0),
        ("+", (5,), 5),
        ("+", (1, 2.0, 3), 6.0),
        ("-", (10, 1, 2, 3), 4),
        ("-", (5,), -5),
        ("-", (9007199254740993, 1), 9007199254740992),
        ("*", (), 1),
        ("*", (2, 3, 4), 24),
        ("/", (100, 5, 2), 10),
        ("/", (6.0, 2), 3.0),
        ("/", (4,), 0.25),
        ("/", (HUGE, HUGE * 4), 0.25),
        ("mod", (-7, 3), 2),
        ("mod", (7, -3), -2),
        ("mod", (7.5, 2), 1.5),
        ("quot", (-7, 2), -3),
        ("quot", (7, -2), -3),
        ("quot", (-6, 2), -3),
        ("quot", (7.5, 2), 3.0),
        ("quot", (math.inf, 2), math.inf),
        ("rem", (-7, 3), -1),
        ("rem", (7, -3), 1),
        ("rem", (-7.5, 2), -1.5),
        ("rem", (math.inf, 2), math.nan),
        ("abs", (-2.5,), 2.5),
        ("max", (1, 2.5), 2.5),
        ("max", (1, math.nan, 2), math.nan),
        ("min", (1.5, 1), 1),
        ("max", (1, 1.0), 1),
        ("min", (1.0, 1), 1.0),
        ("clamp", (5, 0, 10), 5),
        ("clamp", (-5, 0, 10), 0),
        ("sqrt", (16,), 4.0),
        ("pow", (2, 10), 1024),
        ("pow", (0, 0), 1),
        ("pow", (-1, 10**100 + 1), -1),
        ("pow", (1, 10**100), 1),
        ("pow", (0, 10**100), 0),
        ("pow", (2, -1), 0.5),
        ("pow", (1e200, 2), math.inf),
        ("pow", (-1e200, 3), -math.inf),
        ("exp", (10**5,), math.inf),
        ("log", (10**1000, 10), 1000.0),
        ("log", (8, 2), 3.0),
        ("log", (9, 3), 2.0),
        ("sin", (math.inf,), math.nan),
        ("factorial", (20,), math.factorial(20)),
        ("even?", (2.9,), True),
        ("odd?", (-3,), True),
        ("zero?", (-0.0,), True),
        ("nan?", (math.nan,), True),
        ("infinite?", (-math.inf,), True),
        ("sum", ((1, 2.5),), 3.5),
        ("sum", (None,), 0),
        ("average", ((1, 2, 3),), 2),
        ("median", ((1, 2),), 1.5),
        ("median", ((3, 1.0, 2),), 2),
        ("int", (True,), 1),
        ("int", (None,), 0),
        ("int", ("3.9",), 3),
        ("float", ("##-Inf",), -math.inf),
        ("float", (False,), 0.0),
        ("parse-int", ("+7",), 7),
        ("parse-int", ("1_000",), None),
        ("parse-int", ("٣",), None),
        ("parse-int", (math.nan,), None),
        ("parse-int", (True,), None),
        ("parse-float", (".5",), 0.5),
        ("parse-float", ("1e999",), math.inf),
        ("parse-float", ("1e",), None),
        ("parse-float", ((),), None),
        ("parse-bool", (True,), True),
        ("parse-bool", ("TRUE",), True),
        ("parse-bool", (1,), None),
        ("floor", (-2.1,), -3),
        ("ceil", (2.1,), 3),
        ("truncate", (-2.7,), -2),
        ("round", (-2.5,), -3),
        ("round", (2.675, 2), 2.68),
        ("round", (1e308, 15), 1e308),
        ("round", (7, 2), 7),
    ],
)
def test_value(name, args, expected):
    same(call(name, *args), expected)


@pytest.mark.parametrize(
    ("name", "args", "kind", "message"),
    [
        ("+", (1, "a"), "TypeError", "Type error in +: expected number, got string"),
        ("+", (True, 1), "TypeError", "Type error in +: expected number, got boolean"),
        ("+", ("a",), "TypeError", "Type error in +: expected number, got string"),
        ("-", (None,), "TypeError", "Type error in -: expected number, got nil"),
        ("*", (2, ()), "TypeError", "Type error in *: expected number, got vector"),
        ("/", (1, 0), "DivisionByZero", "Division by zero"),
        ("/", (1.0, 0.0), "DivisionByZero", "Division by zero"),
        ("/", (0,), "DivisionByZero", "Division by zero"),
        ("/", (HUGE * 3, 2 * HUGE**2 + 1), None, None),
        ("/", (HUGE * HUGE + 1, 2), "InvalidArgument", "Invalid argument: Integer is too large for a float"),
        ("+", (1.0, HUGE), "InvalidArgument", "Invalid argument: Integer is too large for a float"),
        ("mod", (5, 0), "DivisionByZero", "Division by zero"),
        ("quot", (5, 0.0), "DivisionByZero", "Division by zero"),
        ("rem", (5, 0), "DivisionByZero", "Division by zero"),
        ("mod", (HUGE, 2.0), "InvalidArgument", "Invalid argument: Integer is too large for a float"),
        ("inc", ("a",), "TypeError", "Type error in inc: expected number, got string"),
        ("dec", (None,), "TypeError", "Type error in dec: expected number, got nil"),
        ("max", ("a",), "TypeError", "Type error in max: expected number, got string"),
        ("min", (1, None), "TypeError", "Type error in min: expected number, got nil"),
        ("clamp", (1, 5, 2), "InvalidArgument", "Invalid argument: Lower bound of clamp is above its upper bound"),
        ("sqrt", (-1,), "InvalidArgument", "Invalid argument: Cannot take square root of negative number"),
        ("sqrt", (HUGE,), "InvalidArgument", "Invalid argument: Integer is too large for a float"),
        ("pow", (0, -1), "DivisionByZero", "Division by zero"),
        ("pow", (-8, 0.5), "InvalidArgument", None),
        ("factorial", (-1,), "InvalidArgument", "Invalid argument: Cannot take factorial of negative number"),
        ("factorial", (2.5,), "TypeError", "Type error in factorial: expected integer, got float"),
        ("log", (0,), "InvalidArgument", None),
        ("log", (2, 1), "InvalidArgument", None),
        ("even?", (math.nan,), "InvalidArgument", "Invalid argument: Number is not finite"),
        ("odd?", (None,), "TypeError", "Type error in odd?: expected number, got nil"),
        ("average", ((),), "InvalidArgument", "Invalid argument: Cannot take average of an empty collection"),
        ("sum", ((1, "a"),), "TypeError", "Type error in sum: expected number, got string"),
        ("sum", (1,), "TypeError", "Type error in sum: expected collection, got integer"),
        ("int", ("abc",), "InvalidArgument", "Invalid argument: String is not an integer"),
        ("int", (math.inf,), "InvalidArgument", "Invalid argument: Number is not finite"),
        ("int", ((),), "TypeError", "Type error in int: expected number or string, got vector"),
        ("float", ("abc",), "InvalidArgument", "Invalid argument: String is not a number"),
        ("float", ({},), "TypeError", None),
        ("floor", (math.nan,), "InvalidArgument", "Invalid argument: Number is not finite"),
        ("round", (1.5, 16), "InvalidArgument", "Invalid argument: Decimal places of round must be 0 to 15"),
    ],
)
def test_rejection(name, args, kind, message):
    if kind is None:
        assert call(name, *args) is not None
        return
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    assert caught.value.kind == kind
    if message is not None:
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("pow", (2, 10**9)),
        ("pow", (3, 900_000)),
        ("factorial", (10**6,)),
        ("factorial", (10**30,)),
        ("*", (1 << 600_000, 1 << 600_000)),
    ],
)
def test_integers_beyond_the_bound_end_the_run(name, args):
    with pytest.raises(LimitError) as caught:
        call(name, *args)
    assert caught.value.dimension == "integer-bits"


@given(INTEGERS, INTEGERS)
def test_integers_are_exact(a, b):
    assert call("+", a, b) == a + b
    assert call("-", a, b) == a - b
    assert call("*", a, b) == a * b


@given(INTEGERS, INTEGERS.filter(bool))
def test_division_laws(a, b):
    quotient = call("quot", a, b)
    assert quotient == math.trunc(Fraction(a, b))
    assert quotient * b + call("rem", a, b) == a
    assert (call("mod", a, b) - a) % b == 0
    assert call("mod", a, b) == a % b
    divided = call("/", a, b)
    assert divided == Fraction(a, b) if divided.__class__ is int else divided == float(Fraction(a, b))
    assert call("/", a * b, b) == a


@given(st.floats(), st.floats())
def test_floats_never_raise_but_for_zero(a, b):
    for name in ("+", "-", "*"):
        assert call(name, a, b).__class__ is float
    for name in ("/", "mod", "quot", "rem"):
        if b == 0:
            with pytest.raises(ProgramError, match="Division by zero"):
                call(name, a, b)
        else:
            assert call(name, a, b).__class__ is float


@given(st.integers())
def test_integers_read_back_from_their_text(number):
    assert call("parse-int", f" {number} ") == number
    assert call("int", str(number)) == number


@given(st.floats(allow_nan=False))
def test_floats_read_back_from_their_text(number):
    assert call("parse-float", repr(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whole_parts(number):
    assert call("floor", number) <= number <= call("ceil", number)
    assert abs(call("truncate", number)) <= abs(number)
    assert abs(Fraction(call("round", number)) - Fraction(number)) <= Fraction(1, 2)


ANY_NUMBER = st.one_of(INTEGERS, st.floats(), st.just(HUGE), st.just("text"), st.none(), st.booleans())


@given(ANY_NUMBER, ANY_NUMBER)
def test_operators_are_the_builtins(a, b):
    for name, operator in operators.OPERATORS.items():
        assert outcome(operator, a, b) == outcome(BUILTINS[name].function, a, b)
    for name, operator in operators.UNARY.items():
        assert outcome(operator, a) == outcome(BUILTINS[name].function, a)


def outcome(function, *args):
    try:
        return repr(function(*args))
    except ProgramError as error:
        return error.value
