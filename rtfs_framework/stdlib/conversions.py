"""Numbers and booleans from other values, and whole numbers from fractions.

In: any value, mostly text. Out: a number, a boolean, or nil where a text is no such thing (`parse-...`). Text is read
as RTFS writes numbers, in ASCII digits. More than MAX_DIGITS of them are no float; an integer is bounded by the host.
"""

from __future__ import annotations

import math
import re

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.decimals import integer_of
from rtfs_framework.lang.errors import invalid_argument, type_error
from rtfs_framework.lang.library import Gives
from rtfs_framework.lang.meter import walk_text
from rtfs_framework.stdlib import check
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.arithmetic import to_float
from rtfs_framework.stdlib.bounds import MAX_DIGITS
from rtfs_framework.stdlib.table import builtin

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
_SPECIAL = {"##Inf": math.inf, "##-Inf": -math.inf, "##NaN": math.nan}
_MOST_PLACES = 15
_LONGEST_WORD = 16
"""Enough digits for every float with _MOST_PLACES decimals."""


def read_integer(text: str) -> int | None:
    """Return the integer that a text spells, or None."""
    text = walk_text(text).strip()
    return integer_of(text) if _INTEGER.fullmatch(text) else None


def read_float(text: str) -> float | None:
    """Return the float that a text spells, or None."""
    text = walk_text(text).strip()
    if text in _SPECIAL:
        return _SPECIAL[text]
    return float(text) if len(text) <= MAX_DIGITS and _FLOAT.fullmatch(text) else None


def finite(number: Any) -> Any:
    """Return a number that has a whole part; NaN and infinities have none."""
    if number.__class__ is float and not math.isfinite(number):
        raise invalid_argument("Number is not finite")
    return number


@builtin(
    "int",
    ("(int -3.9)", "-3"),
    ('(int "42")', "42"),
    ("(int true)", "1"),
    ("(int nil)", "0"),
    ('(int "abc")', "!InvalidArgument"),
    doc="Convert to an integer: floats lose their fraction, strings are read, true is 1, false and nil are 0.",
)
def to_int(value: ty.number | ty.bool | ty.string | None) -> int:
    if value.__class__ in check.NUMBERS or value.__class__ is bool:
        return int(finite(value))
    if value.__class__ is str:
        found: Any = read_integer(value)
        if found is None:
            found = read_float(value)
        if found is None:
            raise invalid_argument("String is not an integer")
        return int(finite(found))
    if value is None:
        return 0
    raise type_error("int", "number or string", value)


@builtin(
    "float",
    ("(float 3)", "3.0"),
    ('(float "2.5")', "2.5"),
    ('(float "abc")', "!InvalidArgument"),
    doc="Convert to a float: strings are read, true is 1.0, false and nil are 0.0.",
    gives=Gives.FLOAT,
    inline={1: "a if isfloat(a) else a * 1.0 if isint(a) and a < WORD and a > -WORD else slow"},
)
def to_float_value(value: ty.number | ty.bool | ty.string | None) -> float:
    if value.__class__ is str:
        found = read_float(value)
        if found is None:
            raise invalid_argument("String is not a number")
        return found
    if value is None or value.__class__ is bool:
        return 1.0 if value else 0.0
    if value.__class__ in check.NUMBERS:
        return to_float("float", value)
    raise type_error("float", "number or string", value)


@builtin(
    "parse-int",
    ('(parse-int " 12 ")', "12"),
    ('(parse-int "1.5")', "nil"),
    ("(parse-int 7.9)", "7"),
    ('(parse-long "7")', "7"),
    doc="Read an integer from text, or give nil; a number loses its fraction.",
    aliases=("parse-long",),
)
def parse_int(value: Any) -> int | None:
    if value.__class__ is str:
        return read_integer(value)
    if value.__class__ is float:
        return int(value) if math.isfinite(value) else None
    return value if value.__class__ is int else None


@builtin(
    "parse-float",
    ('(parse-float "2.75")', "2.75"),
    ('(parse-double "1e3")', "1000.0"),
    ('(parse-float "abc")', "nil"),
    doc="Read a float from text, or give nil; a number becomes a float.",
    aliases=("parse-double",),
)
def parse_float(value: Any) -> float | None:
    if value.__class__ is str:
        return read_float(value)
    return to_float("parse-float", value) if value.__class__ in check.NUMBERS else None


@builtin(
    "parse-bool",
    ('(parse-bool "true")', "true"),
    ('(parse-bool " False ")', "false"),
    ('(parse-bool "yes")', "nil"),
    doc="Read true or false from text in any case, or give nil; a boolean is itself.",
)
def parse_bool(value: Any) -> bool | None:
    if value.__class__ is bool:
        return value
    if value.__class__ is not str:
        return None
    word = walk_text(value).strip()
    return {"true": True, "false": False}.get(word.lower()) if len(word) <= _LONGEST_WORD else None


def _to_whole(op: str, convert: Callable[[Any], int], number: Any) -> int:
    if number.__class__ is int:
        return number
    return convert(finite(check.number(op, number)))


@builtin(
    "floor",
    ("(floor 2.7)", "2"),
    ("(floor -2.1)", "-3"),
    doc="Give the largest integer not above a number.",
    cheap=True,
)
def floor(number: ty.number) -> int:
    return _to_whole("floor", math.floor, number)


@builtin(
    "ceil", ("(ceil 2.1)", "3"), ("(ceil -2.7)", "-2"), doc="Give the smallest integer not below a number.", cheap=True
)
def ceil(number: ty.number) -> int:
    return _to_whole("ceil", math.ceil, number)


@builtin("truncate", ("(truncate -2.7)", "-2"), doc="Give a number's whole part as an integer.")
def truncate(number: ty.number) -> int:
    return _to_whole("truncate", math.trunc, number)


@builtin(
    "round",
    ("(round 2.5)", "3"),
    ("(round -2.5)", "-3"),
    ("(round 2.675 2)", "2.68"),
    doc="Give the nearest integer, halves away from zero; or the nearest float of up to 15 decimal places.",
    cheap=True,
    types=(
        "[:fn [number] :int]",
        "[:fn [number [:optional :int]] number]",
    ),
)
def round_number(number: Any, places: Any = None) -> Any:
    if places is not None and not 0 <= check.integer("round", places) <= _MOST_PLACES:
        raise invalid_argument(f"Decimal places of round must be 0 to {_MOST_PLACES}")
    value = finite(check.number("round", number))
    if value.__class__ is int or (places is not None and value.is_integer()):
        return value
    if places is None:
        whole = int(value)
        return whole + (1 if value > 0 else -1) if abs(value - whole) >= 0.5 else whole
    from decimal import ROUND_HALF_UP, Context, Decimal

    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=400)))
