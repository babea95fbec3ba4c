"""What a model says is converted where it is checked: what Python has no value for is a rejected attempt."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal

import pytest

import rtfs_framework as rtfs


@rtfs.delegated
def price(item: str) -> Decimal:
    """The price of an item."""
    return Decimal(len(item))


@rtfs.delegated
async def soon(item: str) -> Decimal:
    """The price of an item, soon."""
    return Decimal(len(item))


@rtfs.delegated
def unpriced(item: str) -> Decimal:
    """The price of an item."""


@rtfs.delegated
def picture(item: str) -> bytes:
    """A picture of an item."""
    return b"body"


@rtfs.delegated
def due(item: str) -> datetime:
    """When an item is due."""
    return datetime(2000, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Share:
    """At most 100."""

    percent: int

    def __post_init__(self):
        if self.percent > 100:
            raise ValueError(f"{self.percent} of a hundred")


@rtfs.delegated
def shares(item: str) -> list[Share]:
    """How an item is shared."""
    return [Share(100)]


@dataclass(frozen=True)
class Unhashable:
    """Cannot be the member of a set."""

    parts: list[int]


@rtfs.delegated
def members(item: str) -> set[Unhashable]:
    """The members."""
    return set()


@pytest.fixture
def model(kit):
    """Return a function that opens a session, whose local model says these things one after another."""
    sessions = []

    def opened(*said, **options):
        left = list(said)
        provider = kit.provider("llama", lambda _: left.pop(0) if len(left) > 1 else left[0], **options)
        environ = {"RTFS_HOME": str(kit.home)}
        sessions.append(rtfs.Session.open(catalog=kit.catalog(provider, l2=True), environ=environ))
        return sessions[-1]

    yield opened
    for each in sessions:
        each.close()


def records(function, session):
    """Return the records of the calls of a function in a session."""
    return list(function._programs[session].ledger.latest)


WRONG = [
    (price, '"about 5"', '"12.50"', Decimal("12.50"), "it is a string that is no Decimal; give digits alone, such as"),
    (picture, '"%%%"', '"AP8="', b"\x00\xff", "it is a string that is no bytes; give base64"),
    (
        due,
        '"2026-02-30T00:00:00Z"',
        '"2026-02-03T04:05:06Z"',
        datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        "it is a timestamp that is no datetime; give a time that the calendar has",
    ),
    (shares, '[{"percent": 101}]', '[{"percent": 7}]', [Share(7)], "it[0] is refused by Share: ValueError"),
    (members, '[{"parts": [1]}]', "[]", set(), "Python cannot put it together: TypeError"),
]


@pytest.mark.parametrize(
    ("function", "wrong", "right", "value", "told"), WRONG, ids=[each[0].__name__ for each in WRONG]
)
def test_a_model_is_told_what_python_has_no_value_for_and_asked_once_more(
    model, kit, function, wrong, right, value, told
):
    session = model(wrong, right)
    assert function.on(session)("lamp") == value
    _, again = kit.providers["llama"].requests
    assert told in again.messages[-1].content
    assert "of a hundred" not in again.messages[-1].content
    (record,) = records(function, session)
    (made,) = record.attempts
    assert (made.attempt.kind.value, made.attempt.reason) == ("bad-reply", "TypeValidationError")
    assert (record.target, record.error) == ("local-model llama", "")


def test_what_stays_wrong_is_the_bodys_to_answer_after_two_attempts(model, kit):
    session = model('"about 5"')
    assert price.on(session)("lamp") == Decimal(4)
    assert len(kit.providers["llama"].requests) == 2
    (record,) = records(price, session)
    assert [each.attempt.kind.value for each in record.attempts] == ["bad-reply", "bad-reply"]
    assert record.target == "local-pure"
    assert asyncio.run(soon.on(session)("lamps")) == Decimal(5)


def test_where_the_body_is_empty_nothing_answers(model):
    with pytest.raises(rtfs.NoAnswerError) as caught:
        unpriced.on(model('"about 5"'))("lamp")
    assert caught.value.code == "E0939"


def test_what_is_refused_is_not_kept_and_what_fits_is(model, kit):
    session = model('"about 5"', '"12.50"', deterministic=True)
    assert price.on(session)("lamp") == Decimal(4)  # who says the same each time is not asked again
    assert kit.layers["l2"].records == {}
    assert price.on(session)("lamp") == Decimal("12.50")
    assert price.on(session)("lamp") == Decimal("12.50")
    assert [each.cache for each in records(price, session)][1:] == ["l2 miss", "l2 hit"]


def test_another_function_of_the_same_words_gives_what_is_kept_its_own_meaning(model, kit):
    def price(item: str) -> str:
        """The price of an item."""
        return "body"

    session = model('"about 5"', '"12.50"', deterministic=True)
    assert rtfs.delegated(price).on(session)("lamp") == "about 5"
    assert globals()["price"].on(session)("lamp") == Decimal("12.50")  # what is kept is no answer here: asked anew


@rtfs.delegated
def worded(x: int) -> int:
    """Say how many."""
    return "many"


@rtfs.delegated
async def worded_later(x: int) -> list[int]:
    """Say how many."""
    return [x, "many"]


class Counter:
    """Has methods."""

    @rtfs.delegated
    def count(self, x: int) -> float:
        """Say how many."""
        return str(x)


HELD = [
    (lambda session: worded.on(session)(1), "body of worded returns is no int: it is a string"),
    (lambda session: asyncio.run(worded_later.on(session)(1)), r"worded_later returns\[1\] is no int: it is a string"),
    (lambda session: Counter().count.on(session)(1), "body of Counter.count returns is no float"),
]


@pytest.mark.parametrize(("call", "match"), HELD)
def test_what_the_own_body_returns_is_held_to_its_type(kit, call, match):
    with (
        rtfs.Session.open(catalog=kit.catalog(), environ={"RTFS_HOME": str(kit.home)}) as session,
        pytest.raises(rtfs.ConversionError, match=match) as caught,
    ):
        call(session)
    assert caught.value.code == "E0938"
    assert "many" not in str(caught.value)


def test_what_the_own_body_returns_stays_the_object_that_it_is(kit):
    kept = [1, 2]

    @rtfs.delegated
    def kept_list(x: int) -> list[int]:
        """Give a list."""
        return kept

    with rtfs.Session.open(catalog=kit.catalog(), environ={"RTFS_HOME": str(kit.home)}) as session:
        assert kept_list.on(session)(1) is kept
