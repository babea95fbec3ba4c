"""What a capability returns becomes a value of programs by one conversion, or is refused with the way out."""

from __future__ import annotations

import dataclasses
import enum
import numbers
from collections import OrderedDict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

import attrs
import pytest

from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Resource, Timestamp, Uuid
from rtfs_framework.orchestrator.boundary.handover import NoValueError, as_value

CALL = "(defn main [x] (call :get))"
GRANT = '[security]\ngrant = ["*"]\n'


class Point(NamedTuple):
    x: int
    y: list


class Int64:
    """A whole number that is no int, as NumPy has them."""

    def __int__(self):
        return 64


numbers.Integral.register(Int64)


class Colour(enum.IntEnum):
    RED = 1


class Plain(enum.Enum):
    RED = 1


class Text(str):
    """Shows itself otherwise."""

    __slots__ = ()

    def __str__(self):
        return "no"


class Whole(int):
    def __repr__(self):
        return "no"


@dataclasses.dataclass
class Data:
    x: int = 1


@attrs.frozen
class Record:
    x: int = 1


def shared(levels):
    made = ["x"]
    for _ in range(levels):
        made = [made, made]
    return made


def loop():
    made = []
    made.append(made)
    return made


@pytest.fixture
def ran(kit, source, capability):
    """Return a function that runs a program whose capability gives a value, at once or later."""

    def run(value, text=CALL, later=False, **more):
        async def wait(_request):
            return value

        entry = capability("get", wait if later else lambda _request: value, **more)
        with kit.open(kit.catalog(capabilities=[entry]), GRANT) as session:
            return session.run(source(text), ("x",)).value, session.problems

    return run


TAKEN = [
    ({"a": [1, 2.5, None, True]}, '{"a" [1 2.5 nil true]}'),
    ([{"id": 7}, {"id": 8}], '[{"id" 7} {"id" 8}]'),
    (OrderedDict(b=1, a=2), '{"b" 1 "a" 2}'),
    ({1: "one", (1, 2): "two"}, '{1 "one" [1 2] "two"}'),
    ({3}, "#{3}"),
    (frozenset({"a"}), '#{"a"}'),
    (Point(1, [2]), "[1 [2]]"),
    (datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))), '#timestamp("2026-03-01T10:30:00Z")'),
    (UUID(int=1), '#uuid("00000000-0000-0000-0000-000000000001")'),
    (Colour.RED, "1"),
    ([Int64(), Text("yes")], '[64 "yes"]'),
    (Text("yes"), '"yes"'),
    ([Whole(5)], "[5]"),
    ((1, {"deep": (Text("t"),)}), '[1 {"deep" ["t"]}]'),
]


@pytest.mark.parametrize("later", [False, True], ids=["now", "later"])
@pytest.mark.parametrize(("given", "shown"), TAKEN, ids=[shown for _, shown in TAKEN])
def test_what_python_has_for_it_is_taken(ran, given, shown, later):
    value, problems = ran(given, later=later)
    assert (write(value), problems) == (shown, ())


REFUSED = [
    (Decimal("1.10"), "a Decimal, which no program can hold; give a float, or a text"),
    (Fraction(1, 3), "a Fraction"),
    (b"x", "a bytes, which no program can hold; decode it"),
    (bytearray(b"x"), "a bytearray"),
    (datetime(2026, 3, 1), "a datetime, which no program can hold; give it a time zone"),  # noqa: DTZ001 - that is the point
    (date(2026, 3, 1), "a date"),
    (timedelta(1), "a timedelta"),
    (1j, "a complex"),
    (object(), "a object, which no program can hold; give a dict of its fields"),
    (Data(), "a Data"),
    (Record(), "a Record"),
    (Plain.RED, "a Plain"),
    (int, "a type"),
    (len, "a function"),
    (lambda: 1, "a function"),
    ((n for n in "a"), "a generator, which no program can hold; give a list of its items"),
    ({"a": [Decimal(1)]}, "a Decimal"),
    ({"a": {"b": {1, b"x"}}}, "a bytes"),
    (loop(), "what is nested deeper than"),
    (NotImplemented, "a NotImplementedType"),
]


@pytest.mark.parametrize("later", [False, True], ids=["now", "later"])
@pytest.mark.parametrize(("given", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_no_program_can_hold_is_the_plugins_fault(ran, given, words, later):
    text = "(defn main [x] (try (call :get) (catch _ e [(:code (:data e)) (:message e)])))"
    value, problems = ran(given, text, later)
    assert value[0] == "E0812"
    assert f"acme-plugin 1.2: capability 'get': the handler returned {words}" in value[1]
    (problem,) = problems
    assert (problem.code, problem.distributions) == ("E0812", ("acme-plugin",))


def test_a_value_that_a_program_gave_comes_back_as_it_was(kit, source, capability):
    entry = capability("get", lambda request: request.args[0])
    text = "(defn main [x] [((call :get (fn [n] (inc n))) 1) (call :get {:a #{1 [2]}})])"
    with kit.open(kit.catalog(capabilities=[entry]), GRANT) as session:
        assert write(session.run(source(text), ("x",)).value) == "[2 {:a #{1 [2]}}]"


def test_parts_that_are_shared_are_converted_once():
    made = as_value(shared(60))
    assert made[0] is made[1]
    with pytest.raises(NoValueError):
        as_value(shared(100_000))


def test_the_declared_type_is_that_of_the_value(ran):
    from rtfs_framework.lang.reader.read import read_one
    from rtfs_framework.lang.source import Source
    from rtfs_framework.lang.types.read import read_type

    returns = read_type(read_one(Source("t", "[:vector :int]")))
    assert ran([1, 2], returns=returns)[0] == (1, 2)
    text = "(defn main [x] (try (call :get) (catch TypeValidationError e :wrong)))"
    assert write(ran(["1"], text, returns=returns)[0]) == ":wrong"


@pytest.mark.parametrize(("kind", "name"), [(Timestamp, "timestamp"), (Uuid, "uuid"), (Resource, "resource-handle")])
@pytest.mark.parametrize("text", ["", 'a") #uuid("b', "resource://a b", None])
def test_a_tagged_text_that_no_program_could_write_is_refused_wherever_it_stands(kind, name, text):
    for given in (kind(text), (1, [kind(text)]), {"a": (kind(text),)}, Map.wrap({"a": kind(text)})):
        with pytest.raises(NoValueError, match=f"a {name} whose text is none; give it as in "):
            as_value(given)


def test_a_tagged_text_passes_as_it_is():
    given = (Timestamp("2026-03-01T12:30:00Z"), Uuid("123E4567-e89b-12d3-a456-426614174000"), Resource("resource://a"))
    assert as_value(given) == given
