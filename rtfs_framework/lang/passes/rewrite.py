"""Rewriting: rebuild a tree with every function replaced, from the inside out. Parts that do not change are shared."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from typing_extensions import assert_never

from rtfs_framework.lang.ir import nodes as ir

Change = Callable[[ir.Fn], ir.Fn]


def rewrite(node: ir.Node, change: Change) -> ir.Node:  # noqa: C901, PLR0912 - one case per kind of node
    """Return the node with `change` applied to every function in it."""

    def go(part: ir.Node) -> ir.Node:
        return rewrite(part, change)

    def all_of(items: tuple[ir.Node, ...]) -> tuple[ir.Node, ...]:
        return tuple(rewrite(item, change) for item in items)

    match node:
        case ir.Const() | ir.Local() | ir.Global() | ir.Builtin() | ir.HostName() | ir.Fail():
            return node
        case ir.SetGlobal() | ir.Check():
            return attrs.evolve(node, value=go(node.value))
        case ir.If():
            return attrs.evolve(node, test=go(node.test), then=go(node.then), otherwise=go(node.otherwise))
        case ir.Do() | ir.And() | ir.Or():
            return attrs.evolve(node, items=all_of(node.items))
        case ir.VectorNode() | ir.SetNode():
            return attrs.evolve(node, items=all_of(node.items))
        case ir.Bind():
            return attrs.evolve(node, value=go(node.value))
        case ir.Letrec():
            return attrs.evolve(node, bindings=tuple((var, _function(fn, change)) for var, fn in node.bindings))
        case ir.Fn():
            return _function(node, change)
        case ir.Call():
            return attrs.evolve(node, function=go(node.function), args=all_of(node.args))
        case ir.Loop():
            return attrs.evolve(node, inits=all_of(node.inits), body=go(node.body))
        case ir.Recur():
            return attrs.evolve(node, args=all_of(node.args))
        case ir.Match():
            return attrs.evolve(node, value=go(node.value), clauses=tuple(_clause(c, change) for c in node.clauses))
        case ir.Try():
            catches = tuple(attrs.evolve(c, body=go(c.body)) for c in node.catches)
            final = None if node.final is None else go(node.final)
            return attrs.evolve(node, body=go(node.body), catches=catches, final=final)
        case ir.MapNode():
            return attrs.evolve(node, pairs=tuple((key, go(value)) for key, value in node.pairs))
        case ir.Hinted():
            hints = tuple((key, go(value)) for key, value in node.hints)
            return attrs.evolve(node, hints=hints, body=go(node.body))
        case _ as never:
            assert_never(never)


def _function(fn: ir.Fn, change: Change) -> ir.Fn:
    return change(attrs.evolve(fn, body=rewrite(fn.body, change)))


def _clause(clause: ir.Clause, change: Change) -> ir.Clause:
    guard = None if clause.guard is None else rewrite(clause.guard, change)
    return attrs.evolve(clause, guard=guard, body=rewrite(clause.body, change))
