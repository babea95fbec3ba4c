"""The types of the library's functions are true: what they rule out fails, and a result has the type promised."""

from __future__ import annotations

import itertools
import random
from functools import cache

import pytest

from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.check.kinds import of_value, words
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.errors import LanguageError, ProgramError, RtfsError
from rtfs_framework.lang.forms import ListForm, MapForm, Name, SetForm, ShorthandFn, VectorForm
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.reader.read import read_one, read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.types.check import checker
from rtfs_framework.lang.types.model import FunctionType
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.types.read import read_type
from rtfs_framework.lang.values import ErrorValue, Keyword, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.shorthand import expanded

LIBRARY = {**BUILTINS, **HOST}

NAMES = sorted({record.name for record in LIBRARY.values()})
KEY = Keyword("a")
VALUES = [
    None, True, False, 0, 1, 2, -4, 65, 0.0, 1.5, float("inf"), "", "a", "abc", "1", "[1]", "YWJj", "%d", KEY,
    Keyword("ns/b"), Keyword("days"), Symbol("x/y"), (), (1, 2), ("a", "b"), ((1, 2), (3, 4)), (1.5, 2), (KEY,),
    (Map.of([(KEY, 1)]),), List(()), List((1, 2)), List(("a",)), Map.of([]), Map.of([(KEY, 1)]),
    Map.of([("a", 2), (KEY, (1,))]), Map.of([(Keyword("header"), True)]), Set.of([]), Set.of([1, 2]),
    ErrorValue("K", "m"), Timestamp("2024-01-02T03:04:05Z"), "2024-01-02", "a,b\n1,2",
    Uuid("550e8400-e29b-41d4-a716-446655440000"), Resource("resource://a"), LIBRARY["count"].function,
    LIBRARY["identity"].function, LIBRARY["vector"].function, LIBRARY["+"].function, lambda _: True,
]  # fmt: skip
TRIED = 2500
REFUSALS = {"TypeError", "ArityMismatch", "TypeValidationError", "InvalidArgument"}
NEED_A_RUN = {"call", "context/get", "context/set", "gensym", "prewalk", "tree-seq"}
"""What works in a run only, or may not end without its limits."""


def arguments(low, high):
    """Yield lists of arguments: all of one and two, a sample of three and four."""
    rng = random.Random(7)
    for count in range(low, min(high, low + 2, 4) + 1):
        if len(VALUES) ** count <= TRIED:
            yield from itertools.product(VALUES, repeat=count)
        else:
            yield from (tuple(rng.choices(VALUES, k=count)) for _ in range(TRIED))


@cache
def in_a_run(name):
    """Return a program whose function `ask` calls a function of the library."""
    text = f"(defn ask [& arguments] (apply {name} arguments))"
    instance = Instance(compile_source(text), limits=Limits(items=1_000, steps=300))
    instance.start().step()
    return instance


def result(record, args):
    try:
        if record.name not in NEED_A_RUN:
            return record.function(*args)
        run = in_a_run(record.name).call("ask", args)
        outcome = run.step()
        return (outcome if isinstance(outcome, Complete) else run.resume(KEY)).value
    except RtfsError as error:
        return error


class Promise:
    """One way to call a function, every part of its types checked to the bottom."""

    def __init__(self, way):
        type_ = read_type(read_one(Source("<way>", expanded(way))))
        assert isinstance(type_, FunctionType)
        self.parameters = [checker(each, no_names) for each in type_.parameters]
        self.rest = None if type_.rest is None else checker(type_.rest, no_names)
        self.returns = checker(type_.returns, no_names)

    def admits(self, count):
        return count == len(self.parameters) or (self.rest is not None and count > len(self.parameters))

    def takes(self, args):
        more = [self.rest] * (len(args) - len(self.parameters))
        return self.admits(len(args)) and all(
            check(arg) is None for check, arg in zip([*self.parameters, *more], args, strict=True)
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_type_of(name):
    record = LIBRARY[name]
    promises = [Promise(way) for way in record.ways]
    for args in arguments(record.low, 4 if record.high is None else record.high):
        taken = ways(record.name, record, len(args))
        assert taken, f"({name} ...) takes {len(args)} arguments, and its type does not say so"
        fits = [way for way in taken if all(of_value(arg) & way.takes(i) for i, arg in enumerate(args))]
        made = result(record, args)
        if isinstance(made, RtfsError):
            continue
        assert fits, f"({name} {args}) gives {made!r}, and its type forbids it"
        assert any(of_value(made) & way.result for way in fits), f"({name} {args}) gives {words(of_value(made))}"
        kept = [promise for promise in promises if promise.takes(args)]
        assert kept, f"({name} {args}) gives {made!r}, and its type forbids it, looked into"
        reasons = [promise.returns(made) for promise in kept]
        assert None in reasons, f"({name} {args}) gives {made!r}: {reasons}"


def calls(form, names):
    """Yield the calls of a function in a form."""
    match form:
        case ListForm(items=items):
            if items and isinstance(items[0], Name) and items[0].name in names:
                yield form
            parts = items
        case VectorForm(items=parts) | SetForm(items=parts) | MapForm(items=parts):
            pass
        case ShorthandFn(body=body):
            parts = (body,)
        case _:
            return
    for part in parts:
        yield from calls(part, names)


@cache
def outcome(text):
    """Return the value of a program or its error; of a part that needs what stands around it, its LanguageError."""
    try:
        return run_pure(text)
    except (ProgramError, LanguageError) as error:
        return error


def judged(record, program):
    """Judge the calls of a function in an example; return how many gave a value or failed as they should."""
    count = 0
    source = Source("<example>", program)
    for form in (found for top in read_program(source) for found in calls(top, (record.name, *record.aliases))):
        args = tuple(outcome(program[each.span.start : each.span.end]) for each in form.items[1:])
        if any(isinstance(arg, ProgramError | LanguageError) for arg in args):
            continue
        fitting = [way for way in map(Promise, record.ways) if way.takes(args)]
        made = outcome(program[form.span.start : form.span.end])
        if isinstance(made, ProgramError):
            assert fitting or made.kind in REFUSALS, f"{program}: {args} fit no type of {record.ways}, and {made}"
        else:
            assert fitting, f"{program}: {args} fit no type of {record.ways}"
            assert any(way.returns(made) is None for way in fitting), f"{program}: {made!r} is not promised"
        count += 1
    return count


@pytest.mark.parametrize("name", [name for name in NAMES if LIBRARY[name].effect is None])
def test_the_examples_of(name):
    record = LIBRARY[name]
    assert sum(judged(record, program) for program, _ in record.examples) > 0


def test_aliases_have_the_type_of_their_function():
    assert LIBRARY["not="].types == LIBRARY["!="].types


def test_a_type_is_used():
    (found,) = compile_source('(inc "a")').diagnostics
    assert found.code == "E0321"
