"""`Each`: a Python `for` over the items of a sequence, with a vector or an accumulator beside it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rtfs_framework.lang.codegen import growth
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import DROP, Dest, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.widths import learn_items

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements


def run(emitter: Statements, node: ir.Each, dest: Dest) -> None:
    """Emit a loop; its result goes to `dest`."""
    line = emitter.line(node.span)
    given = emitter.values([part for part in (node.init, node.source) if part is not None])
    result = emitter.unit.temp("r") if node.acc is None else var_name(node.acc)
    emitter.emit(py.assign(result, ast.List([], ast.Load()) if node.acc is None else given[0]), line)
    source = emitter.unit.temp("s")
    emitter.emit(py.assign(source, given[-1]), line)
    outer = emitter.block()
    with emitter.opened(1 if node.plain is None else 2):
        _loop(emitter, node, source, result, line)
    loop = emitter.take(outer)
    if node.plain is None or node.again is None:
        emitter.out.extend(loop)
    else:
        outer = emitter.block()
        emitter.emit(py.assign(var_name(node.again), py.load(source)), line)
        with emitter.opened(2):
            emitter.run(node.plain, Dest("assign", result))
        steps = emitter.take(outer)
        caught = emitter.unit.temp("x")
        check = ast.Expr(py.call(emitter.unit.helper("rt_again"), py.load(caught)))
        handler = ast.ExceptHandler(py.load("Exception"), caught, [check, *steps])
        emitter.emit(ast.Try(loop, [handler], [], []), line)
    emitter.give(py.load(result), dest, line)


def _loop(emitter: Statements, node: ir.Each, source: str, result: str, line: int) -> None:
    items: ast.expr = py.either(
        py.is_class(py.load(source), "tuple"),
        py.load(source),
        py.call(emitter.unit.helper("rt_sequence"), py.const(node.op), py.load(source)),
    )
    learn_items(node.item, node.source, emitter.numbers)
    costly = emitter.costs.costly(node.body)
    if emitter.unit.metered and not costly:
        found = emitter.unit.temp("s")
        emitter.emit(py.assign(found, items), line)
        items = py.load(found)
        size = py.call("len", py.load(found))
        emitter.emit(ast.Expr(py.call(emitter.unit.helper("rt_charge"), size)), line)
    emitter.eaches.append(result)
    outer = emitter.block()
    if emitter.unit.metered and costly:
        emitter.pay(line)
    emitter.run(node.body, DROP if node.acc is None else Dest("assign", result))
    body = emitter.take(outer) or [ast.Pass()]
    emitter.eaches.pop()
    emitter.emit(ast.For(py.store(var_name(node.item)), items, body, []), line)
    if node.acc is not None:
        if isinstance(node.init, ir.Fresh):
            growth.freeze(emitter, node.acc, is_map=node.init.is_map, line=line)
        return
    if node.alike:
        made = py.call(emitter.unit.helper("rt_alike"), py.load(source), py.load(result))
    else:
        made = py.call("tuple", py.load(result))
    emitter.emit(py.assign(result, made), line)


def push(emitter: Statements, node: ir.Push) -> None:
    """Emit an addition to the vector of the loop."""
    add = ast.Attribute(py.load(emitter.eaches[-1]), "append", ast.Load())
    emitter.emit(ast.Expr(py.call(add, emitter.value(node.value))), emitter.line(node.span))


def stop(emitter: Statements, node: ir.Stop) -> None:
    """Emit the end of the loop."""
    line = emitter.line(node.span)
    emitter.emit(py.assign(emitter.eaches[-1], emitter.value(node.value)), line)
    emitter.emit(ast.Break(), line)
