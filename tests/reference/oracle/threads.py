"""Macros that pass a value from form to form, and other conveniences of the oracle."""

from __future__ import annotations

from typing import Any

from oracle.evaluator import Env, Evaluator, error, true
from rtfs_framework.lang.forms import Atom, Form, ListForm, Name
from rtfs_framework.lang.values import Keyword

Parts = tuple[Form, ...]


class Threads:
    """One method per form."""

    @staticmethod
    def thread(parts: Parts, *, last: bool) -> Form:
        result = parts[0]
        for step in parts[1:]:
            items = step.items if isinstance(step, ListForm) else (step,)
            moved = (*items, result) if last else (items[0], result, *items[1:])
            result = ListForm(moved, step.span)
        return result

    @staticmethod
    def f_first(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.value(Threads.thread(parts, last=False), env)

    @staticmethod
    def f_last(e: Evaluator, parts: Parts, env: Env) -> Any:
        return e.value(Threads.thread(parts, last=True), env)

    @staticmethod
    def f_as_(e: Evaluator, parts: Parts, env: Env) -> Any:
        value = e.value(parts[0], env)
        for step in parts[2:]:
            env = Env(env)
            env.names[parts[1].name] = value  # type: ignore[union-attr]
            value = e.value(step, env)
        return value

    @staticmethod
    def step(e: Evaluator, step: Form, value: Any, env: Env, *, last: bool) -> Any:
        """One step of a thread: the value stands in it under a name that no program can write."""
        inner = Env(env)
        inner.names["the value"] = value
        return e.value(Threads.thread((Name("the value", step.span), step), last=last), inner)

    @staticmethod
    def some(e: Evaluator, parts: Parts, env: Env, *, last: bool) -> Any:
        value = e.value(parts[0], env)
        for step in parts[1:]:
            if value is None:
                return None
            value = Threads.step(e, step, value, env, last=last)
        return value

    @staticmethod
    def f_some(e: Evaluator, parts: Parts, env: Env) -> Any:
        return Threads.some(e, parts, env, last=False)

    @staticmethod
    def f_some_last(e: Evaluator, parts: Parts, env: Env) -> Any:
        return Threads.some(e, parts, env, last=True)

    @staticmethod
    def conditional(e: Evaluator, parts: Parts, env: Env, *, last: bool) -> Any:
        value = e.value(parts[0], env)
        for test, step in zip(parts[1::2], parts[2::2], strict=True):
            if true(e.value(test, env)):
                value = Threads.step(e, step, value, env, last=last)
        return value

    @staticmethod
    def f_cond_first(e: Evaluator, parts: Parts, env: Env) -> Any:
        return Threads.conditional(e, parts, env, last=False)

    @staticmethod
    def f_cond_last(e: Evaluator, parts: Parts, env: Env) -> Any:
        return Threads.conditional(e, parts, env, last=True)

    @staticmethod
    def f_doto(e: Evaluator, parts: Parts, env: Env) -> Any:
        value = e.value(parts[0], env)
        for step in parts[1:]:
            Threads.step(e, step, value, env, last=False)
        return value

    @staticmethod
    def f_condp(e: Evaluator, parts: Parts, env: Env) -> Any:
        left = list(parts[2:])
        predicate, value = e.value(parts[0], env), e.value(parts[1], env)
        while len(left) > 1:
            passes = isinstance(left[1], Atom) and left[1].value == Keyword(">>")
            verdict = e.apply(predicate, [e.value(left[0], env), value])
            if true(verdict):
                return e.apply(e.value(left[2], env), [verdict]) if passes else e.value(left[1], env)
            del left[: 3 if passes else 2]
        if not left:
            raise error("MatchError")
        return e.value(left[0], env)

    @staticmethod
    def f_assert_(e: Evaluator, parts: Parts, env: Env) -> Any:
        if true(e.value(parts[0], env)):
            return None
        if len(parts) > 1:
            e.value(parts[1], env)
        raise error("AssertionError")
