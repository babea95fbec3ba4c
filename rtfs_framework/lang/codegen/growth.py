"""Collections that a loop's variable changes in place: a Python list for a vector, a dict for a map."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import steady, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.passes.kinds import Kind

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions


def fresh(emitter: Expressions, node: ir.Fresh) -> ast.expr:
    """Return a copy that may be changed."""
    value = emitter.value(node.value)
    if node.is_map:
        match value:
            case ast.Call(func=ast.Name(id="rt_map"), args=[ast.Dict() as made]):  # a literal makes a dict of its own
                return made
            case _:
                return ast.Dict([None], [ast.Attribute(value, "_items", ast.Load())])
    if isinstance(value, ast.Tuple):
        return ast.List(value.elts, ast.Load())
    return ast.List([ast.Starred(value, ast.Load())], ast.Load())


def grow(emitter: Expressions, node: ir.Grow) -> ast.expr:
    """Emit a change; returns a read of the variable."""
    name, line = var_name(node.var), emitter.line(node.span)
    kept = _keep_key(emitter, node, line)
    given = emitter.values(node.parts)
    if node.is_map:
        if len(given) > 2 or not steady(given[0]):  # Python makes the value before it looks at the key
            named = [part if steady(part) else py.load(emitter.name_it(part, line)) for part in given]
            given = [emitter.at(part, line) for part in named]
        for key_node, key, value in zip(node.parts[::2], given[::2], given[1::2], strict=True):
            place = ast.Subscript(py.load(name), _key(emitter, key_node, key), ast.Store())
            emitter.emit(ast.Assign([place], value), line)
        if kept is not None:
            del emitter.keys[kept]
    elif len(given) == 1:
        add = ast.Attribute(py.load(name), "append", ast.Load())
        emitter.emit(ast.Expr(py.call(add, given[0])), line)
    else:
        add = ast.Attribute(py.load(name), "extend", ast.Load())
        emitter.emit(ast.Expr(py.call(add, py.tuple_of(given))), line)
    return py.load(name)


def _keep_key(emitter: Expressions, node: ir.Grow, line: int) -> ir.Var | None:
    """Make the dict key of a variable once, when the new value depends on the old one under the same key."""
    match node.parts:
        case [ir.Local(var=var) as key, value] if node.is_map and var not in emitter.keys:
            asks = (part.args[0] for part in everything((value,)) if isinstance(part, ir.Look) and part.args)
            if emitter.numbers.kind(key) is Kind.INT or not any(_is(asked, var) for asked in asks):
                return None
            made = _key(emitter, key, emitter.value(key))
            emitter.keys[var] = emitter.name_it(emitter.at(made, line), line, "k")
            return var
        case _:
            return None


def _is(node: ir.Node, var: ir.Var) -> bool:
    return isinstance(node, ir.Local) and node.var is var


def look(emitter: Expressions, node: ir.Look) -> ast.expr:
    """Return the answer to a question."""
    name = py.load(var_name(node.var))
    if node.op == "count":
        return py.call("len", name)
    if node.op == "empty?":
        return ast.UnaryOp(ast.Not(), name)
    if node.op == "begun?":
        return py.compare(name, ast.IsNot(), py.load(emitter.unit.helper("rt_nothing")))
    line = emitter.line(node.span)
    key, *default = emitter.values(node.args)
    if not steady(key):
        key = py.load(emitter.name_it(key, line))
        default = [py.load(emitter.name_it(part, line)) if not steady(part) else part for part in default]
    key = _key(emitter, node.args[0], key)
    if node.op == "contains?":
        return py.compare(key, ast.In(), name)
    return py.call(ast.Attribute(name, "get", ast.Load()), key, *default)


def freeze(emitter: Expressions, var: ir.Var, *, is_map: bool, line: int) -> None:
    """Emit what makes a variable's collection a value."""
    name = var_name(var)
    made = emitter.unit.helper("rt_frozen_map" if is_map else "rt_frozen")
    emitter.emit(py.assign(name, py.call(made, py.load(name))), line)


def _key(emitter: Expressions, node: ir.Node, key: ast.expr) -> ast.expr:
    """Return the dict key that stands for a value, which is a name or a literal."""
    if emitter.numbers.kind(node) is Kind.INT or (isinstance(node, ir.Const) and is_plain(node.value)):
        return key
    if isinstance(node, ir.Local) and node.var in emitter.keys:
        return py.load(emitter.keys[node.var])
    if isinstance(key, ast.Name):
        plain = py.compare(py.klass(py.load(key.id)), ast.In(), py.load(emitter.unit.helper("rt_plain")))
        return py.either(plain, py.load(key.id), py.call(emitter.unit.helper("rt_key"), py.load(key.id)))
    return py.call(emitter.unit.helper("rt_key"), key)
