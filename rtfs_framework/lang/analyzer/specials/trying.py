"""try, catch, finally."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.branching import Branches, before_it, part
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.diagnostics import did_you_mean
from rtfs_framework.lang.error_kinds import ALL, FAMILIES, KINDS
from rtfs_framework.lang.expander.core import OWN_WORD
from rtfs_framework.lang.forms import Form, ListForm, Name, head_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.source import Span


def _clause(form: Form, word: str) -> bool:
    return head_of(form) == word


@special(
    "try",
    grammar="(try body... (catch Kind? name handler...)... (finally form...)?)",
    doc="Handle errors by kind; finally always runs. A bare name, _, Exception and Throwable take every error. "
    f"{' '.join(f'{name} takes {words}.' for name, words in FAMILIES.items())} Kinds: {', '.join(KINDS)}.",
)
def _try(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    parts = list(form.items[1:])
    last = parts.pop() if parts and _clause(parts[-1], "finally") else None
    clauses: list[ListForm] = []
    while parts and _clause(parts[-1], "catch"):
        clause = parts.pop()
        assert isinstance(clause, ListForm)  # noqa: S101 - `_clause` has seen it
        clauses.append(clause)
    if (not clauses and last is None) or any(_clause(p, "finally") or _clause(p, "catch") for p in parts):
        raise malformed(analyzer, form, "try")
    branches = Branches(analyzer, scope)
    branches.start()
    body = analyzer.body(tuple(parts), scope, None, form.span)
    branches.end()
    before = branches.settle(form)
    catches = tuple(_read_catch(analyzer, clause, scope) for clause in reversed(clauses))
    final: ir.Node | None = None
    if isinstance(last, ListForm):
        final, defined = part(analyzer, ListForm((Name(f"{OWN_WORD}do", last.span), *last.items[1:]), last.span), scope)
        before += defined
    return before_it(ir.Try(body, catches, final, form.span), before)


def _judge(analyzer: AnalyzerBase, kind: str, span: Span) -> None:
    """Note a kind that no error has, unless the program mentions it: it may throw errors of that kind itself."""
    if kind in KINDS or kind in FAMILIES:
        return
    if not any(f'"{kind}"' in source.text or f":{kind}" in source.text for source in analyzer.sources):
        known = "`rtfs doc try` lists the kinds; a capability may have some of its own"
        way_out = did_you_mean(kind, (*KINDS, *FAMILIES, *ALL)) or known
        message = f"no error has the kind '{kind}'"
        analyzer.report(span, "E0245", message, way_out, kind="Unreachable", severity="hint")


def _read_catch(analyzer: AnalyzerBase, form: ListForm, scope: Scope) -> ir.Catch:
    """(catch name handler...), (catch Kind name handler...) or (catch name name handler...)."""
    parts = form.items[1:]
    named = [part for part in parts[:2] if isinstance(part, Name)]
    names = [part.name for part in named]
    if len(parts) < 2 or not isinstance(parts[0], Name):
        way_out = "as in (catch e handler) or (catch TypeError e handler)"
        raise analyzer.refuse(form, "E0201", "malformed catch", way_out)
    inner = scope.child()
    two = len(parts) >= 3 and len(names) == 2
    is_filter = two and (names[0] == "_" or names[0][:1].isupper())
    binders = named[1:] if is_filter else named if two else named[:1]
    variables = tuple(analyzer.new_var(part.name, inner, part.span) for part in binders if part.name != "_")
    kinds = names[0] if is_filter and names[0] not in ALL else None
    if kinds is not None:
        _judge(analyzer, kinds, named[0].span)
    body = analyzer.body(parts[2 if two else 1 :], inner, None, form.span)
    return ir.Catch(kinds, variables, body)
