"""What callers of the Python API hand in becomes values by the one conversion, or is refused and says what it was."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import date, datetime, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from rtfs_framework import ArgumentError, ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.values import Keyword

ECHO = "(defn main [x] x) (defn both [a b] [a b]) (defn use [f] (f 1)) (defn make [n] (fn [x] (+ x n)))"


@dataclasses.dataclass
class Data:
    x: int = 1


class Moody(dict):
    def items(self):
        raise RuntimeError("not today")


TAKEN = [
    ({"a": [1, 2.5, None, True]}, '{"a" [1 2.5 nil true]}'),
    ([{"id": 7}], '[{"id" 7}]'),
    ((1, [2, {3}]), "[1 [2 #{3}]]"),
    (datetime(2026, 3, 1, tzinfo=timezone.utc), '#timestamp("2026-03-01T00:00:00Z")'),
    (UUID(int=1), '#uuid("00000000-0000-0000-0000-000000000001")'),
    (Map.wrap({Keyword("a"): [1]}), "{:a [1]}"),
]
REFUSED = [
    (Decimal("1.10"), "a Decimal, which no program can hold; give a float, or a text"),
    (b"x", "a bytes, which no program can hold; decode it"),
    (Data(), "a Data, which no program can hold; give a dict of its fields"),
    (datetime(2026, 3, 1), "a datetime, which no program can hold; give it a time zone"),  # noqa: DTZ001 - the point
    (date(2026, 3, 1), "a date, which"),
    ([{"deep": Decimal(1)}], "a Decimal, which"),
    (lambda x: x, "a function, which"),
    (len, "a function, which"),
    ((n for n in "a"), "a generator, which no program can hold; give a list of its items"),
    (Moody(), "a Moody that cannot be read: RuntimeError: not today"),
]


@pytest.fixture
def session(kit):
    with kit.open(kit.catalog()) as opened:
        yield opened


def ways(session, source):
    """Return the four ways to call a program with one argument."""
    program = session.load(source(ECHO))
    return [
        lambda given: session.run(source(ECHO), (given,)),
        lambda given: asyncio.run(session.run_async(source(ECHO), (given,))),
        lambda given: program.call("main", (given,)),
        lambda given: asyncio.run(program.call_async("main", [given])),
    ]


@pytest.mark.parametrize(("given", "shown"), TAKEN, ids=[shown for _, shown in TAKEN])
def test_what_python_has_for_it_is_taken(session, source, given, shown):
    for call in ways(session, source):
        assert write(call(given).value) == shown
    (result,) = session.stream(session.load(source(ECHO)), "main", [given])
    assert write(result.value) == shown


@pytest.mark.parametrize(("given", "words"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_no_program_can_hold_is_refused_by_name(session, source, given, words):
    for call in ways(session, source):
        with pytest.raises(ArgumentError) as caught:
            call(given)
        assert str(caught.value).startswith(f"argument 1 of main is {words}")
        assert caught.value.value.data.get(Keyword("code")) == caught.value.code == "E0921"


def test_the_place_of_the_argument_is_told(session, source):
    with pytest.raises(ProgramError, match="argument 2 of both is a Decimal"):
        session.load(source(ECHO)).call("both", (1, Decimal(1)))


def test_a_record_that_is_refused_ends_alone(session, source):
    found = list(session.stream(session.load(source(ECHO)), "main", [{"n": 1}, b"x", [2]]))
    assert [each.ok for each in found] == [True, False, True]
    assert found[1].error.kind == "TypeValidationError"
    assert found[1].error.message.startswith("record 1 is a bytes, which no program can hold; decode it")


@pytest.mark.parametrize("args", ["ab", {"x": 1}, {1}, 5, b"x", iter(())])
def test_arguments_that_are_no_tuple_are_refused(session, source, args):
    with pytest.raises(ArgumentError, match="give a tuple of the arguments"):
        session.load(source(ECHO)).call("both", args)


def test_functions_of_the_program_and_the_library_come_back_and_others_do_not(session, source):
    program = session.load(source(ECHO + "(defn library [] [inc (comp inc inc) (partial + 5) :a])"))
    assert program.call("use", (program.call("make", (4,)).value,)).value == 5
    library = program.call("library").value
    assert [program.call("use", (each,)).value for each in library[:3]] == [2, 3, 6]
    assert program.call("main", ([library[0]],)).value == (library[0],)
    other = session.load(source(ECHO)).call("make", (4,)).value
    with pytest.raises(ArgumentError, match="a function, which no program can hold"):
        program.call("use", (other,))


def test_values_pass_as_the_objects_that_they_are(session, source):
    program = session.load(source(ECHO))
    record = Map.wrap({Keyword("a"): (1, Map.wrap({"b": (2,)}))})
    assert program.call("main", (record,)).value is record
    (result,) = session.stream(program, "main", [record])
    assert result.value is record
