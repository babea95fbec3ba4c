"""A whole program: its top-level forms become one generated function; the module is compiled to a code object."""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.artifact import ENTRY
from rtfs_framework.lang.codegen.emitter import DROP, RETURN
from rtfs_framework.lang.codegen.functions import Emitter
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

MOST_IN_A_PART = 100
"""Top-level forms of one Python function."""

EMITTED = frozenset({"numbers", "match", "shortcuts"})
"""The passes that have no IR of their own."""


def emit_program(program: ir.Program, unit: Unit, passes: frozenset[str] = EMITTED) -> ast.Module:
    """Return the Python module of a program; tables go to `unit`. `passes` are those of which codegen does the work."""
    emitter = Emitter(unit, program, passes)
    main = py.function(ENTRY, (), None, _body(emitter, program.body))
    py.locate(main, unit.line(Span(0, 0)))
    return ast.Module([*emitter.module, main], [])


def _body(emitter: Emitter, nodes: Sequence[ir.Node]) -> list[ast.stmt]:
    """Return the statements of top-level nodes; many are put into parts, for Python's own time grows with the square.

    (Its symbol table copies the names of a function for every function in it. For the same reason no function declares
    a name global: top-level names are set by their names, in the dict of Python's globals.)
    """
    if len(nodes) <= MOST_IN_A_PART:
        return _straight(emitter, nodes)
    line = emitter.line(Span(0, 0))
    made: list[ast.stmt] = []
    names: list[str] = []
    for start in range(0, len(nodes), MOST_IN_A_PART):
        name = emitter.unit.function("part")
        emitter.unit.functions[name] = ""  # no frame of its own in an RTFS stack
        part = py.function(name, (), None, _straight(emitter, nodes[start : start + MOST_IN_A_PART], start))
        py.locate(part, line)
        made.append(part)
        names.append(name)
    emitter.module += made
    return [*(ast.Expr(py.call(name)) for name in names[:-1]), ast.Return(py.call(names[-1]))]


def _straight(emitter: Emitter, nodes: Sequence[ir.Node], start: int = 0) -> list[ast.stmt]:
    """Return the statements of top-level nodes from a place on; the last one's value is returned."""
    with emitter.block() as made:
        for place, node in enumerate(nodes, start):
            emitter.numbers.place = place
            emitter.run(node, RETURN if node is nodes[-1] else DROP)
    return made
