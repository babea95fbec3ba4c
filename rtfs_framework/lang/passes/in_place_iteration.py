"""One iteration of a loop, rewritten so that a vector or map which only this loop has is changed in place.

In: the body of a loop and one of its variables. Out: the body with `Grow` where the next iteration's value was made,
`Look` where something was asked, and `Freeze` before a way out that may keep the value; or None where that cannot be
done.

A vector that was popped and is not passed on yet is a *view*: the variable without so many of its last items. A name
bound to one is not needed, because all that is asked of it can be asked of the variable. Every change comes after all
else that the iteration computes (`Grow.late`), so views and questions see the vector as it was.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import defaults, everything, jumps, rebuild
from rtfs_framework.lang.library import Op

_LOOKS = {
    False: {(Op.COUNT, 0), (Op.EMPTY, 0), (Op.NTH, 1), (Op.PEEK, 0), (Op.LAST, 0), (Op.FIRST, 0)},
    True: {(Op.COUNT, 0), (Op.GET, 1), (Op.GET, 2), (Op.HAS, 1)},
}
"""What may be asked of a vector (False) and of a map (True), with how many further arguments."""

Nodes = tuple[ir.Node, ...]


class Iteration:
    """Rewrites for one variable."""

    def __init__(self, var: ir.Var, place: int | None, *, is_map: bool) -> None:
        self._var = var
        self._place = place
        """The variable's place among those of its `Loop`; None for the accumulator of an `Each`."""
        self._is_map = is_map
        self._views: dict[ir.Var, int] = {}
        """Names of the vector without its last items, and of how many."""
        self._least = 0
        """How many items the vector surely has here."""

    def tail(self, node: ir.Node) -> ir.Node | None:
        """Return what stands in tail position."""
        if self._place is not None and not any(jumps(node, None)):
            return self._way_out(node)
        match node:
            case ir.If():
                test = self._asks(node.test)
                then, other = self._either(node.then), self._either(node.otherwise)
                if test is None or then is None or other is None:
                    return None
                return ir.If(test, then, other, node.span)
            case ir.Match() if not any(self._seen(part) for c in node.clauses for part in defaults(c.pattern)):
                return self._match(node)
            case ir.Do(items=items) if items:
                before = self._before(items[:-1])
                last = None if before is None else self.tail(items[-1])
                return None if last is None or before is None else records.evolve(node, items=(*before, last))
            case ir.Inlined(body=body):
                inner = self.tail(body)
                return None if inner is None else records.evolve(node, body=inner)
            case ir.Recur(frame=None) if self._place is not None:
                return self._recur(node, self._place)
            case _ if self._place is None:
                return self._next(node, late=False)
            case _:
                return None

    def _either(self, node: ir.Node) -> ir.Node | None:
        """Return a branch; what is known in it is not known after it."""
        least = self._least
        made = self.tail(node)
        self._least = least
        return made

    def _way_out(self, node: ir.Node) -> ir.Node | None:
        asked = self._asks(node)
        if asked is not None:
            return asked
        if any(self._sees(node, view) for view in self._views):
            return None
        return ir.Do((ir.Freeze(self._var, self._is_map, node.span), node), node.span)

    def _match(self, node: ir.Match) -> ir.Node | None:
        value = self._asks(node.value)
        clauses = []
        for clause in node.clauses:
            guard = None if clause.guard is None else self._asks(clause.guard)
            body = self._either(clause.body)
            if body is None or (guard is None) is not (clause.guard is None):
                return None
            clauses.append(records.evolve(clause, guard=guard, body=body))
        return None if value is None else records.evolve(node, value=value, clauses=tuple(clauses))

    def _recur(self, node: ir.Recur, place: int) -> ir.Node | None:
        before, after = node.args[:place], node.args[place + 1 :]
        asked = self._all(before)
        mine = None if asked is None else self._next(node.args[place], late=any(map(self._seen, after)))
        rest = self._all(after)
        if asked is None or mine is None or rest is None:
            return None
        return records.evolve(node, args=(*asked, mine, *rest))

    def _before(self, nodes: Nodes) -> Nodes | None:
        """Return what runs before the last part of a body."""
        made: list[ir.Node] = []
        for node in nodes:
            match node:
                case ir.Bind(pattern=ir.PVar(var=var), type=None) if not var.leaves_part and self._is_view(node.value):
                    made += self._room(node.value)
                    self._views[var] = self._dropped(node.value)
                case _:
                    asked = self._asks(node)
                    if asked is None:
                        return None
                    made.append(asked)
        return tuple(made)

    # -- what the variable holds next ----------------------------------------------------------------------------------

    def _next(self, node: ir.Node, *, late: bool) -> ir.Node | None:
        """Return what the variable holds next: itself, or itself with more or less in it."""
        match node:
            case ir.If():
                test, least = self._asks(node.test), self._least
                then = None if late else self._next(node.then, late=False)
                self._least = least
                other = None if late else self._next(node.otherwise, late=False)
                self._least = least
                return None if test is None or then is None or other is None else ir.If(test, then, other, node.span)
            case ir.Do(items=items) if items:
                before = self._before(items[:-1])
                last = None if before is None else self._next(items[-1], late=late)
                return None if last is None or before is None else records.evolve(node, items=(*before, last))
            case _:
                return self._changed(node, late=late)

    def _changed(self, node: ir.Node, *, late: bool) -> ir.Node | None:
        added: list[ir.Node] = []
        inner = node
        op = Op.ASSOC if self._is_map else Op.CONJ
        while (args := _arguments(inner, op)) and len(args) > 1 and (not self._is_map or len(args) == 3):
            added[:0] = args[1:]
            inner = args[0]
        put = not self._is_map and not added and len(_arguments(inner, Op.ASSOC)) == 3
        if put:
            inner, *added = _arguments(inner, Op.ASSOC)
        if isinstance(inner, ir.Local) and inner.var is self._var and not added:
            return inner
        if not self._is_view(inner):
            return None
        drops = self._dropped(inner)
        if put and drops:
            return None
        room = self._room(inner)
        given = self._all(tuple(added))
        if given is None:
            return None
        grown = ir.Grow(self._var, given, self._is_map, node.span, drops=drops, put=put, late=late)
        return ir.Do((*room, grown), node.span) if room else grown

    def _is_view(self, node: ir.Node) -> bool:
        """Tell whether a node is the variable, perhaps without its last items."""
        while not self._is_map and len(found := _arguments(node, Op.POP)) == 1:
            node = found[0]
        return isinstance(node, ir.Local) and (node.var is self._var or node.var in self._views)

    def _dropped(self, node: ir.Node) -> int:
        """Return how many items a view has less than the variable."""
        count = 0
        while found := _arguments(node, Op.POP):
            node, count = found[0], count + 1
        return count + (self._views.get(node.var, 0) if isinstance(node, ir.Local) else 0)

    def _room(self, view: ir.Node) -> list[ir.Node]:
        """Return the tests that the vector has what a view drops, unless it is known; from now on it is."""
        tests: list[ir.Node] = []
        least, node = self._least, view
        self._least = max(least, self._dropped(view))
        while (drops := self._dropped(node)) > least and (found := _arguments(node, Op.POP)):
            tests.append(ir.Look(Op.POP, self._var, (ir.Const(drops, node.span),), is_map=False, span=node.span))
            node = found[0]
        return tests[::-1]

    # -- what is asked of it -------------------------------------------------------------------------------------------

    def _all(self, nodes: Nodes) -> Nodes | None:
        made = [self._asks(node) for node in nodes]
        return None if None in made else tuple(node for node in made if node is not None)

    def _asks(self, node: ir.Node) -> ir.Node | None:
        """Return a node that may ask the variable something, but keeps nothing of it."""
        if not self._seen(node):
            return node
        try:
            return self._looking(node)
        except _SeenError:
            return None

    def _looking(self, node: ir.Node) -> ir.Node:
        match node:
            case ir.Local(var=var) if var is self._var or var in self._views:
                raise _SeenError
            case ir.Fn() if self._seen(node):
                raise _SeenError
            case ir.Grow(var=var) | ir.Look(var=var) | ir.Freeze(var=var) if var is self._var:
                raise _SeenError
            case ir.Call(function=ir.Builtin(op=op), args=[about, *more]) if self._is_view(about):
                drops = self._dropped(about)
                if (op, len(more)) not in _LOOKS[self._is_map] or drops > self._least or (drops and op != Op.PEEK):
                    raise _SeenError
                asked = tuple(map(self._looking, more))
                if op == Op.PEEK and self._least:
                    asked = (ir.Const(drops, node.span), ir.Const(drops < self._least, node.span))
                return ir.Look(op, self._var, asked, self._is_map, node.span)
            case _:
                return rebuild(node, self._looking)

    def _seen(self, node: ir.Node) -> bool:
        """Tell whether a node mentions the variable, or a view of it."""
        return self._sees(node, self._var) or any(self._sees(node, view) for view in self._views)

    @staticmethod
    def _sees(node: ir.Node, wanted: ir.Var) -> bool:
        for part in everything((node,)):
            match part:
                case ir.Local(var=var) | ir.Grow(var=var) | ir.Look(var=var) | ir.Freeze(var=var):
                    if var is wanted:
                        return True
                case ir.Fn(captures=captures):
                    if wanted in captures:
                        return True
                case _:
                    continue
        return False


class _SeenError(Exception):
    """A use that might keep the variable's value."""


def _arguments(node: ir.Node, op: str) -> Nodes:
    """Return the arguments of a call of a library function; none if it is another node."""
    if isinstance(node, ir.Call) and isinstance(node.function, ir.Builtin) and node.function.op == op:
        return node.args
    return ()
