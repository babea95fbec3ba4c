"""Lengths: a loop asks once for the length of a vector that all its rounds look into by `nth`.

In: a loop's body and variables. Out: an assignment before the loop for each vector that the body surely looks into.
Values never change, so the length stays that of the value; of what is no vector it is 0, and no place is below that.
"""

from __future__ import annotations

from contextlib import contextmanager

from rtfs_framework.lang.annotations import Iterator, Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import EmitterBase, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes.kinds import Kind

_MOST_NODES = 24
"""Nodes of a body that are looked at."""


@contextmanager
def kept(emitter: EmitterBase, body: ir.Node, own: Sequence[ir.Var | None]) -> Iterator[None]:
    """Keep the lengths of what each round looks into while a loop is emitted, its own variables left out."""
    outer, found = emitter.around.lengths, list[ir.Var]()
    if "shortcuts" in emitter.passes:
        found = [var for var in _sure(body) if var not in own and var not in outer and not var.leaves_part]
    made = {var: _length(emitter, var, emitter.line(body.span)) for var in found}
    with emitter.where(lengths={**outer, **made}):
        yield


def _length(emitter: EmitterBase, var: ir.Var, line: int) -> str:
    """Emit an assignment of a vector's length; return its name."""
    value, made = py.load(var_name(var)), py.call("len", py.load(var_name(var)))
    known = emitter.numbers.vars.get(var) is Kind.VECTOR
    name = emitter.unit.temp("n")
    length = made if known else py.either(py.is_class(value, "tuple"), made, py.const(0))
    emitter.emit(py.assign(name, length), line)
    return name


def template(emitter: EmitterBase, node: ir.Call) -> str | None:
    """Return the inline form of `nth` for a variable whose length is kept."""
    match node:
        case ir.Call(function=ir.Builtin(op=Op.NTH), args=[ir.Local(var=var), _]) if var in emitter.around.lengths:
            return f"a[b] if isint(b) and -1 < b < {emitter.around.lengths[var]} else slow"
        case _:
            return None


def _sure(first: ir.Node) -> dict[ir.Var, None]:
    """Return the vectors that a node surely looks into when it runs, bound before it."""
    found: dict[ir.Var, None] = {}
    todo = [first]
    for node in todo:  # which grows
        match node:
            case ir.Call(function=ir.Builtin(op=Op.NTH), args=[ir.Local(var=var), index]):
                found[var] = None
                todo.append(index)
            case ir.Call(function=ir.Builtin() | ir.Const() | ir.Global(), args=parts):
                todo += parts
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
        if len(todo) > _MOST_NODES:
            break
    return found
