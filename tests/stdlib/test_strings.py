"""Text: round trips against Python, characters rather than bytes, every rejection and its message, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.meter import ITEMS, OUTSIDE
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib import formatting, strings, strings_more  # noqa: F401 - they fill the table
from rtfs_framework.stdlib.table import BUILTINS

TEXT = st.text(alphabet="ab,é😀 \n", max_size=12)

UUID = "abcdef01-0000-0000-0000-000000000000"


def call(name, *args):
    return BUILTINS[name].function(*args)


def shared(levels):
    value = ()
    for _ in range(levels):
        value = (value, value)
    return value


@given(TEXT, st.sampled_from([",", "a", "ab", "é", "😀"]))
def test_split_and_join_are_inverse(text, separator):
    pieces = call("split", text, separator)
    assert call("join", separator, pieces) == text
    assert all(separator not in piece for piece in pieces)


@given(TEXT)
def test_text_is_its_characters(text):
    assert call("join", "", call("chars", text)) == text
    assert call("split", text, "") == call("chars", text)
    assert call("string-length", text) == len(call("chars", text))
    assert call("from-char-code", *[call("char-code", c) for c in call("chars", text)]) == text
    assert call("reverse-string", call("reverse-string", text)) == text
    assert call("str", text, 1, text) == f"{text}1{text}"
    assert call("blank?", text) is (call("trim", text) == "")
    assert call("trimr", call("triml", text)) == call("trim", text)
    assert "\n".join(call("split-lines", text)) == text.removesuffix("\n")


@given(TEXT, TEXT, TEXT)
def test_parts_are_found_and_replaced(text, part, new):
    found = call("index-of", text, part)
    assert (found is not None) is call("string-contains", text, part)
    if found is not None:
        assert call("substring", text, found, found + len(part)) == part
        assert call("last-index-of", text, part) >= found
        assert call("replace-first", text, part, new) == text[:found] + new + text[found + len(part) :]
    assert call("replace", text, part, new) == text.replace(part, new)
    assert call("starts-with?", text + part, text)
    assert call("ends-with?", text + part, part)


@given(TEXT, st.integers(-3, 20))
def test_padding_reaches_the_width_and_no_more(text, width):
    for name in ("pad-left", "pad-right"):
        padded = call(name, text, width)
        assert len(padded) == max(width, len(text))
        assert text in padded
    assert call("repeat-string", text, width) == text * width


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("str", (), ""),
        ("str", (1, 2.5, True, None, Keyword("k")), "12.5truenil:k"),
        ("str", (('q"q',),), '["q\\"q"]'),
        ("join", (", ", List((1, ("x",), Map.of([(Keyword("a"), 1)])))), '1, ["x"], {:a 1}'),
        ("split", (None, ","), ("",)),
        ("split-lines", ("",), ()),
        ("split-lines", ("a\r\n\nb",), ("a", "", "b")),
        ("string-upper", ("straße",), "STRASSE"),
        ("capitalize", ("",), ""),
        ("title", ("the OWL's  eye",), "The Owl's  Eye"),
        ("index-of", ("banana", "an", -5), 1),
        ("index-of", ((1, 1.0), 1.0), 1),
        ("index-of", ((1,), 1, 10**30), None),
        ("last-index-of", ((5, 6, 5), 5), 2),
        ("starts-with?", (None, "a"), False),
        ("blank?", (None,), True),
        ("keyword", (Keyword("a"),), Keyword("a")),
        ("keyword", ("n", "a"), Keyword("n/a")),
        ("keyword", ("com.acme:v1.0/op",), Keyword("com.acme:v1.0/op")),
        ("symbol", (Keyword("k"),), Symbol("k")),
        ("name", (Keyword("a.b/c"),), "c"),
        ("name", (Symbol("/"),), "/"),
        ("namespace", (Keyword("a.b/c"),), "a.b"),
        ("namespace", (Symbol("c"),), None),
        ("format", ("%5d|%-5d|%05d|%+d|%,d", 42, 42, 42, 42, 1234567), "   42|42   |00042|+42|1,234,567"),
        ("format", ("%s %.2s %10s|%-4s|", None, "abc", "x", Keyword("k")), "nil ab          x|:k  |"),
        (
            "format",
            ("%f %.0f %08.3f %,.1f %e", 1, 2.5, -1.5, 12345.67, 12.5),
            "1.000000 3 -001.500 12,345.7 1.250000e+01",
        ),
        ("format", ("%.0f %.0f %.0f %.2f %.1f", 0.5, 2.5, -2.5, 2.675, 0.25), "1 3 -3 2.68 0.3"),
        (
            "format",
            ("%.1e %.0e %.2e %e %.0e", 1.25, 9.5, -1.005, 0.0, 1e-9),
            "1.3e+00 1e+01 -1.01e+00 0.000000e+00 1e-09",
        ),
        ("format", ("%+,.1f %08.1f %.20f", 12345.25, -2.25, 0.1), "+12,345.3 -00002.3 0.10000000000000000000"),
        ("format", ("%x %d", 16**5000, 10**5000), f"1{'0' * 5000} 1{'0' * 5000}"),
        ("format", ("%x %X %4x %%", 255, 255, -1), "ff FF   -1 %"),
        ("format", ("%f %6.1f", float("inf"), float("nan")), "##Inf  ##NaN"),
        ("format", ("{0.__class__} {}", 1), "{0.__class__} {}"),
        ("format", ("no more", 1, 2), "no more"),
    ],
)
def test_value(name, args, expected):
    assert call(name, *args) == expected


@pytest.mark.parametrize(
    ("name", "args", "kind", "message"),
    [
        ("substring", ("hello", 6), "IndexOutOfBounds", "Index 6 out of bounds for collection of length 5"),
        ("substring", ("hello", 2, 9), "IndexOutOfBounds", "Index 9 out of bounds for collection of length 5"),
        ("substring", ("hello", 3, 1), "IndexOutOfBounds", "Index 3 out of bounds for collection of length 5"),
        ("substring", ("hello", -1, 2), "IndexOutOfBounds", "Index -1 out of bounds for collection of length 5"),
        ("substring", ("abc", "0"), "TypeError", "Type error in substring: expected integer, got string"),
        ("substring", (5, 0), "TypeError", "Type error in substring: expected string, got integer"),
        ("string-length", (5,), "TypeError", "Type error in string-length: expected string, got integer"),
        ("string-contains", ("a", 1), "TypeError", "Type error in string-contains: expected string, got integer"),
        ("starts-with?", (5, "a"), "TypeError", "Type error in starts-with?: expected string, got integer"),
        ("ends-with?", ("a", None), "TypeError", "Type error in ends-with?: expected string, got nil"),
        ("split", ("a b", None), "TypeError", "Type error in split: expected string, got nil"),
        ("join", (("a",), ","), "TypeError", "Type error in join: expected string, got vector"),
        ("join", (",", 5), "TypeError", "Type error in join: expected collection, got integer"),
        ("string-upper", (5,), "TypeError", "Type error in string-upper: expected string, got integer"),
        ("string-lower", (None,), "TypeError", "Type error in string-lower: expected string, got nil"),
        ("string-trim", (Keyword("k"),), "TypeError", "Type error in string-trim: expected string, got keyword"),
        ("replace", ("a", 1, "b"), "TypeError", "Type error in replace: expected string, got integer"),
        ("index-of", ("a", 1), "TypeError", "Type error in index-of: expected string, got integer"),
        ("index-of", (5, 1), "TypeError", "Type error in index-of: expected collection, got integer"),
        ("pad-left", ("a", 3, "xy"), "InvalidArgument", "Invalid argument: Padding of pad-left must be one character"),
        ("char-code", ("ab",), "InvalidArgument", "Invalid argument: String of char-code must be one character"),
        (
            "from-char-code",
            (0xD800,),
            "InvalidArgument",
            "Invalid argument: Number is not the code point of a character",
        ),
        ("from-char-code", (0x110000,), "InvalidArgument", None),
        ("keyword", (1,), "TypeError", "Type error in keyword: expected string, keyword or symbol, got integer"),
        ("keyword", ("",), "InvalidArgument", "Invalid argument: String is not the name of a keyword"),
        ("keyword", ("1a",), "InvalidArgument", None),
        ("keyword", ("a)",), "InvalidArgument", None),
        *[
            (what, (name,), "InvalidArgument", f"Invalid argument: String is not the name of a {what}")
            for what, names in {
                "keyword": ["1", "é", ":a", "a/"],
                "symbol": ["nil", "true", "false", "1", "-1", UUID],
            }.items()
            for name in names
        ],
        ("symbol", ("a b",), "InvalidArgument", "Invalid argument: String is not the name of a symbol"),
        ("namespace", ("a",), "TypeError", "Type error in namespace: expected keyword or symbol, got string"),
        ("format", ("%d", 1.5), "TypeError", "Type error in format: expected integer, got float"),
        ("format", ("%f", "x"), "TypeError", "Type error in format: expected number, got string"),
        ("format", ("%f", 10**400), "InvalidArgument", "Invalid argument: Integer is too large for a float"),
        ("format", ("%s",), "InvalidArgument", "Invalid argument: format has more directives than its 0 values"),
        ("format", ("%q", 1), "InvalidArgument", None),
        ("format", ("100%",), "InvalidArgument", None),
        ("format", ("%99999d", 1), "InvalidArgument", None),
    ],
)
def test_rejection(name, args, kind, message):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    assert caught.value.kind == kind
    if message is not None:
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("repeat-string", ("ab", ITEMS)),
        ("pad-left", ("ab", 10**30)),
        ("replace", ("a" * 10_000, "", "b" * 10_000)),
        ("str", ("a" * ITEMS, "b")),
        ("join", ("a" * 10_000, (1,) * 10_000)),
        ("str", (("a" * 10_000,) * 10_000,)),
    ],
)
def test_text_beyond_the_bound_ends_the_run(name, args):
    with pytest.raises(LimitError) as caught:
        call(name, *args)
    assert caught.value.dimension == "items"


def test_shared_structure_is_not_printed_without_bound(monkeypatch):
    monkeypatch.setattr(OUTSIDE, "items", 10_000)
    for name, args in (("str", ()), ("format", ("%s",))):
        with pytest.raises(LimitError, match="more than 10000 characters"):
            call(name, *args, shared(60))
