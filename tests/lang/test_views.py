"""Views of a program: expansion that reads back and means the same, the IR, the Python."""

from __future__ import annotations

import ast

import pytest

from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.kernel.macros import compile_macro
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.expander.core import CORE
from rtfs_framework.lang.format.unparse import unparse
from rtfs_framework.lang.forms import ListForm, Name
from rtfs_framework.lang.pipeline import Surroundings
from rtfs_framework.lang.reader.read import read_one, read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import Views, view
from rtfs_framework.stdlib.library import BUILTINS


def views(text: str) -> Views:
    return view(Source("<test>", text), Surroundings(library={**BUILTINS, **HOST}, compile_macro=compile_macro))


EXPANDED = {
    "(when true 1 2)": "(if true (do 1 2))\n",
    "(-> 1 inc (+ 2))": "(+ (inc 1) 2)\n",
    "(when (when-not true 1) 2)": "(if (if true nil (do 1)) (do 2))\n",
    "[(-> 1 inc) {:a (-> 2 inc)} #{(-> 3 inc)}]": "[(inc 1) {:a (inc 2)} #{(inc 3)}]\n",
    "(map #(-> % inc) [1])": "(map #(inc %) [1])\n",
    "(map #(-> %) [1])": "(map #(do %) [1])\n",
    "'(-> 1 inc)": "'(-> 1 inc)\n",
    '(defn ^:delegation :remote "m" f [x] (-> x inc))': '(defn ^:delegation :remote "m" f [x] (inc x))\n',
    "(defmacro twice [x] `(do ~x ~x)) (twice (-> 1 inc))": ("(defmacro twice [x] `(do ~x ~x))\n(do (inc 1) (inc 1))\n"),
    "(defmacro m [x] `(let [y# ~x] (when y# y#))) (m 1)": (
        "(defmacro m [x] `(let [y# ~x] (when y# y#)))\n(let [y__1 1] (if y__1 (do y__1)))\n"
    ),
    "(defmacro m [x] (-> x inc)) (m 1)": "(defmacro m [x] (inc x))\n2\n",
    "(let [-> 1] ->)": "(let [-> 1] ->)\n",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), EXPANDED.items())
def test_expansion(text: str, expected: str) -> None:
    assert views(text).expanded == expected


@pytest.mark.parametrize(
    "text",
    [
        "(cond false 1 (= 1 1) 2 :else 3)",
        "(case 3 (1 2) :low 3 :three :high)",
        "(if-let [[a b] [1 2]] (+ a b) 0)",
        "(some-> {:a 1} :a inc)",
        "(as-> 1 x (+ x 1) (* x 2))",
        "(defmacro unless [c & body] `(if ~c nil (do ~@body))) (unless false (-> 1 inc) (->> [1] (map inc)))",
        "(defmacro fresh [x] `(let [v# ~x] (+ v# v#))) (let [v 2] (fresh v))",
    ],
)
def test_an_expanded_program_means_the_same_and_has_no_macro_calls(text: str) -> None:
    expanded = views(text).expanded
    assert canonical_print(run_pure(expanded)) == canonical_print(run_pure(text))
    heads = {form.items[0].name for form in read_program(Source("x", expanded)) if _is_call(form)}
    assert not heads & set(CORE)
    assert views(text).expanded == expanded


def _is_call(form: object) -> bool:
    return isinstance(form, ListForm) and isinstance(form.items[0], Name)


@pytest.mark.parametrize(
    "text",
    [
        '[1 1.5 "a\\nb" :k nil true #{1} {:a 1} \'x `(a ~b ~@c) @ctx @:ctx #(+ % 1) ##Inf]',
        "[2025-01-01T00:00:00Z 123e4567-e89b-12d3-a456-426614174000 resource://a/b]",
        "^{:a 1} (f)",
        '^:delegation {:target "t"} f',
        "`(~ @x)",
        "[x :]",
    ],
)
def test_unparsed_forms_read_back(text: str) -> None:
    once = unparse(read_one(Source("a", text.replace("[x :]", "[x : ]"))))
    assert unparse(read_one(Source("b", once))) == once


IR = {
    "(+ 1 2)": "(call (builtin +) 1 2)\n",
    "(def a 1) a": "(def a 1)\n(global a)\n",
    "(fn [x : int & r] : int x)": "(fn fn [x.1 : :int & r.2] : :int x.1)\n",
    "(let [{:keys [a] :or {a 2} :as m} {}] a)": "(do (bind {:a (default a.1 2) :as m.2} {}) a.1)\n",
    "unknown": "(host unknown)\n",
    "'(a [1] {:b c})": "'(a [1] {:b c})\n",
    "(try 1 (catch TypeError e 2) (finally 3))": "(try 1 (catch TypeError e.1 2) (finally 3))\n",
    "(match 1 (:int n) when n 2 [a & b] 3 _ 4)": ("(match 1 (:int n.1) when n.1 2 [a.2 & b.3] 3 _ 4)\n"),
    "(and 1 2) (or 1 2)": "(and 1 2)\n(or 1 2)\n",
    "(inc)": '(do (fail ArityMismatch "Arity mismatch in inc: expected 1, got 0"))\n',
    "^{:runtime.x 1} 2": "(hinted {:runtime.x 1} 2)\n",
    "(def x : int 1)": "(def x (check :int 1))\n",
}


@pytest.mark.parametrize(("text", "expected"), IR.items())
def test_ir(text: str, expected: str) -> None:
    assert views(text).ir == expected


def test_the_ir_shows_loops_and_captured_variables() -> None:
    shown = views("(fn [n] (loop [i 0] (if (< i n) (recur (inc i)) (fn [] i))))").ir
    assert "(recur " in shown
    assert ":captures [" in shown


def test_python_is_python() -> None:
    assert ast.parse(views("(defn f [x] (-> x inc)) (map #(+ % %2) [1] [2]) (f 1)").python)


def test_a_refused_program_has_no_views() -> None:
    with pytest.raises(LanguageError, match="E0201"):
        views("(if)")


def test_what_nests_too_deeply_for_the_layout_is_shown_on_one_line() -> None:
    text = "(-> 1" + " inc" * 300 + ")"
    assert views(text).ir.count("(call (builtin inc)") == 300
    assert views("[" * 190 + "]" * 190).expanded == "[" * 190 + "]" * 190 + "\n"


def test_expansion_and_code_are_the_same_every_time():
    """Fresh names included: two compilations of a text give the same forms and the same Python."""
    text = """
(defmacro twice [x] `(let [v# ~x] (+ v# v#)))
(defmacro named [] (let [s (gensym "q")] `(fn [~s] ~s)))
(map (named) [(twice 1) (twice (twice 2)) (case :a :a 1 2) (some-> {:a 1} :a inc)])
"""
    first, second = views(text), views(text)
    assert first.expanded == second.expanded
    assert first.python == second.python
