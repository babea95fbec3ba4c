"""Casts: checks of declared types that surely hold are left out.

In: a program. Out: the program without the `Check`s, the types of `let` and the declared results for which every value
is proved to fit: by being a literal, or the result of a library function whose type says so. A parameter is always
checked where it comes in, and so is what a host or an unknown function gives. Names of types prove nothing: in a
conversation they may come to mean something else.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.kinds import (
    ANY,
    BOOL,
    FUNCTION,
    INT,
    KEYWORD,
    MAP,
    NEVER,
    NIL,
    NUMBER,
    OTHER,
    SET,
    STRING,
    VECTOR,
    Kinds,
    of_type,
    of_value,
)
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, changed
from rtfs_framework.lang.ir.walk import rebuild
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import OptionalType, Primitive, TupleType, Type, UnionType, VectorType
from rtfs_framework.lang.types.names import no_names

_ALL_OF = {
    Primitive.INT: INT, Primitive.FLOAT: NUMBER, Primitive.STRING: STRING, Primitive.BOOL: BOOL, Primitive.NIL: NIL,
    Primitive.KEYWORD: KEYWORD, Primitive.ANY: ANY,
}  # fmt: skip

_OF_NODE: dict[type, Kinds] = {
    ir.VectorNode: VECTOR, ir.MapNode: MAP, ir.SetNode: SET, ir.Fn: FUNCTION | OTHER, ir.Arities: FUNCTION | OTHER,
    ir.Recur: NEVER, ir.Fail: NEVER,
}  # fmt: skip

_OF_INTEGERS = frozenset({"+", "-", "*", "inc", "dec"})
"""Of integers they give integers; their types say only that a number comes of numbers."""


def drop_casts(program: ir.Program, library: Library) -> ir.Program:
    """Return the program without checks that surely hold."""
    casts = _Casts(library)
    return changed(program, lambda node, seen: casts.go(node) if _declares(seen) else node)


def _declares(seen: Summary) -> bool:
    """Tell whether there is a type that values are checked against, and a parameter's does not count."""
    return (
        ir.Check in seen.by_kind
        or any(node.type is not None for node in seen.by_kind.get(ir.Bind, ()))
        or any(node.returns is not None for node in seen.by_kind.get(ir.Fn, ()))
    )


class _Casts:
    """What is known of the variables and nodes of one program, in the order in which they are met."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._vars: dict[ir.Var, Kinds] = {}
        self._known: dict[ir.Node, Kinds] = {}

    def go(self, node: ir.Node) -> ir.Node:
        """Return a node without the checks in it that surely hold."""
        if isinstance(node, ir.Fn):
            for param in node.params:
                if isinstance(param.pattern, ir.PVar) and param.type is not None:
                    self._vars[param.pattern.var] = of_type(param.type, no_names)
        made = rebuild(node, self.go)
        match made:
            case ir.Check(value=value, type=declared) if self.surely(value, declared):
                return value
            case ir.Fn(returns=declared) if declared is not None and not made.linked:
                return records.evolve(made, returns=None) if self.surely(made.body, declared) else made
            case ir.Bind(value=value, type=declared, pattern=pattern):
                if declared is not None and self.surely(value, declared):
                    made = records.evolve(made, type=None)
                if isinstance(pattern, ir.PVar) and not pattern.var.leaves_part:
                    self._vars[pattern.var] = self.kinds(made)
            case _:
                pass
        return made

    def surely(self, node: ir.Node, declared: Type) -> bool:
        """Tell whether every value that a node may give fits a type."""
        return all(self._fits(leaf, declared) for leaf in _leaves(node))

    def _fits(self, node: ir.Node, declared: Type) -> bool:
        match node, declared:
            case ir.Const(value=value), _:
                return violation(declared, value, no_names) is None
            case ir.VectorNode(items=items), VectorType(item):
                return all(self.surely(each, item) for each in items)
            case ir.VectorNode(items=items), TupleType(types) if len(items) == len(types):
                return all(map(self.surely, items, types))
            case _:
                return not self.kinds(node) & ~_all_of(declared)

    def kinds(self, node: ir.Node) -> Kinds:
        """Return the kinds of what a node may give: never too few."""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._look(node)
        return found

    def _look(self, node: ir.Node) -> Kinds:
        match node:
            case ir.Const(value=value):
                return of_value(value)
            case ir.Local(var=var):
                return self._vars.get(var, ANY)
            case ir.And(items=items) | ir.Or(items=items):
                return self._any_of(items)
            case ir.Do() | ir.If() | ir.Match():
                return self._any_of(tuple(_leaves(node)))
            case ir.Check(value=value, type=declared):
                return self.kinds(value) & of_type(declared, no_names)
            case ir.Bind(value=value, type=declared):
                return self.kinds(value) & (ANY if declared is None else of_type(declared, no_names))
            case ir.Call(function=ir.Builtin(name=name), args=args):
                return self._library_call(name, args)
            case _:
                return _OF_NODE.get(type(node), ANY)

    def _any_of(self, nodes: tuple[ir.Node, ...]) -> Kinds:
        made = NEVER
        for node in nodes:
            made |= self.kinds(node)
        return made

    def _library_call(self, name: str, args: tuple[ir.Node, ...]) -> Kinds:
        entry = self._library.get(name)
        if entry is None or entry.effect is not None:
            return ANY
        given = [self.kinds(arg) for arg in args]
        if name in _OF_INTEGERS and given and all(kinds == INT for kinds in given):
            return INT
        made, any_way = NEVER, False
        for way in ways(entry.types):
            if way.admits(len(given)):
                any_way = True
                made |= way.result if all(kinds & way.takes(i) for i, kinds in enumerate(given)) else NEVER
        return made if any_way else ANY


def _leaves(node: ir.Node) -> Iterator[ir.Node]:
    """Yield the nodes whose value a node gives; a jump gives none."""
    match node:
        case ir.Do(items=items) if items:
            yield from _leaves(items[-1])
        case ir.If():
            yield from _leaves(node.then)
            yield from _leaves(node.otherwise)
        case ir.Match(clauses=clauses):
            for clause in clauses:
                yield from _leaves(clause.body)
        case ir.Do():
            yield ir.Const(None, node.span)
        case _:
            yield node


def _all_of(declared: Type) -> Kinds:
    """Return the kinds of which every value fits a type."""
    match declared:
        case Primitive():
            return _ALL_OF.get(declared, NEVER)
        case OptionalType(inner):
            return NIL | _all_of(inner)
        case UnionType(members):
            made = NEVER
            for member in members:
                made |= _all_of(member)
            return made
        case _:
            return NEVER
