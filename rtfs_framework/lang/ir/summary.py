"""Summaries: what one walk of a top-level node tells, kept while the node stays, so that passes share it.

A pass that finds in a summary that a node has nothing for it leaves the node alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import is_

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Any, Callable, Mapping, TypeVar
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything

N = TypeVar("N", bound=ir.Node)


@records.frozen(eq=False)
class Summary:
    """What is in a top-level node."""

    nodes: list[ir.Node]
    """All of it, itself first."""
    by_kind: Mapping[type, list[Any]]
    """The same by their classes."""
    functions: frozenset[str]
    """The library functions that it names: what operation each is, or its name."""
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
    nodes = everything((root,))
    found: dict[type, list[Any]] = defaultdict(list)
    for node in nodes:
        found[node.__class__].append(node)
    by_kind = dict(found)
    return Summary(
        nodes,
        by_kind,
        frozenset([node.op or node.name for node in by_kind.get(ir.Builtin, ())]),
        frozenset([node.name for node in by_kind.get(ir.Global, ())]),
        tuple([node.name for node in by_kind.get(ir.SetGlobal, ())]),
        any(node.function.__class__ is ir.Fn for node in by_kind.get(ir.Call, ())),
    )


def all_nodes(program: ir.Program) -> list[ir.Node]:
    """Return every node of a program."""
    return [node for root in program.body for node in summary(program, root).nodes]


def all_by_kind(program: ir.Program) -> dict[type, list[Any]]:
    """Return every node of a program by its class, in order."""
    found: dict[type, list[Any]] = defaultdict(list)
    for root in program.body:
        for kind, nodes in summary(program, root).by_kind.items():
            found[kind] += nodes
    return dict(found)


def all_of(program: ir.Program, kind: type[N]) -> list[N]:
    """Return every node of a class in a program."""
    return [node for root in program.body for node in summary(program, root).by_kind.get(kind, ())]


def changed(program: ir.Program, change: Callable[[ir.Node, Summary], ir.Node]) -> ir.Program:
    """Return a program with its top-level nodes changed; the same where none is."""
    body = tuple(change(node, summary(program, node)) for node in program.body)
    return program if all(map(is_, body, program.body)) else records.evolve(program, body=body)


def read(program: ir.Program) -> frozenset[str]:
    """Return the top-level names that a program itself reads."""
    return frozenset[str]().union(*(summary(program, node).globals for node in program.body))


def settings(program: ir.Program) -> Counter[str]:
    """Return how often each top-level name is set."""
    return Counter(name for node in program.body for name in summary(program, node).sets)
