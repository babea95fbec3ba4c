"""The verifier: what must be true of every program between passes. It is for tests and for whoever writes a pass.

In: a program, and the name of what made it. Out: nothing, or an InternalError that names the first broken invariant:
every `Local` is bound around it, in the same function or captured by those between; a variable is bound once, but for
those that leave a part; `Recur` stands in tail position of its loop or function and has as many arguments; `Push` and
`Stop` stand in tail position of an `Each`.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterable
from rtfs_framework.lang.errors import InternalError
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import defaults, parts, variables


@records.frozen(eq=False)
class _Place:
    """What stands around a node."""

    visible: set[ir.Var]
    loop: int | None = None
    """Variables of the loop whose tail position this is."""
    frames: frozenset[ir.FunctionFrame] = frozenset()
    """Functions whose tail position this is, jumps between the functions of a group included."""
    each: bool = False


def verify(program: ir.Program, after: str) -> None:
    """Look for broken invariants.

    Raises:
        InternalError: there is one.
    """
    _Verifier(program, after).program()


class _Verifier:
    def __init__(self, program: ir.Program, after: str) -> None:
        self._program = program
        self._after = after
        self._bound: set[ir.Var] = set()
        self._groups = {
            fn.frame: frozenset(member.frame for member in group) for group in program.groups for fn in group
        }
        self._widths = {fn.frame: len(fn.params) for group in program.groups for fn in group}

    def program(self) -> None:
        visible: set[ir.Var] = set()
        for node in self._program.body:
            self._node(node, _Place(visible))

    def _broken(self, what: str) -> InternalError:
        return InternalError(f"after {self._after}: {what}")

    def _bind(self, names: Iterable[ir.Var], place: _Place) -> None:
        for var in names:
            if var in self._bound and not var.leaves_part:
                raise self._broken(f"{var.name}.{var.number} is bound twice")
            self._bound.add(var)
            place.visible.add(var)

    def _node(self, node: ir.Node, place: _Place) -> None:  # noqa: C901, PLR0912 - one case per kind of node
        inner = _Place(place.visible)
        match node:
            case ir.Local(var=var) | ir.Freeze(var=var) | ir.Grow(var=var) | ir.Look(var=var):
                for part in parts(node):
                    self._node(part, inner)
                if var not in place.visible:
                    raise self._broken(f"{var.name}.{var.number} is not bound here")
            case ir.Fn():
                self._function(node, place)
            case ir.Do(items=items) | ir.And(items=items) | ir.Or(items=items):
                for item in items[:-1]:
                    self._node(item, inner)
                for item in items[-1:]:
                    self._node(item, place)
            case ir.If():
                self._node(node.test, inner)
                self._node(node.then, place)
                self._node(node.otherwise, place)
            case ir.Bind():
                self._node(node.value, inner)
                self._pattern(node.pattern, place)
            case ir.Letrec(bindings=bindings):
                self._bind((var for var, _ in bindings), place)
                for _, fn in bindings:
                    self._function(fn, place)
            case ir.Loop():
                for init in node.inits:
                    self._node(init, inner)
                self._bind(node.vars, place)
                self._node(node.body, records.evolve(inner, loop=len(node.vars), frames=place.frames))
            case ir.Recur():
                self._recur(node, place)
            case ir.Match():
                self._node(node.value, inner)
                for clause in node.clauses:
                    self._pattern(clause.pattern, place)
                    if clause.guard is not None:
                        self._node(clause.guard, inner)
                    self._node(clause.body, place)
            case ir.Try():
                self._bind((var for catch in node.catches for var in catch.vars), place)
                for part in parts(node):
                    self._node(part, inner)
            case ir.Inlined():
                self._node(node.body, place)
            case ir.Each():
                self._each(node, inner)
            case ir.Push() | ir.Stop():
                if not place.each:
                    raise self._broken("push or stop outside of each")
                self._node(node.value, inner)
            case _:
                for part in parts(node):
                    self._node(part, inner)

    def _each(self, node: ir.Each, place: _Place) -> None:
        for part in (node.init, node.source, node.none):
            if part is not None:
                self._node(part, place)
        self._bind((var for var in (node.item, node.acc, node.again) if var is not None), place)
        self._node(node.body, records.evolve(place, each=True))
        if node.plain is not None:
            self._node(node.plain, place)

    def _recur(self, node: ir.Recur, place: _Place) -> None:
        for arg in node.args:
            self._node(arg, _Place(place.visible))
        if node.frame is None:
            if place.loop is None:
                raise self._broken("recur outside the tail of a loop")
            if len(node.args) != place.loop:
                raise self._broken("recur with another number of arguments than its loop")
        elif node.frame not in place.frames:
            raise self._broken("recur outside the tail of its function")
        elif node.frame in self._widths and len(node.args) != self._widths[node.frame]:
            raise self._broken("recur with another number of arguments than its function")

    def _function(self, fn: ir.Fn, place: _Place) -> None:
        inner = _Place(set(fn.captures), frames=self._groups.get(fn.frame, frozenset({fn.frame})))
        missing = [var for var in fn.captures if var not in place.visible]
        if missing:
            raise self._broken(f"{fn.name} captures {missing[0].name}.{missing[0].number}, which is not bound here")
        for param in (*fn.params, *([fn.rest] if fn.rest else [])):
            self._pattern(param.pattern, inner)
        self._node(fn.body, inner)

    def _pattern(self, pattern: ir.Pattern, place: _Place) -> None:
        self._bind(variables(pattern), place)
        for default in defaults(pattern):
            self._node(default, _Place(place.visible))
