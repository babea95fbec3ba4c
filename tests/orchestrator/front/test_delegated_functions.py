"""What may be delegated, and how what is made of it looks to those who ask: `inspect`, `pickle`, frameworks."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import pickle
import sys
import weakref

import pytest

import rtfs_framework as rtfs
from rtfs_framework.lang import recursion


class Shop:
    """Has methods."""

    def __init__(self, city):
        self.city = city

    def __eq__(self, other):
        return isinstance(other, Shop) and self.city == other.city

    __hash__ = None

    @rtfs.delegated
    def greet(self, name: str) -> str:
        """Greet a customer."""
        return f"{name} of {self.city}"

    @rtfs.delegated
    async def answer(self, question: str) -> str:
        """Answer a customer."""
        return question


@rtfs.delegated
async def slowly(text: str) -> str:
    """Say it after a while."""
    return text


def plain(x: int) -> int:
    """Return it."""
    return x


class Caller:
    """Is called."""

    def __call__(self, x: int) -> int:
        """Return it."""
        return x


@pytest.fixture
def session_of(kit):
    """Return a function that opens a session whose local model answers so; without an answer there is no model."""
    sessions = []

    def open_(answer=None):
        providers = [] if answer is None else [kit.provider("llama", lambda _: answer)]
        sessions.append(rtfs.Session.open(catalog=kit.catalog(*providers), environ={"RTFS_HOME": str(kit.home)}))
        return sessions[-1]

    yield open_
    for each in sessions:
        each.close()


NO_FUNCTIONS = [
    (staticmethod(plain), "a staticmethod is no function", "put @delegated inside: below @staticmethod"),
    (classmethod(plain), "a classmethod is no function", "put @delegated inside: below @classmethod"),
    (property(plain), "a property is no function", "put @delegated inside: below @property"),
    (functools.partial(plain, 1), "an object of the class partial", "write a function"),
    (Caller(), "an object of the class Caller", "write a function"),
    (Caller, "a class is no function", "write a function"),
    ("plain", "an object of the class str", "write a function"),
]


@pytest.mark.parametrize(("given", "problem", "way_out"), NO_FUNCTIONS, ids=[each[1] for each in NO_FUNCTIONS])
def test_what_is_no_function_is_refused(given, problem, way_out):
    for decorate in (rtfs.delegated, rtfs.delegated(name="named")):
        with pytest.raises(rtfs.ConversionError, match=problem) as caught:
            decorate(given)
        assert caught.value.code == "E0937"
        assert way_out in caught.value.help


@pytest.mark.parametrize("name", ["", "a b", "x)(y", "1", "nil", "true", ":k", "&", "x;y", "throw", "\u00e9"])
def test_a_name_that_no_program_can_have_is_refused(name):
    with pytest.raises(rtfs.ConversionError) as caught:
        rtfs.delegated(name=name)(plain)
    assert caught.value.code == "E0937"


@pytest.mark.parametrize("name", ["nil", "true", "throw", "\u00e9"])
def test_a_parameter_that_no_program_can_have_is_refused(name):
    scope = {}
    exec(f"def f({name}: int) -> int:\n    'Return it.'\n    return {name}", scope)
    with pytest.raises(rtfs.ConversionError) as caught:
        rtfs.delegated(scope["f"])
    assert caught.value.code == "E0937"
    with pytest.raises(rtfs.ConversionError):
        rtfs.Program().define("f", {f"{name} x": int}, "1")


def test_a_docstring_that_no_program_can_hold_is_refused():
    def broken(x: int) -> int:
        return x

    broken.__doc__ = "Half a pair: \ud800"
    with pytest.raises(rtfs.ConversionError, match="RTFS cannot write it") as caught:
        rtfs.delegated(broken)
    assert caught.value.code == "E0937"


def test_a_method_looks_like_one():
    greet = Shop("Bonn").greet
    assert (greet.__name__, greet.__doc__, greet.__self__.city) == ("greet", "Greet a customer.", "Bonn")
    assert str(inspect.signature(greet)) == "(name: 'str') -> 'str'"
    assert greet.__module__ == __name__
    assert repr(greet).startswith(f"<delegated {__name__}.Shop.greet of ")


def test_methods_are_equal_where_object_and_function_are():
    one, other = Shop("Bonn"), Shop("Bonn")
    assert one.greet == one.greet
    assert hash(one.greet) == hash(one.greet)
    assert one.greet != other.greet  # as of any method: the same object, not an equal one
    assert one.greet != one.answer


def test_a_method_is_pickled_as_any_is(session_of):
    session = session_of()
    again = pickle.loads(pickle.dumps(Shop("Bonn").greet))
    assert again.on(session)("Ada") == "Ada of Bonn"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Shop("Bonn").greet.on(session))


def test_coroutine_functions_are_known_as_such(session_of):
    session = session_of()
    asks = inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction
    for function in (slowly, slowly.on(session), Shop("Bonn").answer, Shop("Bonn").answer.on(session)):
        assert asks(function)
    for function in (plain, Shop.greet, Shop.greet.on(session), Shop("Bonn").greet):
        assert not asks(function)


def test_what_the_definers_names_hold_does_not_live_on():
    class Big:
        pass

    def define():
        big = Big()

        @rtfs.delegated
        def small(x: int) -> int:
            """Return it."""
            return x

        return small, weakref.ref(big)

    small, big = define()
    gc.collect()
    assert big() is None
    assert "[x : :int]" in small.rtfs


def test_room_that_cannot_be_given_back_yet_hides_no_error():
    before = sys.getrecursionlimit()

    def nested(depth):
        if depth:
            nested(depth - 1)
        else:
            recursion.give_room_back(before * 3)

    recursion.take_room(before * 3)
    nested(before)
    assert sys.getrecursionlimit() == before * 3
    recursion.take_room(before * 2)
    recursion.give_room_back(before * 2)
    assert sys.getrecursionlimit() == before
