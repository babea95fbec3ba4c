"""Errors as values: made, raised, read, and what is refused."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.stdlib.library import BUILTINS

KIND, MESSAGE, DATA, CAUSE = (Keyword(name) for name in ("kind", "message", "data", "cause"))
DETAIL = Map.wrap({Keyword("code"): 7})


def call(name, *args):
    return BUILTINS[name].function(*args)


def raised(*args):
    with pytest.raises(ProgramError) as caught:
        call(*args)
    return caught.value.value


def test_errors_are_made_not_raised():
    made = call("Exception.", "boom", DETAIL, "more")
    assert (made.kind, made.message, made.data) == ("ApplicationError", "boom", DETAIL)
    assert call("Exception.", 5).message == "5"
    assert call("Exception.", ("a",)).message == '["a"]'
    outer = call("ex-info", "outer", DETAIL, made)
    assert (call("ex-data", outer), call("ex-cause", outer)) == (DETAIL, made)
    assert call("getMessage", made) == call("ex-message", made) == "boom"
    assert call("ex-cause", made) is None


def test_throw_takes_a_message_a_map_or_an_error():
    assert raised("throw", "boom") == ErrorValue("ApplicationError", "boom")
    value = ErrorValue("Custom", "boom", DETAIL)
    assert raised("throw", value) is value
    found = raised("throw", Map.wrap({KIND: Keyword("Broken"), MESSAGE: "boom", DATA: 5, CAUSE: value}))
    assert (found.kind, found.message, found.data, found.cause) == ("Broken", "boom", 5, value)
    plain = raised("throw", DETAIL)
    assert (plain.kind, plain.message, plain.data) == ("ApplicationError", "{:code 7}", DETAIL)
    assert raised("throw", Map.wrap({KIND: "Text", MESSAGE: 5})).message == "5"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("throw", 5), "Type error in throw: expected string, map or error, got integer"),
        (("throw", None), "Type error in throw: expected string, map or error, got nil"),
        (("throw", Map.wrap({KIND: 5})), "Type error in throw: expected keyword or string as :kind, got integer"),
        (("throw", Map.wrap({KIND: ""})), "Type error in throw: expected keyword or string as :kind, got string"),
        (("throw", Map.wrap({CAUSE: "x"})), "Type error in throw: expected error, got string"),
        (("ex-info", "m", DETAIL, "x"), "Type error in ex-info: expected error, got string"),
        (("getMessage", "x"), "Type error in getMessage: expected error, got string"),
        (("ex-message", None), "Type error in ex-message: expected error, got nil"),
        (("ex-data", DETAIL), "Type error in ex-data: expected error, got map"),
        (("ex-cause", 5), "Type error in ex-cause: expected error, got integer"),
    ],
)
def test_refusals(args, message):
    assert raised(*args) == ErrorValue("TypeError", message)


def test_there_are_no_files():
    found = raised("read-file", "x.txt")
    assert found.kind == "Generic"
    assert found.message.startswith("Runtime error: read-file is not available")
