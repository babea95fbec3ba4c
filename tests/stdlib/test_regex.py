"""Patterns: what the language has and refuses, Unicode, positions in characters, and time linear in the text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.meter import ITEMS
from rtfs_framework.stdlib.table import BUILTINS

pytest.importorskip("re2")
from rtfs_framework.stdlib import regex  # noqa: F401 - it fills the table


def call(name, *args):
    return BUILTINS[name].function(*args)


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("re-matches", ("^a.c$", "abc"), "abc"),
        ("re-matches", ("^a.c$", "abcd"), None),
        ("re-matches", ("a|ab", "ab"), "ab"),
        ("re-matches", ("", ""), ""),
        ("re-find", (r"(\d+)-(\d+)", "x 10-20"), "10-20"),
        ("re-find", (r"\w+", "¡café olé!"), "café"),
        ("re-find", (r"[^\s]+", "\u00a0é☃ "), "é☃"),
        ("re-find", (r"\W", "é☃"), "☃"),
        ("re-find", (r"\S+", "\u2003é"), "é"),
        ("re-find", (r"[\w-]+", "!ñ-a"), "ñ-a"),
        ("re-find", (r"[]a]+", "x]a"), "]a"),
        ("re-find", (r"[^]]", "]b"), "b"),
        ("re-find", (r"[[:alpha:]]+", "1ab"), "ab"),
        ("re-find", (r"\x{e9}", "é"), "é"),
        ("re-find", (r"(?i)STRASSE", "die strasse"), "strasse"),
        ("re-groups", (r"(?P<a>x)(y)?", "x"), ("x", "x", None)),
        ("re-seq", ("a*", "baac"), ("", "aa", "")),
        ("re-seq", ("", "é☃"), ("", "", "")),
        ("re-seq", (".", "é☃😀"), ("é", "☃", "😀")),
        ("re-seq", (r"(a)(b)", "abab"), ("ab", "ab")),
        ("re-split", (r"\s*,\s*", "é , b,"), ("é", "b", "")),
        ("re-split", ("x*", "axb"), ("a", "b")),
        ("re-replace", (r"(\w+) (\w+)", "a b, c d", "$2-${1}$$ $0"), "b-a$ a b, d-c$ c d"),
        ("re-replace", ("(a)|(b)", "ab", "[$1|$2]"), "[a|][|b]"),
        ("re-replace", ("", "é", "-"), "-é-"),
    ],
)
def test_value(name, args, expected):
    assert call(name, *args) == expected


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a**", r"(a)\1", "(?=a)", "(?<=a)b", "(?!a)", r"\Qa\E", r"\C", "a{1001}", "\\"]
)
def test_bad_pattern(pattern, capfd):
    for name in ("re-matches", "re-find", "re-seq", "re-groups", "re-split"):
        with pytest.raises(ProgramError) as caught:
            call(name, pattern, "x")
        assert caught.value.kind == "Generic"
        assert caught.value.message.startswith("Runtime error: Invalid regex pattern: ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("args", [(5, "x"), ("x", 5), (None, "x"), ("x", None)])
def test_only_text_is_matched(args):
    for name in ("re-matches", "re-find", "re-seq", "re-groups", "re-split"):
        with pytest.raises(ProgramError, match=f"Type error in {name}: expected string"):
            call(name, *args)
    with pytest.raises(ProgramError, match="Type error in re-replace: expected string, got integer"):
        call("re-replace", "a", "x", 5)


def test_other_rejections():
    with pytest.raises(ProgramError, match="Invalid argument: Pattern has no group 2"):
        call("re-replace", "(a)", "a", "$2")
    for pattern, text in (("a", "\ud800"), ("\ud800", "a")):
        with pytest.raises(ProgramError):
            call("re-find", pattern, text)
    with pytest.raises(ProgramError):
        call("re-find", "a" * 20_000, "a")


def test_a_pattern_cannot_explode():
    text = "a" * 100_000
    started = time.perf_counter()
    assert call("re-matches", "(a+)+b", text) is None
    assert call("re-matches", "(a|a)*(a|a)*c", text) is None
    with pytest.raises(ProgramError):
        call("re-find", "((a{100}){100}){100}", text)
    assert time.perf_counter() - started < 5


def test_replacing_cannot_take_the_memory():
    with pytest.raises(LimitError):
        call("re-replace", "a", "a" * 10_000, "b" * (ITEMS // 1_000))


@given(st.sampled_from(["a+", "[ab]", "é|b", "b?a", "(a)(b)?", "☃+$", r"\d+"]), st.text("abé☃1😀", max_size=12))
def test_matches_are_those_of_python(pattern, text):
    found = re.compile(pattern)
    expected = found.search(text)
    assert call("re-find", pattern, text) == (expected and expected.group())
    assert call("re-seq", pattern, text) == tuple(match.group() for match in found.finditer(text))
    assert call("re-groups", pattern, text) == (expected and (expected.group(), *expected.groups()))
    assert call("re-matches", pattern, text) == (text if found.fullmatch(text) else None)
    assert call("re-replace", pattern, text, "$0") == text
    assert call("re-replace", pattern, text, "<>") == found.sub("<>", text)
