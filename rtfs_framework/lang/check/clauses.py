"""Clauses of `match` that can never be chosen, because an earlier clause fits all that they fit.

Proved are: anything after a pattern that always fits; a literal that stands there before, or whose type does; a vector
or map pattern after one that fits all that it fits, part by part. A clause with a guard rules nothing out.
"""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any, Iterator
from rtfs_framework.lang.check.facts import Facts
from rtfs_framework.lang.diagnostics import Diagnostic
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.show import show_type

MOST_COMPARED = 100
"""Patterns of one match that a later one is compared with."""


def check_clauses(facts: Facts) -> list[Diagnostic]:
    """Return a warning for every clause that is never chosen."""
    return [
        found
        for node in facts.of(ir.Match)
        if node.span not in facts.written_by_macros
        for found in _of_match(node, facts)
    ]


def _of_match(node: ir.Match, facts: Facts) -> Iterator[Diagnostic]:
    seen = _Seen(facts)
    for clause in node.clauses:
        why = seen.covers(clause.pattern)
        if why is not None:
            message = f"this clause is never chosen: {why}"
            yield facts.finding(clause.body.span, "E0240", message, "remove it, or put it first")
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
        self.literals: set[str] = set()
        self.types: list[Type] = []
        self.others: list[ir.PType | ir.PVector | ir.PMap] = []

    def add(self, pattern: ir.Pattern) -> None:
        """Note what a clause without a guard fits."""
        match pattern:
            case ir.PAs(pattern=inner):
                self.add(inner)
            case ir.PVar() | ir.PIgnore():
                self.all = True
            case ir.PLiteral(value=value):
                self.literals |= {key} if (key := literal_key(value)) is not None else set()
            case _ if len(self.others) < MOST_COMPARED:
                self.others.append(pattern)
                if isinstance(pattern, ir.PType) and always_fits(pattern.pattern):
                    self.types.append(pattern.type)
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
            case ir.PVector() | ir.PMap() | ir.PType():
                if any(_subsumes(earlier, pattern) for earlier in self.others):
                    return "a clause before it fits all that it fits"
        return None

    def _covers_literal(self, value: Any) -> str | None:
        if literal_key(value) in self.literals:
            return f"the literal {write(value)} stands in a clause before it"
        for declared in self.types:
            if violation(declared, value, self.facts.types.get) is None:
                return f"a clause before it fits every {show_type(declared)}"
        return None


def _subsumes(earlier: ir.Pattern, later: ir.Pattern) -> bool:
    """Tell whether a pattern surely fits whatever another fits."""
    if isinstance(earlier, ir.PAs):
        return _subsumes(earlier.pattern, later)
    if isinstance(later, ir.PAs):
        return _subsumes(earlier, later.pattern)
    match earlier, later:
        case ((ir.PVar() | ir.PIgnore()), _):
            return True
        case ir.PLiteral(value=one), ir.PLiteral(value=other):
            return literal_key(one) is not None and literal_key(one) == literal_key(other)
        case ir.PType(type=one, pattern=inner), ir.PType(type=other, pattern=later_inner):
            return one == other and _subsumes(inner, later_inner)
        case ir.PVector(), ir.PVector():
            return _vector_subsumes(earlier, later)
        case ir.PMap(rest=rest), ir.PMap():
            theirs = {literal_key(entry.key): entry for entry in later.entries}
            return (rest is None or always_fits(rest)) and all(
                (entry := theirs.get(literal_key(own.key))) is not None
                and (entry.default is None or own.default is not None)
                and _subsumes(own.pattern, entry.pattern)
                for own in earlier.entries
            )
        case _:
            return False


def _vector_subsumes(earlier: ir.PVector, later: ir.PVector) -> bool:
    count = len(earlier.items)
    if earlier.rest is None:
        fits = later.rest is None and len(later.items) == count
    else:
        fits = always_fits(earlier.rest) and len(later.items) >= count
    return fits and all(map(_subsumes, earlier.items, later.items))


def literal_key(value: Any) -> str | None:
    """Return what tells a literal from all unequal ones: how it prints. None for NaN, which is equal to nothing."""
    text = write(value)
    return None if "##NaN" in text else text
