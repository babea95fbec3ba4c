"""Loops that count, as Python's `for` over a range.

Where iterations take steps, only a loop that calls nothing and does not end early is made so, for its steps can be
taken ahead: a few iterations are part of the loop's first step, and a longer loop is cut into stretches, each as long
as `rt_ahead` has taken steps for.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING, Sequence
from rtfs_framework.lang.codegen import lengths
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.emitter import Dest, var_name
from rtfs_framework.lang.codegen.metering import FREE_ITERATIONS, further_steps
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.counted import Counted, counted, mentions

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.statements import Statements

_NEVER = 1 << 62
"""So far no loop goes."""


def find(emitter: Statements, node: ir.Loop) -> Counted | None:
    """Return how a loop counts, if it is to be a Python `for`."""
    if "numbers" not in emitter.passes:
        return None
    if emitter.unit.metered and (emitter.costs.costly(node.body) or further_steps(node.body)):
        return None
    return counted(node, emitter.numbers)


class Counting:
    """Emits one loop."""

    def __init__(self, emitter: Statements, node: ir.Loop, found: Counted, result: Dest) -> None:
        self._emitter = emitter
        self._node = node
        self._found = found
        self._result = result
        self._line = emitter.line(node.span)
        self._var = var_name(node.vars[found.place])

    def emit(self, start: ast.expr, grown: Sequence[str]) -> None:
        """Emit the loop; `start` is where it begins, `grown` what it changes in place."""
        first = self._steady(start)
        bound = self._bound(first)
        if self._emitter.unit.metered:
            self._stretches(first, bound, grown)
        else:
            self._plain(first, bound)

    def _steady(self, expression: ast.expr) -> ast.expr:
        """Return an expression that may be read more than once, and that the loop does not change."""
        if isinstance(expression, ast.Constant) or py.is_local(expression):
            return expression
        name = self._emitter.unit.temp("c")
        self._emitter.emit(py.assign(name, expression), self._line)
        return py.load(name)

    def _bound(self, first: ast.expr) -> ast.expr:
        """Return the first number that is not counted."""
        found = self._found
        made = self._emitter.value(found.bound)
        if found.beyond:
            made = _sum(made, found.beyond)
        made = self._steady(made)
        if not found.meets:
            return made
        never = _sum(py.again(first), _NEVER if found.step > 0 else -_NEVER)
        order: ast.cmpop = ast.GtE() if found.step > 0 else ast.LtE()
        if isinstance(made, ast.Constant) and isinstance(first, ast.Constant):
            reached = made.value >= first.value if found.step > 0 else made.value <= first.value  # type: ignore[operator]
            return made if reached else never
        return self._steady(py.either(py.compare(made, order, first), py.again(made), never))

    def _round(self) -> list[ast.stmt]:
        """Return the statements of an iteration."""
        emitter, found = self._emitter, self._found
        own = tuple(None if var_name(var) == self._var else var_name(var) for var in self._node.vars)
        is_below = found.step > 0 and not found.beyond and not found.meets
        below = lengths.below(emitter, self._node.vars[found.place], found.bound) if is_below else emitter.around.below
        with emitter.where(loops=(*emitter.around.loops, own), below=below), emitter.opened(2):
            return emitter.inside(found.body, self._result)

    def _after(self, first: ast.expr, bound: ast.expr) -> list[ast.stmt]:
        """Return what comes after the last iteration."""
        emitter, found = self._emitter, self._found
        with emitter.block() as made:
            if mentions(found.after, {self._node.vars[found.place]}):
                emitter.emit(py.assign(self._var, self._final(first, bound)), self._line)
            emitter.run(found.after, self._result)
        return made

    def _final(self, first: ast.expr, bound: ast.expr) -> ast.expr:
        """Return what the variable is after the last iteration."""
        step = self._found.step
        if self._found.meets:
            return py.again(bound)
        if abs(step) == 1:
            order: ast.cmpop = ast.Gt() if step > 0 else ast.Lt()
            return py.either(py.compare(py.again(bound), order, py.again(first)), py.again(bound), py.again(first))
        iterations = py.call("len", self._range(first, bound))
        return ast.BinOp(py.again(first), ast.Add(), ast.BinOp(py.const(step), ast.Mult(), iterations))

    def _range(self, first: ast.expr, bound: ast.expr) -> ast.expr:
        step = [] if self._found.step == 1 else [py.const(self._found.step)]
        return py.call("range", py.again(first), py.again(bound), *step)

    def _plain(self, first: ast.expr, bound: ast.expr) -> None:
        """Emit the loop without steps."""
        body, after = self._round(), self._after(first, bound)
        self._emitter.emit(ast.For(py.store(self._var), self._range(first, bound), body, []), self._line)
        self._emitter.out.extend(after)

    def _stretches(self, first: ast.expr, bound: ast.expr, grown: Sequence[str]) -> None:
        """Emit the loop with its steps."""
        emitter, line = self._emitter, self._line
        emitter.pay(line)
        at, end = emitter.unit.temp("c"), emitter.unit.temp("c")
        emitter.emit(py.assign(at, py.again(first)), line)
        emitter.emit(py.assign(end, self._first_end(first, bound)), line)
        body = self._round()
        sizes: list[ast.stmt] = [
            ast.Expr(py.call(emitter.unit.helper("rt_check_growth"), py.load(name))) for name in grown
        ]
        goes_on = py.compare(py.load(end), ast.NotEq(), py.again(bound))
        onwards = [py.assign(at, py.load(end)), py.assign(end, self._ahead(first, py.load(at), bound))]
        with emitter.block() as stretches:
            emitter.emit(ast.For(py.store(self._var), self._range(py.load(at), py.load(end)), body, []), line)
            emitter.emit(ast.If(goes_on, [*onwards, *sizes, ast.Continue()], []), line)
            emitter.out.extend(self._after(first, bound))
            if self._result.kind == "assign":
                emitter.emit(ast.Break(), line)
        emitter.emit(ast.While(py.const(value=True), stretches, []), line)

    def _first_end(self, first: ast.expr, bound: ast.expr) -> ast.expr:
        """Return where the first stretch ends: a few iterations are part of the step that the loop has taken."""
        step = self._found.step
        far = (py.again(bound), py.again(first)) if step > 0 else (py.again(first), py.again(bound))
        few = py.compare(ast.BinOp(far[0], ast.Sub(), far[1]), ast.LtE(), py.const(FREE_ITERATIONS * abs(step)))
        return py.either(few, py.again(bound), self._ahead(first, first, bound))

    def _ahead(self, first: ast.expr, at: ast.expr, bound: ast.expr) -> ast.expr:
        places = [py.again(place) for place in (first, at, bound)]
        return py.call(self._emitter.unit.helper("rt_ahead"), *places, py.const(self._found.step))


def _sum(expression: ast.expr, number: int) -> ast.expr:
    if isinstance(expression, ast.Constant):
        return py.const(expression.value + number)  # type: ignore[operator]
    return ast.BinOp(expression, ast.Add(), py.const(number))
