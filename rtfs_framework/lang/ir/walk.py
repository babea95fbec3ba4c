"""Walking the IR: the direct parts of a node, every function in a program. Total over `Node`, checked by mypy."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import assert_never

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.meter import visited


def parts(node: ir.Node) -> Iterator[ir.Node]:  # noqa: C901, PLR0912 - one case per kind of node
    """Yield the nodes directly inside a node, in the order in which they run."""
    visited()
    match node:
        case ir.Const() | ir.Local() | ir.Global() | ir.Builtin() | ir.HostName() | ir.Fail() | ir.Freeze():
            return
        case (
            ir.SetGlobal(value=value)
            | ir.Check(value=value)
            | ir.Push(value=value)
            | ir.Stop(value=value)
            | ir.Fresh(value=value)
        ):
            yield value
        case ir.If():
            yield from (node.test, node.then, node.otherwise)
        case ir.Do(items=items) | ir.And(items=items) | ir.Or(items=items):
            yield from items
        case ir.VectorNode(items=items) | ir.SetNode(items=items):
            yield from items
        case ir.Bind():
            yield node.value
            yield from defaults(node.pattern)
        case ir.Letrec():
            yield from (fn for _, fn in node.bindings)
        case ir.Fn():
            for param in (*node.params, *([node.rest] if node.rest else [])):
                yield from defaults(param.pattern)
            yield node.body
        case ir.Call():
            yield node.function
            yield from node.args
        case ir.Grow(parts=found) | ir.Look(args=found):
            yield from found
        case ir.Inlined(body=body):
            yield body
        case ir.Each():
            yield from (n for n in (node.init, node.source, node.body, node.plain) if n is not None)
        case ir.Loop():
            yield from (*node.inits, node.body)
        case ir.Recur():
            yield from node.args
        case ir.Match():
            yield node.value
            for clause in node.clauses:
                yield from (n for n in (clause.guard, clause.body) if n is not None)
        case ir.Try():
            yield node.body
            yield from (catch.body for catch in node.catches)
            if node.final is not None:
                yield node.final
        case ir.MapNode():
            yield from (value for _, value in node.pairs)
        case ir.Hinted():
            yield from (value for _, value in node.hints)
            yield node.body
        case _ as never:
            assert_never(never)


def defaults(pattern: ir.Pattern) -> Iterator[ir.Node]:
    """Yield the default values inside a pattern."""
    match pattern:
        case ir.PVar() | ir.PIgnore() | ir.PLiteral():
            return
        case ir.PAs(pattern=inner) | ir.PType(pattern=inner):
            yield from defaults(inner)
        case ir.PVector():
            for item in (*pattern.items, *([pattern.rest] if pattern.rest else [])):
                yield from defaults(item)
        case ir.PMap():
            for entry in pattern.entries:
                if entry.default is not None:
                    yield entry.default
                yield from defaults(entry.pattern)
            if pattern.rest is not None:
                yield from defaults(pattern.rest)
        case _ as never:
            assert_never(never)


def everything(roots: tuple[ir.Node, ...]) -> Iterator[ir.Node]:
    """Yield every node below the roots, the roots included."""
    todo = list(reversed(roots))
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(list(parts(node))))


def variables(pattern: ir.Pattern) -> Iterator[ir.Var]:
    """Yield the variables that a pattern binds."""
    match pattern:
        case ir.PIgnore() | ir.PLiteral():
            return
        case ir.PVar(var=var):
            yield var
        case ir.PAs(var=var, pattern=inner):
            yield var
            yield from variables(inner)
        case ir.PType(pattern=inner):
            yield from variables(inner)
        case ir.PVector(items=items, rest=rest, whole=whole):
            for item in (*items, *([rest] if rest else [])):
                yield from variables(item)
            yield from [whole] if whole else []
        case ir.PMap(entries=entries, rest=rest, whole=whole):
            for item in (*(entry.pattern for entry in entries), *([rest] if rest else [])):
                yield from variables(item)
            yield from [whole] if whole else []
        case _ as never:
            assert_never(never)
