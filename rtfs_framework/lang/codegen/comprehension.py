"""List displays: a loop that only tests and collects, as a comprehension, which Python runs faster than `append`.

In: the statements of such a loop's body. Out: the display, or None when the body does more than that.
"""

from __future__ import annotations

import ast

from rtfs_framework.lang.annotations import Sequence

FRAME = "<listcomp>"
"""Python's name for the frame of a display."""


def displayed(target: ast.Name, items: ast.expr, body: Sequence[ast.stmt], result: str) -> ast.ListComp | None:
    """Return the display of what a loop appends to `result`."""
    generators = [ast.comprehension(target, items, [], 0)]
    while body:
        match body:
            case [ast.Assign(targets=[ast.Name() as name], value=value), *rest] if rest and not _binds(value):
                generators.append(ast.comprehension(name, ast.List([value], ast.Load()), [], 0))  # Python makes no list
                body = rest
            case [ast.If(test=test, body=inner, orelse=[])]:
                generators[-1].ifs.append(test)
                body = inner
            case [ast.If(test=test, body=[ast.Pass()], orelse=inner)]:
                generators[-1].ifs.append(ast.UnaryOp(ast.Not(), test))
                body = inner
            case [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item]))]:
                return ast.ListComp(item, generators) if name == result else None
            case _:
                return None
    return None


def _binds(value: ast.expr) -> bool:
    """Tell whether an expression binds names, which Python forbids in what a display walks."""
    return any(isinstance(part, ast.NamedExpr) for part in ast.walk(value))
