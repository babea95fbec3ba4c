"""Naturals: integers that surely are not negative, so that a place in a vector need only be below its length.

In: nodes, with what `numbers` knows. Out: whether a node surely gives such an integer. A loop's variable does if its
first value and every `recur` do: what is assumed of all of them holds if every iteration keeps it.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import jumps
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Numbers

_KEEPING = frozenset({Op.ADD, Op.MUL, Op.INC, Op.QUOT, Op.MOD, Op.MAX, Op.MIN})
"""Operations that give a natural for naturals."""


def is_natural(node: ir.Node, numbers: Numbers) -> bool:
    """Tell whether a node surely gives an integer that is not negative, if it gives anything."""
    match node:
        case ir.Const(value=value):
            return value.__class__ is int and value >= 0
        case ir.Local(var=var):
            return var in numbers.naturals
        case ir.Call(function=ir.Builtin(op=op), args=args) if op in _KEEPING:
            return all(is_natural(arg, numbers) for arg in args)
        case ir.Call(function=ir.Builtin(entry=entry)):
            return entry is not None and entry.gives == Gives.SIZE
        case ir.Look(op=op):
            return op == Op.COUNT
        case _:
            return False


def learn(var: ir.Var, node: ir.Node, numbers: Numbers) -> None:
    """Note whether a variable that is bound to a node is a natural."""
    if not var.leaves_part and is_natural(node, numbers):  # such a one is read before its form too
        numbers.naturals.add(var)


def learn_items(item: ir.Var, source: ir.Node, numbers: Numbers) -> None:
    """Note whether the items of a range are naturals."""
    match source:
        case ir.Call(function=ir.Builtin(op=Op.RANGE), args=[*start, _]) if len(start) <= 1:
            if all(is_natural(each, numbers) for each in start):
                numbers.naturals.add(item)
        case _:
            return


def learn_loop(node: ir.Loop, numbers: Numbers) -> None:
    """Note which of a loop's variables are naturals in every iteration."""
    numbers.naturals.update(
        var
        for var, init in zip(node.vars, node.inits, strict=True)
        if numbers.vars.get(var) is Kind.INT and is_natural(init, numbers)
    )
    passed = [pair for jump in jumps(node.body, None) for pair in zip(node.vars, jump.args, strict=True)]
    while refuted := {var for var, arg in passed if var in numbers.naturals and not is_natural(arg, numbers)}:
        numbers.naturals -= refuted
