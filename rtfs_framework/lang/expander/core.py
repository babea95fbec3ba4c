"""Core macros: when, when-not, if-not, if-let, when-let, cond, case, ->, ->>, as->, some->, comment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.lang.forms import Atom, Form, ListForm, Name, VectorForm
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.analyzer.analyze import Analyzer

Parts = tuple[Form, ...]
OWN_WORD = "##"
"""A name that begins with it is the language's word: no program can write one (readers see ##Inf and its kin only)."""


@attrs.frozen(slots=True, eq=False)
class CoreMacro:
    """A macro of the language: its accepted form and its rewriting."""

    name: str
    grammar: str
    doc: str
    rewrite: Callable[[Parts, Span], Form | None]

    def expand(self, analyzer: Analyzer, form: ListForm) -> Form:
        """Return the rewritten form.

        Raises:
            LanguageError: E0201, the call does not have the accepted form.
        """
        made = self.rewrite(form.items[1:], form.span)
        if made is None:
            raise analyzer.refuse(form, "E0201", f"malformed {self.name}", f"as in {self.grammar}")
        return made


CORE: dict[str, CoreMacro] = {}


def core(name: str, grammar: str, doc: str) -> Callable[[Callable[[Parts, Span], Form | None]], None]:
    """Enter a core macro."""

    def enter(rewrite: Callable[[Parts, Span], Form | None]) -> None:
        CORE[name] = CoreMacro(name, grammar, doc, rewrite)

    return enter


def call(span: Span, head: str, *rest: Form) -> ListForm:
    """Return `(head rest...)`, where head means the language's own word, whatever a program calls so."""
    return ListForm((Name(f"{OWN_WORD}{head}", span), *rest), span)


def nil(span: Span) -> Atom:
    """Return the form nil."""
    return Atom(None, span)


@core("when", "(when test body...)", "The body if the test is true, else nil.")
def _when(parts: Parts, span: Span) -> Form | None:
    return call(span, "if", parts[0], call(span, "do", *parts[1:])) if parts else None


@core("when-not", "(when-not test body...)", "The body if the test is false, else nil.")
def _when_not(parts: Parts, span: Span) -> Form | None:
    return call(span, "if", parts[0], nil(span), call(span, "do", *parts[1:])) if parts else None


@core("if-not", "(if-not test then else?)", "A branch on falsehood.")
def _if_not(parts: Parts, span: Span) -> Form | None:
    if not 2 <= len(parts) <= 3:
        return None
    return call(span, "if", parts[0], parts[2] if len(parts) == 3 else nil(span), parts[1])


def _one_binding(form: Form) -> tuple[Form, Form] | None:
    return (form.items[0], form.items[1]) if isinstance(form, VectorForm) and len(form.items) == 2 else None


@core("if-let", "(if-let [pattern value] then else?)", "Bind and take the first branch if the value is true.")
def _if_let(parts: Parts, span: Span) -> Form | None:
    binding = _one_binding(parts[0]) if 2 <= len(parts) <= 3 else None
    if binding is None:
        return None
    temp = Name("if-let#value", span)
    inner = call(span, "let", VectorForm((binding[0], temp), span), parts[1])
    other = parts[2] if len(parts) == 3 else nil(span)
    return call(span, "let", VectorForm((temp, binding[1]), span), call(span, "if", temp, inner, other))


@core("when-let", "(when-let [pattern value] body...)", "Bind and run the body if the value is true.")
def _when_let(parts: Parts, span: Span) -> Form | None:
    if len(parts) < 2 or _one_binding(parts[0]) is None:
        return None
    return call(span, "if-let", parts[0], call(span, "do", *parts[1:]))


@core("cond", "(cond test value ... :else value)", "The value after the first true test, else nil.")
def _cond(parts: Parts, span: Span) -> Form | None:
    if len(parts) % 2:
        return None
    result: Form = nil(span)
    for test, value in reversed(list(zip(parts[::2], parts[1::2], strict=True))):
        always = isinstance(test, Atom) and test.value in (Keyword("else"), Keyword("default"))
        last = isinstance(result, Atom) and result.value is None and result.span == span
        result = value if always and last else call(span, "if", test, value, result)
    return result


@core("case", "(case value literal result ... default?)", "The result after an equal literal; (a b) lists several.")
def _case(parts: Parts, span: Span) -> Form | None:
    if not parts:
        return None
    temp = Name("case#value", span)
    clauses = parts[1:]
    if len(clauses) % 2:
        result: Form = clauses[-1]
        clauses = clauses[:-1]
    else:
        result = call(span, "match", temp)
    for literal, value in reversed(list(zip(clauses[::2], clauses[1::2], strict=True))):
        options = literal.items if isinstance(literal, ListForm) else (literal,)
        tests = [call(option.span, "=", temp, call(option.span, "quote", option)) for option in options]
        result = call(span, "if", call(span, "or", *tests), value, result)
    return call(span, "let", VectorForm((temp, parts[0]), span), result)


def _thread(parts: Parts, span: Span, *, last: bool) -> Form | None:
    if not parts:
        return None
    result = parts[0]
    for step in parts[1:]:
        items = step.items if isinstance(step, ListForm) and step.items else (step,)
        moved = (*items, result) if last else (items[0], result, *items[1:])
        result = ListForm(moved, step.span if isinstance(step, ListForm) else span)
    return result


@core("->", "(-> value form...)", "Thread a value through calls as their first argument.")
def _thread_first(parts: Parts, span: Span) -> Form | None:
    return _thread(parts, span, last=False)


@core("->>", "(->> value form...)", "Thread a value through calls as their last argument.")
def _thread_last(parts: Parts, span: Span) -> Form | None:
    return _thread(parts, span, last=True)


@core("as->", "(as-> value name form...)", "Thread a value through forms under a name.")
def _as_thread(parts: Parts, span: Span) -> Form | None:
    if len(parts) < 2 or not isinstance(parts[1], Name):
        return None
    bindings: list[Form] = [parts[1], parts[0]]
    for step in parts[2:]:  # inside do: a function must see the value before it under the name, not itself
        bindings += [parts[1], call(span, "do", step)]
    return call(span, "let", VectorForm(tuple(bindings), span), parts[1])


@core("some->", "(some-> value form...)", "Thread first; stop with nil at the first nil.")
def _some_thread(parts: Parts, span: Span) -> Form | None:
    if not parts:
        return None
    temp = Name("some#value", span)
    result: Form = temp
    for step in reversed(parts[1:]):
        threaded = _thread((temp, step), span, last=False)
        if threaded is None:
            return None
        bound = call(span, "let", VectorForm((temp, threaded), span), result)
        result = call(span, "if", call(span, "nil?", temp), nil(span), bound)
    return call(span, "let", VectorForm((temp, parts[0]), span), result)


@core("comment", "(comment form...)", "Ignores its forms; nil.")
def _comment(parts: Parts, span: Span) -> Form | None:
    del parts
    return nil(span)
