"""Walking the IR: the parts of a node, every node of a program, and nodes made again with other parts.

`SHAPES` says once where the nodes inside a node are, in the order in which they run; a test compares it with `Node`.
"""

from __future__ import annotations

from operator import attrgetter, is_

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, Iterable, Iterator, TypeVar
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.meter import OFTEN, VISITS, meter, visited
from rtfs_framework.lang.never import forgotten

Go = Callable[[ir.Node], ir.Node]
R = TypeVar("R")
Made = Callable[[Any, Go], Any]
"""Returns what a field holds with other nodes in it, and the same object where no node has changed."""


@records.frozen(eq=False)
class _Shape:
    """How a field holds nodes: `inner` yields them. A field may hold None instead."""

    inner: Callable[[Any], Iterable[ir.Node]]
    made: Made


def _all(values: tuple[Any, ...], made: Iterable[Any]) -> tuple[Any, ...]:
    """Return what was made of values: the values themselves when none has changed."""
    found = [*made]
    return values if all(map(is_, values, found)) else tuple(found)


def _with(record: R, **changes: Any) -> R:
    """Return a record with other fields; the same when none has changed."""
    if all(getattr(record, name) is value for name, value in changes.items()):
        return record
    untyped: Any = record
    made: R = records.evolve(untyped, **changes)
    return made


def _maybe(node: Any, go: Callable[[Any], Any]) -> Any:
    return None if node is None else go(node)


def _pairs(pairs: tuple[Any, ...], go: Go) -> tuple[Any, ...]:
    values = [value for _, value in pairs]
    made = [go(value) for value in values]
    return pairs if all(map(is_, values, made)) else tuple((key, v) for (key, _), v in zip(pairs, made, strict=True))


def subpatterns(pattern: ir.Pattern) -> tuple[ir.Pattern, ...]:
    """Return the patterns directly inside a pattern."""
    match pattern:
        case ir.PVar() | ir.PIgnore() | ir.PLiteral():
            return ()
        case ir.PAs() | ir.PType():
            return (pattern.pattern,)
        case ir.PVector(items=items, rest=rest):
            return items if rest is None else (*items, rest)
        case ir.PMap(entries=entries, rest=rest):
            return tuple([entry.pattern for entry in entries] + ([] if rest is None else [rest]))
        case _ as never:
            raise forgotten(never)


def defaults(pattern: ir.Pattern) -> Iterator[ir.Node]:
    """Yield the default values inside a pattern."""
    given = [entry.default for entry in pattern.entries] if isinstance(pattern, ir.PMap) else []
    for i, each in enumerate(subpatterns(pattern)):
        if i < len(given) and (default := given[i]) is not None:
            yield default
        yield from defaults(each)


def _same(var: ir.Var) -> ir.Var:
    return var


def pattern(node: ir.Pattern, go: Go, bind: Callable[[ir.Var], ir.Var] = _same) -> ir.Pattern:
    """Return a pattern with its default values, and its variables, replaced."""
    match node:
        case ir.PIgnore() | ir.PLiteral():
            return node
        case ir.PVar():
            return _with(node, var=bind(node.var))
        case ir.PType():
            return _with(node, pattern=pattern(node.pattern, go, bind))
        case ir.PAs():
            return _with(node, var=bind(node.var), pattern=pattern(node.pattern, go, bind))
        case ir.PVector():
            items = _all(node.items, (pattern(item, go, bind) for item in node.items))
            rest = _maybe(node.rest, lambda rest: pattern(rest, go, bind))
            return _with(node, items=items, rest=rest, whole=_maybe(node.whole, bind))
        case ir.PMap():
            entries = _all(node.entries, (_entry(entry, go, bind) for entry in node.entries))
            rest = _maybe(node.rest, lambda rest: pattern(rest, go, bind))
            return _with(node, entries=entries, rest=rest, whole=_maybe(node.whole, bind))
        case _ as never:
            raise forgotten(never)


def _entry(entry: ir.PMapEntry, go: Go, bind: Callable[[ir.Var], ir.Var]) -> ir.PMapEntry:
    return _with(entry, pattern=pattern(entry.pattern, go, bind), default=_maybe(entry.default, go))


def _param(param: ir.Param, go: Go) -> ir.Param:
    return _with(param, pattern=pattern(param.pattern, go))


def _clause(clause: ir.Clause, go: Go) -> ir.Clause:
    made = pattern(clause.pattern, go)
    return _with(clause, pattern=made, guard=_maybe(clause.guard, go), body=go(clause.body))


_NODE = _Shape(lambda node: (node,), lambda node, go: go(node))
_NODES = _Shape(lambda nodes: nodes, lambda nodes, go: _all(nodes, map(go, nodes)))
_PAIRS = _Shape(lambda pairs: (value for _, value in pairs), _pairs)
_PATTERN = _Shape(defaults, pattern)
_PARAM = _Shape(lambda param: defaults(param.pattern), _param)
_PARAMS = _Shape(
    lambda params: (node for param in params for node in defaults(param.pattern)),
    lambda params, go: _all(params, (_param(param, go) for param in params)),
)
_CLAUSES = _Shape(
    lambda clauses: (node for c in clauses for node in (c.guard, c.body) if node is not None),
    lambda clauses, go: _all(clauses, (_clause(clause, go) for clause in clauses)),
)
_CATCHES = _Shape(
    lambda catches: (catch.body for catch in catches),
    lambda catches, go: _all(catches, (_with(catch, body=go(catch.body)) for catch in catches)),
)

SHAPES: dict[type, tuple[tuple[str, _Shape], ...]] = {
    **dict.fromkeys((ir.Const, ir.Local, ir.Global, ir.Builtin, ir.HostName, ir.Fail, ir.Freeze), ()),
    **dict.fromkeys((ir.SetGlobal, ir.Check, ir.Push, ir.Stop, ir.Fresh), (("value", _NODE),)),
    **dict.fromkeys((ir.Do, ir.And, ir.Or, ir.VectorNode, ir.SetNode), (("items", _NODES),)),
    **dict.fromkeys((ir.Recur, ir.Look), (("args", _NODES),)),
    ir.If: (("test", _NODE), ("then", _NODE), ("otherwise", _NODE)),
    ir.Bind: (("value", _NODE), ("pattern", _PATTERN)),
    ir.Letrec: (("bindings", _PAIRS),),
    ir.Fn: (("params", _PARAMS), ("rest", _PARAM), ("body", _NODE)),
    ir.Call: (("function", _NODE), ("args", _NODES)),
    ir.Arities: (("functions", _NODES),),
    ir.Grow: (("parts", _NODES),),
    ir.Inlined: (("body", _NODE),),
    ir.Each: (("init", _NODE), ("source", _NODE), ("none", _NODE), ("body", _NODE), ("plain", _NODE)),
    ir.Loop: (("inits", _NODES), ("body", _NODE)),
    ir.Match: (("value", _NODE), ("clauses", _CLAUSES)),
    ir.Try: (("body", _NODE), ("catches", _CATCHES), ("final", _NODE)),
    ir.MapNode: (("pairs", _PAIRS),),
    ir.Hinted: (("hints", _PAIRS), ("body", _NODE)),
}


LEAVES = frozenset(kind for kind, fields in SHAPES.items() if not fields)
"""Nodes without parts."""


def _reader(fields: tuple[tuple[str, _Shape], ...]) -> Callable[[Any], list[ir.Node]]:
    """Return the function that lists the parts of one kind of node: programs are walked often, so each has its own."""
    names, shapes = [name for name, _ in fields], [shape for _, shape in fields]
    gets = [attrgetter(name) for name in names]
    if not fields:
        return lambda _: []
    if shapes == [_NODE]:
        only = gets[0]
        return lambda node: [only(node)]
    if shapes == [_NODES]:
        several = gets[0]
        return lambda node: [*several(node)]
    if shapes == [_NODE, _NODES]:
        first, others = gets
        return lambda node: [first(node), *others(node)]
    if shapes == [_NODE] * len(shapes):
        each = attrgetter(*names)
        return lambda node: [part for part in each(node) if part is not None]
    readers = [(get, shape.inner) for get, shape in zip(gets, shapes, strict=True)]
    return lambda node: [part for get, inner in readers if (held := get(node)) is not None for part in inner(held)]


_READERS = {kind: _reader(fields) for kind, fields in SHAPES.items()}
_FIELDS = {kind: tuple(field.name for field in records.fields_of(kind)) for kind in SHAPES}


def parts(node: ir.Node) -> list[ir.Node]:
    """Return the nodes directly inside a node, in the order in which they run."""
    if next(VISITS) & OFTEN == 0:
        meter().look()
    return _READERS[node.__class__](node)


def rebuild(node: ir.Node, go: Go) -> ir.Node:
    """Return a node with every direct part replaced by what `go` makes of it, in the order in which they run.

    Where nothing changes it is the same object: a pass that finds nothing to do makes nothing.
    """
    if next(VISITS) & OFTEN == 0:
        meter().look()
    changed: dict[str, Any] = {}
    for name, shape in SHAPES[node.__class__]:
        value = getattr(node, name)
        if value is not None:
            made = go(value) if shape is _NODE else shape.made(value, go)
            if made is not value:
                changed[name] = made
    if not changed:
        return node
    kind: Any = node.__class__
    made_again: ir.Node = kind(*[changed[name] if name in changed else getattr(node, name) for name in _FIELDS[kind]])
    return made_again


def rewrite(node: ir.Node, change: Callable[[ir.Fn], ir.Fn]) -> ir.Node:
    """Return the node with `change` applied to every function in it, from the inside out."""
    made = rebuild(node, lambda part: rewrite(part, change))
    return change(made) if isinstance(made, ir.Fn) else made


def as_function(node: ir.Node) -> ir.Fn:
    """Return a node that is a function."""
    assert isinstance(node, ir.Fn)  # noqa: S101 - what a letrec binds stays a function
    return node


def everything(roots: tuple[ir.Node, ...]) -> list[ir.Node]:
    """Return every node below the roots, the roots included, in the order in which they run."""
    todo, found = list(reversed(roots)), list[ir.Node]()
    visited()
    while todo:
        node = todo.pop()
        found.append(node)
        if node.__class__ not in LEAVES:
            inner = _READERS[node.__class__](node)
            inner.reverse()
            todo += inner
    return found


def variables(pattern: ir.Pattern) -> Iterator[ir.Var]:
    """Yield the variables that a pattern binds."""
    if isinstance(pattern, ir.PVar | ir.PAs):
        yield pattern.var
    for each in subpatterns(pattern):
        yield from variables(each)
    if isinstance(pattern, ir.PVector | ir.PMap) and pattern.whole is not None:
        yield pattern.whole


def jumps(body: ir.Node, frame: ir.FunctionFrame | None) -> Iterable[ir.Recur]:
    """Yield the jumps of a loop (`frame` None) or of a function, inner loops and functions left out."""
    todo = [body]
    while todo:
        node = todo.pop()
        if isinstance(node, ir.Recur) and node.frame is frame:
            yield node
        if isinstance(node, ir.Fn) or (frame is None and isinstance(node, ir.Loop)):
            continue
        todo.extend(parts(node))
