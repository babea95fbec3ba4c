"""Inlining: the bodies of small functions where they are called.

In: a program. Out: the same, with calls of lambdas that stand in call position, and of small top-level functions, as
`Inlined` bodies, their parameters bound to the arguments in order. A top-level function is put only into forms that
stand after its definition: before it, a call must still fail. Stacks keep the frame (`Inlined`), and no function that
can call itself is moved, so that depth is counted as before but for the innermost calls.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import read, settings, summary
from rtfs_framework.lang.ir.walk import as_function, everything, rebuild
from rtfs_framework.lang.library import Library
from rtfs_framework.lang.passes.copying import Copy, Fresh

MOST_NODES = 16
"""Nodes of a top-level function that is small."""
MOST_REPEATED = 32
"""The same where its call may run many times: in a loop, or in a function inside a function."""


def inline(program: ir.Program, _library: Library) -> ir.Program:
    """Return the program with small functions where they are called."""
    small: dict[str, ir.Fn] = {}
    fresh, top = Fresh(program), ir.FunctionFrame(None)
    body: list[ir.Node] = []
    named = read(program)
    for node, name, fn in settled(program):
        seen = summary(program, node)
        useful = seen.calls_lambda or not small.keys().isdisjoint(seen.globals)
        made = _Inlining(small, fresh, top, looped=False, once=True).go(node) if useful else node
        body.append(made)
        if fn is not None and name in named and isinstance(made, ir.SetGlobal):
            changed = as_function(made.value)
            if is_whole(changed) and is_small(changed.body, MOST_REPEATED):
                small[name] = changed
    return records.evolve(program, body=tuple(body))


def settled(program: ir.Program) -> Iterator[tuple[ir.Node, str, ir.Fn | None]]:
    """Yield the top-level nodes, those that define a function which stays the same with its name and the function."""
    set_at = settings(program)
    for node in program.body:
        match node:
            case ir.SetGlobal(name=name, value=ir.Fn() as fn) if name in program.functions and set_at[name] == 1:
                yield node, name, None if fn.captures else fn
            case _:
                yield node, "", None


def is_whole(fn: ir.Fn) -> bool:
    """Tell whether a function does no more than check and take apart what it is given, and is no loop."""
    return fn.rest is None and not fn.linked and not fn.frame.loops


def is_small(body: ir.Node, most: int = MOST_NODES) -> bool:
    """Tell whether a body has few nodes, no functions or loops of its own, and surely does not come back to itself."""
    for count, node in enumerate(everything((body,))):
        if count >= most:
            return False
        match node:
            case ir.Fn() | ir.Letrec() | ir.Loop() | ir.Recur() | ir.Try() | ir.Hinted() | ir.SetGlobal():
                return False
            case ir.Call(function=ir.Global() | ir.Local()):
                return False  # it may come back here
            case _:
                continue
    return True


class _Inlining:
    """Inlines inside one function."""

    def __init__(
        self, small: dict[str, ir.Fn], fresh: Fresh, owner: ir.FunctionFrame, *, looped: bool, once: bool = False
    ) -> None:
        self._small = small
        self._once = once
        """What is here runs once: a call costs less than to compile the body again."""
        self._fresh = fresh
        self._owner = owner
        self._looped = looped
        self._often = looped or (owner.parent is not None and owner.parent.parent is not None)

    def go(self, node: ir.Node) -> ir.Node:
        """Return a node with small functions in it where they are called."""
        match node:
            case ir.Fn():
                inner = _Inlining(self._small, self._fresh, node.frame, looped=node.frame.loops)
                return rebuild(node, inner.go)
            case ir.Loop():
                inner = _Inlining(self._small, self._fresh, self._owner, looped=True)
                inits = tuple(map(self.go, node.inits))
                return records.evolve(node, inits=inits, body=inner.go(node.body))
            case ir.Call(function=ir.Fn() as fn, args=args) if is_whole(fn) and len(fn.params) == len(args):
                return self._moved(fn, node)
            case ir.Call(function=ir.Global(name=name), args=args) if name in self._small and not self._once:
                fn = self._small[name]
                if len(fn.params) == len(args) and (self._often or is_small(fn.body)):
                    return self._moved(fn, node)
            case _:
                pass
        return rebuild(node, self.go)

    def _moved(self, fn: ir.Fn, call: ir.Call) -> ir.Node:
        """Return a function's body in place of a call: the arguments first, all of them, then the parameters."""
        span = call.span
        copy = Copy(self._fresh, self._owner, looped=self._looped)
        binds, inner = copy.parameters(fn, tuple(map(self.go, call.args)), span)
        body = ir.Do((*inner, self.go(copy.body(fn))), fn.span)
        return ir.Do((*binds, ir.Inlined(fn.name, body, span)), span)
