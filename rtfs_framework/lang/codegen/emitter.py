"""The emitter: IR nodes to Python expressions, with the statements that must run before them.

`value` returns an expression and appends statements to `out`; `run` emits a node as statements whose result goes to a
destination. Evaluation order is kept: what an earlier sibling computed is put into a temporary before a later
sibling's statements.
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Iterator, Mapping, Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.metering import Costs
from rtfs_framework.lang.codegen.names import hint
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.numbers import Numbers
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
MOST_BLOCKS = 12
"""Python blocks around a form that opens more: beyond, the form becomes a part. (A form opens up to four at once.)"""


@records.frozen(eq=False)
class Around:
    """What is known around the place that is emitted."""

    numbers: Numbers
    lengths: Mapping[ir.Var, str] = records.field(factory=dict)
    """What holds the lengths of vectors that the loops around look into (`lengths`)."""
    below: frozenset[tuple[ir.Var, ir.Var]] = frozenset()
    """Places of which each surely is one of a vector (`lengths`)."""
    loops: tuple[tuple[str | None, ...], ...] = ()
    """The Python names of the variables of the loops around, the innermost last; None where Python itself counts."""
    eaches: tuple[str, ...] = ()
    """What the `Each` loops around collect into, the innermost last."""
    trusted: Mapping[ir.FunctionFrame, ir.Fn] = records.field(factory=dict)
    """Functions whose version without checks is being emitted: what jumps pass is checked where they start."""
    found: Mapping[ir.Look, str] = records.field(factory=dict)
    """What holds the answers to questions that were asked already."""
    gets: Mapping[ir.Var, str] = records.field(factory=dict)
    """What holds the method `get` of the dicts that the loops around change in place (`in_place.asked`)."""
    late: list[ast.stmt] = records.field(factory=list)
    """Changes in place that wait until all that the iteration of a loop passes on is computed."""


@records.define(eq=False)
class Blocks:
    """What counts within one Python function."""

    open: int = 0
    """Loops, `try`s and handlers around the statement being emitted."""
    known: frozenset[str] = frozenset()
    """Variables of local `def`s that are set in this function or, in a part, around it."""
    handed_out: dict[str, None] = records.field(factory=dict)
    """Those of them that are set again: the `def` itself, after the first setting before its form."""


@records.frozen(eq=False)
class Part:
    """A piece of an RTFS function that may become a Python function of its own, called where it stands.

    Python nests at most twenty blocks in one function and copies `finally` to every way out; and a guard's test must be
    an expression. A part reads the variables around it like any closure. It declares the local `def`s that it assigns
    for those who come after it. On an RTFS stack it has no name: its frame stands for the one around it.
    """

    statements: list[ast.stmt]
    declared: list[ast.stmt] = records.field(factory=list)
    """The declarations that the statements need in a function of their own."""


class Block:
    """A block while its statements are emitted: a class, for there are many, and a generator takes twice as long."""

    def __init__(self, emitter: EmitterBase) -> None:
        self.emitter = emitter
        self.outer = emitter.out

    def __enter__(self) -> list[ast.stmt]:
        self.emitter.out = made = list[ast.stmt]()
        return made

    def __exit__(self, *_: object) -> None:
        self.emitter.out = self.outer


class EmitterBase:
    """State and the small tools that the emitter's parts share."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        self.unit = unit
        self.line = unit.line
        """Gives the line that stands for a span."""
        self.passes = passes
        self.functions = program.functions
        self.defined_names = program.defined
        self.function_vars: set[ir.Var] = set()
        self.around = Around(Numbers())
        self.blocks = Blocks()
        self.out: list[ast.stmt] = []
        self.costs = Costs()
        self.owed = False
        """Whether the function being emitted has yet to take its step on the path that is emitted."""
        self.stated: dict[int, ir.Node] = {}
        """Junctions that are known to need statements, by id: to try each one again would take exponential time."""

    @property
    def numbers(self) -> Numbers:
        """What is known of variables around this place."""
        return self.around.numbers

    # -- places --------------------------------------------------------------------------------------------------

    @contextmanager
    def where(self, **known: Any) -> Iterator[None]:
        """Emit something where other things are known around it (fields of `Around`)."""
        outer, self.around = self.around, records.evolve(self.around, **known)
        yield
        self.around = outer

    def block(self) -> Block:
        """Collect the statements of a block of its own."""
        return Block(self)

    @contextmanager
    def opened(self, count: int) -> Iterator[None]:
        """Count blocks while what stands in them is emitted."""
        self.blocks.open += count
        yield
        self.blocks.open -= count

    @contextmanager
    def new_function(self, *, owes: bool = False, blocks: int = 0) -> Iterator[list[ast.stmt]]:
        """Collect the statements of a Python function."""
        outer, owed, around = self.blocks, self.owed, self.around
        self.blocks, self.owed = Blocks(blocks), owes
        if around.lengths or around.loops:
            self.around = records.evolve(around, lengths={}, loops=())
        with self.block() as made:
            yield made
        self.blocks, self.owed, self.around = outer, owed, around

    @contextmanager
    def part(self) -> Iterator[Part]:
        """Collect the statements of what may become a part."""
        outer, self.blocks = self.blocks, Blocks(0, self.blocks.known)
        with self.block() as made:
            part = Part(made)
            yield part
        handed_out = [name for name in self.blocks.handed_out if name in outer.known]
        outer.handed_out |= dict.fromkeys(handed_out)
        part.declared.extend([ast.Nonlocal(handed_out)] if handed_out else [])
        self.blocks = outer

    def call_part(self, what: str, part: Part, line: int) -> ast.expr:
        """Emit a part as a function and return its call."""
        name = self.unit.part(what)
        self.emit(py.function(name, (), None, [*part.declared, *part.statements]), line)
        return py.call(name)

    def note_definition(self, var: ir.Var, name: str) -> None:
        """Note that a variable is being set, if it is of a local `def` that outlives a part."""
        if not var.leaves_part:
            return
        if name in self.blocks.known:
            self.blocks.handed_out[name] = None
        else:
            self.blocks.known |= {name}

    # -- statements ----------------------------------------------------------------------------------------------

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

    def name_it(self, expression: ast.expr, line: int, what: str = "t") -> str:
        """Return a local name that holds an expression's value."""
        if isinstance(expression, ast.Name) and py.is_local(expression):
            return expression.id
        temp = self.unit.temp(what)
        self.emit(py.assign(temp, expression), line)
        return temp


def steady(expression: ast.expr) -> bool:
    """Tell whether later statements cannot change what an expression gives (and it has no effect)."""
    if isinstance(expression, ast.Constant):
        return True
    return isinstance(expression, ast.Name) and not expression.id.startswith("G__")


def only_definitions(statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements only make functions: they have no effect and cannot fail."""
    return all(isinstance(s, ast.FunctionDef) for s in statements)
