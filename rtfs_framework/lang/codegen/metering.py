"""Metering: where generated code takes steps.

In: nodes. Out: whether running one may cost more than its own size, and how many further steps a long body takes. A
loop takes a step per iteration; a function takes one when it gets to the first node that may cost, so that a path
without calls (the base case of a recursion) pays nothing. What this looks at is the program alone, never how a node is
emitted: the count of steps must not depend on that.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import defaults, everything, parts

NODES_PER_STEP = 64
"""A body with a longer way through it takes a further step for each so many nodes."""
FREE_ITERATIONS = 8
"""Iterations of a loop that counts and calls nothing which are part of its first step, if there are no more."""

_FREE = frozenset({ir.Const, ir.Local, ir.Global, ir.Builtin, ir.Fn, ir.Letrec})
"""Nodes that only make or read a value."""


class Costs:
    """What is known of the nodes of one program; a node is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ir.Node, bool]] = {}  # keeps the nodes, so that their ids stay theirs

    def costly(self, node: ir.Node) -> bool:
        """Tell whether a node may run for longer than its size says: it calls something, or loops."""
        if node.__class__ in _FREE:
            return False
        found = self._known.get(id(node))
        if found is None:
            found = self._known[id(node)] = (node, self._look(node))
        return found[1]

    def _look(self, node: ir.Node) -> bool:
        match node:
            case ir.Call(function=ir.Builtin(entry=entry), args=args) if entry is not None and entry.cheap:
                return any(map(self.costly, args))
            case ir.Call() | ir.Loop() | ir.Each() | ir.HostName() | ir.Hinted():
                return True
            case ir.Match(clauses=clauses):
                patterns = (part for clause in clauses for part in defaults(clause.pattern))
                return any(map(self.costly, (*parts(node), *patterns)))
            case _:
                return any(map(self.costly, parts(node)))

    def prepares(self, node: ir.Match) -> bool:
        """Tell whether choosing a clause may cost."""
        guards = (clause.guard for clause in node.clauses if clause.guard is not None)
        patterns = (part for clause in node.clauses for part in defaults(clause.pattern))
        return any(map(self.costly, (node.value, *guards, *patterns)))


def further_steps(body: ir.Node) -> int:
    """Return how many further steps a body takes because it is long; functions and loops inside pay for themselves."""
    if len(everything((body,))) < NODES_PER_STEP // 2:
        return 0  # no way is longer than twice the nodes
    return _longest(body) // NODES_PER_STEP


def _longest(node: ir.Node) -> int:
    """Return the nodes on the longest way through a node: of the branches of a choice only one runs."""
    match node:
        case ir.Fn():
            return 1
        case ir.Loop(inits=inits):
            return 1 + sum(map(_longest, inits))
        case ir.If(test=test, then=then, otherwise=otherwise):
            return 1 + _longest(test) + max(_longest(then), _longest(otherwise))
        case ir.Match(value=value, clauses=clauses):
            guards = [_longest(clause.guard) for clause in clauses if clause.guard is not None]
            return (
                1
                + len(clauses)
                + _longest(value)
                + sum(guards)
                + max((_longest(clause.body) for clause in clauses), default=0)
            )
        case _:
            return 1 + sum(map(_longest, parts(node)))
