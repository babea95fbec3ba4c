"""A mistake is marked where it is, not at the form around it: type names, parts of modules, brackets never closed."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source

FILES = {
    "bad": '(module bad (:exports [a "b"]) (def a 1))',
    "worse": "(module worse (:exports [a]) (def a 1) (println a))",
}


def diagnostics(text):
    sources = {name: Source(name, module) for name, module in FILES.items()}
    try:
        return compile_source(Source("<test>", text), find_module=sources.get).diagnostics
    except LanguageError as error:
        return error.diagnostics


def findings(text):
    """Return (code, the marked text, message, way out) of all errors and warnings about a program."""
    return [
        (each.code, each.source.text[each.span.start : each.span.end], each.message, each.help or "")
        for each in diagnostics(text)
        if each.severity != "hint"
    ]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("(defn f [x : strng y : int] [x y])", "strng"),
        ("(defn f [x :strng] x)", ":strng"),
        ("(defn f [& xs : [:vector strng]] xs)", "strng"),
        ("(defn f [] : [:map [:a [:vector itn]]] nil)", "itn"),
        ("(let [x : strng 1] x)", "strng"),
        ("(def x : strng 1)", "strng"),
        ("(defstruct P :x strng)", "strng"),
        ("(deftype T [:union :int strng])", "strng"),
        ("(fn [x] (match x (:strng s) s _ 1))", ":strng"),
    ],
)
def test_a_name_that_is_no_type(text, marked):
    assert [found[:2] for found in findings(text) if found[0] == "E0324"] == [("E0324", marked)]


def test_types_that_are_defined_later_or_that_a_module_defines_are_known():
    assert findings("(defn f [x : P] x) (deftype P :int) (defstruct Q :next [:optional Q])") == []


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("(module a.b (:exprts [x]) (def x 1))", ":exprts", "not (:exprts ...)"),
        ("(module a (:exports [x 5]) (def x 1))", "5", "named by symbols"),
        ("(module a (:exports x) (def x 1))", "(:exports x)", "one vector"),
        ("(module a (def x 1) (:exports [x]))", "(:exports [x])", "once, after its name"),
        ("(module a (def x 1) (println x))", "println", "not (println ...)"),
        ("(module a (def x 1) 7)", "7", "definitions and imports"),
        ('(module "a")', '"a"', "a symbol"),
        ("(module)", "(module)", "a symbol"),
        ("(import bad)", '"b"', "named by symbols"),
        ("(import worse)", "println", "not (println ...)"),
        ("(import a :az b)", ":az", "takes :as"),
        ('(import "a")', '"a"', "a symbol"),
        ("(import a :as)", ":as", "nothing follows"),
        ("(import a :only b)", "b", "malformed import"),
    ],
)
def test_the_part_of_a_module_or_an_import_that_is_wrong(text, marked, message):
    ((code, shown, said, way_out),) = findings(text)
    assert (code, shown, message in said) == ("E0201", marked, True)
    assert way_out.startswith("as in (")


@pytest.mark.parametrize(
    ("text", "marked", "way_out"),
    [
        ("(defn f [x]\n  (let [y 1]\n    (+ x y)\n\n(defn g [y]\n  y)\n", 14, "add '))' before line 5"),
        ("(def a [1 2\n(def b 2)\n(def c 3)\n", 7, "add '])' before line 2"),
        ("(def a {:k [1\n\n[2 3]\n", 11, "add ']})' before line 3"),
        # The form before has ended: the open bracket is one of the last form's.
        ("(def a [1\n2])\n(def b (+ 1 2)", 14, "add ')' at the end of the program"),
        ("(def a\n(+ 1 2))\n(def b (+ 1 2", 23, "add '))' at the end of the program"),
        ("(def a (+ 1", 7, "add '))' at the end of the program"),
    ],
)
def test_a_bracket_that_is_never_closed_is_closed_where_its_form_ends(text, marked, way_out):
    (mistake,) = [each for each in diagnostics(text) if each.code == "E0101"]
    assert (mistake.span.start, way_out in mistake.help) == (marked, True), mistake.help
