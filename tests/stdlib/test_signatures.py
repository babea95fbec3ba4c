"""The types of the library's functions are true: what they rule out fails, and a result has the type promised."""

from __future__ import annotations

import itertools
import random

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.check.kinds import of_value, words
from rtfs_framework.lang.check.signatures import ways
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.values import ErrorValue, Keyword, List, Resource, Symbol, Timestamp, Uuid
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.signatures import TYPES

KEY = Keyword("a")
VALUES = [
    None, True, False, 0, 1, 2, -4, 65, 0.0, 1.5, float("inf"), "", "a", "abc", "1", "[1]", "YWJj", "%d", KEY,
    Keyword("ns/b"), Symbol("x/y"), (), (1, 2), ("a", "b"), ((1, 2), (3, 4)), (KEY,), (Map.of([(KEY, 1)]),), List(()),
    List((1, 2)), List(("a",)), Map.of([]), Map.of([(KEY, 1)]), Map.of([("a", 2), (KEY, (1,))]), Set.of([]),
    Set.of([1, 2]), ErrorValue("K", "m"), Timestamp("2024-01-02T03:04:05Z"),
    Uuid("550e8400-e29b-41d4-a716-446655440000"), Resource("resource://a"), BUILTINS["count"].function,
    BUILTINS["identity"].function, BUILTINS["vector"].function, BUILTINS["+"].function, lambda _: True,
]  # fmt: skip
TRIED = 2500


def arguments(low, high):
    """Yield lists of arguments: all of one and two, a sample of three."""
    rng = random.Random(7)
    for count in range(low, min(high, low + 2, 3) + 1):
        if len(VALUES) ** count <= TRIED:
            yield from itertools.product(VALUES, repeat=count)
        else:
            yield from (tuple(rng.choices(VALUES, k=count)) for _ in range(TRIED))


def result(function, args):
    try:
        return function(*args)
    except RtfsError as error:
        return error


@pytest.mark.parametrize("name", sorted(TYPES))
def test_the_type_of(name):
    record = BUILTINS[name]
    possible = ways(record.types)
    assert possible
    for args in arguments(record.low, 3 if record.high is None else record.high):
        taken = [way for way in possible if way.admits(len(args))]
        assert taken, f"({name} ...) takes {len(args)} arguments, and its type does not say so"
        fits = [way for way in taken if all(of_value(arg) & way.takes(i) for i, arg in enumerate(args))]
        made = result(record.function, args)
        if isinstance(made, RtfsError):
            continue
        assert fits, f"({name} {args}) gives {made!r}, and its type forbids it"
        assert any(of_value(made) & way.result for way in fits), f"({name} {args}) gives {words(of_value(made))}"


def test_only_functions_of_the_library_have_types():
    assert set(TYPES) <= set(BUILTINS)


def test_aliases_have_the_type_of_their_function():
    assert BUILTINS["not="].types == BUILTINS["!="].types is not None


def test_most_of_the_library_is_typed():
    records = {id(record): record for record in BUILTINS.values()}.values()
    assert sum(record.types is not None for record in records) > len(records) * 2 / 3


def test_a_type_is_used():
    (found,) = compile_source('(inc "a")').diagnostics
    assert found.code == "E0321"
