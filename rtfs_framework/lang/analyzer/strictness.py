"""Where a ticket's answer is meant although only its name stands there. In: IR of parts. Out: the same, with awaits.

A local name that is bound to a ticket right where that is made surely holds one. Where such a name is tested, matched,
or given to a function of the library that looks at it, its answer is meant, and is awaited there. All else is told
when it happens: a ticket is a value of its own kind.
"""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.ticketed import AWAIT, is_ticket

_KEEPING = frozenset({
    "await", "await-all", "ticket?", "vector", "list", "conj", "cons", "assoc", "hash-map", "identity", "set", "into",
})  # fmt: skip
"""Functions of the library that keep what they are given as it is, or know tickets."""


def looked_into(analyzer: AnalyzerBase, node: ir.Node) -> ir.Node:
    """Return what a node means where its value is looked at: of what surely is a ticket, the answer."""
    if is_ticket(node) or (isinstance(node, ir.Local) and node.var in analyzer.tickets):
        return ir.Call(ir.Builtin.of(analyzer.library, AWAIT, node.span), (node,), node.span)
    return node


def looked_at(analyzer: AnalyzerBase, function: ir.Node, args: tuple[ir.Node, ...]) -> tuple[ir.Node, ...]:
    """Return the arguments of a function of the library: it looks at them, unless it only keeps them."""
    if isinstance(function, ir.Builtin) and function.name in _KEEPING:
        return args
    return tuple([looked_into(analyzer, each) for each in args])
