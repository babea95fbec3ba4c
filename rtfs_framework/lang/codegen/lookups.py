"""Look-ups: a map that is looked into more than once is tested once, and its dict kept under a name.

In: a node that runs now, and those that run after it. Out: an assignment for each variable that the node surely looks
into, where it or what follows does so again. Values never change, so the dict stays that of the value. Where nothing is
a map, or its entries are in a trie, there is no dict (None), and each look-up goes to the library as ever; of what is
surely a map, the map itself takes the place of the dict that is not there, and no look-up tests anything.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import EmitterBase, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions

_MOST_FIRST = 24
"""Nodes that are looked at for the first look-up."""
_MOST_NODES = 100
"""Nodes that are looked at for another one."""


def prepare(emitter: EmitterBase, node: ir.Node, rest: Sequence[ir.Node] = ()) -> None:
    """Keep the dicts of variables that a node looks into, if it or the nodes after it do so again."""
    if "shortcuts" not in emitter.passes:
        return
    for var in _sure(node):
        if var in emitter.dicts or var.leaves_part or not _repeated(var, (node, *rest)):
            continue
        value, items = py.load(var_name(var)), ast.Attribute(py.load(var_name(var)), "_items", py.LOAD)
        if emitter.numbers.vars.get(var) is Kind.MAP:
            made: ast.expr = ast.BoolOp(ast.Or(), [items, value])
        else:
            made = py.either(py.is_class(value, emitter.unit.helper("rt_map")), items, py.const(None))
        name = emitter.unit.temp("d")
        emitter.emit(py.assign(name, made), emitter.line(node.span))
        emitter.dicts = {**emitter.dicts, var: name}


def template(emitter: Expressions, node: ir.Call) -> str | None:
    """Return the inline form of a look-up in a variable that is a map, or whose dict is kept."""
    var = subject(node)
    if var is None:
        return None
    (of, key), name = ("b", "a") if isinstance(node.function, ir.Const) else ("a", "b"), emitter.dicts.get(var)
    if len(node.args) > 2:
        key = "b, c"
    if emitter.numbers.vars.get(var) is Kind.MAP:
        return f"{name or f'({of}._items or {of})'}.get({key})"
    return f"{name}.get({key}) if {name} is not None else slow" if name else None


def subject(node: ir.Node) -> ir.Var | None:
    """Return the variable that a node looks into by a keyword or a string."""
    match node:
        case ir.Call(function=ir.Const(value=Keyword()), args=[ir.Local(var=var)]):
            return var
        case ir.Call(function=ir.Builtin(name="get"), args=[ir.Local(var=var), ir.Const(value=key), *rest]):
            return var if key.__class__ in (Keyword, str) and len(rest) < 2 else None
        case _:
            return None


def _repeated(var: ir.Var, nodes: tuple[ir.Node, ...]) -> bool:
    """Tell whether nodes look into a variable more than once."""
    found = (each for each in islice(everything(nodes), _MOST_NODES) if subject(each) is var)
    return len(list(islice(found, 2))) > 1


def _sure(first: ir.Node) -> dict[ir.Var, None]:
    """Return the variables that a node surely looks into when it runs, bound before it."""
    found: dict[ir.Var, None] = {}
    todo = [first]
    for node in todo:  # which grows
        match node:
            case ir.Call(function=function, args=parts):
                if isinstance(function, ir.Builtin | ir.Const | ir.Global):
                    var = subject(node)
                    if var is None:
                        todo += parts
                    else:
                        found[var] = None
            case ir.Bind(value=value) | ir.Check(value=value) | ir.Push(value=value) | ir.Match(value=value):
                todo.append(value)
            case ir.If(test=test) | ir.Inlined(body=test):
                todo.append(test)
            case ir.Do(items=parts) | ir.And(items=parts) | ir.Or(items=parts):
                todo += parts[:1]
            case ir.Recur(args=parts) | ir.VectorNode(items=parts):
                todo += parts
            case ir.MapNode(pairs=pairs):
                todo += [value for _, value in pairs]
            case _:
                continue
        if len(todo) > _MOST_FIRST:
            break
    return found
