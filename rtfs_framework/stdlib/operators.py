"""The operators with exactly two (or one) arguments, for compiled code: what `(+ a b)` and its kin mean.

Each gives the same value and raises the same errors as the builtin of its name with as many arguments.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Callable
from rtfs_framework.lang.maps import equal as eq
from rtfs_framework.stdlib.arithmetic import add, dec, div, inc, mod, mul, neg, quot, rem, sub
from rtfs_framework.stdlib.comparison import ge, gt, le, lt, ne, not_

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": div,
    "mod": mod,
    "quot": quot,
    "rem": rem,
    "<": lt,
    ">": gt,
    "<=": le,
    ">=": ge,
    "=": eq,
    "!=": ne,
    "not=": ne,
}
"""Builtins whose calls with exactly two arguments the compiler may send here."""

UNARY: dict[str, Callable[..., Any]] = {"inc": inc, "dec": dec, "-": neg, "not": not_}
"""Builtins whose calls with exactly one argument the compiler may send here."""

__all__ = [
    "OPERATORS",
    "UNARY",
    "add",
    "dec",
    "div",
    "eq",
    "ge",
    "gt",
    "inc",
    "le",
    "lt",
    "mod",
    "mul",
    "ne",
    "neg",
    "not_",
    "quot",
    "rem",
    "sub",
]
