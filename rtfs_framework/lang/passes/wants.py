"""Wants: which parameters of a function would be worth knowing the kind of.

In: the nodes of a function's body. Out: for each variable the kinds that spare class tests where it is used.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.kinds import ARITHMETIC, CHOICE, DIVISION, ORDER, STEPS, Kind

NUMBER = frozenset({Kind.INT, Kind.FLOAT})
VECTOR = frozenset({Kind.VECTOR})
_QUESTIONS = frozenset({"even?", "odd?", "zero?", "pos?", "neg?"})
_OPERATIONS = ARITHMETIC | ORDER | STEPS | DIVISION | CHOICE | _QUESTIONS | {"/", "abs", "float", "range", "%range"}
_ON_VECTORS = frozenset({"nth", "first", "rest", "conj", "empty?", "peek", "pop"})
_SAME = frozenset({"=", "!="})

Wants = dict[ir.Var, frozenset[Kind]]


def wants(nodes: Sequence[ir.Node]) -> Wants:
    """Return the kinds that are worth knowing, by variable."""
    found: Wants = {}
    compared: list[tuple[ir.Node, ...]] = []
    for node in nodes:
        match node:
            case ir.Call(function=ir.Builtin(name=name), args=args) if name in _OPERATIONS:
                found.update((arg.var, NUMBER) for arg in args if isinstance(arg, ir.Local))
            case ir.Call(function=ir.Builtin(name="nth"), args=[items, ir.Local(var=place), *_]):
                found[place] = NUMBER
                if isinstance(items, ir.Local):
                    found.setdefault(items.var, VECTOR)
            case ir.Call(function=ir.Builtin(name=name), args=[ir.Local(var=var), *_]) if name in _ON_VECTORS:
                found.setdefault(var, VECTOR)
            case ir.Call(function=ir.Builtin(name=name), args=args) if name in _SAME:
                compared.append(args)
            case _:
                continue
    for args in compared:  # with a number, or with what is used as one
        if any(_is_number(arg, found) for arg in args):
            found.update((arg.var, NUMBER) for arg in args if isinstance(arg, ir.Local) and arg.var not in found)
    return found


def uses_as_number(var: ir.Var, nodes: Sequence[ir.Node]) -> int:
    """Return how many operations have a variable as an operand."""
    names = _OPERATIONS | _SAME
    return sum(
        any(isinstance(arg, ir.Local) and arg.var is var for arg in node.args)
        for node in nodes
        if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.name in names
    )


def _is_number(node: ir.Node, found: Wants) -> bool:
    match node:
        case ir.Const(value=value):
            return value.__class__ is int or value.__class__ is float
        case ir.Local(var=var):
            return found.get(var) is NUMBER
        case ir.Call(function=ir.Builtin(name=name)):
            return name in ARITHMETIC or name in STEPS
        case _:
            return False
