"""Functions made of functions. What they return knows how many arguments it takes where that can be known."""

from __future__ import annotations

from rtfs_framework.lang.annotations import Any
from rtfs_framework.lang.maps import to_key
from rtfs_framework.lang.meter import watched
from rtfs_framework.lang.values import is_function
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.callables import as_function, invocable, invoke, shapes_of
from rtfs_framework.stdlib.higher_order import truthy
from rtfs_framework.stdlib.table import builtin

_MOST_REMEMBERED = 100_000
"""Results that one memoized function keeps."""


@builtin("identity", ("(identity 5)", "5"), doc="Give the argument.", cheap=True)
def identity(value: Any) -> Any:
    return value


@builtin("process-data", ("(process-data [1])", "[1]"), doc="Give the argument.")
def process_data(value: Any) -> Any:
    return value


@builtin(
    "constantly", ("((constantly 5) 1 2)", "5"), doc="Make a function that gives one value whatever it is called with."
)
def constantly(value: Any) -> ty.function:
    def constant(*_arguments: Any) -> Any:
        return value

    return constant


@builtin(
    "comp",
    ("((comp inc abs) -5)", "6"),
    ("((comp) 1)", "1"),
    ("(comp 5)", "!TypeError"),
    doc="Make a function that calls functions from the last to the first, each with the result of the one before.",
)
def comp(*functions: ty.callable) -> ty.function:
    if not functions:
        return identity
    *outer, first = [invocable("comp", f) for f in watched(functions)]
    outer.reverse()

    def composed(*arguments: Any) -> Any:
        value = invoke(as_function("comp", first, len(arguments)), arguments)
        for f in watched(outer):
            value = as_function("comp", f, 1)(value)
        return value

    return composed


@builtin(
    "partial",
    ("((partial + 1 2) 3)", "6"),
    ("(partial 5 1)", "!TypeError"),
    doc="Make a function that calls another with some arguments before its own.",
)
def partial(f: ty.callable, *arguments: Any) -> ty.function:
    invocable("partial", f)

    def applied(*more: Any) -> Any:
        return invoke(as_function("partial", f, len(arguments) + len(more)), (*arguments, *more))

    return applied


@builtin("complement", ("((complement even?) 3)", "true"), doc="Make a function that gives the opposite truth.")
def complement(f: ty.callable) -> ty.function:
    invocable("complement", f)

    def opposite(*arguments: Any) -> bool:
        return not truthy(invoke(as_function("complement", f, len(arguments)), arguments))

    return opposite


@builtin("juxt", ("((juxt inc dec) 5)", "[6 4]"), doc="Make a function that gives the results of several as a vector.")
def juxt(f: ty.callable, *more: ty.callable) -> ty.function:
    functions = [invocable("juxt", each) for each in watched((f, *more))]

    def side_by_side(*arguments: Any) -> tuple[Any, ...]:
        return tuple([invoke(as_function("juxt", each, len(arguments)), arguments) for each in watched(functions)])

    return side_by_side


@builtin(
    "fnil",
    ("((fnil inc 0) nil)", "1"),
    ("((fnil + 1 2) nil nil)", "3"),
    doc="Make a function that calls another with defaults in place of its first arguments that are nil.",
)
def fnil(f: ty.callable, default: Any, *defaults: Any) -> ty.function:
    invocable("fnil", f)
    stand_ins = (default, *defaults)

    def patched(*arguments: Any) -> Any:
        given = [s if a is None else a for a, s in zip(arguments, stand_ins)]  # noqa: B905 - some have no stand-in
        return invoke(as_function("fnil", f, len(arguments)), (*given, *arguments[len(given) :]))

    return patched


@builtin(
    "memoize",
    ("((memoize inc) 5)", "6"),
    ("(memoize 5)", "!TypeError"),
    doc="Make a function that remembers its results by their arguments.",
)
def memoize(f: ty.callable) -> ty.function:
    invocable("memoize", f)
    known: dict[Any, Any] = {}

    def remembering(*arguments: Any) -> Any:
        key = to_key(arguments)
        if key not in known:
            result = invoke(as_function("memoize", f, len(arguments)), arguments)
            if len(known) >= _MOST_REMEMBERED:
                return result
            known[key] = result
        return known[key]

    if is_function(f):
        remembering.rtfs_shapes = shapes_of(f)  # type: ignore[attr-defined]
    return remembering


@builtin(
    "every-pred",
    ("((every-pred int? even?) 4)", "true"),
    doc="Make a predicate that is true when all predicates are true for all of its arguments.",
)
def every_pred(predicate: ty.callable, *more: ty.callable) -> ty.function:
    predicates = [as_function("every-pred", each, 1) for each in watched((predicate, *more))]

    def holds(*values: Any) -> bool:
        for value in values:
            for test in watched(predicates):
                if not truthy(test(value)):
                    return False
        return True

    return holds


@builtin(
    "some-fn",
    ("((some-fn :a :b) {:b 5})", "5"),
    ("((some-fn :a :b) {})", "nil"),
    doc="Make a function that gives the first true result of several functions for its arguments, or nil.",
)
def some_fn(f: ty.callable, *more: ty.callable) -> ty.function:
    functions = [as_function("some-fn", each, 1) for each in watched((f, *more))]

    def first_true(*values: Any) -> Any:
        for value in values:
            for each in watched(functions):
                result = each(value)
                if truthy(result):
                    return result
        return None

    return first_true
