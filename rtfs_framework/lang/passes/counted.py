"""Counted loops: a loop whose variable moves by a constant to a bound that is known when it begins.

In: a `Loop` and the kinds of its variables. Out: what Python's `range` needs, the body of an iteration without the
test, and what comes after the last iteration; None when an iteration may pass something else, or the bound may change.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything, jumps
from rtfs_framework.lang.library import Op
from rtfs_framework.lang.passes.copying import bound_by
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Numbers

_MIRRORED = {Op.LT: Op.GT, Op.GT: Op.LT, Op.LE: Op.GE, Op.GE: Op.LE, Op.EQ: Op.EQ}
_NEGATED = {Op.LT: Op.GE, Op.GT: Op.LE, Op.LE: Op.GT, Op.GE: Op.LT, Op.EQ: Op.NE}
_FORWARD = frozenset({Op.LT, Op.LE, Op.NE})
_ZERO = {Op.ZERO: Op.EQ, Op.POS: Op.GT, Op.NEG: Op.LT}


@records.frozen(eq=False)
class Counted:
    """A loop that counts."""

    place: int
    """The place of its variable."""
    step: int
    bound: ir.Node
    beyond: int
    """What to add to the bound to get the first number that is not counted."""
    meets: bool
    """Whether it ends where it meets the bound: from beyond it, it goes on."""
    body: ir.Node
    """An iteration."""
    after: ir.Node
    """What it gives after the last iteration."""


def counted(loop: ir.Loop, numbers: Numbers) -> Counted | None:
    """Return how a loop counts."""
    node = loop.body
    while isinstance(node, ir.Do) and len(node.items) == 1:
        node = node.items[0]
    if not isinstance(node, ir.If):
        return None
    goes_on, otherwise = any(jumps(node.then, None)), any(jumps(node.otherwise, None))
    if goes_on is otherwise:
        return None
    inside, after = (node.then, node.otherwise) if goes_on else (node.otherwise, node.then)
    return None if _leaves(inside) else _Shape(loop, numbers).read(node.test, inside, after, goes_on=goes_on)


def mentions(node: ir.Node, names: set[ir.Var]) -> bool:
    """Tell whether a node reads one of some variables."""
    return any(var in names for part in everything((node,)) for var in _read(part))


def _read(node: ir.Node) -> tuple[ir.Var, ...]:
    match node:
        case ir.Local(var=var) | ir.Grow(var=var) | ir.Look(var=var) | ir.Freeze(var=var):
            return (var,)
        case ir.Fn(captures=captures):
            return captures
        case _:
            return ()


class _Shape:
    """Reads the test of one loop."""

    def __init__(self, loop: ir.Loop, numbers: Numbers) -> None:
        self._loop = loop
        self._numbers = numbers
        self._changing = {*loop.vars, *(var for part in everything((loop.body,)) for var in bound_by(part))}

    def read(self, test: ir.Node, body: ir.Node, after: ir.Node, *, goes_on: bool) -> Counted | None:
        """Return how the loop counts if its test compares a variable that does with what stays the same."""
        for op, variable, bound in _comparisons(test):
            place = self._place(variable)
            if place is None or not self._stays(bound):
                continue
            step = self._step(place)
            way = op if goes_on else _NEGATED[op]
            forward = way if step > 0 else _MIRRORED.get(way, way)
            if forward not in _FORWARD or step == 0 or (way == Op.NE and abs(step) != 1):
                return None
            beyond = (1 if step > 0 else -1) if way in (Op.LE, Op.GE) else 0
            return Counted(place, step, bound, beyond, way == Op.NE, body, after)
        return None

    def _place(self, node: ir.Node) -> int | None:
        if isinstance(node, ir.Local) and node.var in self._loop.vars and self._numbers.kind(node) is Kind.INT:
            return self._loop.vars.index(node.var)
        return None

    def _stays(self, node: ir.Node) -> bool:
        """Tell whether an integer is the same in every iteration."""
        if self._numbers.kind(node) is not Kind.INT:
            return False
        match node:
            case ir.Const():
                return True
            case ir.Local(var=var):
                return self._is_outer(var)
            case ir.Call(function=ir.Builtin(op=Op.COUNT), args=[ir.Local(var=var)]):
                return self._is_outer(var)
            case ir.Call(function=ir.Builtin(op=Op.ADD | Op.SUB | Op.INC | Op.DEC), args=args):
                return all(map(self._stays, args))
            case _:
                return False

    def _is_outer(self, var: ir.Var) -> bool:
        return var not in self._changing and not var.leaves_part

    def _step(self, place: int) -> int:
        """Return what every jump moves a variable by; 0 when they differ."""
        steps = {_moved(self._loop.vars[place], jump.args[place]) for jump in jumps(self._loop.body, None)}
        return steps.pop() if len(steps) == 1 else 0


def _leaves(node: ir.Node) -> bool:
    """Tell whether something in tail position does not go round the loop again."""
    match node:
        case ir.Recur(frame=None) | ir.Fail():
            return False
        case ir.If(then=then, otherwise=otherwise):
            return _leaves(then) or _leaves(otherwise)
        case ir.Do(items=[*_, last]) | ir.Inlined(body=last):
            return _leaves(last)
        case ir.Match(clauses=clauses):
            return any(_leaves(clause.body) for clause in clauses)
        case _:
            return True


def _comparisons(test: ir.Node) -> list[tuple[str, ir.Node, ir.Node]]:
    """Return a comparison read from both sides."""
    match test:
        case ir.Call(function=ir.Builtin(op=op), args=[left, right]) if op in _MIRRORED:
            return [(op, left, right), (_MIRRORED[op], right, left)]
        case ir.Call(function=ir.Builtin(op=op), args=[left]) if op in _ZERO:
            return [(_ZERO[op], left, ir.Const(0, test.span))]
        case _:
            return []


def _moved(var: ir.Var, node: ir.Node) -> int:
    match node:
        case ir.Call(function=ir.Builtin(op=op), args=[ir.Local(var=same), *more]) if same is var:
            pass
        case ir.Call(function=ir.Builtin(op=Op.ADD as op), args=[first, ir.Local(var=same)]) if same is var:
            more = [first]
        case _:
            return 0
    match op, more:
        case Op.INC, []:
            return 1
        case Op.DEC, []:
            return -1
        case Op.ADD, [ir.Const(value=int() as value)] if value.__class__ is int:
            return value
        case Op.SUB, [ir.Const(value=int() as value)] if value.__class__ is int:
            return -value
        case _:
            return 0
