"""Speculation: what uses a value of unknown kind as a number more than once is emitted twice, for integers and for all.

In: the rest of a body after a binding. Out: a test of the value's class, then the rest once without the tests that the
integer spares, and once as ever. Only short bodies are doubled, and of what is doubled only that for integers again.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.wants import uses_as_number

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements

_MOST_NODES = 48
"""Nodes of a body that is emitted twice."""
_MOST = 2
"""Tests inside each other."""
_LEAST_USES = 2
"""Operations of which each would test the class."""
_LEFT_ALONE = (ir.Fn, ir.Letrec, ir.Loop, ir.Each, ir.Match, ir.Try, ir.Hinted, ir.SetGlobal)


def run_rest(emitter: Statements, bound: ir.Node, rest: Sequence[ir.Node], dest: Dest) -> bool:
    """Emit the nodes after a binding twice if that pays; tell whether it was done."""
    var = _item(bound)
    if var is None or emitter.numbers.supposed >= _MOST or emitter.numbers.vars.get(var) is not None:
        return False
    nodes = everything(tuple(rest))
    if len(nodes) > _MOST_NODES or any(isinstance(node, _LEFT_ALONE) for node in nodes):
        return False
    if uses_as_number(var, nodes) < _LEAST_USES:
        return False
    line = emitter.line(bound.span)
    body = ir.Do(tuple(rest), bound.span)
    outside, supposed = emitter.numbers, emitter.numbers.supposed
    numbers = outside.supposing(var, Kind.INT)
    numbers.supposed += 1
    numbers.learn(body)
    with emitter.where(numbers=numbers.settled()):
        integers = emitter.inside(body, dest)
    outside.supposed = _MOST
    others = emitter.inside(body, dest)
    outside.supposed = supposed
    emitter.emit(ast.If(py.is_class(py.load(var_name(var)), "int"), integers, others), line)
    return True


def _item(node: ir.Node) -> ir.Var | None:
    """Return the variable that is bound to an item of a collection."""
    match node:
        case ir.Bind(ir.PVar(var), ir.Call(function=ir.Builtin(entry=entry)), None) if entry is not None:
            found = entry.gives == Gives.ITEM or entry.op == Op.GET
            return var if found and not var.leaves_part else None
        case ir.Bind(ir.PVar(var), ir.Call(function=ir.Const()), None):
            return None if var.leaves_part else var
        case _:
            return None
