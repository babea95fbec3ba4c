"""Functions of several arities: calls with a known number of arguments go straight to the arity they mean.

In: a program. Out: the same, with calls of top-level functions that are defined once as calls of the hidden name of an
arity, where the passes that follow treat it like any function. (Calls of local ones were settled with their scopes.)
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.arity import Shape, chosen
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import settings, summary
from rtfs_framework.lang.ir.walk import rebuild
from rtfs_framework.lang.library import Library

Several = dict[str, list[tuple[str, Shape]]]
"""The hidden names of a function's arities, and what each takes."""


def settle_arities(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with direct calls of arities."""
    several = _several(program)
    if not several:
        return program
    body = tuple(
        node if summary(program, node).globals.isdisjoint(several) else _direct(node, several) for node in program.body
    )
    return records.evolve(program, body=body)


def _several(program: ir.Program) -> Several:
    found = {node.name: node.value for node in program.body if isinstance(node, ir.SetGlobal)}
    if not any(isinstance(value, ir.Arities) for value in found.values()):
        return {}
    count = settings(program)
    shapes = {name: value.shape for name, value in found.items() if isinstance(value, ir.Fn)}
    return {
        name: [(each.name, shapes[each.name]) for each in value.functions if isinstance(each, ir.Global)]
        for name, value in found.items()
        if isinstance(value, ir.Arities) and count[name] == 1 and name in program.functions
    }


def _direct(node: ir.Node, several: Several) -> ir.Node:
    made = rebuild(node, lambda part: _direct(part, several))
    if not (isinstance(made, ir.Call) and isinstance(made.function, ir.Global) and made.function.name in several):
        return made
    arities = several[made.function.name]
    place = chosen((shape for _, shape in arities), len(made.args))
    if place is None:
        return made
    return records.evolve(made, function=ir.Global(arities[place][0], made.function.span))
