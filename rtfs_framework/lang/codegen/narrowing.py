"""Narrowing: what is known of a variable once something has been computed with it.

In: a node that has run, and the nodes that run after it. Out: what is known in them. `nth` takes no place but an
integer: where it has given an item, the place was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Numbers
from rtfs_framework.lang.passes.wants import is_place, uses_as_number

_DEEPEST = 4
"""Nodes inside each other that are looked at."""


def after(node: ir.Node, rest: Sequence[ir.Node], numbers: Numbers) -> Numbers:
    """Return what is known in the nodes that run after a node."""
    found = {var for var in _places(node, _DEEPEST) if numbers.vars.get(var) is None and not var.leaves_part}
    if not found:
        return numbers
    nodes = [part for each in rest for part in everything((each,))]
    for var in found:
        if uses_as_number(var, nodes) or any(is_place(var, part) for part in nodes):
            numbers = numbers.supposing(var, Kind.INT)
            for each in rest:
                numbers.learn(each)
    return numbers.settled()


def _places(node: ir.Node, depth: int) -> Iterator[ir.Var]:
    """Yield the variables that are places in calls of `nth` which surely run when a node does."""
    if depth == 0:
        return
    match node:
        case ir.Call(function=ir.Builtin(name="nth"), args=[items, ir.Local(var=var), *_]):
            yield var
            yield from _places(items, depth - 1)
        case ir.Call(function=ir.Builtin(), args=args):
            for arg in args:
                yield from _places(arg, depth - 1)
        case ir.Bind(value=value) | ir.Check(value=value):
            yield from _places(value, depth - 1)
        case ir.If(test=test):
            yield from _places(test, depth - 1)
        case _:
            return
