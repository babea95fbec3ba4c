"""Patterns: destructuring as assignments; those of `match` are in `matching`."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.never import forgotten

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions


def bind(emitter: Expressions, pattern: ir.Pattern, expression: ast.expr, line: int) -> None:
    """Emit assignments that bind a pattern: lengths are forgiving, nil gives nils."""
    match pattern:
        case ir.PVar(var=var):
            emitter.emit(py.assign(var_name(var), expression), line)
        case ir.PIgnore():
            if not isinstance(expression, ast.Name | ast.Constant):
                emitter.emit(ast.Expr(expression), line)
        case ir.PVector():
            _bind_vector(emitter, pattern, expression, line)
        case ir.PMap():
            _bind_map(emitter, pattern, expression, line)
        case ir.PLiteral() | ir.PType() | ir.PAs():
            raise AssertionError(pattern)  # the analyzer admits them only in match
        case _ as never:
            raise forgotten(never)


def _target(emitter: Expressions, pattern: ir.Pattern) -> tuple[str, bool]:
    """Return the name that a part is put into, and whether it needs further binding."""
    if isinstance(pattern, ir.PVar):
        return var_name(pattern.var), False
    return emitter.unit.temp("p"), not isinstance(pattern, ir.PIgnore)


def _bind_vector(emitter: Expressions, pattern: ir.PVector, expression: ast.expr, line: int) -> None:
    name = emitter.name_it(expression, line, "v")
    parts = list(pattern.items) + ([pattern.rest] if pattern.rest is not None else [])
    targets = [_target(emitter, part) for part in parts]
    count = len(pattern.items)
    if pattern.rest is None:
        fast = py.both(
            [
                py.is_class(py.load(name), "tuple"),
                py.compare(py.call("len", py.load(name)), ast.Eq(), py.const(count)),
            ]
        )
        slow = py.call(emitter.unit.helper("rt_spread"), py.load(name), py.const(count))
        value: ast.expr = py.either(fast, py.load(name), slow)
    else:
        value = py.call(emitter.unit.helper("rt_spread_rest"), py.load(name), py.const(count))
    if targets:
        emitter.emit(py.assign_many([target for target, _ in targets], value), line)
    else:
        emitter.emit(ast.Expr(value), line)
    if pattern.whole is not None:
        emitter.emit(py.assign(var_name(pattern.whole), py.load(name)), line)
    for part, (target, more) in zip(parts, targets, strict=True):
        if more:
            bind(emitter, part, py.load(target), line)


def _bind_map(emitter: Expressions, pattern: ir.PMap, expression: ast.expr, line: int) -> None:
    whole = emitter.name_it(expression, line, "v")
    name = emitter.unit.temp("m")
    emitter.emit(py.assign(name, py.call(emitter.unit.helper("rt_as_map"), py.load(whole))), line)
    if pattern.whole is not None:
        emitter.emit(py.assign(var_name(pattern.whole), py.load(whole)), line)
    for entry in pattern.entries:
        bind(emitter, entry.pattern, _entry(emitter, name, entry), line)
    if pattern.rest is not None:
        keys = py.tuple_of([emitter.constant(entry.key) for entry in pattern.entries])
        bind(emitter, pattern.rest, py.call(emitter.unit.helper("rt_map_rest"), py.load(name), keys), line)


def _entry(emitter: Expressions, name: str, entry: ir.PMapEntry) -> ast.expr:
    found = py.call(py.attribute(py.load(name), "get"), emitter.constant(entry.key))
    if entry.default is None:
        return found
    there = py.compare(emitter.constant(entry.key), ast.In(), py.load(name))
    with emitter.block() as other:
        default = emitter.value(entry.default)
    if not other:
        return py.either(there, found, default)
    target, line = emitter.unit.temp("o"), emitter.line(entry.default.span)
    last = py.assign(target, default)
    py.locate(last, line)
    other.append(last)
    then = py.assign(target, found)
    py.locate(then, line)
    emitter.emit(ast.If(there, [then], other), line)
    return py.load(target)
