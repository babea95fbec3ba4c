"""Rewriting: rebuild a node with its direct parts replaced. Parts that do not change are shared."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from typing_extensions import assert_never

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.meter import visited

Go = Callable[[ir.Node], ir.Node]


def rewrite(node: ir.Node, change: Callable[[ir.Fn], ir.Fn]) -> ir.Node:
    """Return the node with `change` applied to every function in it, from the inside out."""
    made = rebuild(node, lambda part: rewrite(part, change))
    return change(made) if isinstance(made, ir.Fn) else made


def rebuild(node: ir.Node, go: Go) -> ir.Node:  # noqa: C901, PLR0912 - one case per kind of node
    """Return the node with every direct part replaced by what `go` makes of it, in the order in which they run."""
    visited()

    def all_of(items: tuple[ir.Node, ...]) -> tuple[ir.Node, ...]:
        return tuple(map(go, items))

    match node:
        case ir.Const() | ir.Local() | ir.Global() | ir.Builtin() | ir.HostName() | ir.Fail() | ir.Freeze():
            return node
        case ir.SetGlobal() | ir.Check() | ir.Push() | ir.Stop() | ir.Fresh():
            return attrs.evolve(node, value=go(node.value))
        case ir.If():
            return attrs.evolve(node, test=go(node.test), then=go(node.then), otherwise=go(node.otherwise))
        case ir.Do() | ir.And() | ir.Or():
            return attrs.evolve(node, items=all_of(node.items))
        case ir.VectorNode() | ir.SetNode():
            return attrs.evolve(node, items=all_of(node.items))
        case ir.Bind():
            return attrs.evolve(node, value=go(node.value), pattern=pattern(node.pattern, go))
        case ir.Letrec():
            return attrs.evolve(node, bindings=tuple((var, as_function(go(fn))) for var, fn in node.bindings))
        case ir.Fn():
            params = tuple(_param(param, go) for param in node.params)
            rest = None if node.rest is None else _param(node.rest, go)
            return attrs.evolve(node, params=params, rest=rest, body=go(node.body))
        case ir.Call():
            return attrs.evolve(node, function=go(node.function), args=all_of(node.args))
        case ir.Loop():
            return attrs.evolve(node, inits=all_of(node.inits), body=go(node.body))
        case ir.Recur():
            return attrs.evolve(node, args=all_of(node.args))
        case ir.Match():
            return attrs.evolve(node, value=go(node.value), clauses=tuple(_clause(c, go) for c in node.clauses))
        case ir.Try():
            catches = tuple(attrs.evolve(c, body=go(c.body)) for c in node.catches)
            return attrs.evolve(node, body=go(node.body), catches=catches, final=_maybe(node.final, go))
        case ir.MapNode():
            return attrs.evolve(node, pairs=tuple((key, go(value)) for key, value in node.pairs))
        case ir.Hinted():
            hints = tuple((key, go(value)) for key, value in node.hints)
            return attrs.evolve(node, hints=hints, body=go(node.body))
        case ir.Grow():
            return attrs.evolve(node, parts=all_of(node.parts))
        case ir.Look():
            return attrs.evolve(node, args=all_of(node.args))
        case ir.Inlined():
            return attrs.evolve(node, body=go(node.body))
        case ir.Each():
            init, source = _maybe(node.init, go), go(node.source)
            return attrs.evolve(node, init=init, source=source, body=go(node.body), plain=_maybe(node.plain, go))
        case _ as never:
            assert_never(never)


def as_function(node: ir.Node) -> ir.Fn:
    """Return a node that is a function."""
    assert isinstance(node, ir.Fn)  # noqa: S101 - what a letrec binds stays a function
    return node


def _maybe(node: ir.Node | None, go: Go) -> ir.Node | None:
    return None if node is None else go(node)


def _param(param: ir.Param, go: Go) -> ir.Param:
    return attrs.evolve(param, pattern=pattern(param.pattern, go))


def _clause(clause: ir.Clause, go: Go) -> ir.Clause:
    made = pattern(clause.pattern, go)
    return attrs.evolve(clause, pattern=made, guard=_maybe(clause.guard, go), body=go(clause.body))


def pattern(node: ir.Pattern, go: Go) -> ir.Pattern:
    """Return a pattern with its default values replaced."""
    match node:
        case ir.PVar() | ir.PIgnore() | ir.PLiteral():
            return node
        case ir.PType() | ir.PAs():
            return attrs.evolve(node, pattern=pattern(node.pattern, go))
        case ir.PVector():
            rest = None if node.rest is None else pattern(node.rest, go)
            return attrs.evolve(node, items=tuple(pattern(item, go) for item in node.items), rest=rest)
        case ir.PMap():
            entries = tuple(
                attrs.evolve(e, pattern=pattern(e.pattern, go), default=_maybe(e.default, go)) for e in node.entries
            )
            rest = None if node.rest is None else pattern(node.rest, go)
            return attrs.evolve(node, entries=entries, rest=rest)
        case _ as never:
            assert_never(never)
