"""A whole program: its top-level forms become one generated function; the module is compiled to a code object."""

from __future__ import annotations

import ast

from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.codegen.artifact import ENTRY
from rtfs_framework.lang.codegen.emitter import DROP, RETURN
from rtfs_framework.lang.codegen.functions import Emitter
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

EMITTED = frozenset({"numbers", "match", "shortcuts"})
"""The passes that have no IR of their own."""


def emit_program(program: ir.Program, unit: Unit, passes: frozenset[str] = EMITTED) -> ast.Module:
    """Return the Python module of a program; tables go to `unit`. `passes` are those of which codegen does the work."""
    emitter = Emitter(unit, program, passes)
    for node in program.body if "numbers" in passes else ():
        emitter.numbers.learn(node)
    last = len(program.body) - 1
    for i, node in enumerate(program.body):
        emitter.run(node, RETURN if i == last else DROP)
    body: list[ast.stmt] = list(emitter.out)
    if emitter.global_sets:
        body.insert(0, ast.Global(list(emitter.global_sets)))
    main = py.function(ENTRY, (), None, body)
    py.locate(main, unit.line(Span(0, 0)))
    return ast.Module([*emitter.module, main], [])
