"""Success: nodes that surely give a value, so that nothing need be kept for the case that they fail.

In: a node, with the kinds and widths of its variables. Out: whether it can fail; arithmetic of small numbers cannot.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import parts
from rtfs_framework.lang.meter import LARGE_INTEGER
from rtfs_framework.lang.passes.kinds import ARITHMETIC, CHOICE, DIVISION, ORDER, STEPS, Kind
from rtfs_framework.lang.passes.numbers import Numbers
from rtfs_framework.lang.passes.widths import width

_ASKS = frozenset({"even?", "odd?", "zero?", "pos?", "neg?", "abs"})
_NEVER_FAIL = frozenset({"not", "nil?", "int?", "string?", "keyword?", "float?", "bool?", "identity"})
_MOST_BITS = 512
"""Integers below are surely no larger than a host allows."""


def succeeds(node: ir.Node, numbers: Numbers) -> bool:
    """Tell whether a node surely gives a value, as far as its own parts show."""
    match node:
        case ir.Const() | ir.Local():
            return True
        case ir.If() | ir.Do() | ir.And() | ir.Or() | ir.Inlined() | ir.Push() | ir.Stop() | ir.Look(op="begun?"):
            return all(succeeds(part, numbers) for part in parts(node))
        case ir.Bind(pattern=ir.PVar(), type=None, value=value):
            return succeeds(value, numbers)
        case ir.Call(function=ir.Builtin(name=name), args=args) if args:
            return all(succeeds(arg, numbers) for arg in args) and _computes(name, node, numbers)
        case _:
            return False


def _computes(name: str, node: ir.Call, numbers: Numbers) -> bool:
    """Tell whether a library function surely computes something of arguments of these kinds."""
    count, kinds = len(node.args), {numbers.kind(arg) for arg in node.args}
    if name in _NEVER_FAIL:
        return count == 1
    if kinds == {Kind.FLOAT}:
        return name in ARITHMETIC or (name in ORDER and count == 2)
    if kinds != {Kind.INT}:
        return False
    if name in DIVISION:
        return count == 2 and _divides(node.args[1])
    if name == "*":
        bits = width(node, numbers)
        return bits is not None and bits < _MOST_BITS
    if name in _ASKS or name in STEPS:
        return count == 1
    return name in ARITHMETIC or ((name in ORDER or name in CHOICE or name == "=") and count == 2)


def _divides(node: ir.Node) -> bool:
    """Tell whether dividing by a node is cheap and never by zero."""
    value = node.value if isinstance(node, ir.Const) else 0
    return value.__class__ is int and 0 < abs(value) < LARGE_INTEGER
