"""Binding: let, letfn, loop, recur."""

from __future__ import annotations

from contextlib import suppress

from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.analyzer.bindings import is_colon, is_type_keyword, split_bindings
from rtfs_framework.lang.analyzer.patterns import Patterns
from rtfs_framework.lang.analyzer.refusals import Refusals
from rtfs_framework.lang.analyzer.scope import Scope, Tail
from rtfs_framework.lang.analyzer.specials.functions import FunctionForm, is_function_form, local_functions
from rtfs_framework.lang.analyzer.specials.record import malformed, special
from rtfs_framework.lang.analyzer.type_names import type_of
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.forms import Form, ListForm, MapForm, Name, VectorForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.ticketed import is_ticket

Bindings = list[tuple[Form, "Form | None", Form]]


def read_bindings(analyzer: AnalyzerBase, form: ListForm, word: str) -> Bindings:
    """Return the bindings of a form such as let.

    Raises:
        LanguageError: E0201, the second item is no vector of bindings, or the body is missing.
    """
    if len(form.items) > 1 and not isinstance(form.items[1], VectorForm):
        raise malformed(analyzer, form, word, f"malformed {word}: its bindings stand in [ ]", at=form.items[1])
    if len(form.items) < 3 or not isinstance(form.items[1], VectorForm):
        raise malformed(analyzer, form, word, f"malformed {word}: it has no body" if len(form.items) > 1 else None)
    items = form.items[1].items
    found = split_bindings(items)
    if found is None:
        wrong = _odd_one(items)
        if wrong is None:
            raise malformed(analyzer, form, word, f"malformed bindings in {word}")
        raise malformed(analyzer, form, word, f"malformed bindings in {word}: this is bound to no value", at=wrong)
    return found


def _odd_one(items: tuple[Form, ...]) -> Form | None:
    """Return the last pattern of a binding vector that has no value, if pairs of pattern and value stand before it."""
    plain = not any(is_colon(item) or is_type_keyword(item) for item in items)
    names = all(isinstance(item, Name | VectorForm | MapForm) for item in items[::2])
    return items[-1] if plain and names and len(items) % 2 else None


@special("let", grammar="(let [pattern value ...] body...)", doc="Bind names in order, each value seeing those before.")
def _let(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    bindings = read_bindings(analyzer, form, "let")
    inner = scope.child()
    nodes: list[ir.Node] = []
    refused = Refusals()
    i = 0
    while i < len(bindings):
        group = _function_group(analyzer, bindings, i, inner)
        try:
            if group:
                nodes.append(_letrec(analyzer, bindings[i : i + group], inner, form))
            else:
                nodes.append(bind(analyzer, bindings[i], inner))
        except LanguageError as error:
            refused.take(error)
            _bind_names(analyzer, bindings[i], inner)
        inner = inner if group else inner.child()
        i += group or 1
    try:
        nodes.append(analyzer.body(form.items[2:], inner, tail, form.span))
    except LanguageError as error:
        refused.take(error)
    refused.settle()
    return ir.Do(tuple(nodes), form.span)


def _bind_names(analyzer: AnalyzerBase, binding: tuple[Form, Form | None, Form], scope: Scope) -> None:
    """Bind the names of a refused binding, so that what follows does not miss them."""
    with suppress(LanguageError):
        Patterns(analyzer, scope, names_only=True).read(binding[0])


def bind(analyzer: AnalyzerBase, binding: tuple[Form, Form | None, Form], scope: Scope) -> ir.Node:
    """Return one binding: its value is analyzed before its names exist."""
    pattern, kind, value = binding
    node = analyzer.analyze(value, scope)
    declared = None if kind is None else type_of(analyzer, kind)
    read = Patterns(analyzer, scope).read(pattern)
    if isinstance(read, ir.PVar) and is_ticket(node):
        analyzer.tickets.add(read.var)
    return ir.Bind(read, node, declared, pattern.span)


def _function_group(analyzer: AnalyzerBase, bindings: Bindings, start: int, scope: Scope) -> int:
    """Return how many bindings from here on bind a plain name to a function literal."""
    count = 0
    for pattern, kind, value in bindings[start:]:
        named = isinstance(pattern, Name) and pattern.name != "_" and kind is None
        if not (named and is_function_form(analyzer, value, scope)):
            break
        count += 1
    return count


def _letrec(analyzer: AnalyzerBase, group: Bindings, scope: Scope, form: ListForm) -> ir.Node:
    made = [(analyzer.new_var(p.name, scope, p.span), p.name, v) for p, _, v in group if isinstance(p, Name)]
    functions = []
    for var, name, value in made:
        assert isinstance(value, ListForm)  # noqa: S101 - `is_function_form` has seen it
        functions.append((var, name, FunctionForm.read(analyzer, value, "fn", named=False)))
    return local_functions(analyzer, functions, scope, form.span)


@special("letfn", grammar="(letfn [(name [params] body...) ...] body...)", doc="Bind functions that see each other.")
def _letfn(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if len(form.items) < 3 or not isinstance(form.items[1], VectorForm):
        raise malformed(analyzer, form, "letfn")
    inner = scope.child()
    group: Bindings = []
    for item in form.items[1].items:
        if not (isinstance(item, ListForm) and len(item.items) >= 2 and isinstance(item.items[0], Name)):
            raise malformed(analyzer, form, "letfn")
        function = ListForm((Name("fn", item.span), *item.items[1:]), item.span)
        group.append((item.items[0], None, function))
    nodes = [_letrec(analyzer, group, inner, form)] if group else []
    return ir.Do((*nodes, analyzer.body(form.items[2:], inner, tail, form.span)), form.span)


@special("loop", grammar="(loop [pattern value ...] body...)", doc="Bind names and run the body; recur runs it again.")
def _loop(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:  # noqa: ARG001
    bindings = read_bindings(analyzer, form, "loop")
    inits: list[ir.Node] = []
    outer = scope.child()
    firsts: list[ir.Node] = []
    for pattern, _, value in bindings:
        node = analyzer.analyze(value, outer)
        outer = outer.child()
        temp = analyzer.hidden_var("init", outer)
        firsts.append(ir.Bind(ir.PVar(temp), node, None, value.span))
        inits.append(ir.Local(temp, value.span))
        if isinstance(pattern, Name):
            analyzer.name_var(temp, pattern.name, outer, pattern.span)
        else:
            firsts.append(
                ir.Bind(Patterns(analyzer, outer).read(pattern), ir.Local(temp, value.span), None, pattern.span)
            )
    inner = scope.child(in_loop=True)
    variables = tuple(analyzer.hidden_var("loop", inner) for _ in bindings)
    binds: list[ir.Node] = []
    for (pattern, kind, _), var in zip(bindings, variables, strict=True):
        declared = None if kind is None else type_of(analyzer, kind)
        if isinstance(pattern, Name) and declared is None:
            if pattern.name != "_":
                analyzer.name_var(var, pattern.name, inner, pattern.span)
        else:
            binds.append(
                ir.Bind(Patterns(analyzer, inner).read(pattern), ir.Local(var, form.span), declared, form.span)
            )
    body = analyzer.body(form.items[2:], inner, Tail(None, len(variables)), form.span)
    loop = ir.Loop(variables, tuple(inits), ir.Do((*binds, body), form.span), form.span)
    return ir.Do((*firsts, loop), form.span)


@special("recur", grammar="(recur value ...)", doc="Run the innermost loop or function again with new values.")
def _recur(analyzer: AnalyzerBase, form: ListForm, scope: Scope, tail: Tail | None) -> ir.Node:
    if tail is None or not tail.explicit:
        message = "recur stands only in tail position of loop or fn, outside try"
        raise analyzer.refuse(form, "E0209", message, "as in (loop [i 0] (if (< i 3) (recur (inc i)) i))")
    args = tuple(analyzer.analyze(arg, scope) for arg in form.items[1:])
    if len(args) != tail.count:
        message = f"recur needs {tail.count} value{'' if tail.count == 1 else 's'} here, got {len(args)}"
        raise analyzer.refuse(form, "E0209", message, "one for each binding of the loop, or parameter of the function")
    if tail.frame is not None:
        tail.frame.loops = True
    return ir.Recur(args, tail.frame, form.span)
