"""Control: if, do, and, or, quote."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.branching import Branches, before_it
from rtfs_framework.lang.analyzer.data import to_data
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.analyzer.strictness import looked_into
from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.expander.core import OWN_WORD
from rtfs_framework.lang.forms import ListForm, Quoted, head_of
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.values import Symbol
from rtfs_framework.lang.vectors import List


@special("if", grammar="(if test then else?)", doc="Choose a branch: nil and false are false, anything else is true.")
def _if(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    parts = form.items[1:]
    if not 2 <= len(parts) <= 3:
        message = f"malformed if: a test and one or two branches, got {len(parts)} parts"
        raise malformed(analyzer, form, "if", message if parts else None)
    test = looked_into(analyzer, analyzer.analyze(parts[0], scope))
    branches = Branches(analyzer, scope)
    branches.start()
    then = analyzer.analyze(parts[1], scope, tail)
    branches.end()
    branches.start()
    otherwise = analyzer.analyze(parts[2], scope, tail) if len(parts) == 3 else ir.Const(None, form.span)
    branches.end()
    return before_it(ir.If(test, then, otherwise, form.span), branches.settle(form, of=2))


@special("do", grammar="(do form...)", doc="Evaluate forms in order; the value of the last.")
def _do(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    return analyzer.body(form.items[1:], scope, tail, form.span)


@special("and", grammar="(and form...)", doc="The first false value, else the last; true without forms.")
def _and(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    items, before = _short_circuit(analyzer, form, scope, tail)
    if len(items) < 2:
        return items[0] if items else ir.Const(value=True, span=form.span)
    return before_it(ir.And(items, form.span), before)


@special("or", grammar="(or form...)", doc="The first true value, else the last; false without forms.")
def _or(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    items, before = _short_circuit(analyzer, form, scope, tail)
    if len(items) < 2:
        return items[0] if items else ir.Const(value=False, span=form.span)
    return before_it(ir.Or(items, form.span), before)


def _short_circuit(
    analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None
) -> tuple[tuple[ir.Node, ...], tuple[ir.Node, ...]]:
    """Return the items, of which only the first surely runs, and what must run before them."""
    parts = form.items[1:]
    if len(parts) < 2:
        return tuple(analyzer.analyze(part, scope, tail) for part in parts), ()
    first = looked_into(analyzer, analyzer.analyze(parts[0], scope))
    branches = Branches(analyzer, scope)
    branches.start()
    rest = analyzer.each(parts[1:], scope, tail)
    branches.end()
    return (first, *[looked_into(analyzer, each) for each in rest]), branches.settle(form)


@special("macroexpand", grammar="(macroexpand 'form)", doc="What a macro call stands for, as data.", reserved=False)
def _macroexpand(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    quoted = form.items[1] if len(form.items) == 2 else None
    if not isinstance(quoted, Quoted) or quoted.kind != "quote":
        raise malformed(analyzer, form, "macroexpand")
    made = quoted.form
    while isinstance(made, ListForm) and (name := head_of(made)) is not None:
        if not analyzer.macros.knows(analyzer.namespace.full(name) or name):
            break
        made = analyzer.macros.expand(analyzer, made)
    return ir.Const(_plain(to_data(made)), form.span)


def _plain(data: Any) -> Any:
    """Return an expansion with the language's own words as plain symbols, for people to read."""
    if data.__class__ is List:
        return List(_plain(item) for item in data)
    if data.__class__ is tuple:
        return tuple(_plain(item) for item in data)
    return Symbol(data.name.removeprefix(OWN_WORD)) if data.__class__ is Symbol else data


@special("quote", grammar="(quote form)", doc="The form as data: symbols and lists stay what they are.")
def _quote(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    if len(form.items) != 2:
        raise malformed(analyzer, form, "quote")
    return ir.Const(to_data(form.items[1]), form.span)
