"""Lengths: a loop asks once for the length of a vector that its iterations look into by `nth`.

In: a loop's body and variables. Out: an assignment before the loop for each vector that the body may look into. Values
never change, so the length stays that of the value; of what is no vector it is 0, and no place is below that.
"""

from __future__ import annotations

from contextlib import contextmanager

from rtfs_framework.lang.annotations import Iterator, Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import EmitterBase, var_name
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import parts, variables
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes.kinds import Kind

_WALKED = (
    ir.Bind, ir.Call, ir.Check, ir.Push, ir.If, ir.Inlined, ir.Do, ir.And, ir.Or, ir.Recur, ir.VectorNode, ir.MapNode,
)  # fmt: skip
"""Nodes that are walked besides `Match`; none but `Bind` binds anything."""
_MOST_NODES = 48
"""Nodes of a body that are looked at."""


@contextmanager
def kept(emitter: EmitterBase, body: ir.Node, own: Sequence[ir.Var | None]) -> Iterator[None]:
    """Keep the lengths of what iterations look into while a loop is emitted, its own variables left out."""
    outer, found = emitter.around.lengths, list[ir.Var]()
    if "shortcuts" in emitter.passes:
        found = [var for var in _looked_into(body) if var not in own and var not in outer and not var.leaves_part]
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


def below(emitter: EmitterBase, place: ir.Var, bound: ir.Node) -> frozenset[tuple[ir.Var, ir.Var]]:
    """Return what places are known of vectors where a variable is less than a bound."""
    match bound:
        case ir.Call(function=ir.Builtin(op=Op.COUNT), args=[ir.Local(var=var)]) if place in emitter.numbers.naturals:
            if emitter.numbers.vars.get(var) is Kind.VECTOR and not var.leaves_part:
                return emitter.around.below | {(place, var)}
        case _:
            pass
    return emitter.around.below


def template(emitter: EmitterBase, node: ir.Call) -> str | None:
    """Return the inline form of `nth` for a place that a vector surely has, or a variable whose length is kept."""
    match node:
        case ir.Call(function=ir.Builtin(op=Op.NTH), args=[ir.Local(var=var), ir.Local(var=place)]) if (
            place,
            var,
        ) in emitter.around.below:
            return "a[b]"
        case ir.Call(function=ir.Builtin(op=Op.NTH), args=[ir.Local(var=var), _]) if var in emitter.around.lengths:
            return f"a[b] if isint(b) and b >= 0 and b < {emitter.around.lengths[var]} else slow"
        case _:
            return None


def _looked_into(first: ir.Node) -> dict[ir.Var, None]:
    """Return the vectors that the first nodes of a body look into, in the order in which they run; bound before it."""
    found, bound = dict[ir.Var, None](), set[ir.Var]()
    todo, left = [first], _MOST_NODES
    while todo and left:
        node, left = todo.pop(), left - 1
        match node:
            case ir.Bind(pattern=pattern):
                bound.update(variables(pattern))
            case ir.Match(clauses=clauses):
                bound.update(var for clause in clauses for var in variables(clause.pattern))
            case ir.Call(function=ir.Builtin(op=Op.NTH), args=[ir.Local(var=var), _]) if var not in bound:
                found[var] = None
            case _ if not isinstance(node, _WALKED):
                continue
        todo += reversed(parts(node))
    return found
