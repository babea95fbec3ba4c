"""`Each`: a Python `for` over the items of a sequence, with a vector or an accumulator beside it."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING, Any
from rtfs_framework.lang.codegen import in_place, lengths
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import DROP, Dest, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.meter import SMALL
from rtfs_framework.lang.passes import naturals, widths

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements


def run(emitter: Statements, node: ir.Each, dest: Dest) -> None:
    """Emit a loop; its result goes to `dest`."""
    line = emitter.line(node.span)
    given = emitter.values([part for part in (node.init, node.source) if part is not None])
    source = emitter.unit.temp("s")
    result = emitter.unit.temp("r") if node.acc is None else var_name(node.acc)
    if node.acc is not None:
        start = py.load(emitter.unit.helper("rt_nothing")) if node.init is None else given[0]
        emitter.emit(py.assign(result, start), line)
    emitter.emit(py.assign(source, given[-1]), line)
    widths.learn_items(node.item, node.source, emitter.numbers)
    widths.learn_each(node, emitter.numbers)
    naturals.learn_items(node.item, node.source, emitter.numbers)
    own = {} if node.acc is None or node.init is None else {node.acc: node.init}
    blocks = 1 if node.plain is None else 2
    with in_place.asked(emitter, own, node.body), emitter.block() as loop, emitter.opened(blocks):
        _loop(emitter, node, source, result, line)
    if node.plain is None or node.again is None:
        emitter.out.extend(loop)
    else:
        walked = py.call("tuple", py.load(source)) if _is_range(node) else py.load(source)
        with emitter.block() as steps, emitter.opened(2):
            emitter.emit(py.assign(var_name(node.again), walked), line)
            emitter.run(node.plain, Dest("assign", result))
        caught = emitter.unit.temp("x")
        check = ast.Expr(py.call(emitter.unit.helper("rt_again"), py.load(caught)))
        handler = ast.ExceptHandler(py.load("Exception"), caught, [check, *steps])
        emitter.emit(ast.Try(loop, [handler], [], []), line)
    if node.acc is not None and node.init is None:
        _nothing(emitter, node, result, line)
    emitter.give(py.load(result), dest, line, node)


def _nothing(emitter: Statements, node: ir.Each, result: str, line: int) -> None:
    """Emit what happens when there was no item."""
    if node.none is None:
        emitter.emit(py.assign(result, py.call(emitter.unit.helper("rt_reduced"), py.load(result))), line)
        return
    given = emitter.inside(node.none, Dest("assign", result))
    none = py.compare(py.load(result), ast.Is(), py.load(emitter.unit.helper("rt_nothing")))
    emitter.emit(ast.If(none, given, []), line)


def _is_range(node: ir.Each) -> bool:
    """Tell whether the items are those of a range, which is walked without being built."""
    match node.source:
        case ir.Call(function=ir.Builtin(name="%range")):
            return True
        case _:
            return False


def _loop(emitter: Statements, node: ir.Each, source: str, result: str, line: int) -> None:
    items: ast.expr = py.load(source)
    if not _is_range(node):
        checked = "rt_for_items" if node.op == "for" else "rt_sequence"
        walked = py.call(emitter.unit.helper(checked), py.const(node.op), py.load(source))
        items = py.either(py.is_class(py.load(source), "tuple"), items, walked)
    costly = emitter.costs.costly(node.body)
    if emitter.unit.metered and not costly:
        found = items.id if isinstance(items, ast.Name) else emitter.name_it(items, line, "s")
        size = py.call("len", py.load(found))
        charge = ast.Expr(py.call(emitter.unit.helper("rt_charge"), size))
        many = py.compare(py.call("len", py.load(found)), ast.GtE(), py.const(SMALL))
        emitter.emit(ast.If(many, [charge], []), line)
        items = py.load(found)
    known: dict[str, Any] = {"eaches": (*emitter.around.eaches, result)}
    match node.source:
        case ir.Call(function=ir.Builtin(op=Op.RANGE), args=[_, bound] | [bound]):
            known["below"] = lengths.below(emitter, node.item, bound)
        case _:
            pass
    with lengths.kept(emitter, node.body, (node.item, node.acc)), emitter.where(**known), emitter.block() as body:
        if emitter.unit.metered and costly:
            emitter.pay(line)
        emitter.run(node.body, DROP if node.acc is None else Dest("assign", result))
    body = body or [ast.Pass()]
    if node.acc is None:
        _collect(emitter, node, (source, result, items, body), line)
        return
    emitter.emit(ast.For(py.store(var_name(node.item)), items, body, []), line)
    if isinstance(node.init, ir.Fresh):
        in_place.freeze(emitter, node.acc, is_map=node.init.is_map, line=line)


def _collect(emitter: Statements, node: ir.Each, loop: tuple[str, str, ast.expr, list[ast.stmt]], line: int) -> None:
    """Emit a loop that collects items."""
    source, result, items, body = loop
    emitter.emit(py.assign(result, ast.List([], py.LOAD)), line)
    emitter.emit(ast.For(py.store(var_name(node.item)), items, body, []), line)
    alike = (emitter.unit.helper("rt_alike"), py.load(source)) if node.alike else ("tuple",)
    emitter.emit(py.assign(result, py.call(alike[0], *alike[1:], py.load(result))), line)


def push(emitter: Statements, node: ir.Push) -> None:
    """Emit an addition to the vector of the loop."""
    add = py.attribute(py.load(emitter.around.eaches[-1]), "append")
    emitter.emit(ast.Expr(py.call(add, emitter.value(node.value))), emitter.line(node.span))


def stop(emitter: Statements, node: ir.Stop) -> None:
    """Emit the end of the loop."""
    line = emitter.line(node.span)
    emitter.emit(py.assign(emitter.around.eaches[-1], emitter.value(node.value)), line)
    emitter.emit(ast.Break(), line)
