"""Encodings come back, digests are stable, and every refusal."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.values import Keyword, Uuid
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.encoding import _canonical
from rtfs_framework.stdlib.library import BUILTINS

TEXTS = st.text(st.characters(codec="utf-8"))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(List),
        st.lists(inner, max_size=3).map(Set.of),
        st.lists(st.tuples(inner, inner), max_size=3).map(Map.of),
    ),
    max_leaves=12,
)


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


@given(TEXTS)
def test_encodings_come_back(text):
    assert call("url-decode", call("url-encode", text)) == text
    assert call("base64-decode", call("base64-encode", text)) == text
    assert call("url-encode", text) == quote(text, safe="")


@pytest.mark.parametrize("name", ["url-encode", "url-decode", "base64-encode", "base64-decode", "sha256"])
@pytest.mark.parametrize(("wrong", "what"), [(5, "integer"), (None, "nil"), (Keyword("a"), "keyword")])
def test_only_text_is_encoded(name, wrong, what):
    assert refusal(name, wrong) == f"TypeError: Type error in {name}: expected string, got {what}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("url-decode", "%", "A percent sign must be followed by two hex digits"),
        ("url-decode", "%4x", "A percent sign must be followed by two hex digits"),
        ("url-decode", "%ff", "The decoded bytes are not UTF-8 text"),
        ("base64-decode", "a", "The text is not base 64"),
        ("base64-decode", "a b=", "The text is not base 64"),
        ("base64-decode", "/w==", "The decoded bytes are not UTF-8 text"),
        ("url-encode", "\ud800", "String has half a character"),
        ("base64-encode", "\ud800", "String has half a character"),
        ("sha256", "\ud800", "String has half a character"),
    ],
)
def test_bad_text_is_refused(name, text, message):
    assert refusal(name, text).startswith(f"InvalidArgument: Invalid argument: {message}")


def test_digests_never_change():
    assert call("sha256", "abc").startswith("ba7816bf8f01cfea")
    assert call("hash", 1) == 3874038210105081456
    assert call("hash", Map.of([(Keyword("a"), (1, "x"))])) == 1347880662570145804
    assert call("uuid-from-seed", "a") == Uuid("e8d8e5db-89bf-537e-a4de-9f6f68538bcc")


@given(VALUES, VALUES)
def test_equal_values_have_equal_digests(a, b):
    if "-0.0" not in canonical_print(a):
        assert _canonical("hash", a) == canonical_print(a)
    if equal(a, b):
        assert call("hash", a) == call("hash", b)
        assert call("uuid-from-seed", a) == call("uuid-from-seed", b)
    elif canonical_print(a) != canonical_print(b):
        assert call("hash", a) != call("hash", b)
    assert 0 <= call("hash", a) < 2**63


@pytest.mark.parametrize("name", ["hash", "uuid-from-seed"])
def test_the_two_zeros_are_equal_and_so_are_their_digests(name):
    for around in (lambda v: v, lambda v: (v, 1), lambda v: Set.of([v])):
        assert call(name, around(-0.0)) == call(name, around(0.0)) != call(name, around(0))


@pytest.mark.parametrize("name", ["hash", "uuid-from-seed"])
def test_functions_have_no_digest(name):
    assert refusal(name, (lambda: 1,)) == f"TypeError: Type error in {name}: expected data, got function"


def test_deep_and_odd_data_has_a_digest():
    deep = ()
    for _ in range(90_000):
        deep = (deep,)
    assert call("hash", deep) >= 0
    assert call("hash", "\ud800") != call("hash", "\ud801")
    assert call("uuid-from-seed", "\ud800") != call("uuid-from-seed", "\ud801")
