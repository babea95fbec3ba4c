"""Clauses of `match` that can never be chosen, because an earlier clause fits all that they fit.

Proved are: anything after a pattern that always fits; a literal that stands there before, or whose type does; a vector
pattern of the same length after one of names only. A clause with a guard rules nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

CODE = "E0240"


def check_clauses(program: ir.Program, facts: Facts) -> list[Diagnostic]:  # noqa: ARG001 - the shape of a check
    """Return a warning for every clause that is never chosen."""
    return [
        found
        for node in facts.nodes
        if isinstance(node, ir.Match) and node.span not in facts.written_by_macros
        for found in _of_match(node, facts)
    ]


def _of_match(node: ir.Match, facts: Facts) -> Iterator[Diagnostic]:
    seen = _Seen(facts)
    for clause in node.clauses:
        why = seen.covers(clause.pattern)
        if why is not None:
            message = f"this clause is never chosen: {why}"
            yield facts.finding(
                clause.body.span, CODE, message, "remove it, or put it first", kind="Unreachable", severity="warning"
            )
        elif clause.guard is None:
            seen.add(clause.pattern)


def always_fits(pattern: ir.Pattern) -> bool:
    """Tell whether a pattern fits every value."""
    match pattern:
        case ir.PVar() | ir.PIgnore():
            return True
        case ir.PAs(pattern=inner):
            return always_fits(inner)
        case _:
            return False


class _Seen:
    """What the clauses so far fit."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.all = False
        self.literals: set[tuple[type, Any]] = set()
        self.types: list[Type] = []
        self.exact: set[int] = set()
        """Lengths of vector patterns without rest that hold names only."""
        self.at_least: int | None = None
        """The least length of one with a rest."""

    def add(self, pattern: ir.Pattern) -> None:
        """Note what a clause without a guard fits."""
        match pattern:
            case ir.PAs(pattern=inner):
                self.add(inner)
            case ir.PVar() | ir.PIgnore():
                self.all = True
            case ir.PLiteral(value=value):
                self.literals.add((value.__class__, _key(value)))
            case ir.PType(type=declared, pattern=inner) if always_fits(inner):
                self.types.append(declared)
            case ir.PVector(items=items, rest=rest) if all(map(always_fits, items)):
                if rest is None:
                    self.exact.add(len(items))
                elif always_fits(rest):
                    self.at_least = min(len(items), self.at_least if self.at_least is not None else len(items))
            case _:
                pass

    def covers(self, pattern: ir.Pattern) -> str | None:
        """Return why nothing is left for a pattern, or None."""
        if self.all:
            return "a clause before it fits every value"
        match pattern:
            case ir.PAs(pattern=inner):
                return self.covers(inner)
            case ir.PLiteral(value=value):
                return self._covers_literal(value)
            case ir.PType(type=declared) if declared in self.types:
                return f"the type {show_type(declared)} was tested before"
            case ir.PVector(items=items, rest=rest):
                longer = self.at_least is not None and len(items) >= self.at_least
                if longer or (rest is None and len(items) in self.exact):
                    return "a vector pattern before it fits every vector of this length"
        return None

    def _covers_literal(self, value: Any) -> str | None:
        if (value.__class__, _key(value)) in self.literals:
            return f"the literal {write(value)} stands in a clause before it"
        for declared in self.types:
            if violation(declared, value, self.facts.types.get) is None:
                return f"a clause before it fits every {show_type(declared)}"
        return None


def _key(value: Any) -> Any:
    """Return what tells a literal from others of its class (NaN, which fits nothing, from itself)."""
    return value if value == value else object()  # noqa: PLR0124 - NaN
