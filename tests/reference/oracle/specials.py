"""Special forms and core macros of the oracle, each as it is described, none in terms of another's trick."""

from __future__ import annotations

from typing import Any

from oracle import operators, patterns
from oracle.evaluator import Env, Evaluator, OverBudgetError, Recur, error, same, true
from oracle.threads import Threads
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.forms import Atom, Form, ListForm, MapForm, Name, VectorForm
from rtfs_framework.lang.values import Keyword

Parts = tuple[Form, ...]

_PLAIN = [
    "if",
    "do",
    "let",
    "fn",
    "def",
    "defn",
    "letfn",
    "loop",
    "recur",
    "match",
    "try",
    "and",
    "or",
    "when",
    "cond",
    "case",
    "doseq",
    "quote",
    "dotimes",
    "deftype",
    "declassify",
    "ticket",
    "await",
]
FORM_NAMES = dict(zip(_PLAIN, _PLAIN, strict=True)) | {
    "for": "for_",
    "when-not": "when_not",
    "if-let": "if_let",
    "when-let": "when_let",
    "->": "first",
    "->>": "last",
    "as->": "as_",
    "some->": "some",
    "some->>": "some_last",
    "cond->": "cond_first",
    "cond->>": "cond_last",
    "condp": "condp",
    "doto": "doto",
    "assert": "assert_",
}


def is_fn(form: Form) -> bool:
    return (
        isinstance(form, ListForm)
        and bool(form.items)
        and isinstance(form.items[0], Name)
        and form.items[0].name == "fn"
    )


def named(form: Form, word: str) -> bool:
    return (
        isinstance(form, ListForm)
        and bool(form.items)
        and isinstance(form.items[0], Name)
        and form.items[0].name == word
    )


def bindings(form: VectorForm) -> list[tuple[Form, Form | None, Form]]:
    """Return (pattern, type, value) of a binding vector; generated types stand after a lone colon."""
    out: list[tuple[Form, Form | None, Form]] = []
    left = list(form.items)
    while left:
        pattern = left.pop(0)
        kind = None
        if isinstance(left[0], Name) and left[0].name == ":":
            kind = left[1]
            del left[:2]
        out.append((pattern, kind, left.pop(0)))
    return out


class Promise:
    """What a ticket is here."""

    def __init__(self, e: Evaluator, function: Any, args: list[Any]) -> None:
        self.call: Any = (e, function, args, list(e.hints))
        self.value: Any = None
        self.error: ProgramError | None = None

    def settle(self) -> None:
        if self.call is None:
            return
        (e, function, args, hints), self.call = self.call, None
        outer, e.hints = e.hints, hints
        try:
            self.value = e.apply(function, args)
        except ProgramError as error:
            self.error = error
        finally:
            e.hints = outer


class FORMS(Threads):
    """One method per form."""

    @staticmethod
    def f_quote(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.quoted(parts[0])

    @staticmethod
    def f_declassify(e: Evaluator, parts: Parts, env: Env) -> Any:
        """The marks are those of the one call that stands here: only if it asks the host itself."""
        marks, reason, call = parts
        function = e.value(call.items[0], env)  # type: ignore[union-attr]
        args = [e.value(part, env) for part in call.items[1:]]  # type: ignore[union-attr]
        if function is e.made.get("call"):
            e.freed = (*sorted(mark.value.name for mark in marks.items), reason.value)  # type: ignore[union-attr]
        return e.apply(function, args)

    @staticmethod
    def f_ticket(e: Evaluator, parts: Parts, env: Env) -> Any:
        """A call of the host is made at once; a function of the program's own runs when awaited, or at the end."""
        call = parts[0]
        function = e.value(call.items[0], env)  # type: ignore[union-attr]
        args = [e.value(part, env) for part in call.items[1:]]  # type: ignore[union-attr]
        made = Promise(e, function, args)
        if function is e.made.get("call"):
            made.settle()
        e.promises.append(made)
        return made

    @staticmethod
    def f_await(e: Evaluator, parts: Parts, env: Env) -> Any:
        made = e.value(parts[0], env)
        made.settle()
        if made.error is not None:
            raise made.error
        return made.value

    @staticmethod
    def f_if(e: Evaluator, parts: Parts, env: Env) -> Any:
        if true(e.value(parts[0], env)):
            return e.value(parts[1], env)
        return e.value(parts[2], env) if len(parts) > 2 else None

    @staticmethod
    def f_do(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.body(parts, env)

    @staticmethod
    def f_when(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.body(parts[1:], env) if true(e.value(parts[0], env)) else None

    @staticmethod
    def f_when_not(e: Evaluator, parts: Parts, env: Env) -> Any:
        return None if true(e.value(parts[0], env)) else e.body(parts[1:], env)

    @staticmethod
    def f_and(e: Evaluator, parts: Parts, env: Env) -> Any:
        result: Any = True
        for part in parts:
            result = e.value(part, env)
            if not true(result):
                break
        return result

    @staticmethod
    def f_or(e: Evaluator, parts: Parts, env: Env) -> Any:
        result: Any = False
        for part in parts:
            result = e.value(part, env)
            if true(result):
                break
        return result

    @staticmethod
    def f_cond(e: Evaluator, parts: Parts, env: Env) -> Any:
        for test, value in zip(parts[::2], parts[1::2], strict=True):
            if true(e.value(test, env)):
                return e.value(value, env)
        return None

    @staticmethod
    def f_case(e: Evaluator, parts: Parts, env: Env) -> Any:
        value = e.value(parts[0], env)
        clauses = list(parts[1:])
        while len(clauses) > 1:
            literal, body = clauses.pop(0), clauses.pop(0)
            options = literal.items if isinstance(literal, ListForm) else (literal,)
            if any(same(value, e.quoted(option)) for option in options):
                return e.value(body, env)
        if not clauses:
            raise error("MatchError")
        return e.value(clauses[0], env)

    @staticmethod
    def f_if_let(e: Evaluator, parts: Parts, env: Env) -> Any:
        pattern, value = parts[0].items  # type: ignore[union-attr]
        found = e.value(value, env)
        if not true(found):
            return e.value(parts[2], env) if len(parts) > 2 else None
        inner = Env(env)
        patterns.bind(e, pattern, found, inner)
        return e.value(parts[1], inner)

    @staticmethod
    def f_when_let(e: Evaluator, parts: Parts, env: Env) -> Any:
        pattern, value = parts[0].items  # type: ignore[union-attr]
        found = e.value(value, env)
        if not true(found):
            return None
        inner = Env(env)
        patterns.bind(e, pattern, found, inner)
        return e.body(parts[1:], inner)

    @staticmethod
    def f_fn(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.function(parts, env)

    @staticmethod
    def f_deftype(e: Evaluator, parts: Parts, env: Env) -> Any:
        """The types that programs declare are known to `declared`."""

    @staticmethod
    def f_def(e: Evaluator, parts: Parts, env: Env) -> Any:
        kind = None
        if len(parts) == 4:
            kind, parts = parts[2], (parts[0], parts[3])
        value = e.value(parts[1], env)
        patterns.check(kind, value)
        env.names[parts[0].name] = value  # type: ignore[union-attr]
        return value

    @staticmethod
    def f_defn(e: Evaluator, parts: Parts, env: Env) -> Any:
        made = e.function(parts[1:], env)
        env.names[parts[0].name] = made  # type: ignore[union-attr]
        return made

    @staticmethod
    def f_let(e: Evaluator, parts: Parts, env: Env) -> Any:
        left = bindings(parts[0])  # type: ignore[arg-type]
        while left:
            env = Env(env)
            if isinstance(left[0][0], Name) and is_fn(left[0][2]):
                while left and isinstance(left[0][0], Name) and is_fn(left[0][2]):
                    pattern, _, value = left.pop(0)
                    env.names[pattern.name] = e.value(value, env)  # type: ignore[union-attr]
            else:
                pattern, kind, value_form = left.pop(0)
                value = e.value(value_form, env)
                patterns.check(kind, value)
                patterns.bind(e, pattern, value, env)
        return e.body(parts[1:], Env(env))

    @staticmethod
    def f_letfn(e: Evaluator, parts: Parts, env: Env) -> Any:
        inner = Env(env)
        for item in parts[0].items:  # type: ignore[union-attr]
            inner.names[item.items[0].name] = e.function(item.items[1:], inner)  # type: ignore[union-attr]
        return e.body(parts[1:], Env(inner))

    @staticmethod
    def f_loop(e: Evaluator, parts: Parts, env: Env) -> Any:
        names = bindings(parts[0])  # type: ignore[arg-type]
        outer, values = env, []
        for pattern, _, form in names:
            outer = Env(outer)
            value = e.value(form, outer)
            patterns.bind(e, pattern, value, outer)
            values.append(value)
        while True:
            e.budget -= 1
            if e.budget < 0:
                raise OverBudgetError
            inner = Env(env)
            for (pattern, kind, _), value in zip(names, values, strict=True):
                patterns.check(kind, value)
                patterns.bind(e, pattern, value, inner)
            try:
                return e.body(parts[1:], Env(inner))
            except Recur as again:
                values = again.values

    @staticmethod
    def f_recur(e: Evaluator, parts: Parts, env: Env) -> Any:
        raise Recur([e.value(part, env) for part in parts])

    @staticmethod
    def f_match(e: Evaluator, parts: Parts, env: Env) -> Any:
        value = e.value(parts[0], env)
        left = list(parts[1:])
        while left:
            pattern = left.pop(0)
            guard = None
            if len(left) >= 3 and isinstance(left[0], Name) and left[0].name == "when":
                guard = left[1]
                del left[:2]
            body = left.pop(0)
            inner = Env(env)
            if patterns.fits(e, pattern, value, inner) and (guard is None or true(e.value(guard, inner))):
                return e.value(body, inner)
        raise error("MatchError")

    @staticmethod
    def f_try(e: Evaluator, parts: Parts, env: Env) -> Any:
        body = tuple(p for p in parts if not named(p, "catch") and not named(p, "finally"))
        catches = [p.items[1:] for p in parts if named(p, "catch")]  # type: ignore[union-attr]
        final = [p.items[1:] for p in parts if named(p, "finally")]  # type: ignore[union-attr]
        depth = e.depth
        try:
            try:
                return e.body(body, env)
            except ProgramError as failure:
                e.depth = depth
                for clause in catches:
                    kind, name, handler = FORMS.catch(clause)
                    if e.takes_error(kind, failure):
                        inner = Env(env)
                        inner.names[name] = failure.value
                        return e.body(handler, inner)
                raise
        finally:
            for forms in final:
                e.body(forms, env)

    @staticmethod
    def catch(parts: Parts) -> tuple[str | None, str, Parts]:
        """(name handler...) or (Kind name handler...)"""
        first = parts[0].name  # type: ignore[union-attr]
        if len(parts) > 2 and isinstance(parts[1], Name) and (first[0].isupper() or first == "_"):
            return (None if first == "_" else first), parts[1].name, parts[2:]
        return None, first, parts[1:]

    @staticmethod
    def f_for_(e: Evaluator, parts: Parts, env: Env) -> Any:
        out: list[Any] = []
        FORMS.rounds(e, list(parts[0].items), parts[1:], env, out)  # type: ignore[union-attr]
        return tuple(out)

    @staticmethod
    def f_doseq(e: Evaluator, parts: Parts, env: Env) -> Any:
        FORMS.rounds(e, list(parts[0].items), parts[1:], env, [])  # type: ignore[union-attr]

    @staticmethod
    def rounds(e: Evaluator, clauses: list[Form], body: Parts, env: Env, out: list[Any]) -> bool:
        """Run what is left of the clauses; False: the loop around is over."""
        if not clauses:
            out.append(e.body(body, Env(env)))
            return True
        head, value, rest = clauses[0], clauses[1], clauses[2:]
        if isinstance(head, Atom) and isinstance(head.value, Keyword):
            if head.value.name == "let":
                for pattern, _, form in bindings(value):  # type: ignore[arg-type]
                    env = Env(env)
                    patterns.bind(e, pattern, e.value(form, env), env)
            elif not true(e.value(value, env)):
                return head.value.name == "when"
            return FORMS.rounds(e, rest, body, env, out)
        for item in operators.items(e.value(value, env)):
            inner = Env(env)
            patterns.bind(e, head, item, inner)
            if not FORMS.rounds(e, rest, body, inner, out):
                break
        return True

    @staticmethod
    def f_dotimes(e: Evaluator, parts: Parts, env: Env) -> Any:
        name, count_form = parts[0].items  # type: ignore[union-attr]
        count = e.value(count_form, env)
        if count.__class__ is not int:
            raise error("TypeError")
        result = None
        for i in range(count):
            inner = Env(env)
            inner.names[name.name] = i  # type: ignore[union-attr]
            result = e.body(parts[1:], inner)
        return result


__all__ = ["FORMS", "FORM_NAMES", "MapForm"]
