"""Python's types as RTFS's: what goes in comes out equal, of the same classes; what could not is refused."""

# ruff: noqa: UP007, UP045, PYI061 - unions as people write them, old and new

from __future__ import annotations

import dataclasses
import enum
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import NotRequired, Required

from rtfs_framework.api.typed import parse_type
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.types.check import violation
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.boundary.misfits import ConversionError
from rtfs_framework.orchestrator.boundary.plain_data import opened
from rtfs_framework.orchestrator.boundary.shapes import shape_of
from rtfs_framework.testing.effort import effort


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Odd(enum.Enum):
    A = 1.5
    B = (2,)


class Word(str, enum.Enum):
    YES = "yes"
    SURE = "yes"  # noqa: PIE796 - an alias
    NO = "no"


class Bits(enum.Flag):
    R = 1
    W = 2


class IntBits(enum.IntFlag):
    R = 1


class Nothing(enum.Enum):
    pass


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y_axis: float = 0.5
    note: Optional[str] = None


@attrs.frozen
class Box:
    points: list[Point]
    _private: int = 3


class Row(NamedTuple):
    a: int
    b: str = "z"


class Options(TypedDict, total=False):
    deep: bool


@dataclasses.dataclass
class Holds:
    itself: Optional[Holds] = None


@dataclasses.dataclass(frozen=True)
class Cube(Point):
    z: int = 0


@dataclasses.dataclass
class Tagged:
    type: str


@dataclasses.dataclass
class Late:
    n: int
    twice: int = dataclasses.field(init=False, default=2)


@attrs.define
class LateBox:
    n: int
    twice: int = attrs.field(init=False, default=2)


@dataclasses.dataclass
class Seeded:
    n: int
    seed: dataclasses.InitVar[int] = 3


@dataclasses.dataclass
class Strict:
    n: int

    def __post_init__(self):
        if self.n < 0:
            message = f"secret {self.n}"
            raise ValueError(message)


class Left(TypedDict):
    x: int


class Right(TypedDict):
    y: int


class Wide(TypedDict, total=False):
    x: int
    y: int


class Said(TypedDict):
    a: int
    b: NotRequired[int]
    c: Annotated[NotRequired[int], "why"]
    d: NotRequired[Annotated[int, "why"]]


class Partly(Said, total=False):
    e: int
    f: Required[list[int]]


class Holder(list):
    __slots__ = ()


class Name(str):
    __slots__ = ()


def two_of_one_name() -> tuple[type, type]:
    made = [dataclasses.make_dataclass("Twin", [("v", int)]) for _ in range(2)]
    return made[0], made[1]


TWINS = two_of_one_name()
BLANK = TypedDict("BLANK", {"a b": int})
BRACKET = TypedDict("BRACKET", {"a]": int})
DOUBLE = TypedDict("DOUBLE", {"a-b": int, "a_b": int})
ACCENT = dataclasses.make_dataclass("ACCENT", [("\u00e9", int)])
UserId = NewType("UserId", int)
NOW = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezone.utc)
FAR = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
ROUND = [
    (None, None, ":nil"),
    (bool, True, ":bool"),
    (int, 10**40, ":int"),
    (float, 1.5, ":float"),
    (str, "ä", ":string"),
    (datetime, NOW, ":timestamp"),
    (datetime, FAR, ":timestamp"),
    (UUID, UUID(int=7), ":uuid"),
    (Decimal, Decimal("1.50"), ":string"),
    (bytes, b"\x00\xff", ":string"),
    (Literal["a", 1, None], 1, '[:enum "a" 1 nil]'),
    (Colour, Colour.GREEN, '[:enum "red" "green"]'),
    (Level, Level.HIGH, "[:enum 1 2]"),
    (Odd, Odd.B, '[:enum "A" "B"]'),
    (Word, Word.SURE, '[:enum "yes" "no"]'),
    (list[int], [1, 2], "[:vector :int]"),
    (Sequence[str], ["a"], "[:vector :string]"),
    (tuple[int, ...], (1, 2), "[:vector :int]"),
    (tuple[int, str], (1, "a"), "[:tuple :int :string]"),
    (set[int], {1}, "[:set :int]"),
    (frozenset[str], frozenset("ab"), "[:set :string]"),
    (dict[str, Decimal], {"a": Decimal("0.1")}, "[:map-of :string :string]"),
    (Mapping[int, bool], {1: True}, "[:map-of :int :bool]"),
    (Point, Point(1, 2.0, "n"), "[:map [:x :int] [:y-axis :float ?] [:note [:union :string :nil] ?]]"),
    (Box, Box([Point(1)]), None),
    (Row, Row(1), "[:map [:a :int] [:b :string ?]]"),
    (Options, {}, "[:map [:deep :bool ?]]"),
    (Options, {"deep": True}, "[:map [:deep :bool ?]]"),
    (UserId, 7, ":int"),
    (Annotated[int, "a count"], 7, ":int"),
    (Optional[Point], None, None),
    (Union[Point, Row, None], Row(4, "b"), None),
    (Union[float, int], 2, "[:union :float :int]"),
    (Union[float, int], 2.0, "[:union :float :int]"),
    (Union[str, list[Point]], [Point(1)], None),
    (Union[Point, Cube], Cube(1, 2.0, "n", 3), None),
    (Union[Cube, Point], Point(1), None),
    (Union[Left, Right], {"y": 1}, None),
    (Union[Left, Point], {"x": 1}, None),
    (Said, {"a": 1}, "[:map [:a :int] [:b :int ?] [:c :int ?] [:d :int ?]]"),
    (Partly, {"a": 1, "f": []}, None),
    (Union[Left, Partly], {"a": 1, "f": [2]}, None),
    (Optional[Tagged], Tagged("t"), None),
    (Optional[object], None, "[:union :any :nil]"),
    (object, {"a": [1, None, 2.5]}, ":any"),
]
REFUSED = [
    (Any, "is Any, which says nothing"),
    (list, "a bare list"),
    (dict, "a bare dict"),
    (complex, "complex, which is no type"),
    (Union[str, Decimal], "nobody can tell apart"),
    (Union[Colour, str], "nobody can tell apart"),
    (Union[list[Point], list[Row]], "nobody can tell apart"),
    (Union[Point, dict[str, int]], "nobody can tell apart"),
    (Literal[b"x"], "chooses among what is no text"),
    (Holds, "Holds holds itself"),
    (type[int], "which is no type"),
    (Bits, "the Flag Bits, whose members combine"),
    (list[IntBits], "the Flag IntBits, whose members combine"),
    (Nothing, "Nothing, which has no members"),
    (Union[Left, Wide], "Left and Wide, which no key tells apart"),
    (Union[TWINS], "two classes of one name, Twin"),
    (Union[Tagged, Point], "Tagged has a field `type` of its own"),
    (Union[object, Colour], "nobody can tell apart"),
    (Late, "a field with init=False"),
    (LateBox, "a field with init=False"),
    (Seeded, "an InitVar"),
    (Literal[Level.LOW], "chooses among what is no text"),
    (tuple[()], "the empty tuple"),
    (BLANK, "BLANK: 'a b' is no name"),
    (BRACKET, "BRACKET: 'a\\]' is no name"),
    (DOUBLE, "two names become a-b"),
    (ACCENT, "is no name in RTFS"),
    (list["Nowhere"], "which is no type"),  # noqa: F821 - the point
]
MISFITS = [
    (int, True, "no int: it is a boolean"),
    (int, "1", "no int: it is a string"),
    (float, True, "no float"),
    (datetime, datetime(2026, 3, 1), "without a time zone"),  # noqa: DTZ001 - the point
    (Colour, "red", "no one of"),
    (Literal["a"], "b", "no one of"),
    (list[int], [1, "2"], r"it\[1\] is no int"),
    (tuple[int, int], (1,), "no tuple of 2"),
    (set[int], [1], "no set"),
    (dict[str, int], {"a": None}, "a value of it is no int"),
    (Point, {"x": 1}, "no Point"),
    (Point, Point("1"), "it.x is no int"),
    (Optional[int], "x", "no :int or :nil"),
    (object, object(), "which no program can hold"),
    (str, Name("a"), "it is of Name, a subclass of str, which would be lost"),
    (Point, Cube(1), "it is of Cube, a subclass of Point"),
    (tuple[int, str], Row(1), "no tuple of 2: it is a Row"),
    (list[int], Holder([1]), "a subclass of list"),
    (dict[str, int], OrderedDict(a=1), "a subclass of dict"),
    (Options, {"deep": True, "odd": 1}, "has a field that Options does not know"),
    (Left, {}, "it lacks x, which Left needs"),
    (Said, {"b": 1, "c": 2, "d": 3}, "it lacks a, which Said needs"),
    (Partly, {"a": 1, "e": 1}, "it lacks f, which Partly needs"),
    (float, 2**53 + 1, "an integer that is no float"),
    (float, 10**400, "an integer that is no float"),
    (datetime, datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), "beyond the years"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), ROUND)
def test_what_goes_in_comes_out(annotation, value, text):
    shape = shape_of(annotation)
    inside = shape.into(value, "it")
    back = shape.out(inside, "it")
    assert back == value
    assert type(back) is type(value)
    assert violation(parse_type(shape.text), inside) is None
    assert text in (None, shape.text)


@pytest.mark.parametrize(("annotation", "match"), REFUSED)
def test_a_type_that_cannot_keep_that_promise_is_refused(annotation, match):
    with pytest.raises(ConversionError, match=match) as caught:
        shape_of(annotation)
    assert caught.value.code == "E0937"
    assert caught.value.help


@pytest.mark.parametrize(("annotation", "value", "match"), MISFITS)
def test_a_value_of_another_type_is_refused(annotation, value, match):
    with pytest.raises(ConversionError, match=match) as caught:
        shape_of(annotation).into(value, "it")
    assert caught.value.code == "E0938"


def test_an_error_tells_no_value():
    with pytest.raises(ConversionError) as caught:
        shape_of(int).into("sk-very-secret", "key")
    assert "sk-very-secret" not in str(caught.value)


def test_an_error_tells_no_key():
    with pytest.raises(ConversionError) as caught:
        shape_of(dict[str, int]).into({"alice@example.com": "x"}, "it")
    assert "alice" not in str(caught.value)


ONE_IN_PYTHON = [
    (dict[float, str], Map.of([(1, "a"), (1.0, "b")])),
    (dict[Decimal, str], Map.of([("1", "a"), ("1.0", "b")])),
    (set[float], Set.of((1, 1.0))),
    (object, Set.of((1, 1.0))),
    (object, Map.of([(1, "a"), (1.0, "b")])),
]


@pytest.mark.parametrize(("annotation", "value"), ONE_IN_PYTHON)
def test_nothing_is_lost_where_two_members_are_one_in_python(annotation, value):
    with pytest.raises(ConversionError) as caught:
        shape_of(annotation).out(value, "it")
    assert caught.value.code == "E0938"


def test_nothing_is_lost_where_two_keys_are_one_in_rtfs():
    with pytest.raises(ConversionError, match="keys that are one in RTFS"):
        opened({Colour.RED: 1, "red": 2})


def test_what_a_class_refuses_is_told_without_the_value():
    with pytest.raises(ConversionError, match="it is refused by Strict: ValueError") as caught:
        shape_of(Strict).out(Map.of([(Keyword("n"), -5)]), "it")
    assert "-5" not in str(caught.value)


def test_what_a_model_may_leave_out_has_its_default():
    shape = shape_of(Point)
    inside = shape.into(Point(1), "it").dissoc(Keyword("note")).dissoc(Keyword("y-axis"))
    assert shape.out(inside, "it") == Point(1)
    with pytest.raises(ConversionError, match="it has no x"):
        shape.out(inside.dissoc(Keyword("x")), "it")


TEXTS = st.text(max_size=8)
LEAVES = {
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    str: TEXTS,
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=8),
    UUID: st.uuids(),
    datetime: st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(1000, 1, 1)),  # noqa: DTZ001 - given
    Colour: st.sampled_from(Colour),
    Point: st.builds(Point, st.integers(), st.floats(allow_nan=False), st.none() | TEXTS),
    Row: st.builds(Row, st.integers(), TEXTS),
}


WHOLE = {
    list[Point]: st.lists(LEAVES[Point], max_size=3),
    dict[str, tuple[Row, Decimal]]: st.dictionaries(TEXTS, st.tuples(LEAVES[Row], LEAVES[Decimal]), max_size=3),
    Optional[frozenset[UUID]]: st.none() | st.frozensets(LEAVES[UUID], max_size=3),
    Union[Point, Row, int]: st.one_of(LEAVES[Point], LEAVES[Row], LEAVES[int]),
    tuple[Union[int, float, str], ...]: st.lists(st.integers() | LEAVES[float] | TEXTS, max_size=4).map(tuple),
}
VALUES = st.one_of(*[st.tuples(st.just(kind), values) for kind, values in {**LEAVES, **WHOLE}.items()])


@settings(max_examples=effort(80), deadline=None)
@given(VALUES)
def test_any_value_of_any_type_comes_back(drawn):
    annotation, value = drawn
    shape = shape_of(annotation)
    inside = shape.into(value, "it")
    back = shape.out(inside, "it")
    assert back == value
    assert type(back) is type(value)
    assert violation(parse_type(shape.text), inside) is None
