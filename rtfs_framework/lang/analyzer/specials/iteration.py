"""Iteration: for, doseq, dotimes. Lowered to calls of runtime helpers that run thunks."""

from __future__ import annotations

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.bindings import split_bindings
from rtfs_framework.lang.analyzer.patterns import Patterns
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.binding import bind
from rtfs_framework.lang.analyzer.specials.functions import closure, thunk
from rtfs_framework.lang.analyzer.specials.record import special
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm, Name, VectorForm, head_of, keyword_of
from rtfs_framework.lang.ir import nodes as ir

_FOR = "(for [pattern coll ... :when test :while test :let [...]] body)"


def _refuse(analyzer: AnalyzerBase, form: ListForm, kind: str, grammar: str) -> LanguageError:
    word = head_of(form) or "form"
    return analyzer.refuse(form, "E0201", f"malformed {word}", f"as in {grammar}", kind=kind)


@special("for", grammar=_FOR, doc="The vector of the body's values for every combination of the collections.")
def _for(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    if len(form.items) != 3:
        raise _refuse(analyzer, form, "ArityMismatch", _FOR)
    return _levels(analyzer, form, _clauses(analyzer, form, _FOR), scope, collect=True)


@special("doseq", grammar="(doseq [pattern coll ...] body...)", doc="Run the body for every combination; nil.")
def _doseq(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    grammar = "(doseq [pattern coll ...] body...)"
    if len(form.items) < 3:
        raise _refuse(analyzer, form, "ArityMismatch", grammar)
    loop = _levels(analyzer, form, _clauses(analyzer, form, grammar), scope, collect=False)
    return ir.Do((loop, ir.Const(None, form.span)), form.span)


def _clauses(analyzer: AnalyzerBase, form: ListForm, grammar: str) -> list[tuple[Form, Form]]:
    vector = form.items[1]
    if not isinstance(vector, VectorForm) or len(vector.items) % 2:
        raise _refuse(analyzer, form, "TypeError", grammar)
    return list(zip(vector.items[::2], vector.items[1::2], strict=True))


def _levels(
    analyzer: AnalyzerBase,
    form: ListForm,
    clauses: list[tuple[Form, Form]],
    scope: Scope,
    *,
    collect: bool,
    inside: bool = False,
) -> ir.Node:
    """One clause after the other; every level `inside` a loop gives a vector (nil: stop that loop)."""
    span = form.span
    if not clauses:
        body = analyzer.body(form.items[2:], scope, None, span)
        return ir.VectorNode((body,), span) if collect else ir.Do((body, ir.VectorNode((), span)), span)
    (head, value), rest = clauses[0], clauses[1:]
    word = keyword_of(head)
    if word is not None:
        return _modifier(analyzer, form, word, value, rest, scope, collect=collect, inside=inside)
    collection = analyzer.analyze(value, scope)
    inner = scope.function("")
    pattern = Patterns(analyzer, inner).read(head)
    body = _levels(analyzer, form, rest, inner.child(), collect=collect, inside=True)
    each = closure(analyzer, (pattern,), body, inner, span)
    return ir.Call(ir.Builtin("%for", span), (collection, each), span)


def _modifier(
    analyzer: AnalyzerBase,
    form: ListForm,
    word: str,
    value: Form,
    rest: list[tuple[Form, Form]],
    scope: Scope,
    *,
    collect: bool,
    inside: bool,
) -> ir.Node:
    span = form.span
    if word == "let" and isinstance(value, VectorForm):
        bindings = split_bindings(value.items)
        if bindings is not None:
            inner = scope.child()
            nodes = [bind(analyzer, binding, inner) for binding in bindings]
            return ir.Do((*nodes, _levels(analyzer, form, rest, inner.child(), collect=collect, inside=inside)), span)
    if word in ("when", "while"):
        test = analyzer.analyze(value, scope)
        then = _levels(analyzer, form, rest, scope, collect=collect, inside=inside)
        stops = word == "while" and inside
        other: ir.Node = ir.Const(None, span) if stops else ir.VectorNode((), span)
        return ir.If(test, then, other, span)
    raise _refuse(analyzer, form, "ParseError", _FOR)


@special("dotimes", grammar="(dotimes [name count] body)", doc="Run the body for 0 ... count-1; the last value.")
def _dotimes(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    grammar = "(dotimes [name count] body)"
    if len(form.items) != 3:
        raise _refuse(analyzer, form, "ArityMismatch", grammar)
    vector = form.items[1]
    if not (isinstance(vector, VectorForm) and len(vector.items) == 2 and isinstance(vector.items[0], Name)):
        raise _refuse(analyzer, form, "TypeError", grammar)
    count = analyzer.analyze(vector.items[1], scope)
    body = thunk(analyzer, form.items[2:], scope, form.span, vector.items[0])
    return ir.Call(ir.Builtin("%dotimes", form.span), (count, body), form.span)
