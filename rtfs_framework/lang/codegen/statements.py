"""Statements: nodes whose result goes to a destination; loops, match, try, hints."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import checks, counting, each, in_place, lengths, matching, speculation
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import DROP, MOST_BLOCKS, RETURN, Dest, steady, var_name
from rtfs_framework.lang.codegen.expressions import Expressions
from rtfs_framework.lang.codegen.metering import further_steps
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes import naturals, widths


class Statements(Expressions):
    """The part of the emitter that makes statements."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        super().__init__(unit, program, passes)
        self.frame_vars: dict[ir.FunctionFrame, tuple[str, ...]] = {}
        self.frame_state: dict[ir.FunctionFrame, tuple[str, int]] = {}
        """For a function in a group: the variable that says whose turn it is, and this function's number."""

    def run(self, node: ir.Node, dest: Dest) -> None:  # noqa: C901, PLR0912 - one case per kind of node
        """Emit a node; its value goes to `dest`."""
        if self.owed and self._due(node):
            self.pay(self.line(node.span))
        if dest.check is not None and checks.surely(self, node, dest.check):
            dest = Dest(dest.kind, dest.name)
        match node:
            case ir.Check(result=True, value=value, type=declared) if dest.check is None:
                self.run(value, Dest(dest.kind, dest.name, declared))
            case ir.Do(items=items) if items:
                self._run_items(items, dest)
            case ir.If():
                self._run_if(node, dest)
            case ir.And() | ir.Or() if dest is not DROP and _has_recur(node):
                self._run_junction(node, dest)
            case ir.Loop() | ir.Try() | ir.Hinted() | ir.Each():
                self._run_blocks(node, dest)
            case ir.Recur():
                self._run_recur(node)
            case ir.Match():
                matching.run(self, node, dest)
            case ir.Inlined() if dest.check is not None:  # what is declared is checked where the call stands
                kept = Dest("assign", self.unit.temp("r"))
                self.run(node, kept)
                self.give(py.load(kept.name), dest, self.line(node.span), node)
            case ir.Inlined():
                with self.unit.inlining(node.name, self.line(node.span)):
                    self.run(node.body, dest)
            case ir.Push():
                each.push(self, node)
            case ir.Stop():
                each.stop(self, node)
            case ir.Const() | ir.Local() if dest is DROP:
                return
            case ir.Bind(pattern=ir.PVar()) | ir.SetGlobal() if dest is DROP:
                self.value(node)
            case _:
                self.give(self.value(node), dest, self.line(node.span), node)

    def _run_items(self, items: tuple[ir.Node, ...], dest: Dest) -> None:
        known = "numbers" in self.passes
        for place, item in enumerate(items[:-1], 1):
            if self.owed and self.costs.costly(item):
                self.pay(self.line(item.span))
            self.run(item, DROP)
            if known and speculation.run_rest(self, item, items[place:], dest):
                break
        else:
            self.run(items[-1], dest)

    def _due(self, node: ir.Node) -> bool:
        """Tell whether the function's step is taken here; where a node only chooses, its branches take it."""
        if not self.costs.costly(node):
            return False
        match node:
            case ir.Do():
                return False
            case ir.If(test=test):
                return self.costs.costly(test)
            case ir.Match():
                return self.costs.prepares(node)
            case ir.Loop(inits=inits):  # its own first step is the function's
                return any(map(self.costs.costly, inits))
            case _:
                return True

    def give(self, expression: ast.expr, dest: Dest, line: int, node: ir.Node | None = None) -> None:
        """Send a value to a destination; `node` is what it was made of."""
        if dest.check is not None:
            expression = checks.checked(self, expression, dest.check, node)
        if dest.kind == "return":
            self.emit(ast.Return(expression), line)
        elif dest.kind == "assign":
            if isinstance(expression, ast.Name) and expression.id == dest.name:
                return
            self.emit(py.assign(dest.name, expression), line)
        elif not steady(expression):
            self.emit(ast.Expr(expression), line)

    def inside(self, node: ir.Node, dest: Dest) -> list[ast.stmt]:
        """Return a branch; whether the function has paid on it says nothing about the next branch."""
        owed = self.owed
        with self.block() as made:
            self.run(node, dest)
        self.owed = owed
        return made

    def _run_if(self, node: ir.If, dest: Dest) -> None:
        test = self.test(node.test)
        then = self.inside(node.then, dest) or [ast.Pass()]
        self.emit(ast.If(test, then, self.inside(node.otherwise, dest)), self.line(node.span))

    def _run_junction(self, node: ir.And | ir.Or, dest: Dest) -> None:
        """A junction whose last item goes round a loop: the items before it decide with statements."""
        head, rest = node.items[0], node.items[1:]
        line = self.line(node.span)
        name = self.name_it(self.value(head), line, "j")
        remaining: ir.Node = rest[0] if len(rest) == 1 else type(node)(rest, node.span)
        more = self.inside(remaining, dest)
        with self.block() as done:
            self.give(py.load(name), dest, line)
        then, other = (more, done) if isinstance(node, ir.And) else (done, more)
        self.emit(ast.If(py.is_true(py.load(name), name), then or [ast.Pass()], other), line)

    def _run_blocks(self, node: ir.Loop | ir.Try | ir.Hinted | ir.Each, dest: Dest) -> None:
        """A form that opens blocks. In too many already it becomes a function, for nothing in it jumps out of it."""
        if self.blocks.open > MOST_BLOCKS:
            line = self.line(node.span)
            with self.part() as part:
                self._run_blocks(node, RETURN)
            self.give(self.call_part("part", part, line), dest, line, node)
        elif isinstance(node, ir.Loop):
            self._run_loop(node, dest)
        elif isinstance(node, ir.Try):
            self._run_try(node, dest)
        elif isinstance(node, ir.Each):
            each.run(self, node, dest)
        else:
            self._run_hinted(node, dest)

    def _run_loop(self, node: ir.Loop, dest: Dest) -> None:
        line = self.line(node.span)
        names = tuple(var_name(var) for var in node.vars)
        inits = self.values(node.inits)
        self.owed = False
        widths.learn_loop(node, self.numbers)
        naturals.learn_loop(node, self.numbers)
        found = counting.find(self, node)
        for i, (name, init) in enumerate(zip(names, inits, strict=True)):
            if found is None or i != found.place:
                self.emit(py.assign(name, init), line)
        grown = [name for name, init in zip(names, node.inits, strict=True) if isinstance(init, ir.Fresh)]
        own = dict(zip(node.vars, node.inits, strict=True))
        result = dest if dest.kind == "return" else Dest("assign", self.unit.temp("l"))
        with lengths.kept(self, node.body, node.vars), in_place.asked(self, own, node.body):
            if found is not None:
                counting.Counting(self, node, found, result).emit(inits[found.place], grown)
            else:
                with self.where(loops=(*self.around.loops, names)), self.opened(2):
                    body = self.inside(node.body, result)
                if result.kind == "assign":
                    body = [*body, ast.Break()]
                self.endless(body, line, further_steps(node.body), grown)
        if result.kind == "assign":
            self.give(py.load(result.name), dest, line, node)

    def endless(self, body: list[ast.stmt], line: int, further: int, grown: Sequence[str] = ()) -> None:
        """Emit a loop whose iterations are steps; `continue` starts the next iteration, `break` leaves it.

        Iterations are items of the run's iterator. When that is used up, `rt_refill` looks at the limits, and what the
        loop changes in place (`grown`) is measured.
        """
        if not self.unit.metered:
            self.emit(ast.While(py.const(value=True), body, []), line)
            return
        if further:
            with self.block() as spent:
                self.spend(further, line)
            body = [*spent, *body]
        sizes = [ast.Expr(py.call(self.unit.helper("rt_check_growth"), py.load(name))) for name in grown]
        look = [ast.Expr(py.call(self.unit.helper("rt_refill"))), *sizes, ast.Continue()]
        iterations = ast.For(py.store(self.unit.temp("n")), py.load(self.unit.helper("rt_steps")), body, look)
        self.emit(ast.While(py.const(value=True), [iterations, ast.Break()], []), line)

    def _run_recur(self, node: ir.Recur) -> None:
        line = self.line(node.span)
        own: Sequence[str | None] = self.around.loops[-1] if node.frame is None else self.frame_vars[node.frame]
        names = [name for name in own if name is not None]
        late = list[ast.stmt]()
        with self.where(late=late):
            values = self.values([arg for arg, name in zip(node.args, own, strict=True) if name is not None])
        if node.frame in self.frame_state:
            state, number = self.frame_state[node.frame]
            names, values = [*names, state], [*values, py.const(number)]
        moved = [(n, v) for n, v in zip(names, values, strict=True) if not (isinstance(v, ast.Name) and v.id == n)]
        if len(moved) == 1:
            self.emit(py.assign(*moved[0]), line)
        elif moved:
            self.emit(py.assign_many([n for n, _ in moved], py.tuple_of([v for _, v in moved])), line)
        fn = None if node.frame is None else self.around.trusted.get(node.frame)
        if fn is not None:
            checks.receive(self, fn, names, self.line(fn.span), node.args)
        self.out += late
        self.emit(ast.Continue(), line)

    def _run_try(self, node: ir.Try, dest: Dest) -> None:
        line = self.line(node.span)
        if dest.check is not None:  # what is declared of the result is checked outside: no clause may catch its failure
            temp = self.unit.temp("r")
            self._run_try(node, Dest("assign", temp))
            self.give(py.load(temp), dest, line, node)
            return
        outside = 0 if node.final is None else 1
        with self.opened(1 + outside):
            body = self.inside(node.body, dest) or [ast.Pass()]
        with self.opened(2 + outside):
            handlers = [self._handler(node, dest, line)] if node.catches else []
        final = [] if node.final is None else self._final(node.final, line) or [ast.Pass()]
        self.emit(ast.Try(body, handlers, [], final), line)

    def _final(self, node: ir.Node, line: int) -> list[ast.stmt]:
        """What `finally` does. Python copies it to every way out of a `try`, so one inside another is a function."""
        owed = self.owed
        with self.part() as part:
            self.run(node, DROP)
        self.owed = owed
        if any(isinstance(each, ast.Try | ast.While) for statement in part.statements for each in ast.walk(statement)):
            return [ast.Expr(self.call_part("finally", part, line))]
        return part.statements

    def _handler(self, node: ir.Try, dest: Dest, line: int) -> ast.ExceptHandler:
        caught, error = self.unit.temp("x"), self.unit.temp("e")
        chain: list[ast.stmt] = [ast.Raise(None, None)]
        for catch in reversed(node.catches):
            with self.block() as made:
                for var in catch.vars:
                    self.emit(py.assign(var_name(var), py.load(error)), line)
                self.run(catch.body, dest)
            body = made or [ast.Pass()]
            if catch.kinds is None:
                chain = body
            else:
                chain = [
                    ast.If(py.call(self.unit.helper("rt_is_kind"), py.const(catch.kinds), py.load(error)), body, chain)
                ]
        first = py.assign(error, py.call(self.unit.helper("rt_error"), py.load(caught)))
        handler = ast.ExceptHandler(py.load("Exception"), caught, [first, *chain])
        py.locate(handler, line)
        return handler

    def _run_hinted(self, node: ir.Hinted, dest: Dest) -> None:
        line = self.line(node.span)
        depth = self.unit.temp("d")
        self.emit(py.assign(depth, py.call(self.unit.helper("rt_hints_depth"))), line)
        with self.block() as body, self.opened(1):
            for key, value in node.hints:
                self.emit(ast.Expr(py.call(self.unit.helper("rt_hint"), py.const(key), self.value(value))), line)
            self.run(node.body, dest)
        leave = ast.Expr(py.call(self.unit.helper("rt_hints_leave"), py.load(depth)))
        self.emit(ast.Try(body or [ast.Pass()], [], [], [leave]), line)


def _has_recur(node: ir.Node) -> bool:
    """Tell whether a junction's last item goes round a loop."""
    last: ir.Node = node
    while isinstance(last, ir.And | ir.Or | ir.Do) and last.items:
        last = last.items[-1]
    if isinstance(last, ir.Inlined):
        return _has_recur(last.body)
    if isinstance(last, ir.If):
        return _has_recur(last.then) or _has_recur(last.otherwise)
    if isinstance(last, ir.Match):
        return any(_has_recur(clause.body) for clause in last.clauses)
    return isinstance(last, ir.Recur)
