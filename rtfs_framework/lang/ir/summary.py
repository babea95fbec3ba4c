"""Summaries: what one walk of a top-level node tells, kept while the node stays, so that passes share it.

A pass that finds in a summary that a node has nothing for it leaves the node alone.
"""

from __future__ import annotations

from collections import Counter

from rtfs_framework.lang import records
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything


@records.frozen(eq=False)
class Summary:
    """What is in a top-level node."""

    nodes: tuple[ir.Node, ...]
    """All of it, itself first."""
    kinds: frozenset[type]
    builtins: frozenset[str]
    """The library functions that it names."""
    globals: frozenset[str]
    """The top-level names that it reads."""
    sets: tuple[str, ...]
    """The top-level names that it sets, each as often as it does."""
    calls_lambda: bool
    """Whether it calls a function where that stands."""


def summary(program: ir.Program, node: ir.Node) -> Summary:
    """Return the summary of a top-level node of a program."""
    found: Summary | None = program.summaries.get(node)
    if found is None:
        found = program.summaries[node] = _look(node)
    return found


def _look(root: ir.Node) -> Summary:
    nodes = tuple(everything((root,)))
    kinds = frozenset(node.__class__ for node in nodes)
    return Summary(
        nodes,
        kinds,
        frozenset(node.name for node in nodes if isinstance(node, ir.Builtin)),
        frozenset(node.name for node in nodes if isinstance(node, ir.Global)) if ir.Global in kinds else frozenset(),
        tuple(node.name for node in nodes if isinstance(node, ir.SetGlobal)) if ir.SetGlobal in kinds else (),
        any(isinstance(node, ir.Call) and isinstance(node.function, ir.Fn) for node in nodes)
        if ir.Fn in kinds
        else False,
    )


def all_nodes(program: ir.Program) -> list[ir.Node]:
    """Return every node of a program."""
    return [node for root in program.body for node in summary(program, root).nodes]


def settings(program: ir.Program) -> Counter[str]:
    """Return how often each top-level name is set."""
    return Counter(name for node in program.body for name in summary(program, node).sets)
