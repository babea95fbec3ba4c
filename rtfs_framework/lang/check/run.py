"""All checks in one run, after analysis: what they find joins what the analyzer found on the way.

A mistake inside `try` with handlers, or in a branch that never runs, does not make the program fail: there an error is
a warning. A name that nobody knows is one inside `try` only. Findings are told once per place and code.
"""

from __future__ import annotations

from bisect import bisect_right
from sys import maxsize

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Callable, Iterable, Iterator
from rtfs_framework.lang.check.arity import check_arity
from rtfs_framework.lang.check.branches import check_branches, never_runs
from rtfs_framework.lang.check.chains import check_chains
from rtfs_framework.lang.check.clauses import check_clauses
from rtfs_framework.lang.check.facts import Facts, collect
from rtfs_framework.lang.check.inference import check_contradictions
from rtfs_framework.lang.check.memo import check_memo
from rtfs_framework.lang.check.shadowing import check_shadowing
from rtfs_framework.lang.check.type_names import check_type_names
from rtfs_framework.lang.check.unused import check_unused
from rtfs_framework.lang.diagnostics import HAPPENS, Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.base import AnalyzerBase
    from rtfs_framework.lang.check.contracts import Contracts

Check = Callable[[Facts], Iterable[Diagnostic]]

CHECKS: tuple[Check, ...] = (
    check_arity,
    check_contradictions,
    check_type_names,
    check_clauses,
    check_chains,
    check_branches,
    check_unused,
    check_shadowing,
    check_memo,
)


def check_program(
    program: ir.Program, analyzer: AnalyzerBase, contracts: Contracts | None = None
) -> tuple[list[Diagnostic], Facts]:
    """Return all findings about a program, those of its analyzer included, and the facts they rest on."""
    facts = collect(program, analyzer, contracts)
    found = list(analyzer.findings)
    for check in CHECKS:
        found += _run(check, facts)
    return _once(_softened(found, facts)), facts


def _run(check: Check, facts: Facts) -> list[Diagnostic]:
    """Run one check; a program that is too deep for it is left to the others."""
    try:
        return [*check(facts)]
    except RecursionError:
        return []


def _handled(facts: Facts) -> Iterator[Span]:
    """Yield the spans in which a failure is handled."""
    for node in facts.of(ir.Try):
        if node.catches:
            yield from spans(node.body)


def _unreached(facts: Facts) -> Iterator[Span]:
    """Yield the spans that are never reached."""
    for node in facts.of(ir.If):
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


def _softened(found: Iterable[Diagnostic], facts: Facts) -> Iterator[Diagnostic]:
    tries = _merged(node.span for node in facts.of(ir.Try))
    others = _merged([*_handled(facts), *_unreached(facts)])
    for each in found:
        places = tries if each.code == "E0203" else others if each.code in HAPPENS else []
        soft = each.severity == "error" and _inside(each.span, places)
        yield records.evolve(each, severity="warning") if soft else each


def _merged(spans: Iterable[Span]) -> list[tuple[int, int, int]]:
    """Return (source, start, end) of the outermost spans, in order: spans of forms nest or lie apart."""
    out: list[tuple[int, int, int]] = []
    for source, start, end in sorted((span.source, span.start, -span.end) for span in spans):
        if not (out and out[-1][0] == source and -end <= out[-1][2]):
            out.append((source, start, -end))
    return out


def _inside(span: Span | None, places: list[tuple[int, int, int]]) -> bool:
    if span is None:
        return False
    i = bisect_right(places, (span.source, span.start, maxsize)) - 1
    return i >= 0 and places[i][0] == span.source and span.end <= places[i][2]


def _once(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    told: set[tuple[str, Span | None, str]] = set()
    out = []
    for each in found:
        key = (each.code, each.span, each.message)
        if key not in told:
            told.add(key)
            out.append(each)
    return sorted(out, key=lambda each: (each.span.source, each.span.start) if each.span else (0, 0))
