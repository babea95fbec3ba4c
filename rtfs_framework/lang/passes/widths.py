"""Widths: how many bits an integer can have at most, so that products which stay small are not measured.

In: nodes, with the kinds of `numbers`. Out: a bound for every node that has one. A loop's variable that only ever moves
by a bounded step is bounded too: no run goes round 2**64 times.
"""

from __future__ import annotations

from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.numbers import Kind, Numbers, jumps

ROUNDS = 64
"""Bits of more rounds than any run can make."""
ITEMS = 64
"""Bits of more items than any collection can have."""
_COUNTS = frozenset({"count", "length", "string-length"})
_MOVES = frozenset({"+", "-", "inc", "dec"})


def width(node: ir.Node, numbers: Numbers) -> int | None:
    """Return the most bits that an integer node gives, or None."""
    match node:
        case ir.Const(value=value):
            return value.bit_length() if value.__class__ is int else None
        case ir.Local(var=var):
            return numbers.widths.get(var) if numbers.vars.get(var) is Kind.INT else None
        case ir.Call(function=ir.Builtin(name=name)):
            return _call(name, node, numbers)
        case _:
            return None


def _call(name: str, node: ir.Call, numbers: Numbers) -> int | None:
    if name in _COUNTS:
        return ITEMS
    if numbers.kind(node) is not Kind.INT:
        return None
    widths = [width(arg, numbers) for arg in node.args]
    if name in ("mod", "rem") and len(widths) == 2:
        return widths[1]
    most = _most(widths)
    if most is None:
        return None
    if name in _MOVES:
        return most + max(len(widths) - 1, 1)
    if name == "*":
        return sum(each or 0 for each in widths)
    return most if name in ("max", "min", "quot") else None


def learn(var: ir.Var, node: ir.Node, numbers: Numbers) -> None:
    """Note the bound of a variable that is bound to a node."""
    found = width(node, numbers)
    if found is not None:
        numbers.widths[var] = found


def learn_items(item: ir.Var, source: ir.Node, numbers: Numbers) -> None:
    """Note the bound of the items of a range: it has no more of them than fit into memory."""
    match source:
        case ir.Call(function=ir.Builtin(name="range"), args=args) if len(args) < 3:
            start = 0 if len(args) == 1 else width(args[0], numbers)
            if start is not None:
                numbers.widths[item] = max(start, ITEMS) + 1
        case _:
            return


def learn_loop(node: ir.Loop, numbers: Numbers) -> None:
    """Note the bounds of a loop's variables."""
    inits = [width(init, numbers) for init in node.inits]
    rounds = list(jumps(node.body, None))
    open_ = [i for i, bound in enumerate(inits) if bound is not None]
    grown = True
    while grown:  # what a variable moves by may be another variable of the loop, which must be bounded first
        grown = False
        for i in list(open_):
            steps = [_step(node.vars[i], jump.args[i]) for jump in rounds]
            widths = [0 if step is None else width(step, numbers) for _, step in steps]
            most = _most([0, *widths])
            if most is not None and all(found for found, _ in steps):
                numbers.widths[node.vars[i]] = max(inits[i] or 0, most + ROUNDS) + 1
                open_.remove(i)
                grown = True


def _step(var: ir.Var, node: ir.Node) -> tuple[bool, ir.Node | None]:
    """Tell whether a `recur` leaves a variable as it is or moves it, and by what (None: by nothing, or by one)."""
    match node:
        case ir.Local(var=same) if same is var:
            return True, None
        case ir.Call(function=ir.Builtin(name="inc" | "dec"), args=[ir.Local(var=same)]) if same is var:
            return True, None
        case ir.Call(function=ir.Builtin(name="+" | "-"), args=[ir.Local(var=same), other]) if same is var:
            return True, other
        case ir.Call(function=ir.Builtin(name="+"), args=[other, ir.Local(var=same)]) if same is var:
            return True, other
        case _:
            return False, None


def _most(widths: list[int | None]) -> int | None:
    known = [width for width in widths if width is not None]
    return max(known) if known and len(known) == len(widths) else None
