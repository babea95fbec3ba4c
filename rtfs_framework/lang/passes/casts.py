"""Casts: checks of declared types that surely hold are left out.

In: a program. Out: the program without the `Check`s, the types of `let` and the declared results for which every value
is proved to fit (`proofs`). A parameter is always checked where it comes in, and so is what a host gives. Nothing is
known here of the program's other functions and of the names of types: codegen asks again, when it knows them.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, changed
from rtfs_framework.lang.ir.walk import rebuild
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.passes.numbers import Numbers
from rtfs_framework.lang.types.model import Type


def drop_casts(program: ir.Program, library: Library) -> ir.Program:  # noqa: ARG001 - the shape of a pass
    """Return the program without checks that surely hold."""
    return changed(program, _settled)


def _settled(root: ir.Node, seen: Summary) -> ir.Node:
    nodes = [node for kind in (ir.Check, ir.Bind, ir.Fn) for node in seen.by_kind.get(kind, ())]
    declared = [(node, *found) for node in nodes if (found := _declared(node)) is not None]
    if not declared:
        return root
    numbers = Numbers()
    numbers.learn(root)
    proved = {node for node, value, type_ in declared if numbers.fits(value, type_)}
    return _without(root, proved) if proved else root


def _declared(node: ir.Check | ir.Bind | ir.Fn) -> tuple[ir.Node, Type] | None:
    """Return what is checked and the type that it must fit; a parameter's does not count."""
    declared = node.type if not isinstance(node, ir.Fn) else None if node.linked else node.returns
    return None if declared is None else (node.body if isinstance(node, ir.Fn) else node.value, declared)


def _without(node: ir.Node, proved: set[ir.Node]) -> ir.Node:
    """Return a node without the checks of some nodes in it."""
    made = rebuild(node, lambda part: _without(part, proved))
    if node not in proved:
        return made
    match made:
        case ir.Check(value=value):
            return value
        case ir.Fn():
            return records.evolve(made, returns=None)
        case _:
            assert isinstance(made, ir.Bind)  # noqa: S101 - `_declared` knows no others
            return records.evolve(made, type=None)
