"""Core macros: when, when-not, if-not, if-let, when-let, cond, condp, case, ->, ->> and kin, doto, assert, comment."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.base import AnalyzerBase
from rtfs_framework.lang.annotations import Callable
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm
from rtfs_framework.lang.source import Span
from rtfs_framework.lang.values import Keyword

Parts = tuple[Form, ...]
OWN_WORD = "##"
"""A name that begins with it is the language's word: no program can write one (readers see ##Inf and its kin only)."""


@records.frozen(eq=False)
class CoreMacro:
    """A macro of the language: its accepted form and its rewriting."""

    name: str
    grammar: str
    doc: str
    rewrite: Callable[[Parts, Span], Form | None]

    def expand(self, analyzer: AnalyzerBase, form: ListForm) -> Form:
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


@core(
    "condp",
    "(condp predicate value test result ... default?)",
    "The result after the first test for which (predicate test value) is true; `test :>> f` calls f with what it gave.",
)
def _condp(parts: Parts, span: Span) -> Form | None:
    if len(parts) < 2:
        return None
    asked, temp, verdict = (Name(f"condp#{name}", span) for name in ("predicate", "value", "verdict"))
    bound: Parts = (asked, parts[0], temp, parts[1])
    if isinstance(parts[0], Name):  # a name is called as it stands
        asked, bound = parts[0], bound[2:]
    clauses: list[tuple[Form, Form]] = []
    left = parts[2:]
    while len(left) > 1:
        passed = isinstance(left[1], Atom) and left[1].value == Keyword(">>")
        if passed and len(left) == 2:
            return None
        clauses.append((left[0], ListForm((left[2], verdict), span) if passed else left[1]))
        left = left[3 if passed else 2 :]
    result = left[0] if left else call(span, "match", temp)
    for test, found in reversed(clauses):
        judged = VectorForm((verdict, ListForm((asked, test, temp), test.span)), span)
        result = call(span, "let", judged, call(span, "if", verdict, found, result))
    return call(span, "let", VectorForm(bound, span), result)


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


def _some_threaded(parts: Parts, span: Span, *, last: bool) -> Form | None:
    if not parts:
        return None
    temp = Name("some#value", span)
    result: Form = temp
    for step in reversed(parts[1:]):
        threaded = _thread((temp, step), span, last=last)
        if threaded is None:
            return None
        bound = call(span, "let", VectorForm((temp, threaded), span), result)
        result = call(span, "if", call(span, "nil?", temp), nil(span), bound)
    return call(span, "let", VectorForm((temp, parts[0]), span), result)


@core("some->", "(some-> value form...)", "Thread first; stop with nil at the first nil.")
def _some_thread(parts: Parts, span: Span) -> Form | None:
    return _some_threaded(parts, span, last=False)


@core("some->>", "(some->> value form...)", "Thread last; stop with nil at the first nil.")
def _some_thread_last(parts: Parts, span: Span) -> Form | None:
    return _some_threaded(parts, span, last=True)


def _cond_threaded(parts: Parts, span: Span, *, last: bool) -> Form | None:
    if len(parts) % 2 == 0:
        return None
    temp = Name("cond#value", span)
    bindings: list[Form] = [temp, parts[0]]
    for test, step in zip(parts[1::2], parts[2::2], strict=True):
        threaded = _thread((temp, step), span, last=last)
        assert threaded is not None  # noqa: S101 - there is a value
        always = isinstance(test, Atom) and test.value is not None and test.value is not False
        bindings += [temp, threaded if always else call(span, "if", test, threaded, temp)]
    return call(span, "let", VectorForm(tuple(bindings), span), temp)


@core("cond->", "(cond-> value test form ...)", "Thread first through each form whose test is true.")
def _cond_thread(parts: Parts, span: Span) -> Form | None:
    return _cond_threaded(parts, span, last=False)


@core("cond->>", "(cond->> value test form ...)", "Thread last through each form whose test is true.")
def _cond_thread_last(parts: Parts, span: Span) -> Form | None:
    return _cond_threaded(parts, span, last=True)


@core("doto", "(doto value form...)", "Call each form with the value as its first argument, and give the value.")
def _doto(parts: Parts, span: Span) -> Form | None:
    if not parts:
        return None
    temp = Name("doto#value", span)
    calls = [step for step in (_thread((temp, part), span, last=False) for part in parts[1:]) if step is not None]
    return call(span, "let", VectorForm((temp, parts[0]), span), *calls, temp)


@core(
    "assert",
    "(assert test message?)",
    "nil if the test is true, else an AssertionError with the message, or with the test as it stands.",
)
def _assert(parts: Parts, span: Span) -> Form | None:
    from rtfs_framework.lang.format.unparse import unparse  # it knows this module's words

    if not 1 <= len(parts) <= 2:
        return None
    told = Atom(f"Assert failed: {unparse(parts[0])}", span) if len(parts) == 1 else call(span, "str", parts[1])
    entries = (Atom(Keyword("kind"), span), Atom("AssertionError", span), Atom(Keyword("message"), span), told)
    error = MapForm((*entries, Atom(Keyword("data"), span), nil(span)), span)
    return call(span, "if", parts[0], nil(span), call(span, "throw", error))


@core("comment", "(comment form...)", "Ignores its forms; nil.")
def _comment(parts: Parts, span: Span) -> Form | None:
    del parts
    return nil(span)
