"""What the compiler is told of a function is true; and telling it at the function is all that a new one needs."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure, surroundings
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.library import Gives, Op
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import GrownVector
from rtfs_framework.lang.views import view
from rtfs_framework.stdlib import shorthand as ty
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import builtin

RECORDS = list({record.name: record for record in BUILTINS.values()}.values())
VECTORS = ((), (3, 1, 2), GrownVector([5, 7, 9], 2))
VALUES = (None, True, 0, 2, -7, 1.5, "ab", "1", Keyword("a"), *VECTORS, Map.of([]), Map.of([(1, (2, 3)), ("b", 1)]))


def given(record, *others):
    """Yield what a function gives, with its arguments; up to three of them are tried."""
    most = 3 if record.high is None else min(record.high, 3)
    for count in range(record.low, most + 1):
        for args in itertools.product((*VALUES, *others), repeat=count):
            with suppress(RtfsError):
                yield args, record.function(*args)


@pytest.mark.parametrize("record", [each for each in RECORDS if each.plain], ids=lambda record: record.name)
def test_a_plain_function_calls_nothing_that_it_takes(record):
    called = []
    for _ in given(record, lambda *args: called.append(args)):
        assert not called


def numbers_are(args, *classes):
    return all(arg.__class__ in classes for arg in args)


TRUE = {
    Gives.NUMBER: lambda args, made: made.__class__ is (int if numbers_are(args, int) else float),
    Gives.CHOICE: lambda args, made: any(made is arg for arg in args),
    Gives.FLOAT: lambda _, made: made.__class__ is float,
    Gives.QUOTIENT: lambda args, made: made.__class__ is float or numbers_are(args, int),
    Gives.SIZE: lambda _, made: made.__class__ is int and made >= 0,
    Gives.ITEM: lambda args, made: made is None or is_item(args, made),
    Gives.PART: lambda args, made: is_part(args[-1], made),
    Gives.ALIKE: lambda args, made: family(args[0]) in (None, family(made)),
}


def family(value):
    return "vector" if value.__class__ in (tuple, GrownVector) else "map" if value.__class__ is Map else None


def is_item(args, made):
    return family(args[0]) != "vector" or any(made is each for each in (*args[0], *args[2:]))


def is_part(whole, made):
    if family(whole) == "vector":
        return family(made) == "vector" and all(item in tuple(whole) for item in made)
    return family(whole) is None or family(made) == "vector"


@pytest.mark.parametrize("record", [each for each in RECORDS if each.gives], ids=lambda record: record.name)
def test_a_function_gives_what_is_said(record):
    tried = 0
    for args, made in given(record, BUILTINS["identity"].function, BUILTINS["inc"].function):
        tried += 1
        assert TRUE[record.gives](args, made), (args, made)
    assert tried


@pytest.mark.parametrize("record", [each for each in RECORDS if each.op], ids=lambda record: record.name)
def test_an_operation_is_one_that_is_known(record):
    assert record.op in {word for name, word in vars(Op).items() if name.isupper()}


@pytest.fixture
def new():
    """Enter a function into the table, in this module alone."""
    before = dict(BUILTINS)

    @builtin(
        "thrice",
        ("(thrice 2)", "6"),
        doc="Multiply by three.",
        aliases=("triple",),
        gives=Gives.NUMBER,
        inline={1: "a * 3 if isint(a) and -WORD < a < WORD else slow"},
    )
    def thrice(number: ty.number) -> ty.number:
        return BUILTINS["*"].function(number, 3)

    @builtin("each-of", ("(each-of inc [1])", "[2]"), doc="Map.", op=Op.MAP)
    def each_of(f: ty.callable, collection: ty.sequence) -> tuple[Any, ...]:
        return BUILTINS["map"].function(f, collection)

    yield thrice
    BUILTINS.clear()
    BUILTINS.update(before)


PROGRAMS = [
    "(thrice 4)",
    "(defn f [x] (thrice x))",
    "(defn f [xs] (+ 1 (thrice (count xs))))",
    "(defn f [xs] (map thrice (filter odd? xs)))",
    "(defn f [n] (loop [i 0 acc 1] (if (< i n) (recur (inc i) (thrice acc)) acc)))",
    "(def f thrice)",
]


def python(text):
    return view(Source("x.rtfs", text), surroundings()).python


def test_a_function_that_is_declared_is_computed_inlined_and_known(new):
    folded, inlined, known, fused, looped, _ = map(python, PROGRAMS)
    assert "12" in folded
    assert "B__thrice" not in folded
    assert "x_1 * 3 if x_1.__class__ is int and " in inlined
    assert "op_add" not in known  # an integer of an integer: nothing is tested
    assert fused.count("for item") == python(PROGRAMS[3].replace("thrice", "inc")).count("for item")
    assert "acc.__class__" not in looped
    assert run_pure("[(thrice 4) (thrice 0.5) (map triple (filter odd? [1 2 3])) (apply triple [5])]") == (
        *(12, 1.5, (3, 9)),
        15,
    )


@pytest.mark.parametrize("text", PROGRAMS)
def test_its_alias_is_the_same_code(new, text):
    assert python(text) == python(text.replace("thrice", "triple"))


def test_its_calls_are_checked_by_its_type(new):
    assert [each.code for each in compile_source('(defn f [] (triple "a"))').diagnostics] == ["E0321"]
    assert [each.code for each in compile_source("(defn f [] (triple))").diagnostics] == ["E0204"]


def test_it_takes_no_step(new):
    def steps(call):
        run = Instance(compile_source(f"(dotimes [i 1000] (try {call} (catch e nil)))"), limits=Limits()).start()
        run.step()
        return run.steps

    assert steps("(thrice i)") == steps("(inc i)")


def test_an_operation_is_what_it_is_whatever_its_name(new):
    text = "(defn f [xs] (reduce + (each-of (fn [x] (* x x)) (filter odd? xs))))"
    assert python(text).replace("each_2d_of", "map") == python(text.replace("each-of", "map"))
