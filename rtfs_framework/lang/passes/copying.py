"""Copying: a function's body for another place, with variables and functions of its own there.

In: a body and the function that it moves into. Out: the copy. A variable belongs to the function in which it is bound,
so copies never share any.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterable, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import all_nodes
from rtfs_framework.lang.ir.walk import pattern as with_parts
from rtfs_framework.lang.ir.walk import rebuild, variables
from rtfs_framework.lang.source import Span


class Fresh:
    """Makes variables that a program has not."""

    def __init__(self, program: ir.Program) -> None:
        self._program = program
        self._last = 0

    def var(self, name: str, owner: ir.FunctionFrame, *, looped: bool = False) -> ir.Var:
        """Return a new variable."""
        if not self._last:  # few programs need any
            bound = (var for node in all_nodes(self._program) for var in bound_by(node))
            self._last = max((var.number for var in bound), default=0)
        self._last += 1
        return ir.Var(name, self._last, owner, looped)


class Copy:
    """One copy of a body into the function `owner`; `looped` when it stands in a loop there."""

    def __init__(self, fresh: Fresh, owner: ir.FunctionFrame, *, looped: bool) -> None:
        self._fresh = fresh
        self._owner = owner
        self._looped = looped
        self._vars: dict[ir.Var, ir.Var] = {}
        self._frames: dict[ir.FunctionFrame, ir.FunctionFrame] = {}

    def bind(self, var: ir.Var) -> ir.Var:
        """Return the copy of a variable that is bound in what is copied."""
        made = self._vars.get(var)
        if made is None:
            owner = self._frames.get(var.owner, self._owner)
            looped = var.looped or (self._looped and owner is self._owner)
            made = self._vars[var] = self._fresh.var(var.name, owner, looped=looped)
            made.leaves_part = var.leaves_part
        return made

    def parameter(self, pattern: ir.Pattern, value: ir.Node) -> ir.Pattern | None:
        """Return the copy of a parameter's pattern; None when reading the argument, a variable too, does as well."""
        if isinstance(pattern, ir.PVar) and isinstance(value, ir.Local) and not value.var.leaves_part:
            self._vars[pattern.var] = value.var
            return None
        return self.pattern(pattern)

    def parameters(self, fn: ir.Fn, args: Sequence[ir.Node], span: Span) -> tuple[list[ir.Node], list[ir.Node]]:
        """Return what binds the arguments of a call, and what then checks and takes them apart as the function does."""
        outer: list[ir.Node] = []
        checks: list[ir.Node] = []
        patterns: list[ir.Node] = []
        for param, arg in zip(fn.params, args, strict=True):
            named = isinstance(param.pattern, ir.PVar)
            if named and param.type is None:
                pattern = self.parameter(param.pattern, arg)
                outer += [] if pattern is None else [ir.Bind(pattern, arg, None, arg.span)]
                continue
            given = arg
            if not isinstance(arg, ir.Local) or arg.var.leaves_part:
                var = self._fresh.var("given", self._owner, looped=self._looped)
                outer.append(ir.Bind(ir.PVar(var), arg, None, arg.span))
                given = ir.Local(var, span)
            if named:
                checks.append(ir.Bind(self.pattern(param.pattern), given, param.type, fn.span))
                continue
            checks += [] if param.type is None else [ir.Check(given, param.type, fn.span)]
            patterns.append(ir.Bind(with_parts(param.pattern, self.node, self.bind), given, None, fn.span))
        return outer, checks + patterns

    def body(self, fn: ir.Fn) -> ir.Node:
        """Return the copy of a function's body, with the check of its result."""
        made = self.node(fn.body)
        return made if fn.returns is None else ir.Check(made, fn.returns, fn.body.span, result=True)

    def node(self, node: ir.Node) -> ir.Node:
        """Return the copy of a node."""
        match node:
            case ir.Local(var=var):
                return ir.Local(self._vars.get(var, var), node.span)
            case ir.Fn():
                return self._function(node)
            case ir.Recur(frame=frame) if frame is not None:
                node = records.evolve(node, frame=self._frames.get(frame, frame))
            case ir.Bind():
                node = records.evolve(node, pattern=self.pattern(node.pattern))
            case ir.Loop():
                node = records.evolve(node, vars=tuple(map(self.bind, node.vars)))
            case ir.Letrec():
                node = records.evolve(node, bindings=tuple((self.bind(var), fn) for var, fn in node.bindings))
            case ir.Match():
                clauses = tuple(records.evolve(c, pattern=self.pattern(c.pattern)) for c in node.clauses)
                node = records.evolve(node, clauses=clauses)
            case ir.Try():
                caught = tuple(records.evolve(c, vars=tuple(map(self.bind, c.vars))) for c in node.catches)
                node = records.evolve(node, catches=caught)
            case ir.Grow() | ir.Look() | ir.Freeze():
                node = records.evolve(node, var=self._vars.get(node.var, node.var))
            case ir.Each():
                names = {
                    name: None if var is None else self.bind(var)
                    for name, var in (("item", node.item), ("acc", node.acc), ("again", node.again))
                }
                node = records.evolve(node, **names)  # type: ignore[arg-type]
            case _:
                pass
        return rebuild(node, self.node)

    def _function(self, fn: ir.Fn) -> ir.Fn:
        self._frames[fn.frame] = frame = ir.FunctionFrame(self._frame(fn.frame.parent), fn.frame.loops)
        params = tuple(records.evolve(param, pattern=self.pattern(param.pattern)) for param in fn.params)
        rest = None if fn.rest is None else records.evolve(fn.rest, pattern=self.pattern(fn.rest.pattern))
        captures = tuple(self._vars.get(var, var) for var in fn.captures)
        made = rebuild(records.evolve(fn, params=params, rest=rest, frame=frame, captures=captures), self.node)
        assert isinstance(made, ir.Fn)  # noqa: S101 - of its kind
        return made

    def _frame(self, frame: ir.FunctionFrame | None) -> ir.FunctionFrame:
        return self._owner if frame is None else self._frames.get(frame, self._owner)

    def pattern(self, pattern: ir.Pattern) -> ir.Pattern:
        """Return the copy of a pattern, with variables of its own; its default values are copied with its node."""
        return with_parts(pattern, lambda node: node, self.bind)


def bound_by(node: ir.Node) -> Iterable[ir.Var]:
    """Yield the variables that a node itself binds."""
    match node:
        case ir.Bind(pattern=pattern):
            yield from variables(pattern)
        case ir.Loop(vars=names):
            yield from names
        case ir.Letrec(bindings=bindings):
            yield from (var for var, _ in bindings)
        case ir.Fn():
            for param in (*node.params, *([node.rest] if node.rest else [])):
                yield from variables(param.pattern)
        case ir.Match(clauses=clauses):
            for clause in clauses:
                yield from variables(clause.pattern)
        case ir.Try(catches=catches):
            for catch in catches:
                yield from catch.vars
        case ir.Each():
            yield from (var for var in (node.item, node.acc, node.again) if var is not None)
        case _:
            return
