"""The emitter: IR nodes to Python expressions, with the statements that must run before them.

`value` returns an expression and appends statements to `out`; `run` emits a node as statements whose result goes to a
destination. Evaluation order is kept: what an earlier sibling computed is put into a temporary before a later
sibling's statements.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.metering import Costs
from rtfs_framework.lang.codegen.names import hint
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.numbers import Numbers
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.types.model import Type


@records.frozen()
class Dest:
    """Where a result goes: `kind` is "return", "assign" or "drop"; `check` is a type that it must fit."""

    kind: str
    name: str = ""
    check: Type | None = None


DROP = Dest("drop")
RETURN = Dest("return")


def var_name(var: ir.Var) -> str:
    """Return the Python name of a local variable."""
    return f"{hint(var.name)}_{var.number}"


_FEW = 8


class EmitterBase:
    """State and the small tools that the emitter's parts share."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        self.unit = unit
        self.passes = passes
        self.functions = program.functions
        self.defined_names = program.defined
        self.numbers = Numbers()
        self.function_vars: set[ir.Var] = set()
        self.out: list[ast.stmt] = []
        self.costs = Costs()
        self.owed = False
        """Whether the function being emitted has yet to take its step on the path that is emitted."""
        self.lengths: dict[ir.Var, str] = {}
        """What holds the lengths of vectors that the loops around this place look into (`lengths`); never changed."""
        self.loop_vars: list[tuple[str | None, ...]] = []
        """The Python names of the variables of the loops around this place; None where Python itself counts."""
        self.late: list[ast.stmt] = []
        """Changes in place that wait until all that the round of a loop passes on is computed."""
        self.stated: dict[int, ir.Node] = {}
        """Junctions that are known to need statements, by id: to try each one again would take exponential time."""

    def emit(self, statement: ast.stmt, line: int) -> None:
        """Append a statement."""
        py.locate(statement, line)
        self.out.append(statement)

    def spend(self, steps: int, line: int) -> None:
        """Take several steps: a few one by one, which is cheaper than a call."""
        if steps <= _FEW:
            for _ in range(steps):
                self._step(line)
        else:
            self.emit(ast.Expr(py.call(self.unit.helper("rt_spend"), py.const(steps))), line)

    def pay(self, line: int) -> None:
        """Take the step of a function."""
        self.owed = False
        self._step(line)

    def _step(self, line: int) -> None:
        """Take a step: an item of the run's iterator, the cheapest counter that Python has."""
        steps, used_up = self.unit.helper("rt_steps"), ast.Expr(py.call(self.unit.helper("rt_step")))
        self.emit(ast.For(py.store(self.unit.temp("n")), py.load(steps), [ast.Break()], [used_up]), line)

    def at(self, expression: ast.expr, line: int) -> ast.expr:
        """Give a line to an expression's parts that have none."""
        py.locate(expression, line)
        return expression

    def block(self) -> list[ast.stmt]:
        """Start a block of its own; returns the block to go back to with `self.out = ...`."""
        outer, self.out = self.out, []
        return outer

    def take(self, outer: list[ast.stmt]) -> list[ast.stmt]:
        """End a block; returns its statements."""
        inner, self.out = self.out, outer
        return inner

    def name_it(self, expression: ast.expr, line: int, what: str = "t") -> str:
        """Return a local name that holds an expression's value."""
        if isinstance(expression, ast.Name) and "__" not in expression.id:
            return expression.id
        temp = self.unit.temp(what)
        self.emit(py.assign(temp, expression), line)
        return temp

    def line(self, span: Span) -> int:
        """Return the line that stands for a span."""
        return self.unit.line(span)


def steady(expression: ast.expr) -> bool:
    """Tell whether later statements cannot change what an expression gives (and it has no effect)."""
    if isinstance(expression, ast.Constant):
        return True
    return isinstance(expression, ast.Name) and not expression.id.startswith("G__")


def only_definitions(statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements only make functions: they have no effect and cannot fail."""
    return all(isinstance(s, ast.FunctionDef) for s in statements)
