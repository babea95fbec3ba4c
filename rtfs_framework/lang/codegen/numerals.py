"""Functions of numbers inline where the kinds of the arguments are known: no class is tested.

In: a call of a library function. Out: an expression, or None when kinds, or bounds of integers, leave something open:
then `operators` and `shortcuts` test what there is. Python's own ZeroDivisionError and OverflowError become the
library's errors (`kernel/faults.py`), so only an integer that the meter must measure stands in the way of a division.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable
from rtfs_framework.lang.codegen import pyast as py
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.widths import natural, width

if TYPE_CHECKING:
    from rtfs_framework.lang.codegen.expressions import Expressions

WORD_BITS = 512
"""Integers of at most so many bits may be divided, and multiplied to so many, without being measured."""

Make = Callable[["Expressions", ir.Call], "ast.expr | None"]


def emit(emitter: Expressions, name: str, node: ir.Call) -> ast.expr | None:
    """Return the inline form of a call, or None."""
    kinds = tuple(emitter.numbers.kind(arg) for arg in node.args)
    make = _MAKERS.get((name, kinds))
    return None if make is None else make(emitter, node)


def _beside_zero(operator: ast.cmpop) -> Make:
    """Return what compares a number with zero."""

    def make(emitter: Expressions, node: ir.Call) -> ast.expr:
        return py.compare(emitter.value(node.args[0]), operator, py.const(0))

    return make


def _parity(left: int) -> Make:
    """Return what tells whether halving an integer leaves this."""

    def make(emitter: Expressions, node: ir.Call) -> ast.expr:
        halved = ast.BinOp(emitter.value(node.args[0]), ast.Mod(), py.const(2))
        return py.compare(halved, ast.Eq(), py.const(left))

    return make


def _negated(emitter: Expressions, node: ir.Call) -> ast.expr:
    return ast.UnaryOp(ast.USub(), emitter.value(node.args[0]))


def _itself(emitter: Expressions, node: ir.Call) -> ast.expr:
    return emitter.value(node.args[0])


def _as_float(emitter: Expressions, node: ir.Call) -> ast.expr:
    """An integer as a float: a product is the quickest way, and fails for the same integers."""
    return ast.BinOp(emitter.value(node.args[0]), ast.Mult(), py.const(1.0))


def _absolute(emitter: Expressions, node: ir.Call) -> ast.expr:
    value = emitter.value(node.args[0])
    if natural(node.args[0], emitter.numbers):
        return value
    first, again = _twice(emitter, value)
    return py.either(py.compare(first, ast.GtE(), py.const(0)), again, ast.UnaryOp(ast.USub(), _again(again)))


def _choice(operator: ast.cmpop) -> Make:
    """Return what chooses the second integer if the first compares so with it."""

    def make(emitter: Expressions, node: ir.Call) -> ast.expr:
        (a, a_again), (b, b_again) = (_twice(emitter, value) for value in emitter.values(node.args))
        return py.either(py.compare(a, operator, b), b_again, a_again)

    return make


def _modulo(emitter: Expressions, node: ir.Call) -> ast.expr | None:
    return _divided(emitter, node, ast.Mod()) if _is_quick(emitter, node) else None


def _truncated(operator: ast.operator) -> Make:
    """Return what divides towards zero: of numbers that are not negative that is what Python does."""

    def make(emitter: Expressions, node: ir.Call) -> ast.expr | None:
        known = _is_quick(emitter, node) and all(natural(arg, emitter.numbers) for arg in node.args)
        return _divided(emitter, node, operator) if known else None

    return make


def _quotient(emitter: Expressions, node: ir.Call) -> ast.expr | None:
    """An exact quotient is an integer, any other a float."""
    if not _is_quick(emitter, node):
        return None
    (a, a_again), (b, b_again) = (_twice(emitter, value) for value in emitter.values(node.args))
    part = ast.BinOp(_again(a_again), ast.Div(), _again(b_again))
    return py.either(ast.BinOp(a, ast.Mod(), b), part, ast.BinOp(a_again, ast.FloorDiv(), b_again))


def _is_quick(emitter: Expressions, node: ir.Call) -> bool:
    """Tell whether a division need not be measured: one of the two integers is short."""
    widths = [width(arg, emitter.numbers) for arg in node.args]
    return any(bits is not None and bits <= WORD_BITS for bits in widths)


def _divided(emitter: Expressions, node: ir.Call, operator: ast.operator) -> ast.expr:
    left, right = emitter.values(node.args)
    return ast.BinOp(left, operator, right)


def _twice(emitter: Expressions, value: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Return a first and a second read of an expression."""
    if isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and "__" not in value.id):
        return value, _again(value)
    temp = emitter.unit.temp("a")
    return py.walrus(temp, value), py.load(temp)


def _again(value: ast.expr) -> ast.expr:
    """Return a fresh node for a further read of a name or constant."""
    return py.load(value.id) if isinstance(value, ast.Name) else py.const(value.value)  # type: ignore[attr-defined]


_ONE: dict[str, tuple[Make | None, Make | None]] = {
    "even?": (_parity(0), None),
    "odd?": (_parity(1), None),
    "zero?": (_beside_zero(ast.Eq()), _beside_zero(ast.Eq())),
    "pos?": (_beside_zero(ast.Gt()), _beside_zero(ast.Gt())),
    "neg?": (_beside_zero(ast.Lt()), _beside_zero(ast.Lt())),
    "abs": (_absolute, None),
    "float": (_as_float, _itself),
    "-": (_negated, _negated),
    "+": (_itself, _itself),
}
"""By the name of a function of one number: for an integer, for a float."""
_TWO: dict[str, Make] = {
    "mod": _modulo,
    "quot": _truncated(ast.FloorDiv()),
    "rem": _truncated(ast.Mod()),
    "/": _quotient,
    "max": _choice(ast.Lt()),
    "min": _choice(ast.Gt()),
}
"""By the name of a function of two integers."""
_MAKERS: dict[tuple[str, tuple[Kind | None, ...]], Make] = {
    **{(name, (Kind.INT,)): make for name, (make, _) in _ONE.items() if make is not None},
    **{(name, (Kind.FLOAT,)): make for name, (_, make) in _ONE.items() if make is not None},
    **{(name, (Kind.INT, Kind.INT)): make for name, make in _TWO.items()},
}
