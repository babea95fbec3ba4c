"""A plain evaluator over forms: slow, without cleverness, and no part of the product.

It shares the reader, the value classes and the library's rarer functions; evaluation order, scopes, calls, operators,
patterns and errors are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oracle import patterns
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.forms import (
    Atom,
    Form,
    ListForm,
    MapForm,
    Meta,
    Name,
    Quoted,
    SetForm,
    ShorthandFn,
    VectorForm,
)
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.records import evolve
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import GrownVector, List, is_vector
from rtfs_framework.stdlib.library import BUILTINS

FAMILIES = {"ValidationError": {"TypeError", "ArityMismatch", "TypeValidationError"}}
ALL = {None, "Exception", "Throwable"}


class OverBudgetError(Exception):
    """The program takes longer than a comparison is worth."""


class Recur(Exception):
    """Back to the innermost loop or function."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__()
        self.values = values


class Env:
    """Names of one scope; the outermost is the program's."""

    def __init__(self, parent: Env | None) -> None:
        self.parent = parent
        self.names: dict[str, Any] = {}

    def find(self, name: str) -> Env | None:
        env: Env | None = self
        while env is not None:
            if name in env.names:
                return env
            env = env.parent
        return None


def error(kind: str) -> ProgramError:
    """Return an error of a kind; messages are not compared."""
    return ProgramError(kind, kind)


def true(value: Any) -> bool:
    return value is not None and value is not False


def is_number(value: Any) -> bool:
    return value.__class__ in (int, float)


def same(a: Any, b: Any) -> bool:
    """Equality by the book: kinds first, then parts."""
    if is_vector(a) and is_vector(b):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is List:
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if a.__class__ is Map:
        return len(a) == len(b) and all(k in b and same(v, b.get(k)) for k, v in a.items())
    if a.__class__ is Set:
        return len(a) == len(b) and all(item in b for item in a)
    return a is b or bool(a == b) if not isinstance(a, float) else a == b


class Evaluator:
    """One run of one program. `host` answers `(capability, args, hints)`."""

    def __init__(self, host: Callable[[str, tuple[Any, ...], tuple[Any, ...]], Any], budget: int = 20_000) -> None:
        self.host = host
        self.budget = budget
        self.depth = 0
        self.top = Env(None)
        self.hints: list[tuple[str, Any]] = []
        self.freed: tuple[str, ...] = ()
        """What the call that is being made is freed of, and why."""
        self.made: dict[str, Any] = {}
        self.promises: list[Any] = []
        """The program's tickets, in order."""

    def program(self, text: str) -> Any:
        """Return the value of a program's last form."""
        result = None
        for form in read_program(Source("<oracle>", text)):
            result = self.value(form, self.top)
        for each in self.promises:
            each.settle()
        return result

    # -- forms ---------------------------------------------------------------------------------------------------

    def value(self, form: Form, env: Env) -> Any:
        self.budget -= 1
        if self.budget < 0:
            raise OverBudgetError
        match form:
            case Atom(value=value):
                return value
            case Name(name=name):
                return self.lookup(name, env)
            case VectorForm(items=items):
                return tuple([self.value(item, env) for item in items])
            case SetForm(items=items):
                return Set.of([self.value(item, env) for item in items])
            case MapForm():
                return Map.of([(self.value(k, env), self.value(v, env)) for k, v in form.pairs])
            case ShorthandFn(body=body):
                return self.shorthand(body, env)
            case Quoted(kind="quote", form=inner):
                return self.quoted(inner)
            case Meta():
                return self.hinted(form, env)
            case ListForm():
                return self.list(form, env)
        raise AssertionError(form)

    def body(self, forms: tuple[Form, ...], env: Env) -> Any:
        result = None
        for form in forms:
            result = self.value(form, env)
        return result

    def lookup(self, name: str, env: Env) -> Any:
        found = env.find(name)
        if found is not None:
            return found.names[name]
        if name in OWN:
            return self.library(name)
        if name in BUILTINS:
            return BUILTINS[name].function
        raise error("UndefinedSymbol")

    def library(self, name: str) -> Any:
        if name not in self.made:
            function, low, high = OWN[name]
            first = self.ask if name == "call" else lambda *args: function(self, *args)
            self.made[name] = self.shaped(first, (low, high))
        return self.made[name]

    def ask(self, capability: Any, *args: Any) -> Any:
        freed, self.freed = self.freed, ()
        if capability.__class__ not in (str, Keyword):
            raise error("TypeError")
        name = capability if isinstance(capability, str) else capability.name
        hints = {**dict(self.hints), **({"freed": " ".join(freed)} if freed else {})}
        try:
            return self.host(name, args, tuple(sorted(hints.items())))
        except ProgramError as failure:
            failure.value = evolve(failure.value, of_host=True)
            raise

    def list(self, form: ListForm, env: Env) -> Any:
        if not form.items:
            return List()
        head = form.items[0]
        if isinstance(head, Name) and env.find(head.name) is None:
            special = getattr(FORMS, "f_" + FORM_NAMES.get(head.name, "?"), None)
            if special is not None:
                return special(self, form.items[1:], env)
        if isinstance(head, VectorForm | MapForm | SetForm) or (
            isinstance(head, Atom) and not isinstance(head.value, Keyword)
        ):
            for part in form.items:
                self.value(part, env)
            raise error("TypeError")
        function = self.value(head, env)
        args = [self.value(part, env) for part in form.items[1:]]
        return self.apply(function, args)

    def apply(self, function: Any, args: list[Any]) -> Any:
        """Call a value."""
        kind = function.__class__
        if kind in (Keyword, Map, Set, tuple, GrownVector):
            if not 1 <= len(args) <= 2:
                raise error("ArityMismatch")
            return self.look_up(function, *args)
        if not callable(function):
            raise error("TypeError")
        if not self.takes(function, len(args)):
            raise error("ArityMismatch")
        self.depth += 1
        if self.depth > 60:
            raise OverBudgetError
        try:
            return function(*args)
        finally:
            self.depth -= 1

    @staticmethod
    def takes(function: Any, count: int) -> bool:
        shapes = getattr(function, "rtfs_shapes", None)
        if shapes is None:
            record = next(record for record in BUILTINS.values() if record.function is function)
            shapes = ((record.low, record.high),)
        return any(count >= low and (high is None or count <= high) for low, high in shapes)

    @staticmethod
    def look_up(function: Any, key: Any, default: Any = None) -> Any:
        if isinstance(function, Keyword):
            if key is None:
                return default
            if key.__class__.__name__ == "ErrorValue":
                return getattr(key, function.name)
            if key.__class__ is not Map:
                raise error("TypeError")
            return key.get(function, default)
        if function.__class__ is Map:
            return function.get(key, default)
        if function.__class__ is Set:
            return key if key in function else default
        if key.__class__ is not int:
            raise error("TypeError")
        return function[key] if 0 <= key < len(function) else default

    @staticmethod
    def takes_error(kind: str | None, failure: ProgramError) -> bool:
        if kind in ALL or kind == failure.kind or failure.kind in FAMILIES.get(kind or "", ()):
            return True
        return kind == ("HostError" if failure.value.of_host else "RuntimeError")

    # -- functions -----------------------------------------------------------------------------------------------

    @staticmethod
    def shaped(function: Any, *shapes: tuple[int, int | None]) -> Any:
        """Return a Python function that says how many arguments it takes."""

        def call(*args: Any) -> Any:
            return function(*args)

        call.rtfs_shapes = shapes  # type: ignore[attr-defined]
        return call

    def closure(self, params: VectorForm, body: tuple[Form, ...], env: Env, result: Form | None = None) -> Any:
        fixed, rest = patterns.parameters(params)

        def run(*args: Any) -> Any:
            given: list[Any] = [*args[: len(fixed)], *([tuple(args[len(fixed) :])] if rest else [])]
            while True:
                self.budget -= 1
                if self.budget < 0:
                    raise OverBudgetError
                inner = Env(env)
                for (_, kind), value in zip(fixed, given, strict=False):
                    patterns.check(kind, value)
                if rest is not None:
                    for value in given[-1]:
                        patterns.check(rest[1], value)
                    patterns.bind(self, rest[0], given[-1], inner)
                for (pattern, _), value in zip(fixed, given, strict=False):
                    patterns.bind(self, pattern, value, inner)
                try:
                    made = self.body(body, Env(inner))
                except Recur as again:
                    given = again.values
                    continue
                patterns.check(result, made)
                return made

        return self.shaped(run, (len(fixed), None if rest else len(fixed)))

    def function(self, parts: tuple[Form, ...], env: Env) -> Any:
        """(name? [params] : type? body...) or (name? : type? ([params] body...) ...)"""
        own = None
        if isinstance(parts[0], Name) and parts[0].name != ":":
            own, parts = parts[0].name, parts[1:]
            env = Env(env)
        if isinstance(parts[0], VectorForm):
            made = self.closure(parts[0], *self.typed(parts[1:], env))
        else:
            clauses, _, result = self.typed(parts, env)
            made = self.several([self.closure(each.items[0], each.items[1:], env, result) for each in clauses])
        if own is not None:
            env.names[own] = made
        return made

    @staticmethod
    def typed(parts: tuple[Form, ...], env: Env) -> tuple[Any, Env, Form | None]:
        if len(parts) > 2 and isinstance(parts[0], Name) and parts[0].name == ":":
            return parts[2:], env, parts[1]
        return parts, env, None

    def several(self, functions: list[Any]) -> Any:
        """Return the function that calls that of its functions which takes as many arguments, the one with & last."""
        functions = sorted(functions, key=lambda each: each.rtfs_shapes[0][1] is None)

        def run(*args: Any) -> Any:
            return next(each for each in functions if self.takes(each, len(args)))(*args)

        return self.shaped(run, *(each.rtfs_shapes[0] for each in functions))

    def shorthand(self, body: ListForm, env: Env) -> Any:
        used: list[str] = []
        todo: list[Any] = [body]
        while todo:
            item = todo.pop()
            if isinstance(item, Name):
                used.append(item.name)
            todo += getattr(item, "items", ())
            todo += [getattr(item, name) for name in ("form", "meta") if hasattr(item, name)]
        count = max(
            [1 if n == "%" else int(n[1:]) for n in used if n == "%" or (n[0] == "%" and n[1:].isdigit())], default=0
        )
        has_rest = "%&" in used

        def run(*args: Any) -> Any:
            inner = Env(env)
            for i in range(count):
                inner.names[f"%{i + 1}"] = args[i]
            if count:
                inner.names["%"] = args[0]
            if has_rest:
                inner.names["%&"] = tuple(args[count:])
            return self.value(body, inner)

        return self.shaped(run, (count, None if has_rest else count))

    def quoted(self, form: Form) -> Any:
        match form:
            case Atom(value=value):
                return value
            case Name(name=name):
                return Symbol(name)
            case ListForm(items=items):
                return List([self.quoted(item) for item in items])
            case VectorForm(items=items):
                return tuple([self.quoted(item) for item in items])
            case MapForm():
                return Map.of([(self.quoted(k), self.quoted(v)) for k, v in form.pairs])
        raise AssertionError(form)

    def hinted(self, form: Meta, env: Env) -> Any:
        depth = len(self.hints)
        try:
            for key, value in sorted(form.meta.pairs, key=lambda pair: pair[0].value.name):
                self.hints.append((key.value.name, self.value(value, env)))
            return self.value(form.form, Env(env))
        finally:
            del self.hints[depth:]


from oracle.operators import OWN  # noqa: E402 - they need what is above
from oracle.specials import FORM_NAMES, FORMS  # noqa: E402 - as above
