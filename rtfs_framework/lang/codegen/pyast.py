"""Small constructors for Python `ast` nodes, and the one place where locations are attached."""

from __future__ import annotations

import ast
import sys

from rtfs_framework.lang.annotations import Any, Iterable, Sequence
from rtfs_framework.lang.meter import SMALL

_UNPLACED = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
"""Parts that have no place in the code, and no parts."""
_PLACED = (ast.expr, ast.stmt, ast.excepthandler, ast.arg, ast.keyword, ast.alias)


def _kinds(*roots: type[ast.AST]) -> frozenset[type]:
    return frozenset(kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, roots))


_WITHOUT_PARTS = _kinds(*_UNPLACED) | {str, int, float, bool, type(None), type(...)}
_WITH_PLACE = _kinds(*_PLACED)
_LEAVES = frozenset({ast.Name, ast.Constant})


def locate(node: ast.AST, line: int) -> None:
    """Give a line to a node and to every part of it that has none yet."""
    if "lineno" in node.__dict__:
        return
    todo: list[Any] = [node]
    while todo:
        part = todo.pop()
        kind = part.__class__
        if kind in _WITHOUT_PARTS or "lineno" in (held := part.__dict__):
            continue
        if kind not in _LEAVES:
            for value in held.values():
                inner = value.__class__
                if inner is list:
                    todo += value
                elif inner not in _WITHOUT_PARTS:
                    todo.append(value)
        if kind in _WITH_PLACE:
            held["lineno"], held["col_offset"] = line, 0  # Python's own ends are where a node begins


LOAD, STORE, _IS = ast.Load(), ast.Store(), ast.Is()
"""Shared by all nodes: these have no place and no parts."""


def load(name: str) -> ast.Name:
    """Return a read of a Python name."""
    return ast.Name(name, LOAD)


def store(name: str) -> ast.Name:
    """Return a Python name as the target of an assignment."""
    return ast.Name(name, STORE)


def const(value: Any) -> ast.Constant:
    """Return a constant."""
    return ast.Constant(value)


def call(function: ast.expr | str, *args: ast.expr) -> ast.Call:
    """Return a call; a string names the function."""
    return ast.Call(load(function) if isinstance(function, str) else function, list(args), [])


def assign(name: str, value: ast.expr) -> ast.Assign:
    """Return `name = value`."""
    return ast.Assign([store(name)], value)


def assign_many(names: Sequence[str], value: ast.expr) -> ast.Assign:
    """Return `a, b = value`."""
    return ast.Assign([ast.Tuple([store(name) for name in names], STORE)], value)


def walrus(name: str, value: ast.expr) -> ast.NamedExpr:
    """Return `(name := value)`."""
    return ast.NamedExpr(store(name), value)


def bound(name: str, value: ast.expr) -> ast.expr:
    """Return an expression that binds a name and is always true."""
    return ast.Compare(walrus(name, value), [_IS], [load(name)])


def attribute(value: ast.expr, name: str) -> ast.Attribute:
    """Return `value.name`."""
    return ast.Attribute(value, name, LOAD)


def klass(value: ast.expr) -> ast.Attribute:
    """Return `value.__class__`."""
    return attribute(value, "__class__")


def is_class(value: ast.expr, name: str) -> ast.Compare:
    """Return `value.__class__ is name`."""
    return ast.Compare(klass(value), [_IS], [load(name)])


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.Compare:
    """Return a comparison."""
    return ast.Compare(left, [operator], [right])


def between(low: int, first: ast.expr, again: ast.expr, high: ast.expr) -> ast.expr:
    """Return `low < value < high`, of a value that `first` reads: Python runs a chain slower than two comparisons."""
    return both([compare(first, ast.Lt(), high), compare(again, ast.Gt(), const(low))])


def both(values: Iterable[ast.expr]) -> ast.expr:
    """Return the conjunction of expressions (`True` for none)."""
    items = list(values)
    if not items:
        return const(value=True)
    return items[0] if len(items) == 1 else ast.BoolOp(ast.And(), items)


def either(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    """Return `then if test else otherwise`."""
    return ast.IfExp(test, then, otherwise)


def tuple_of(values: Sequence[ast.expr]) -> ast.Tuple:
    """Return a tuple display."""
    return ast.Tuple(list(values), LOAD)


def is_local(value: ast.expr) -> bool:
    """Tell whether an expression reads a local variable: of other names two underscores tell what they are."""
    return isinstance(value, ast.Name) and "__" not in value.id


def again(value: ast.expr) -> ast.expr:
    """Return a name or constant once more: no node stands at two places of a tree."""
    return load(value.id) if isinstance(value, ast.Name) else const(value.value)  # type: ignore[attr-defined]


def is_true(first: ast.expr, name: str) -> ast.expr:
    """Return the test that a value is neither nil nor false; `first` reads it, and leaves it under a name."""
    return both([compare(first, ast.IsNot(), const(None)), compare(load(name), ast.IsNot(), const(value=False))])


def index(value: ast.expr, place: int) -> ast.Subscript:
    """Return `value[place]`."""
    return ast.Subscript(value, const(place), LOAD)


def tail_from(name: str, place: int, long: str) -> ast.IfExp:
    """Return `name[place:]`, which the helper `long` makes of a vector that is not small."""
    made = ast.Subscript(load(name), ast.Slice(const(place), None, None), LOAD)
    short = compare(call("len", load(name)), ast.Lt(), const(SMALL))
    return either(short, made, call(long, load(name), const(place)))


def function(name: str, params: Sequence[str], rest: str | None, body: list[ast.stmt]) -> ast.FunctionDef:
    """Return a function definition."""
    arguments = ast.arguments([], [ast.arg(p) for p in params], ast.arg(rest) if rest else None, [], [], None, [])
    made = ast.FunctionDef(name, arguments, body or [ast.Pass()], [])
    if sys.version_info >= (3, 12):
        made.type_params = []
    return made
