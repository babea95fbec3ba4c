"""Literals that a chain of tests asks for twice: in `case`, and in `cond` or `if ... else` with `(= name literal)`.

In: the program. Out: a warning for every such literal whose test can only be false, because the same variable was
found unequal to it by a test on the way there.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.check.clauses import literal_key
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.printer import write


def check_chains(facts: Facts) -> list[Diagnostic]:
    """Return a warning for every literal that was tested before."""
    found: list[Diagnostic] = []
    inner: set[ir.Node] = set()
    for node in facts.of(ir.If):
        if node not in inner and node.span not in facts.written_by_macros:
            found += _chain(node, inner, facts)
    return found


def _chain(first: ir.If, inner: set[ir.Node], facts: Facts) -> Iterator[Diagnostic]:
    """Go along the else branches: there, every test so far was false."""
    node: ir.Node = first
    seen: set[tuple[ir.Var, str]] = set()
    while isinstance(node, ir.If):
        for test in node.test.items if isinstance(node.test, ir.Or) else (node.test,):
            found = _literal(test)
            key = None if found is None else literal_key(found[1].value)
            if found is None or key is None:
                continue
            name, literal = found
            if (name, key) in seen and literal.span not in facts.written_by_macros:
                message = f"this is never chosen: the literal {write(literal.value)} was tested before"
                yield facts.finding(literal.span, "E0240", message, "remove it")
            seen.add((name, key))
        inner.add(node)
        node = node.otherwise


def _literal(test: ir.Node) -> tuple[ir.Var, ir.Const] | None:
    """Return the variable and the literal of a test `(= name literal)`, in either order."""
    if not isinstance(test, ir.Call) or not isinstance(test.function, ir.Builtin) or test.function.name != "=":
        return None
    parts: Any = test.args if len(test.args) == 2 else (None, None)
    for name, literal in (parts, parts[::-1]):
        if isinstance(name, ir.Local) and isinstance(literal, ir.Const):
            return name.var, literal
    return None
