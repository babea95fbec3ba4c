"""Growing in place: a vector or map that a loop builds, and that nobody else can see before the loop ends.

In: a program. Out: the same, where a loop's variable starts from a literal, every round leaves it alone or passes on
`(conj v ...)` or `(assoc m k v)` of it, and all else that a round does with it is to ask for its size or an entry. Such
a variable holds a copy of its own (`Fresh`), is changed in place (`Grow`), and becomes a value (`Freeze`) on every way
out of the loop that mentions it.
"""

from __future__ import annotations

import attrs

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything, parts
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.maps import is_plain
from rtfs_framework.lang.passes.rewrite import rebuild

_LOOKS = {
    False: {("count", 0), ("empty?", 0)},
    True: {("count", 0), ("get", 1), ("get", 2), ("contains?", 1)},
}
"""What may be asked of a vector (False) and of a map (True), with how many further arguments."""


def grow(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with what its loops build changed in place."""
    literals: dict[ir.Var, ir.Node] = {}
    for node in everything(program.body):
        if isinstance(node, ir.Bind) and isinstance(node.pattern, ir.PVar) and not node.pattern.var.leaves_part:
            literals[node.pattern.var] = node.value
    growing = _Growing(literals)
    return attrs.evolve(program, body=tuple(map(growing.go, program.body)))


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

    def _kind(self, init: ir.Node) -> bool | None:
        """Tell whether a first value is a map; None when it is neither that nor a vector for sure."""
        value = self._literals.get(init.var) if isinstance(init, ir.Local) else init
        match value:
            case ir.VectorNode():
                return False
            case ir.Const(value=constant) if constant.__class__ is tuple:
                return False
            case ir.MapNode(pairs=pairs) if all(is_plain(key) for key, _ in pairs):
                return True
            case _:
                return None

    def _loop(self, loop: ir.Loop, place: int) -> ir.Loop:
        init, var = loop.inits[place], loop.vars[place]
        is_map = self._kind(init)
        if is_map is None:
            return loop
        body = _Round(var, place, is_map=is_map).tail(loop.body)
        if body is None:
            return loop
        inits = list(loop.inits)
        inits[place] = ir.Fresh(init, is_map, init.span)
        return attrs.evolve(loop, inits=tuple(inits), body=body)

    def _each(self, each: ir.Each) -> ir.Each:
        is_map = None if each.init is None else self._kind(each.init)
        if each.acc is None or each.init is None or is_map is None:
            return each
        body = _Round(each.acc, None, is_map=is_map).tail(each.body)
        if body is None:
            return each
        return attrs.evolve(each, init=ir.Fresh(each.init, is_map, each.init.span), body=body)


class _Round:
    """One round of a loop, rewritten for one variable; None wherever that cannot be done."""

    def __init__(self, var: ir.Var, place: int | None, *, is_map: bool) -> None:
        self._var = var
        self._place = place
        """The variable's place among those of its `Loop`; None for the accumulator of an `Each`."""
        self._is_map = is_map

    def tail(self, node: ir.Node) -> ir.Node | None:
        """Return what stands in tail position."""
        if self._place is not None and not _jumps(node):
            return ir.Do((ir.Freeze(self._var, self._is_map, node.span), node), node.span) if self._seen(node) else node
        match node:
            case ir.If():
                test, then, other = self._asks(node.test), self.tail(node.then), self.tail(node.otherwise)
                if test is None or then is None or other is None:
                    return None
                return ir.If(test, then, other, node.span)
            case ir.Do(items=items) if items:
                last = self.tail(items[-1])
                before = self._all(items[:-1])
                return None if last is None or before is None else attrs.evolve(node, items=(*before, last))
            case ir.Inlined(body=body):
                inner = self.tail(body)
                return None if inner is None else attrs.evolve(node, body=inner)
            case ir.Recur(frame=None) if self._place is not None:
                return self._recur(node, self._place)
            case _ if self._place is None:
                return self._next(node)
            case _:
                return None

    def _recur(self, node: ir.Recur, place: int) -> ir.Node | None:
        mine = self._next(node.args[place])
        before = self._all(node.args[:place])
        if mine is None or before is None or any(map(self._seen, node.args[place + 1 :])):
            return None
        return attrs.evolve(node, args=(*before, mine, *node.args[place + 1 :]))

    def _next(self, node: ir.Node) -> ir.Node | None:
        """Return what the variable holds next: itself, or itself with more in it."""
        if isinstance(node, ir.If):
            test, then, other = self._asks(node.test), self._next(node.then), self._next(node.otherwise)
            return None if test is None or then is None or other is None else ir.If(test, then, other, node.span)
        added: list[ir.Node] = []
        inner: ir.Node = node
        while isinstance(inner, ir.Call) and isinstance(inner.function, ir.Builtin) and inner.args:
            fits = len(inner.args) == 3 if self._is_map else len(inner.args) > 1
            if inner.function.name != ("assoc" if self._is_map else "conj") or not fits:
                return None
            added[:0] = inner.args[1:]
            inner = inner.args[0]
        if not (isinstance(inner, ir.Local) and inner.var is self._var):
            return None
        if not added:
            return inner
        given = self._all(tuple(added))
        return None if given is None else ir.Grow(self._var, given, self._is_map, node.span)

    def _all(self, nodes: tuple[ir.Node, ...]) -> tuple[ir.Node, ...] | None:
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
            case ir.Local(var=var) if var is self._var:
                raise _SeenError
            case ir.Fn() | ir.Grow() | ir.Look() | ir.Freeze() if self._seen(node):
                raise _SeenError
            case ir.Call(function=ir.Builtin(name=op), args=[ir.Local(var=var), *more]) if var is self._var:
                if (op, len(more)) not in _LOOKS[self._is_map]:
                    raise _SeenError
                return ir.Look(op, var, tuple(map(self._looking, more)), self._is_map, node.span)
            case _:
                return rebuild(node, self._looking)

    def _seen(self, node: ir.Node) -> bool:
        """Tell whether a node mentions the variable."""
        for part in everything((node,)):
            match part:
                case ir.Local(var=var) | ir.Grow(var=var) | ir.Look(var=var) | ir.Freeze(var=var):
                    if var is self._var:
                        return True
                case ir.Fn(captures=captures):
                    if self._var in captures:
                        return True
                case _:
                    continue
        return False


class _SeenError(Exception):
    """A use that might keep the variable's value."""


def _jumps(node: ir.Node) -> bool:
    """Tell whether a tail position may go round the loop again."""
    if isinstance(node, ir.Recur):
        return node.frame is None
    if isinstance(node, ir.Loop | ir.Fn):
        return False
    return any(map(_jumps, parts(node)))
