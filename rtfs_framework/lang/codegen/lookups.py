"""Look-ups: a map that is looked into more than once is tested once, and its dict kept under a name.

In: a node that runs now, and those that run after it. Out: an assignment for each variable that the node surely looks
into, where it or what follows does so again. Values never change, so the dict stays that of the value. Where nothing is
a map, or its entries are in a trie, there is no dict (None), and each look-up goes to the library as ever; of what is
surely a map, the map itself takes the place of the dict that is not there, and no look-up tests anything. A loop keeps
what all its rounds look into, and the lengths of vectors besides.
"""

from __future__ import annotations

import ast
from itertools import islice

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
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
    if "shortcuts" in emitter.passes:
        for kind, var in _sure(node):
            if kind is Kind.MAP and _repeated(var, (node, *rest)):
                _keep(emitter, kind, var, emitter.line(node.span))


def prepare_loop(emitter: EmitterBase, body: ir.Node, own: Sequence[ir.Var | None]) -> None:
    """Keep what each round of a loop looks into, its own variables left out."""
    if "shortcuts" in emitter.passes:
        for kind, var in _sure(body):
            if var not in own:
                _keep(emitter, kind, var, emitter.line(body.span))


def _keep(emitter: EmitterBase, kind: Kind, var: ir.Var, line: int) -> None:
    """Keep a map's dict, or the length of a vector: of what is none, a length is 0, and no place is below it."""
    if (kind, var) in emitter.kept or var.leaves_part:
        return
    value, known = py.load(var_name(var)), emitter.numbers.vars.get(var) is kind
    if kind is Kind.MAP:
        items = ast.Attribute(value, "_items", py.LOAD)
        test, otherwise = py.is_class(value, emitter.unit.helper("rt_map")), py.const(None)
        made: ast.expr = ast.BoolOp(ast.Or(), [items, value]) if known else py.either(test, items, otherwise)
    else:
        made = py.call("len", value)
        made = made if known else py.either(py.is_class(value, "tuple"), made, py.const(0))
    name = emitter.unit.temp("d" if kind is Kind.MAP else "n")
    emitter.emit(py.assign(name, made), line)
    emitter.kept = {**emitter.kept, (kind, var): name}


def place(emitter: Expressions, vector: ir.Var) -> str | None:
    """Return the inline form of `nth` for a variable whose length is kept."""
    name = emitter.kept.get((Kind.VECTOR, vector))
    return name and f"a[b] if isint(b) and -1 < b < {name} else slow"


def template(emitter: Expressions, node: ir.Call) -> str | None:
    """Return the inline form of a look-up in a variable that is a map, or whose dict is kept."""
    var = subject(node)
    if var is None:
        return None
    of, key = ("b", "a") if isinstance(node.function, ir.Const) else ("a", "b")
    name = emitter.kept.get((Kind.MAP, var))
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


def _sure(first: ir.Node) -> dict[tuple[Kind, ir.Var], None]:
    """Return the variables that a node surely looks into when it runs, bound before it."""
    found: dict[tuple[Kind, ir.Var], None] = {}
    todo = [first]
    for node in todo:  # which grows
        match node:
            case ir.Call(function=ir.Builtin(name="nth"), args=[ir.Local(var=var), index]):
                found[Kind.VECTOR, var] = None
                todo.append(index)
            case ir.Call(function=function, args=parts):
                if isinstance(function, ir.Builtin | ir.Const | ir.Global):
                    looked = subject(node)
                    if looked is None:
                        todo += parts
                    else:
                        found[Kind.MAP, looked] = None
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
