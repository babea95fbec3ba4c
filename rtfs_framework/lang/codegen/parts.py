"""Parts: pieces of an RTFS function that are Python functions of their own, called where they stand.

Python nests at most twenty blocks in one function and copies `finally` to every way out; and a guard's test must be an
expression. A part reads the variables around it like any closure. It declares the local `def`s that it assigns
for those who come after it. On an RTFS stack it has no name: its frame stands for the one around it.
"""

from __future__ import annotations

import ast
from contextlib import contextmanager

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.patterns import Patterns
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir

MOST_BLOCKS = 12
"""Python blocks around a form that opens more: beyond, the form becomes a part. (A form opens up to four at once.)"""


@records.define(eq=False)
class Blocks:
    """What counts within one Python function."""

    open: int = 0
    """Loops, `try`s and handlers around the statement being emitted."""
    known: frozenset[str] = frozenset()
    """Variables of local `def`s that are set in this function or, in a part, around it."""
    handed_out: dict[str, None] = records.field(factory=dict)
    """Those of them that are set again: the `def` itself, after the first setting before its form."""


class Parts(Patterns):
    """The part of the emitter that keeps account of Python's blocks."""

    def __init__(self, unit: Unit, program: ir.Program, passes: frozenset[str]) -> None:
        super().__init__(unit, program, passes)
        self.blocks = Blocks()

    @contextmanager
    def opened(self, count: int) -> Iterator[None]:
        """Count blocks while what stands in them is emitted."""
        self.blocks.open += count
        yield
        self.blocks.open -= count

    @contextmanager
    def new_function(self, blocks: int = 0) -> Iterator[None]:
        """Start the account of a Python function."""
        outer, self.blocks = self.blocks, Blocks(blocks)
        lengths, self.lengths = self.lengths, {}
        yield
        self.blocks, self.lengths = outer, lengths

    def note_definition(self, var: ir.Var, name: str) -> None:
        """Note that a variable is being set, if it is of a local `def` that outlives a part."""
        if not var.leaves_part:
            return
        if name in self.blocks.known:
            self.blocks.handed_out[name] = None
        else:
            self.blocks.known |= {name}

    def begin_part(self) -> tuple[list[ast.stmt], Blocks]:
        """Start what may become a part; returns what `end_part` goes back to."""
        outer = self.block(), self.blocks
        self.blocks = Blocks(0, self.blocks.known)
        return outer

    def end_part(self, outer: tuple[list[ast.stmt], Blocks]) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """End it; returns its statements, and the declarations that they need in a function of their own."""
        blocks = self.blocks
        before, self.blocks = outer
        handed_out = [name for name in blocks.handed_out if name in self.blocks.known]
        self.blocks.handed_out |= dict.fromkeys(handed_out)
        return self.take(before), [ast.Nonlocal(handed_out)] if handed_out else []

    def call_part(self, what: str, statements: list[ast.stmt], line: int) -> ast.expr:
        """Emit a part and return its call."""
        name = self.unit.part(what)
        self.emit(py.function(name, (), None, statements), line)
        return py.call(name)
