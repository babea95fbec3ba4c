"""Iterations: the bodies of `for` and `dotimes` as bodies of loops.

In: the body of the function that a form calls for every item. Out: what a loop does with an item in its place.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.source import Span


def collected(node: ir.Node) -> ir.Node | None:
    """Return an iteration of `for` that adds what it would give as a vector; None if unknown, or the loop ends."""
    match node:
        case ir.VectorNode(items=()):
            return ir.Const(None, node.span)
        case ir.VectorNode(items=[item]):
            return ir.Push(item, node.span)
        case ir.Const(value=(item,)):
            return ir.Push(ir.Const(item, node.span), node.span)
        case ir.Do(items=[*before, last]):
            made = collected(last)
            return None if made is None else records.evolve(node, items=(*before, made))
        case ir.Inlined(body=body):
            made = collected(body)
            return None if made is None else records.evolve(node, body=made)
        case ir.If(then=then, otherwise=otherwise):
            first, second = collected(then), collected(otherwise)
            if first is None or second is None:
                return None
            return records.evolve(node, then=first, otherwise=second)
        case _:
            return None


def times(library: Library, names: Sequence[ir.Var], count: ir.Node, body: ir.Node, span: Span) -> ir.Node:
    """Return `dotimes`: a loop that counts, and keeps what the last iteration gave."""
    bound, number, last = names
    i, end = ir.Local(number, span), ir.Local(bound, span)
    goes_on = ir.Call(ir.Builtin.of(library, "<", span), (i, end), span)
    again = ir.Recur((ir.Call(ir.Builtin.of(library, "inc", span), (i,), span), body), None, span)
    loop = ir.Loop(
        (number, last),
        (ir.Const(0, span), ir.Const(None, span)),
        ir.If(goes_on, again, ir.Local(last, span), span),
        span,
    )
    return ir.Do((ir.Bind(ir.PVar(bound), ir.Call(ir.Builtin("%times", span), (count,), span), None, span), loop), span)
