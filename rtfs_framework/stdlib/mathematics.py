"""Functions of numbers beyond the four operations: roots and powers, signs and parity, sums and averages.

In: RTFS numbers. Out: RTFS numbers or booleans. What mathematics leaves undefined is an InvalidArgument; a float result
too large for a float is an infinity, as in float arithmetic.
"""

from __future__ import annotations

import math

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.errors import division_by_zero, invalid_argument
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.meter import room_for_bits, walk_integer, walk_numbers
from rtfs_framework.stdlib import check
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.arithmetic import add, both_numbers, div, to_float
from rtfs_framework.stdlib.order import sort_values
from rtfs_framework.stdlib.table import builtin


@builtin(
    "sqrt",
    ("(sqrt 16)", "4.0"),
    ("(sqrt -1)", "!InvalidArgument"),
    doc="Give the square root as a float.",
    gives=Gives.FLOAT,
    cheap=True,
)
def square_root(number: ty.number) -> float:
    value = to_float("sqrt", number)
    if value < 0:
        raise invalid_argument("Cannot take square root of negative number")
    return math.sqrt(value)


@builtin(
    "pow",
    ("(pow 2 10)", "1024"),
    ("(pow 2 -1)", "0.5"),
    ("(pow 9 0.5)", "3.0"),
    ("(pow 0 -1)", "!DivisionByZero"),
    doc="Raise a number to a power; exact for an integer and an exponent of 0 or more.",
)
def power(base: ty.number, exponent: ty.number) -> ty.number:
    if base.__class__ is int and exponent.__class__ is int and exponent >= 0:
        if -1 <= base <= 1:
            exponent = exponent and 2 - exponent % 2
        # One bit less for each factor than the base has: never more than the result's size.
        room_for_bits("pow", (abs(base).bit_length() - 1) * exponent)
        result = base**exponent
        room_for_bits("pow", result.bit_length())
        return result
    low, high = to_float("pow", base), to_float("pow", exponent)
    try:
        made = low**high
    except ZeroDivisionError:
        raise division_by_zero() from None
    except OverflowError:
        return -math.inf if low < 0 and high % 2 == 1 else math.inf
    if made.__class__ is complex:
        raise invalid_argument("Cannot raise negative number to a fractional power")
    return made


@builtin(
    "factorial",
    ("(factorial 5)", "120"),
    ("(factorial -1)", "!InvalidArgument"),
    doc="Multiply all integers from 1 up to a number.",
)
def factorial(number: ty.int) -> int:
    value = check.integer("factorial", number)
    if value < 0:
        raise invalid_argument("Cannot take factorial of negative number")
    if value > 100:
        room_for_bits("factorial", int(math.lgamma(value + 1) / math.log(2)) if value < 1 << 100 else value)
    return math.factorial(value)


@builtin("exp", ("(exp 0)", "1.0"), doc="Raise e to a power.", gives=Gives.FLOAT)
def exponential(number: ty.number) -> float:
    value = to_float("exp", number)
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


@builtin(
    "log",
    ("(log 1)", "0.0"),
    ("(log 8 2)", "3.0"),
    ("(log 0)", "!InvalidArgument"),
    doc="Give the natural logarithm, or that to a base.",
    gives=Gives.FLOAT,
)
def logarithm(number: ty.number, base: ty.number = math.e) -> float:
    if check.number("log", number) <= 0 or check.number("log", base) <= 0 or base == 1:
        raise invalid_argument("Cannot take logarithm of number or base outside its domain")
    if base is math.e:
        return math.log(number)
    if base in {2, 10} and base.__class__ is int:  # exact where the quotient of logarithms is not
        return math.log2(number) if base == 2 else math.log10(number)
    return math.log(number) / math.log(base)


def _circular(op: str, function: Callable[[float], float], number: Any) -> float:
    value = to_float(op, number)
    return function(value) if math.isfinite(value) else math.nan


@builtin("sin", ("(sin 0)", "0.0"), doc="Give the sine of an angle in radians.", gives=Gives.FLOAT)
def sine(number: ty.number) -> float:
    return _circular("sin", math.sin, number)


@builtin("cos", ("(cos 0)", "1.0"), doc="Give the cosine of an angle in radians.", gives=Gives.FLOAT)
def cosine(number: ty.number) -> float:
    return _circular("cos", math.cos, number)


def _whole(op: str, number: Any) -> int:
    if number.__class__ is int:
        return walk_integer(number)
    if not math.isfinite(check.number(op, number)):
        raise invalid_argument("Number is not finite")
    return int(number)


@builtin(
    "even?",
    ("(even? 4)", "true"),
    ("(even? -3)", "false"),
    doc="Tell whether a number's whole part is even.",
    op=Op.EVEN,
    inline={1: "a % 2 == 0 if isint(a) else slow"},
)
def is_even(number: ty.number) -> bool:
    return _whole("even?", number) % 2 == 0


@builtin(
    "odd?",
    ("(odd? -3)", "true"),
    ("(odd? nil)", "!TypeError"),
    doc="Tell whether a number's whole part is odd.",
    op=Op.ODD,
    inline={1: "a % 2 == 1 if isint(a) else slow"},
)
def is_odd(number: ty.number) -> bool:
    return _whole("odd?", number) % 2 == 1


@builtin(
    "zero?",
    ("(zero? 0.0)", "true"),
    ("(zero? 1)", "false"),
    doc="Tell whether a number is zero.",
    op=Op.ZERO,
    inline={1: "a == 0 if isint(a) or isfloat(a) else slow"},
)
def is_zero(number: ty.number) -> bool:
    return bool(check.number("zero?", number) == 0)


@builtin(
    "pos?",
    ("(pos? 1)", "true"),
    ("(pos? 0)", "false"),
    doc="Tell whether a number is above zero.",
    op=Op.POS,
    inline={1: "a > 0 if isint(a) or isfloat(a) else slow"},
)
def is_positive(number: ty.number) -> bool:
    return bool(check.number("pos?", number) > 0)


@builtin(
    "neg?",
    ("(neg? -1)", "true"),
    ("(neg? 0)", "false"),
    doc="Tell whether a number is below zero.",
    op=Op.NEG,
    inline={1: "a < 0 if isint(a) or isfloat(a) else slow"},
)
def is_negative(number: ty.number) -> bool:
    return bool(check.number("neg?", number) < 0)


@builtin("nan?", ("(nan? ##NaN)", "true"), ("(nan? 1)", "false"), doc="Tell whether a number is not a number.")
def is_nan(number: ty.number) -> bool:
    return bool(check.number("nan?", number) != number)


@builtin("infinite?", ("(infinite? ##-Inf)", "true"), ("(infinite? 1)", "false"), doc="Tell whether a number is ±Inf.")
def is_infinite(number: ty.number) -> bool:
    return check.number("infinite?", number) in {math.inf, -math.inf}


@builtin(
    "clamp",
    ("(clamp 12 0 10)", "10"),
    ("(clamp 5 0 10)", "5"),
    ("(clamp 5 9 1)", "!InvalidArgument"),
    doc="Keep a number between two bounds.",
)
def clamp(number: ty.number, low: ty.number, high: ty.number) -> ty.number:
    both_numbers("clamp", number, low)
    both_numbers("clamp", low, high)
    if low > high:
        raise invalid_argument("Lower bound of clamp is above its upper bound")
    return low if number < low else min(number, high)


@builtin("sum", ("(sum [1 2 3.5])", "6.5"), ("(sum [])", "0"), doc="Add up the numbers of a collection.")
def total(numbers: ty.numbers) -> ty.number:
    result: Any = 0
    for value in _numbers("sum", numbers):
        result = add(result, value)
    return result


@builtin(
    "average",
    ("(average [1 2 3])", "2"),
    ("(avg [1 2])", "1.5"),
    ("(average [])", "!InvalidArgument"),
    doc="Give the arithmetic mean of the numbers of a collection.",
    aliases=("avg",),
)
def average(numbers: ty.numbers) -> ty.number:
    values = _some_numbers("average", numbers)
    return div(total(values), len(values))


@builtin(
    "median",
    ("(median [3 1 2])", "2"),
    ("(median [1 2])", "1.5"),
    doc="Give the middle number of a collection, or the mean of the middle two.",
)
def median(numbers: ty.numbers) -> ty.number:
    values = sort_values(_some_numbers("median", numbers))
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else div(add(values[middle - 1], values[middle]), 2)


def _numbers(op: str, values: Any) -> Any:
    values = check.sequence(op, values)
    for value in values:
        check.number(op, value)
    return walk_numbers(values)


def _some_numbers(op: str, values: Any) -> tuple[Any, ...]:
    found = tuple(_numbers(op, values))
    if not found:
        raise invalid_argument(f"Cannot take {op} of an empty collection")
    return found
