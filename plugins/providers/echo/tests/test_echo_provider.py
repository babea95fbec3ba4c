"""What is echoed: text where text is expected, data where the argument fits the declared type, else text."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import Keyword, Locality, Map, ProviderSettings
from rtfs_framework.lang.types.model import (
    EnumType,
    FunctionType,
    MapEntry,
    MapType,
    OptionalType,
    Primitive,
    VectorType,
)
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.fakes import inference_request
from rtfs_provider_echo.provider import EchoProvider

MOOD = EnumType((Keyword("good"), Keyword("bad")))
POINT = MapType((MapEntry(Keyword("x"), Primitive.INT), MapEntry(Keyword("y"), Primitive.INT)))


def answer(*args, returns=None):
    provider = EchoProvider(ProviderSettings("echo"))
    return anyio.run(provider.infer, inference_request(*args, returns=returns))


@pytest.mark.parametrize("returns", [None, Primitive.STRING])
@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("hello", 2), "hello"),
        ((), ""),
        (('say "hi"',), 'say "hi"'),
        ((3,), "3"),
        ((None,), "nil"),
        (((1, "two", Keyword("three")),), '[1 "two" :three]'),
    ],
)
def test_text_where_text_is_expected(args, text, returns):
    reply = answer(*args, returns=returns)
    assert (reply.text, reply.data, reply.structured) == (text, None, False)


@pytest.mark.parametrize(
    ("arg", "returns", "data"),
    [
        (3, Primitive.INT, 3),
        (None, OptionalType(Primitive.INT), None),
        (Keyword("good"), MOOD, "good"),
        ("good", MOOD, "good"),
        ((1, 2), VectorType(Primitive.INT), [1, 2]),
        (Map.of([(Keyword("x"), 1), (Keyword("y"), 2)]), POINT, {"x": 1, "y": 2}),
        (True, Primitive.BOOL, True),
        ("text", Primitive.ANY, "text"),
    ],
)
def test_data_where_the_argument_fits(arg, returns, data):
    reply = answer(arg, returns=returns)
    assert (reply.text, reply.data, reply.structured) == (None, data, True)


@pytest.mark.parametrize(
    ("arg", "returns", "text"),
    [
        ("three", Primitive.INT, "three"),
        (Keyword("ugly"), MOOD, ":ugly"),
        (float("nan"), Primitive.FLOAT, "##NaN"),
        (Map.of([(Keyword("x"), 1)]), POINT, "{:x 1}"),
        (1, FunctionType((), None, Primitive.INT), "1"),
    ],
)
def test_text_where_it_does_not_fit(arg, returns, text):
    reply = answer(arg, returns=returns)
    assert (reply.text, reply.structured) == (text, False)


def test_the_catalog_makes_it_and_it_needs_no_configuration():
    catalog = load_catalog({"RTFS_PLUGINS": "echo"})
    assert not catalog.problems
    entry = catalog.provider("echo")
    assert (entry.locality, entry.deterministic, entry.defaults) == (Locality.LOCAL, True, {"echo": {}})
    provider = entry.factory(ProviderSettings("mirror"))
    assert provider.id == "mirror"
    assert provider.fingerprint() == entry.factory(ProviderSettings("echo")).fingerprint()
