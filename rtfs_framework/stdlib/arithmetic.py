"""The four operations and their kin, on integers without bounds and floats. Booleans are not numbers.

Two integers are always tried first: that is what programs mostly compute with. Integers never become floats but in
`/` and beside a float; an integer that no float can hold is then an InvalidArgument.
"""

from __future__ import annotations

import math

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import ProgramError, division_by_zero, invalid_argument, type_error
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.meter import room_for_bits, room_to_divide, walk_numbers
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.check import NUMBERS, number
from rtfs_framework.stdlib.table import builtin

_WORD_BITS = 512
"""Products of fewer bits are not measured."""


def both_numbers(op: str, a: Any, b: Any) -> None:
    """Refuse a pair that is not two numbers, naming the first that is not."""
    if a.__class__ not in NUMBERS:
        raise type_error(op, "number", a)
    if b.__class__ not in NUMBERS:
        raise type_error(op, "number", b)


def too_large() -> ProgramError:
    """Return the error of an integer that no float can hold."""
    return invalid_argument("Integer is too large for a float")


def to_float(op: str, value: Any) -> float:
    """Return a number as a float."""
    try:
        return float(number(op, value))
    except OverflowError:
        raise too_large() from None


def add(a: Any, b: Any) -> Any:
    """`(+ a b)`."""
    if a.__class__ is int and b.__class__ is int:
        return a + b
    both_numbers("+", a, b)
    try:
        return a + b
    except OverflowError:
        raise too_large() from None


def sub(a: Any, b: Any) -> Any:
    """`(- a b)`."""
    if a.__class__ is int and b.__class__ is int:
        return a - b
    both_numbers("-", a, b)
    try:
        return a - b
    except OverflowError:
        raise too_large() from None


def mul(a: Any, b: Any) -> Any:
    """`(* a b)`; the product of integers is bounded."""
    if a.__class__ is int and b.__class__ is int:
        bits = a.bit_length() + b.bit_length()
        if bits > _WORD_BITS:
            room_for_bits("*", bits - 1)  # before it is made; it may have one bit more
        product = a * b
        if bits > _WORD_BITS:
            room_for_bits("*", product.bit_length())
        return product
    both_numbers("*", a, b)
    try:
        return a * b
    except OverflowError:
        raise too_large() from None


def div(a: Any, b: Any) -> Any:
    """`(/ a b)`: of integers an integer when whole, otherwise the nearest float."""
    if a.__class__ not in NUMBERS or b.__class__ not in NUMBERS:
        both_numbers("/", a, b)
    if not b:
        raise division_by_zero()
    try:
        if a.__class__ is int and b.__class__ is int:
            room_to_divide(a, b)
            if not a % b:
                return a // b
        return a / b
    except OverflowError:
        raise too_large() from None


def neg(a: Any) -> Any:
    """`(- a)`."""
    if a.__class__ is int or a.__class__ is float:
        return -a
    raise type_error("-", "number", a)


@builtin(
    "+",
    ("(+ 1 2 3)", "6"),
    ("(+)", "0"),
    ('(+ 1 "a")', "!TypeError"),
    doc="Add numbers; nothing adds to 0.",
    op=Op.ADD,
    gives=Gives.NUMBER,
    inline={1: "a if isint(a) or isfloat(a) else slow"},
)
def plus(*numbers: ty.number) -> ty.number:
    if len(numbers) == 2:
        a, b = numbers
        return a + b if a.__class__ is int and b.__class__ is int else add(a, b)
    walk_numbers(numbers)
    total: Any = numbers[0] if numbers else 0
    if len(numbers) == 1:
        return number("+", total)
    for value in numbers[1:]:
        total = add(total, value)
    return total


@builtin(
    "-",
    ("(- 10 1 2)", "7"),
    ("(- 5)", "-5"),
    doc="Subtract the other numbers from the first, or negate one.",
    op=Op.SUB,
    gives=Gives.NUMBER,
    inline={1: "-a if isint(a) or isfloat(a) else slow"},
)
def minus(first: ty.number, *others: ty.number) -> ty.number:
    if not others:
        return neg(first)
    for value in walk_numbers(others):
        first = sub(first, value)
    return first


@builtin(
    "*",
    ("(* 2 3 4)", "24"),
    ("(*)", "1"),
    doc="Multiply numbers; nothing multiplies to 1.",
    op=Op.MUL,
    gives=Gives.NUMBER,
    cheap=True,
)
def times(*numbers: ty.number) -> ty.number:
    if len(numbers) == 2:
        return mul(*numbers)
    product: Any = 1
    for value in numbers:
        product = mul(product, value)
    return product


@builtin(
    "/",
    ("(/ 8 2)", "4"),
    ("(/ 7 2)", "3.5"),
    ("(/ 4)", "0.25"),
    ("(/ 1 0)", "!DivisionByZero"),
    doc="Divide the first number by the others, or give the reciprocal of one; integers stay integers when whole.",
    op=Op.DIV,
    gives=Gives.QUOTIENT,
    inline={2: "(a // b if not a % b else a / b) if isint(a) and isint(b) and quick(a, b) else slow"},
)
def divide(first: ty.number, *others: ty.number) -> ty.number:
    if not others:
        return div(1, first)
    for value in others:
        first = div(first, value)
    return first


@builtin(
    "mod",
    ("(mod -7 3)", "2"),
    ("(mod 7 -3)", "-2"),
    ("(mod 5 0)", "!DivisionByZero"),
    doc="Give the floored remainder, which has the sign of the divisor.",
    op=Op.MOD,
    gives=Gives.NUMBER,
    inline={2: "a % b if isint(a) and isint(b) and quick(a, b) else slow"},
)
def mod(a: ty.number, b: ty.number) -> ty.number:
    if a.__class__ is int and b.__class__ is int and b:
        room_to_divide(a, b)
        return a % b
    both_numbers("mod", a, b)
    if not b:
        raise division_by_zero()
    try:
        return a % b
    except OverflowError:
        raise too_large() from None


@builtin(
    "quot",
    ("(quot 7 2)", "3"),
    ("(quot -7 2)", "-3"),
    doc="Give the quotient without its fraction; a float if either number is one.",
    op=Op.QUOT,
    gives=Gives.NUMBER,
    inline={2: "a // b if isint(a) and isint(b) and a >= 0 and small(b) else slow"},
)
def quot(a: ty.number, b: ty.number) -> ty.number:
    both_numbers("quot", a, b)
    if not b:
        raise division_by_zero()
    if a.__class__ is int and b.__class__ is int:
        room_to_divide(a, b)
        whole = a // b
        return whole + 1 if whole < 0 and whole * b != a else whole
    try:
        quotient = a / b
    except OverflowError:
        raise too_large() from None
    return float(math.trunc(quotient)) if math.isfinite(quotient) else quotient


@builtin(
    "rem",
    ("(rem -7 3)", "-1"),
    ("(rem 7 -3)", "1"),
    doc="Give the remainder that `quot` leaves, which has the sign of the dividend.",
    op=Op.REM,
    gives=Gives.NUMBER,
    inline={2: "a % b if isint(a) and isint(b) and a >= 0 and small(b) else slow"},
)
def rem(a: ty.number, b: ty.number) -> ty.number:
    both_numbers("rem", a, b)
    if not b:
        raise division_by_zero()
    if a.__class__ is int and b.__class__ is int:
        room_to_divide(a, b)
        left = a % b
        return left - b if left and (left < 0) is not (a < 0) else left
    try:
        return math.fmod(a, b)
    except OverflowError:
        raise too_large() from None
    except ValueError:  # of an infinite dividend
        return math.nan


@builtin("inc", ("(inc 4)", "5"), ("(inc 1.5)", "2.5"), doc="Add one.", op=Op.INC, gives=Gives.NUMBER, cheap=True)
def inc(number: ty.number) -> ty.number:
    if number.__class__ is int or number.__class__ is float:
        return number + 1
    raise type_error("inc", "number", number)


@builtin(
    "dec", ("(dec 4)", "3"), ("(dec nil)", "!TypeError"), doc="Subtract one.", op=Op.DEC, gives=Gives.NUMBER, cheap=True
)
def dec(number: ty.number) -> ty.number:
    if number.__class__ is int or number.__class__ is float:
        return number - 1
    raise type_error("dec", "number", number)


@builtin(
    "abs",
    ("(abs -3)", "3"),
    ("(abs -2.5)", "2.5"),
    doc="Give a number without its sign.",
    op=Op.ABS,
    gives=Gives.NUMBER,
    inline={1: "(a if a >= 0 else -a) if isint(a) else slow"},
)
def absolute(number_: ty.number) -> ty.number:
    return abs(number("abs", number_))


@builtin(
    "max",
    ("(max 1 5 3)", "5"),
    ("(max 1 2.5)", "2.5"),
    doc="Give the largest number; the first of equals.",
    op=Op.MAX,
    gives=Gives.CHOICE,
    inline={2: "(b if b > a else a) if isint(a) and isint(b) else slow"},
)
def maximum(first: ty.number, *others: ty.number) -> ty.number:
    chosen = number("max", first)
    for value in walk_numbers(others):
        if number("max", value) > chosen or value != value:  # noqa: PLR0124 - NaN wins
            chosen = value
    return chosen


@builtin(
    "min",
    ("(min 4 2 9)", "2"),
    ("(min 1.5 1)", "1"),
    doc="Give the smallest number; the first of equals.",
    op=Op.MIN,
    gives=Gives.CHOICE,
    inline={2: "(b if b < a else a) if isint(a) and isint(b) else slow"},
)
def minimum(first: ty.number, *others: ty.number) -> ty.number:
    chosen = number("min", first)
    for value in walk_numbers(others):
        if number("min", value) < chosen or value != value:  # noqa: PLR0124 - NaN wins
            chosen = value
    return chosen
