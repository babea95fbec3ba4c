"""Narrowing: what is known of a variable once something has been computed with it, or a test has asked for its class.

In: a node that has run, or a test that holds, and the nodes that run then. Out: what is known in them. `nth` takes no
place but an integer: where it has given an item, the place was one.
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


_ASKED = {
    "int?": Kind.INT,
    "float?": Kind.FLOAT,
    "string?": Kind.STRING,
    "vector?": Kind.VECTOR,
    "map?": Kind.MAP,
}
"""Questions for the class of a value, by name."""


def where(test: ir.Node, rest: Sequence[ir.Node], numbers: Numbers) -> Numbers:
    """Return what is known in nodes that run where a test holds."""
    found = {var: kind for var, kind in _answers(test) if numbers.vars.get(var) is None and not var.leaves_part}
    if not found:
        return numbers
    reads = {part.var for each in rest for part in everything((each,)) if isinstance(part, ir.Local)}
    for var, kind in found.items():
        if var in reads:
            numbers = numbers.supposing(var, kind)
            for each in rest:
                numbers.learn(each)
            numbers.settled()
    return numbers


def _answers(test: ir.Node) -> Iterator[tuple[ir.Var, Kind]]:
    """Yield the kinds of variables where a test holds."""
    match test:
        case ir.Call(function=ir.Builtin(name=name), args=[ir.Local(var=var)]) if name in _ASKED:
            yield var, _ASKED[name]
        case ir.And(items=items):
            for item in items:
                yield from _answers(item)
        case _:
            return


def after(node: ir.Node, rest: Sequence[ir.Node], numbers: Numbers) -> Numbers:
    """Return what is known in the nodes that run after a node."""
    places = dict.fromkeys(_places(node, _DEEPEST))
    found = [var for var in places if numbers.vars.get(var) is None and not var.leaves_part]
    if not found:
        return numbers
    nodes = [part for each in rest for part in everything((each,))]
    for var in found:
        if uses_as_number(var, nodes) or any(is_place(var, part) for part in nodes):
            numbers = numbers.supposing(var, Kind.INT)
            for each in rest:
                numbers.learn(each)
            numbers.settled()
    return numbers


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
