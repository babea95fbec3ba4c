"""Widths: how many bits an integer can have at most, so that codegen need not measure it.

In: nodes, with the kinds of `numbers`. Out: a bound for every node that has one; of what may be no integer it is the
bound of those that are. A loop's variable that only ever moves by a bounded step is bounded too: no run goes round
2**60 times. One that gets a bounded value is bounded by that: what is assumed of the loop's variables holds if every
iteration keeps it.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import jumps, parts
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Numbers

ITERATIONS = 60
"""Bits of more iterations than any run can make."""
ITEMS = 60
"""Bits of more items than any collection can have."""
WORD_BITS = 512
"""Integers of at most so many bits may be divided, and multiplied to so many, without being measured."""
_MAY_BE_INTEGERS = (Kind.INT, None)
_MOVES = frozenset({Op.ADD, Op.SUB, Op.INC, Op.DEC})
_TRIES = 4
"""How often an assumption about a loop's variables is weakened before it is given up."""


def width(node: ir.Node, numbers: Numbers) -> int | None:
    """Return the most bits that a node gives if it gives an integer, or None."""
    match node:
        case ir.Const(value=value):
            return value.bit_length() if value.__class__ is int else None
        case ir.Local(var=var):
            return numbers.widths.get(var)
        case ir.Call(function=ir.Builtin() as function):
            return ITEMS if _is_size(function) else _call(function.op, node, numbers)
        case ir.Look(op="count"):
            return ITEMS
        case ir.If(then=then, otherwise=otherwise):
            return _most([width(each, numbers) for each in (then, otherwise) if not _leaves(each)])
        case ir.Do(items=[*_, last]):
            return width(last, numbers)
        case ir.Inlined(body=body):
            return width(body, numbers)
        case _:
            return None


def _is_size(function: ir.Builtin) -> bool:
    return function.entry is not None and function.entry.gives == Gives.SIZE


def _call(op: str, node: ir.Call, numbers: Numbers) -> int | None:
    if numbers.kind(node) not in _MAY_BE_INTEGERS:
        return None
    widths = [width(arg, numbers) for arg in node.args]
    if op in (Op.MOD, Op.REM) and len(widths) == 2:
        return widths[1]
    most = _most(widths)
    if most is None:
        return None
    if op in _MOVES:
        return most + max(len(widths) - 1, 1)
    if op == Op.MUL:
        return sum(each or 0 for each in widths)
    return most if op in (Op.MAX, Op.MIN, Op.QUOT, Op.ABS) else None


def _leaves(node: ir.Node) -> bool:
    """Tell whether a branch goes somewhere else, so that it gives nothing here."""
    return isinstance(node, ir.Recur | ir.Fail | ir.Stop)


def learn(var: ir.Var, node: ir.Node, numbers: Numbers) -> None:
    """Note the bound of a variable that is bound to a node."""
    found = None if var.leaves_part else width(node, numbers)  # which is read before its form too
    if found is not None:
        numbers.widths[var] = found


def learn_items(item: ir.Var, source: ir.Node, numbers: Numbers) -> None:
    """Note the bound of the items of a range: it has no more of them than fit into memory."""
    match source:
        case ir.Call(function=ir.Builtin(op=Op.RANGE), args=args) if len(args) < 3:
            start = 0 if len(args) == 1 else width(args[0], numbers)
            if start is not None:
                numbers.widths[item] = max(start, ITEMS) + 1
        case _:
            return


def learn_loop(node: ir.Loop, numbers: Numbers) -> None:
    """Note the bounds of a loop's variables: the most that is assumed of them and that every iteration keeps."""
    _learn(node, list(jumps(node.body, None)), numbers)


def learn_each(node: ir.Each, numbers: Numbers) -> None:
    """Note the bound of what a loop over items accumulates: what an iteration gives is passed to the next one."""
    if node.acc is not None and node.init is not None:
        loop = ir.Loop((node.acc,), (node.init,), node.body, node.span)
        _learn(loop, [ir.Recur((node.body,), None, node.span)], numbers)


def _learn(node: ir.Loop, iterations: Sequence[ir.Recur], numbers: Numbers) -> None:
    places = [i for i, var in enumerate(node.vars) if numbers.vars.get(var) in _MAY_BE_INTEGERS]
    firsts = {i: width(node.inits[i], numbers) for i in places}
    bounds = {i: bound for i, bound in firsts.items() if bound is not None}
    binds = _binds(node.body) if bounds else []
    while bounds and not _settle(node, iterations, binds, bounds, numbers):
        pass
    _relearn(binds, numbers)


def _settle(
    node: ir.Loop, iterations: Sequence[ir.Recur], binds: Sequence[ir.Bind], bounds: dict[int, int], numbers: Numbers
) -> bool:
    """Widen assumed bounds until all iterations keep them; False when one is given up: others may rest on it."""
    firsts, lost = dict(bounds), list[int]()
    for _ in range(_TRIES):
        numbers.widths.update({node.vars[i]: bound for i, bound in bounds.items()})
        _relearn(binds, numbers)
        wider = {}
        for i, bound in bounds.items():
            found = _after(node.vars[i], firsts[i], [jump.args[i] for jump in iterations], numbers)
            if found is None or found > bound:
                wider[i] = found
        if not wider:
            return True
        bounds.update({i: found for i, found in wider.items() if found is not None})
        lost = [i for i, found in wider.items() if found is None]
        if lost:
            break
        lost = list(wider)
    for i in lost:
        del bounds[i], numbers.widths[node.vars[i]]
    bounds.update({i: firsts[i] for i in bounds})
    return False


def _after(var: ir.Var, first: int, nexts: Sequence[ir.Node], numbers: Numbers) -> int | None:
    """Return the bound of a loop's variable in every iteration, if the others' bounds are true."""
    most, by = first, -1
    for node in nexts:
        moves, step = _step(var, node)
        found = 0 if step is None and moves else width(step or node, numbers)
        if found is None:
            return None
        if moves and not isinstance(node, ir.Local):
            by = max(by, found)
        else:
            most = max(most, found)
    return most if by < 0 else max(most, by + ITERATIONS) + 1


def _binds(node: ir.Node) -> list[ir.Bind]:
    """Return what a loop's body binds to a name, in the order in which it runs; functions inside are left out."""
    if isinstance(node, ir.Fn):
        return []
    found = [bind for part in parts(node) for bind in _binds(part)]
    return [*found, node] if isinstance(node, ir.Bind) and isinstance(node.pattern, ir.PVar) else found


def _relearn(binds: Sequence[ir.Bind], numbers: Numbers) -> None:
    """Forget what is known of bound variables, and learn it from what is known of the loop's."""
    for bind in binds:
        assert isinstance(bind.pattern, ir.PVar)  # noqa: S101 - `_binds` admits no other
        numbers.widths.pop(bind.pattern.var, None)
    for bind in binds:
        assert isinstance(bind.pattern, ir.PVar)  # noqa: S101
        learn(bind.pattern.var, bind.value, numbers)


def _step(var: ir.Var, node: ir.Node) -> tuple[bool, ir.Node | None]:
    """Tell whether a `recur` leaves a variable as it is or moves it, and by what (None: by nothing, or by one)."""
    match node:
        case ir.Local(var=same) if same is var:
            return True, None
        case ir.Call(function=ir.Builtin(op=Op.INC | Op.DEC), args=[ir.Local(var=same)]) if same is var:
            return True, None
        case ir.Call(function=ir.Builtin(op=Op.ADD | Op.SUB), args=[ir.Local(var=same), other]) if same is var:
            return True, other
        case ir.Call(function=ir.Builtin(op=Op.ADD), args=[other, ir.Local(var=same)]) if same is var:
            return True, other
        case _:
            return False, None


def _most(widths: list[int | None]) -> int | None:
    known = [width for width in widths if width is not None]
    return max(known) if known and len(known) == len(widths) else None
