"""Growing in place: a vector or map that a loop builds, and that nobody else can see before the loop ends.

In: a program. Out: the same, where a loop's variable starts from a literal, every iteration leaves it alone or passes
on `(conj v ...)`, `(pop v)` or `(assoc c k v)` of it, and all else that an iteration does with it is to ask for its
size or an item. Such a variable holds a copy of its own (`Fresh`), is changed in place (`Grow`), and becomes a value
(`Freeze`) on every way out of the loop that may keep it. One iteration is looked at in `in_place_iteration.py`.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, changed
from rtfs_framework.lang.ir.walk import everything, rebuild
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.passes.in_place_iteration import Iteration


def update_in_place(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with what its loops build changed in place."""
    return changed(program, _grown)


def _grown(root: ir.Node, seen: Summary) -> ir.Node:
    """Return a top-level node with what its loops build changed in place."""
    if seen.by_kind.keys().isdisjoint((ir.Loop, ir.Each)):
        return root
    literals: dict[ir.Var, ir.Node] = {}
    for node in seen.by_kind.get(ir.Bind, ()):
        if isinstance(node.pattern, ir.PVar) and not node.pattern.var.leaves_part:
            literals[node.pattern.var] = node.value
    return _Growing(literals).go(root)


class _Growing:
    def __init__(self, literals: dict[ir.Var, ir.Node]) -> None:
        self._literals = literals

    def go(self, node: ir.Node) -> ir.Node:
        """Return a node with what the loops in it build changed in place."""
        made = rebuild(node, self.go)
        if isinstance(made, ir.Loop):
            for place in range(len(made.vars)):
                made = self._loop(made, place)
        elif isinstance(made, ir.Each):
            made = self._each(made)
        return made

    def _fresh(self, init: ir.Node) -> ir.Fresh | None:
        """Return the copy of a first value that surely is a map or vector; constants that have a name are read here."""
        value = self._literals.get(init.var) if isinstance(init, ir.Local) else init
        match value:
            case ir.Const(value=tuple()):
                return ir.Fresh(value, is_map=False, span=init.span)
            case ir.VectorNode(items=items):
                constant = all(isinstance(item, ir.Const) for item in items)
                return ir.Fresh(value if constant else init, is_map=False, span=init.span)
            case ir.MapNode(pairs=pairs) if all(is_plain(key) for key, _ in pairs):
                constant = all(isinstance(item, ir.Const) for _, item in pairs)
                return ir.Fresh(value if constant else init, is_map=True, span=init.span)
            case _:
                return None

    def _loop(self, loop: ir.Loop, place: int) -> ir.Loop:
        init, var = loop.inits[place], loop.vars[place]
        fresh = self._fresh(init)
        body = None if fresh is None else Iteration(var, place, is_map=fresh.is_map).tail(loop.body)
        if fresh is None or body is None:
            return loop
        inits = list(loop.inits)
        inits[place] = fresh
        return records.evolve(loop, inits=tuple(inits), body=body)

    def _each(self, each: ir.Each) -> ir.Each:
        fresh = None if each.init is None else self._fresh(each.init)
        stops = any(isinstance(part, ir.Stop) for part in everything((each.body,)))
        if each.acc is None or fresh is None or stops:
            return each
        body = Iteration(each.acc, None, is_map=fresh.is_map).tail(each.body)
        return each if body is None else records.evolve(each, init=fresh, body=body)
