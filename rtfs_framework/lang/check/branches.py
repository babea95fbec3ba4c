"""Code that never runs: branches behind a constant test, handlers after one that takes all, forms after `throw`.

All of it is legal and fails nothing, so these are warnings. What a form only implies (the missing `else` of `when`, the
nil at the end of `cond`) and what the program's own macros write is not the author's, and nothing is said of it.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Iterator
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.walk import everything, parts
from rtfs_framework.lang.source import Span


def check_branches(facts: Facts) -> list[Diagnostic]:
    """Return a warning for every part that never runs."""
    found: list[Diagnostic] = []
    told: set[ir.Node] = set()
    for node in facts.of(ir.If):
        dead = never_runs(node)
        if dead is not None and _is_own(node, told, facts):
            found += _branch(node, dead, facts)
            told.update(everything((dead,)))
    for each in facts.of(ir.Try):
        found += _handlers(each, facts) if _is_own(each, told, facts) else ()
    for some in facts.of(ir.Do):
        found += _after_throw(some, facts) if _is_own(some, told, facts) else ()
    return found


def _is_own(node: ir.Node, told: set[ir.Node], facts: Facts) -> bool:
    """Tell whether the author wrote a node, and nothing was said yet of what is around it."""
    return node not in told and not (facts.written_by_macros and node.span in facts.written_by_macros)


def never_runs(node: ir.If) -> ir.Node | None:
    """Return the branch that a constant test rules out."""
    if not isinstance(node.test, ir.Const):
        return None
    return node.then if node.test.value is None or node.test.value is False else node.otherwise


def _branch(node: ir.If, dead: ir.Node, facts: Facts) -> Iterator[Diagnostic]:
    if node.test.span in facts.written_by_macros or _own_span(dead, node.span) == node.span:
        return
    word = "false" if dead is node.then else "true"
    message = f"this branch never runs: its test is always {word}"
    way_out = "remove the branch, or test a value that can differ"
    yield facts.finding(_own_span(dead, node.span), "E0241", message, way_out)


def _own_span(node: ir.Node, around: Span) -> Span:
    """Return the span of the first part of a node that is smaller than the form that it came from."""
    todo = [node]
    while todo:
        part = todo.pop()
        if part.span != around:
            return part.span
        todo.extend(reversed(list(parts(part))))
    return around


def _handlers(node: ir.Try, facts: Facts) -> Iterator[Diagnostic]:
    takes_all = [i for i, catch in enumerate(node.catches) if catch.kinds is None]
    for catch in node.catches[takes_all[0] + 1 :] if takes_all else ():
        message = "this handler never runs: one before it takes every error"
        way_out = "put the handlers of single kinds first, as in (catch TypeError e ...) (catch e ...)"
        yield facts.finding(catch.body.span, "E0242", message, way_out)


def _after_throw(node: ir.Do, facts: Facts) -> Iterator[Diagnostic]:
    for item, following in zip(node.items, node.items[1:], strict=False):
        thrown = isinstance(item, ir.Call) and isinstance(item.function, ir.Builtin) and item.function.name == "throw"
        if thrown and following.span not in {node.span, item.span}:
            message = "this never runs: the throw before it always leaves"
            yield facts.finding(following.span, "E0243", message, "remove it, or throw only in a branch")
            return
