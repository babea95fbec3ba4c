"""Functions of several arities: calls with a known number of arguments go straight to the arity they mean.

In: a program. Out: the same, with calls of top-level functions that are defined once as calls of the hidden name of an
arity, where the passes that follow treat it like any function. (Calls of local ones were settled with their scopes.)
"""

from __future__ import annotations

from collections import Counter

from rtfs_framework.lang import records
from rtfs_framework.lang.arity import Shape, chosen
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything, rebuild
from rtfs_framework.lang.library import Library

Several = dict[str, list[tuple[str, Shape]]]
"""The hidden names of a function's arities, and what each takes."""


def settle_arities(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with direct calls of arities."""
    several = _several(program)
    if not several:
        return program
    return records.evolve(program, body=tuple(_direct(node, several) for node in program.body))


def _several(program: ir.Program) -> Several:
    found = [node for node in program.body if isinstance(node, ir.SetGlobal) and isinstance(node.value, ir.Arities)]
    if not found:
        return {}
    sets = [node for node in everything(program.body) if isinstance(node, ir.SetGlobal)]
    count = Counter(node.name for node in sets)
    shapes = {node.name: node.value.shape for node in sets if isinstance(node.value, ir.Fn)}
    return {
        node.name: [(each.name, shapes[each.name]) for each in node.value.functions if isinstance(each, ir.Global)]
        for node in found
        if count[node.name] == 1 and node.name in program.functions and isinstance(node.value, ir.Arities)
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
