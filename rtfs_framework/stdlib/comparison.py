"""Equality, order and logic as functions. `and` and `or` in the head of a call are special forms; these are values.

`=` takes anything; `<` and its kin take numbers, or strings, and chain; `compare` and `sort` order everything.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.errors import ProgramError, type_error
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.maps import equal as eq
from rtfs_framework.lang.meter import walk_numbers, walk_text, watched
from rtfs_framework.stdlib.check import NUMBERS
from rtfs_framework.stdlib.order import compare_values
from rtfs_framework.stdlib.table import builtin


def _no_order(op: str, a: Any, b: Any) -> ProgramError:
    if a.__class__ in NUMBERS:
        return type_error(op, "number", b)
    if a.__class__ is str:
        return type_error(op, "string", b)
    return type_error(op, "number or string", a)


def _ordered(a: Any, b: Any) -> bool:
    """Tell whether two values have an order: two numbers or two strings."""
    if a.__class__ is str and b.__class__ is str:
        walk_text(a if len(a) < len(b) else b)
        return True
    return a.__class__ in NUMBERS and b.__class__ in NUMBERS


def lt(a: Any, b: Any) -> bool:
    """`(< a b)`: exact between integers and floats; strings by code points."""
    if (a.__class__ is int and b.__class__ is int) or _ordered(a, b):
        return bool(a < b)
    raise _no_order("<", a, b)


def gt(a: Any, b: Any) -> bool:
    """`(> a b)`."""
    if (a.__class__ is int and b.__class__ is int) or _ordered(a, b):
        return bool(a > b)
    raise _no_order(">", a, b)


def le(a: Any, b: Any) -> bool:
    """`(<= a b)`."""
    if (a.__class__ is int and b.__class__ is int) or _ordered(a, b):
        return bool(a <= b)
    raise _no_order("<=", a, b)


def ge(a: Any, b: Any) -> bool:
    """`(>= a b)`."""
    if (a.__class__ is int and b.__class__ is int) or _ordered(a, b):
        return bool(a >= b)
    raise _no_order(">=", a, b)


def _chain(relation: Any, values: tuple[Any, ...]) -> bool:
    """Tell whether each pair of neighbours is related; every pair is checked, so a wrong type never hides."""
    holds = True
    walk_numbers(values)
    for place in range(len(values) - 1):
        holds = relation(values[place], values[place + 1]) and holds
    return holds


@builtin(
    "=",
    ("(= [1 2] [1 2])", "true"),
    ("(= 1 1.0)", "false"),
    ("(= 1 1 2)", "false"),
    doc="Tell whether all values are equal, by structure; an integer never equals a float.",
    op=Op.EQ,
    cheap=True,
)
def equal(first: Any, *others: Any) -> bool:
    if len(others) == 1:
        return eq(first, others[0])
    return all(eq(first, value) for value in watched(others))


@builtin(
    "!=",
    ("(!= 1 2)", "true"),
    ('(not= "a" "a")', "false"),
    doc="Tell whether two values differ.",
    aliases=("not=",),
    op=Op.NE,
    cheap=True,
)
def ne(a: Any, b: Any) -> bool:
    return not eq(a, b)


@builtin(
    "<",
    ("(< 1 2 3)", "true"),
    ('(< "apple" "banana")', "true"),
    ('(< 1 "2")', "!TypeError"),
    doc="Tell whether numbers, or strings, ascend.",
    op=Op.LT,
    cheap=True,
    types=(
        "[:fn [number number & number] :bool]",
        "[:fn [:string :string & :string] :bool]",
    ),
)
def less(a: Any, b: Any, *others: Any) -> bool:
    return _chain(lt, (a, b, *others)) if others else lt(a, b)


@builtin(
    ">",
    ("(> 3 2 1)", "true"),
    ("(> 1 1)", "false"),
    doc="Tell whether numbers, or strings, descend.",
    op=Op.GT,
    cheap=True,
    types=(
        "[:fn [number number & number] :bool]",
        "[:fn [:string :string & :string] :bool]",
    ),
)
def greater(a: Any, b: Any, *others: Any) -> bool:
    return _chain(gt, (a, b, *others)) if others else gt(a, b)


@builtin(
    "<=",
    ("(<= 1 1 2)", "true"),
    doc="Tell whether numbers, or strings, never descend.",
    op=Op.LE,
    cheap=True,
    types=(
        "[:fn [number number & number] :bool]",
        "[:fn [:string :string & :string] :bool]",
    ),
)
def less_or_equal(a: Any, b: Any, *others: Any) -> bool:
    return _chain(le, (a, b, *others)) if others else le(a, b)


@builtin(
    ">=",
    ("(>= 2 1 1)", "true"),
    doc="Tell whether numbers, or strings, never ascend.",
    op=Op.GE,
    cheap=True,
    types=(
        "[:fn [number number & number] :bool]",
        "[:fn [:string :string & :string] :bool]",
    ),
)
def greater_or_equal(a: Any, b: Any, *others: Any) -> bool:
    return _chain(ge, (a, b, *others)) if others else ge(a, b)


@builtin(
    "compare",
    ("(compare 1 2)", "-1"),
    ('(compare "b" "a")', "1"),
    ("(compare nil nil)", "0"),
    ('(compare 5 "a")', "-1"),
    doc="Give -1, 0 or 1 as the first of any two values is before, level with or after the second in sorting order.",
    cheap=True,
)
def compare(a: Any, b: Any) -> int:
    return compare_values(a, b)


@builtin("not", ("(not nil)", "true"), ("(not 0)", "false"), doc="Tell whether a value is nil or false.", op=Op.NOT)
def not_(value: Any) -> bool:
    return value is None or value is False


@builtin(
    "and",
    ("(and 1 nil 3)", "nil"),
    ("(apply and [1 2])", "2"),
    doc="Give the first value that is nil or false, else the last.",
)
def logical_and(*values: Any) -> Any:
    for value in values:
        if value is None or value is False:
            return value
    return values[-1] if values else True


@builtin(
    "or",
    ("(or nil 3)", "3"),
    ("(apply or [false nil])", "nil"),
    doc="Give the first value that is neither nil nor false, else the last.",
)
def logical_or(*values: Any) -> Any:
    for value in values:
        if value is not None and value is not False:
            return value
    return values[-1] if values else False
