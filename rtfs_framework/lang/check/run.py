"""All checks in one run, after analysis: what they find joins what the analyzer found on the way.

A mistake inside `try` with handlers, or in a branch that never runs, does not make the program fail: there an error is
a warning. Findings are told once per place and code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.lang.check.arity import check_arity
from rtfs_framework.lang.check.branches import check_branches, never_runs
from rtfs_framework.lang.check.clauses import check_clauses
from rtfs_framework.lang.check.contradictions import check_contradictions
from rtfs_framework.lang.check.facts import Facts, collect
from rtfs_framework.lang.check.shadowing import check_shadowing
from rtfs_framework.lang.check.unused import check_unused
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer

Check = Callable[[ir.Program, Facts], list[Diagnostic]]

CHECKS: tuple[Check, ...] = (
    check_arity,
    check_contradictions,
    check_clauses,
    check_branches,
    check_unused,
    check_shadowing,
)

_SOFTENED = frozenset({"E0204", "E0205", "E0320", "E0321", "E0322"})
"""Errors of evaluation: where a handler may take them, they are warnings."""


def check_program(program: ir.Program, analyzer: Analyzer) -> tuple[list[Diagnostic], Facts]:
    """Return all findings about a program, those of its analyzer included, and the facts they rest on."""
    facts = collect(program, analyzer)
    found = list(analyzer.findings)
    for check in CHECKS:
        found += check(program, facts)
    return _once(_softened(found, list(_sheltered(facts)))), facts


def _sheltered(facts: Facts) -> Iterator[Span]:
    """Yield the spans in which a failure is handled, or is never reached."""
    for node in facts.nodes:
        if isinstance(node, ir.Try) and node.catches:
            yield from spans(node.body)
        elif isinstance(node, ir.If):
            dead = never_runs(node)
            if dead is not None:
                yield from spans(dead)


def spans(node: ir.Node) -> Iterator[Span]:
    """Yield the spans of a body: a `do` that a form implies has the form's own span, which says too much."""
    if isinstance(node, ir.Do):
        for item in node.items:
            yield from spans(item)
    else:
        yield node.span


def _softened(found: Iterable[Diagnostic], sheltered: list[Span]) -> Iterator[Diagnostic]:
    for each in found:
        soft = each.severity == "error" and each.code in _SOFTENED and _inside(each.span, sheltered)
        yield attrs.evolve(each, severity="warning") if soft else each


def _inside(span: Span | None, places: list[Span]) -> bool:
    return span is not None and any(
        place.source == span.source and place.start <= span.start and span.end <= place.end for place in places
    )


def _once(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    told: set[tuple[str, Span | None, str]] = set()
    out = []
    for each in found:
        key = (each.code, each.span, each.message)
        if key not in told:
            told.add(key)
            out.append(each)
    return sorted(out, key=lambda each: (each.span.source, each.span.start) if each.span else (0, 0))
