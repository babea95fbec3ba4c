"""match: clauses of pattern, optional guard and body."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.branching import before_it, part
from rtfs_framework.lang.analyzer.patterns import Patterns
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.analyzer.strictness import looked_into
from rtfs_framework.lang.forms import Form, ListForm, Name
from rtfs_framework.lang.ir import nodes as ir


@special(
    "match",
    grammar="(match value pattern body ...), with `pattern when test body` for a guard",
    doc="The body of the first clause whose pattern fits and whose guard is true; none is a MatchError.",
)
def _match(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if len(form.items) < 2:
        raise malformed(analyzer, form, "match")
    value = looked_into(analyzer, analyzer.analyze(form.items[1], scope))
    clauses: list[ir.Clause] = []
    before: tuple[ir.Node, ...] = ()
    left: list[Form] = list(reversed(form.items[2:]))
    while left:
        pattern_form = left.pop()
        inner = scope.child()
        pattern = Patterns(analyzer, inner, matching=True).read(pattern_form)
        guard = None
        if len(left) >= 3 and isinstance(left[-1], Name) and left[-1].name == "when":
            left.pop()
            guard, defined = part(analyzer, left.pop(), inner)
            before += defined
        if not left:
            message = "a clause of match needs a body"
            raise analyzer.refuse(pattern_form, "E0201", message, "as in (match value pattern body ...)")
        clauses.append(ir.Clause(pattern, guard, analyzer.analyze(left.pop(), inner, tail)))
    return before_it(ir.Match(value, tuple(clauses), form.span), before)
