"""Mistakes of people and models who know another Lisp: what is said, where, and the way out."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source


def findings(text):
    try:
        found = compile_source(Source("mistake", text)).diagnostics
    except LanguageError as error:
        found = error.diagnostics
    return [
        (d.code, text[d.span.start : d.span.end], f"{d.message} | {d.help}") for d in found if d.severity == "error"
    ]


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("(swap! 1 inc)", "E0203", "swap!", "nothing can be changed in RTFS"),
        ("(atom 0)", "E0203", "atom", "let, loop/recur or reduce"),
        ('(println "hi")', "E0203", "println", "a host grants a capability such as ccos.io.println"),
        ('(slurp "f")', "E0203", "slurp", "no files"),
        ("(defn- f [x] x)", "E0203", "defn-", "use (defn name [params] body)"),
        ("(define x 1)", "E0203", "define", "(def name value)"),
        ("(lambda (x) x)", "E0203", "lambda", "write (fn [x] body)"),
        ("(ns my.app)", "E0203", "ns", "(import module.name :as alias)"),
        ("(while true 1)", "E0203", "while", "loop"),
        ("(catch e 1)", "E0203", "catch", "it stands in a try"),
        ('(str/join "," [1])', "E0203", "str/join", "did you mean 'join'?"),
        ("(Math/abs 1)", "E0203", "Math/abs", "did you mean 'abs'?"),
        ("(cound [1])", "E0203", "cound", "did you mean 'count'?"),
        ("None", "E0203", "None", "did you mean 'nil'?"),
        ("(iterate inc 0)", "E0204", "(iterate inc 0)", "it is called as (iterate count function first)"),
        ("(1 + 2)", "E0205", "1", "operators stand first, as in (+ a b)"),
        ("(1 2 3)", "E0205", "1", "data is quoted"),
        ("(let [a 1 b] a)", "E0201", "b", "this is bound to no value"),
        ("(let (a 1) a)", "E0201", "(a 1)", "its bindings stand in [ ]"),
        ("(let [a 1])", "E0201", "(let [a 1])", "it has no body"),
        ("(loop (i 0) i)", "E0201", "(i 0)", "its bindings stand in [ ]"),
        ("(defn f (x) x)", "E0201", "(x)", "its parameters stand in [ ]"),
        ("(defn f ([a] a) ([b] b))", "E0201", "[b]", "two arities take 1 argument"),
        ("(fn ([& a] a) ([& b] b))", "E0201", "[& b]", "only one arity takes any number of arguments"),
        ("(fn ([a b] a) ([& b] b))", "E0201", "[& b]", "no arity may have more parameters than the one with &"),
        ("(defn f ([a] a) (a b))", "E0201", "(a b)", "its parameters stand in [ ]"),
        ("(defn f ([a] a) ([a b]))", "E0201", "([a b])", "this arity needs a body"),
        ("(defn f ([a] : int a))", "E0201", ":", "the type of the result stands once, before the arities"),
        ("(defn f : int [a] a)", "E0201", "[a]", "the type of its result stands after its parameters"),
        ("(defmacro m ([a] a) ([b] b))", "E0201", "[b]", "malformed defmacro: two arities take 1 argument"),
        ("(letfn [(f)] 1)", "E0201", "(letfn [(f)] 1)", "malformed letfn"),
        (
            "(defn f ([a] 1) ([a b c] 2)) (f 1 2)",
            "E0204",
            "(f 1 2)",
            "expected 1 or 3, got 2 | it takes [a] or [a b c]",
        ),
        ("((fn ([] 1) ([a] 2)) 1 2)", "E0204", "((fn ([] 1) ([a] 2)) 1 2)", "expected 0 or 1, got 2"),
        ("(let [f (fn ([a] 1) ([a b] 2))] (f))", "E0204", "(f)", "expected 1 or 2, got 0"),
        ("(if true)", "E0201", "(if true)", "a test and one or two branches"),
        ("(loop [i 0] (recur))", "E0209", "(recur)", "recur needs 1 value here, got 0 | one for each binding"),
        ("(match 5 (> 3) :a)", "E0206", "(> 3)", "a test is a guard"),
        ("(inc 1 2)", "E0204", "(inc 1 2)", "it is called as (inc number)"),
        ("::a", "E0104", ":", "a keyword has one colon"),
        ("#_ 1", "E0104", "#", "(comment form)"),
        ("(map #'inc [1])", "E0104", "#", "named as it is"),
        ('(re-find #"a" "a")', "E0104", "#", "a regular expression is a string"),
        ('#inst "2020-01-01"', "E0104", "#", "2026-01-31T12:00:00Z"),
        ("\\a", "E0104", "\\a", 'write "a"'),
        ("-1/2", "E0105", "-1/2", "write (/ -1 2)"),
        ("0x1F", "E0105", "0x1F", "write it in decimal: 31"),
        ("1_000", "E0105", "1_000", "without underscores: 1000"),
        (".5", "E0104", ".5", "0.5"),
        ("5.", "E0105", "5.", "5.0"),
        ("5M", "E0105", "5M", "no suffix: write 5"),
    ],
)
def test_a_mistake_is_told_where_it_is_with_a_way_out(text, code, place, words):
    found = findings(text)
    assert [(c, p) for c, p, _ in found][:1] == [(code, place)]
    assert words in found[0][2]


@pytest.mark.parametrize("text", ["(defn- f [x] x)", "(define (f x) x)", "(lambda (x) (y x))", "(set! x 1)"])
def test_a_form_of_another_lisp_is_told_once(text):
    assert len(findings(text)) == 1


def test_a_form_of_another_lisp_hides_no_mistake_elsewhere():
    assert [place for _, place, _ in findings("(while unknown 1)\n(foo-bar 1)")] == ["while", "foo-bar"]
