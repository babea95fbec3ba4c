"""Speculation: what uses a value of unknown kind as a number more than once is emitted twice, for integers and for all.

In: the rest of a body after a binding. Out: a test of the value's class, then the rest once without the tests that the
integer spares, and once as ever. Only short bodies are doubled, and of what is doubled only that for integers again.

Nothing is doubled, or tested, after `(nth items place)`: there the place surely is a natural, because else that failed.
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from rtfs_framework.lang.annotations import TYPE_CHECKING, Iterator, Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, EmitterBase, var_name
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
    """Emit the nodes after a binding if more can be known there; tell whether it was done."""
    body = ir.Do(tuple(rest), bound.span)
    looked = bound.value if isinstance(bound, ir.Bind) else bound
    with after(emitter, looked, body) as known:
        done = _run_twice(emitter, bound, rest, dest)
        if known and not done:
            emitter.run(body, dest)
    return known or done


@contextmanager
def after(emitter: EmitterBase, node: ir.Node, rest: ir.Node) -> Iterator[bool]:
    """Emit what comes after a node; tell whether more is known there."""
    match node:
        case ir.Call(function=ir.Builtin(op=Op.NTH), args=[_, ir.Local(var=var)]) if _is_worth_knowing(
            emitter, var, rest
        ):
            numbers = emitter.numbers.supposing(var, Kind.INT)
            numbers.naturals.add(var)
            numbers.supposed += 1
            numbers.learn(rest)
            with emitter.where(numbers=numbers):
                yield True
        case _:
            yield False


def _is_worth_knowing(emitter: EmitterBase, var: ir.Var, rest: ir.Node) -> bool:
    numbers = emitter.numbers
    if "numbers" not in emitter.passes or var.leaves_part or numbers.supposed >= _MOST or var in numbers.vars:
        return False
    return uses_as_number(var, everything((rest,))) > 0


def _run_twice(emitter: Statements, bound: ir.Node, rest: Sequence[ir.Node], dest: Dest) -> bool:
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
    with emitter.where(numbers=numbers):
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
