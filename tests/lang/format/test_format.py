"""The formatter: what it makes of a text, that a second time changes nothing, and that meaning and comments stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.lang.errors import InternalError, LanguageError
from rtfs_framework.lang.format import check
from rtfs_framework.lang.format.check import format_source, same_forms
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.testing.cases.model import read_cases
from rtfs_framework.testing.effort import effort


def formatted(text: str, width: int = 100) -> str:
    return format_source(Source("<test>", text), width)


CASES = {
    "spaces and commas": ("( +  1,2 )", "(+ 1 2)\n"),
    "empty": ("", ""),
    "comments only": (";; one\n\n\n\n\n#| two |#  ; three", ";; one\n\n\n#| two |# ; three\n"),
    "nothing inside": ("( ) [ ] { } #{ }", "()\n[]\n{}\n#{}\n"),
    "one line stays": ("(defn f [x] (+ x 1))", "(defn f [x] (+ x 1))\n"),
    "a body that was broken stays": ("(defn f [x]\n(+ x 1))", "(defn f [x]\n  (+ x 1))\n"),
    "what the style keeps together is joined": ("(defn f\n[x] 1)", "(defn f [x] 1)\n"),
    "a body aligns by two": ("(when a\nb\nc)", "(when a\n  b\n  c)\n"),
    "arguments align under the first": ("(foo a\nb\n c)", "(foo a\n     b\n     c)\n"),
    "a keyword and its value share a line": ("(assoc m\n:a 1\n:b 2)", "(assoc m\n       :a 1\n       :b 2)\n"),
    "maps in pairs": ("{:a 1\n:b\n2}", "{:a 1\n :b 2}\n"),
    "bindings in pairs": ("(let [a 1\nb 2] a)", "(let [a 1\n      b 2]\n  a)\n"),
    "bindings with types": (
        "(let [a : int 1\nb :int 2] a)",
        "(let [a : int 1\n      b :int 2]\n  a)\n",
    ),
    "cond in pairs": ("(cond a 1\n:else\n2)", "(cond\n  a 1\n  :else 2)\n"),
    "match with a guard": (
        "(match v\n(:int n) when (> n 1) n\n_ 0)",
        "(match v\n  (:int n) when (> n 1) n\n  _ 0)\n",
    ),
    "documentation has its line": (
        '(defn f "Doc." [x]\nx)',
        '(defn f\n  "Doc."\n  [x]\n  x)\n',
    ),
    "a hint stays with its name": (
        '(defn ^:delegation   :remote "m" f [x]\nx)',
        '(defn ^:delegation :remote "m" f [x]\n  x)\n',
    ),
    "metadata": ("^{:a 1}\n(f)", "^{:a 1}\n(f)\n"),
    "prefixes": ("' x ` (a ~ b ~@ c ~ @d) #( + % 1) @ctx", "'x\n`(a ~b ~@c ~ @d)\n#(+ % 1)\n@ctx\n"),
    "literals as written": (
        '[1.50 1e5 +3 "\\u{41}\\n" 2025-01-01T00:00:00.120Z ##Inf :a/b resource://x]',
        '[1.50 1e5 +3 "\\u{41}\\n" 2025-01-01T00:00:00.120Z ##Inf :a/b resource://x]\n',
    ),
    "tagged literals": ('[#timestamp( "2025-01-01T00:00:00Z" )]', '[#timestamp("2025-01-01T00:00:00Z")]\n'),
    "strings over lines": ('(f "a\n   b" c)', '(f "a\n   b"\n   c)\n'),
    "a trailing comment": ("(f a ; why\n b)", "(f a ; why\n   b)\n"),
    "a comment before the bracket": ("(f a\n ; last\n)", "(f a\n   ; last\n   )\n"),
    "nested block comments": ("(f #| a #| b |# c |# 1)", "(f #| a #| b |# c |# 1)\n"),
    "blank lines inside": ("(do\n\n\n a\n\n\n b)", "(do\n\n  a\n\n  b)\n"),
    "blank lines between": ("a\n\n\n\n\nb\nc", "a\n\n\nb\nc\n"),
    "line ends of Windows": ("(do\r\n  a ; x\r\n  b)\r\n", "(do\n  a ; x\n  b)\n"),
    "vectors keep their rows": ("[[1 2]\n[3 4]]", "[[1 2]\n [3 4]]\n"),
    "called expressions": ("((fn [x]\nx) 1)", "((fn [x]\n   x)\n 1)\n"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_layout(text: str, expected: str) -> None:
    assert formatted(text) == expected
    assert formatted(expected) == expected


def test_what_is_too_wide_is_broken() -> None:
    made = formatted(
        "(defn f [x] (let [total (+ 1 2) other (* 3 4)] (cond (> total 1) {:a total :b other} :else nil)))", 40
    )
    assert made == (
        "(defn f [x]\n"
        "  (let [total (+ 1 2) other (* 3 4)]\n"
        "    (cond\n"
        "      (> total 1) {:a total :b other}\n"
        "      :else nil)))\n"
    )


def test_arguments_too_far_right_are_indented_instead() -> None:
    made = formatted("(a-function-with-a-long-name (another-function-with-long-name argument))", 40)
    assert made == "(a-function-with-a-long-name\n  (another-function-with-long-name\n    argument))\n"


def test_deep_nesting_is_formatted() -> None:
    text = "(f " * 190 + "1" + ")" * 190
    assert "".join(formatted(text).split()) == "".join(text.split())


def test_a_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(LanguageError, match="E0101"):
        formatted("(f")


@pytest.mark.parametrize("spoilt", ["(f 2)\n", "(f 1", "(f 1)\n"])
def test_a_layout_that_changes_something_is_our_bug(monkeypatch: pytest.MonkeyPatch, spoilt: str) -> None:
    monkeypatch.setattr(check, "lay_out", lambda *_: spoilt)
    with pytest.raises(InternalError):
        formatted("(f 1) ; a comment")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1", "1.0", False),
        ("0.0", "-0.0", False),
        ("##NaN", "##NaN", True),
        ("true", "1", False),
        ("(a b)", "(a)", False),
        ("(a)", "[a]", False),
        ("'a", "`a", False),
        (":a", ":b", False),
        ("^:delegation :local f", '^:delegation :remote "x" f', False),
        ("^{:a 1} f", "^{:a 2} f", False),
        ("  (a\nb)", "(a b)", True),
    ],
)
def test_same_forms(left: str, right: str, same: bool) -> None:
    assert same_forms(read_program(Source("a", left)), read_program(Source("b", right))) is same


WORDS = st.sampled_from(
    [
        "a",
        "b-c",
        "f",
        "when",
        ":",
        ":k",
        ":else",
        "&",
        "_",
        "1",
        "-2",
        "1.50",
        "2e3",
        "nil",
        "true",
        '"s"',
        '"two\nlines"',
        "@ctx",
        "%",
        "2025-01-01T00:00:00Z",
        "resource://r/x",
    ]
)
HEADS = st.sampled_from(
    [
        "f",
        "foo-bar",
        "let",
        "fn",
        "defn",
        "def",
        "do",
        "if",
        "when",
        "cond",
        "match",
        "case",
        "for",
        "loop",
        "step",
        "call",
        "->",
        "assoc",
        "try",
        "catch",
        "as->",
        "plan",
        "letfn",
    ]
)
GAPS = st.sampled_from(
    [" ", " ", " ", "  ", ", ", "\n", "\n\n", "\n\n\n", " ; note\n", "\n;; own\n", " #| b |# ", "\n#| b\n c |#\n"]
)
BRACKETS = st.sampled_from([("(", ")"), ("[", "]"), ("#{", "}"), ("#(", ")")])
PREFIXES = st.sampled_from(
    ["'", "`", "~", "~@", "^:pure ", "^{:a 1} ", "^:delegation :local ", '^:delegation :remote "m"\n']
)


def spaced(parts: list[str], gaps: list[str]) -> str:
    return "".join(gap + part for gap, part in zip(gaps, parts, strict=True))


def sequences(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(GAPS, inner), max_size=7).map(lambda found: "".join(g + p for g, p in found))


def groups(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    called = st.tuples(HEADS, sequences(inner), GAPS).map(lambda t: f"({t[0]}{t[1]}{t[2]})")
    bare = st.tuples(BRACKETS, sequences(inner), GAPS).map(lambda t: f"{t[0][0]}{t[1]}{t[2]}{t[0][1]}")
    pairs = st.lists(st.tuples(GAPS, inner, GAPS, inner), max_size=4).map(
        lambda found: "{" + "".join("".join(entry) for entry in found) + " }"
    )
    prefixed = st.tuples(PREFIXES, inner).map("".join)
    return st.one_of(called, called, bare, pairs, prefixed)


PROGRAMS = sequences(st.recursive(WORDS, groups, max_leaves=25))


@settings(max_examples=effort(300))
@given(PROGRAMS, st.sampled_from([20, 40, 100]))
def test_idempotent_and_faithful(text: str, width: int) -> None:
    try:
        read_program(Source("<generated>", text))
    except LanguageError:
        return  # such as two hints in one list: the formatter refuses it with the reader's words
    once = formatted(text, width)
    assert formatted(once, width) == once
    assert all(line == line.rstrip() for line in once.split("\n")) or '"' in once or "#|" in once


def conformance_sources() -> list[tuple[str, str]]:
    """Return the sources of the conformance cases and their modules, by id."""
    root = Path(__file__).parents[3]
    files = sorted((root / "tests/conformance").glob("*.toml"))
    cases = list(read_cases(files))
    found = [(case.id, text) for case in cases for text in (case.source, *case.files.values())]
    return found + [(path.name, path.read_text(encoding="utf-8")) for path in sorted(root.glob("examples/**/*.rtfs"))]


def test_conformance_sources_and_examples() -> None:
    done = 0
    for name, text in conformance_sources():
        try:
            once = format_source(Source(name, text))
        except LanguageError:
            continue
        assert format_source(Source(name, once)) == once, name
        done += 1
    assert done > 1500
