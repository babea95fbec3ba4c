"""Wants: which parameters of a function would be worth knowing the kind of.

In: the nodes of a function's body. Out: for each variable the kinds that spare class tests where it is used.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.passes.kinds import ARITHMETIC, CHOICE, DIVISION, ORDER, QUESTIONS, STEPS, Kind

NUMBER = frozenset({Kind.INT, Kind.FLOAT})
VECTOR = frozenset({Kind.VECTOR})
_OPERATIONS = ARITHMETIC | ORDER | STEPS | DIVISION | CHOICE | QUESTIONS | {Op.DIV, Op.ABS, Op.RANGE}
_SAME = frozenset({Op.EQ, Op.NE})

Wants = dict[ir.Var, frozenset[Kind]]


def wants(nodes: Sequence[ir.Node]) -> Wants:
    """Return the kinds that are worth knowing, by variable."""
    found: Wants = {}
    compared: list[tuple[ir.Node, ...]] = []
    for node in nodes:
        match node:
            case ir.Call(function=ir.Builtin() as function, args=args) if _is_numeric(function):
                found.update((arg.var, NUMBER) for arg in args if isinstance(arg, ir.Local))
            case ir.Call(function=ir.Builtin(op=Op.NTH), args=[items, ir.Local(var=place), *_]):
                found[place] = NUMBER
                if isinstance(items, ir.Local):
                    found.setdefault(items.var, VECTOR)
            case ir.Call(function=ir.Builtin() as function, args=[ir.Local(var=var), *_]) if _is_of_vectors(function):
                found.setdefault(var, VECTOR)
            case ir.Call(function=ir.Builtin(op=Op.EQ | Op.NE), args=args):
                compared.append(args)
            case _:
                continue
    for args in compared:  # with a number, or with what is used as one
        if any(_is_number(arg, found) for arg in args):
            found.update((arg.var, NUMBER) for arg in args if isinstance(arg, ir.Local) and arg.var not in found)
    return found


def uses_as_number(var: ir.Var, nodes: Sequence[ir.Node]) -> int:
    """Return how many operations have a variable as an operand."""
    return sum(
        any(isinstance(arg, ir.Local) and arg.var is var for arg in node.args)
        for node in nodes
        if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin)
        if node.function.op in _SAME or _is_numeric(node.function)
    )


def _is_numeric(function: ir.Builtin) -> bool:
    return function.op in _OPERATIONS or (function.entry is not None and function.entry.gives == Gives.FLOAT)


def _is_of_vectors(function: ir.Builtin) -> bool:
    """Tell whether a function does its work inline where its first argument is a vector."""
    entry = function.entry
    if entry is None or not entry.inline:
        return False
    return entry.gives in (Gives.ITEM, Gives.PART) or entry.op in (Op.CONJ, Op.EMPTY)


def _is_number(node: ir.Node, found: Wants) -> bool:
    match node:
        case ir.Const(value=value):
            return value.__class__ is int or value.__class__ is float
        case ir.Local(var=var):
            return found.get(var) is NUMBER
        case ir.Call(function=ir.Builtin(op=op)):
            return op in ARITHMETIC or op in STEPS
        case _:
            return False
