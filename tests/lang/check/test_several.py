"""Several mistakes in one run: in one form, in reading, in modules; and never more than can be read."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.diagnostics import MOST, Diagnostic, bounded
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source


def refused(text, **around):
    with pytest.raises(LanguageError) as caught:
        compile_source(text, **around)
    return [(each.code, each.span.start) for each in caught.value.diagnostics if each.span]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(defn f [x] (if) (let [a] 1) (+ x (if)))", [("E0201", 12), ("E0201", 23), ("E0201", 34)]),
        ("(let [a (if) b (let)] (if) (a b))", [("E0201", 8), ("E0201", 15), ("E0201", 22)]),
        ("(do (if) (do (let) 1) (quote))", [("E0201", 4), ("E0201", 13), ("E0201", 22)]),
        ("[(if) 1 #{(let)}]", [("E0201", 1), ("E0201", 10)]),
        ("(if)\n(let)", [("E0201", 0), ("E0201", 5)]),
        # reading
        ("(def x 3b) {:a} (+ 1 5z)", [("E0105", 7), ("E0108", 12), ("E0105", 21)]),
        ("(a # b) (c # d)", [("E0104", 3), ("E0104", 11)]),
        ("(a]) (b})", [("E0109", 2), ("E0109", 7)]),
        (")a)", [("E0109", 0), ("E0109", 2)]),
        # one mistake, told once: what follows from it is not
        ('(def s "abc) (foo', [("E0102", 7)]),
        ("([)]", [("E0109", 2)]),
        ("(let [x (f]) 1)", [("E0109", 10)]),
        ("(f [1 2)", [("E0109", 7)]),
        ("(let [get (if)] (get 1))", [("E0201", 10)]),
    ],
)
def test_mistakes_side_by_side(text, found):
    assert refused(text) == found


def test_all_definitions_of_a_module_are_looked_at():
    module = Source("m.rtfs", "(module m (:exports [f]) (defn f [] (if)) (defn g [] (let)))")
    assert refused("(import m)", find_module={"m": module}.get) == [("E0201", 36), ("E0201", 53)]


@pytest.mark.parametrize(
    "text", ["(if)" * 60, f"(do {'(if)' * 60})", f"(defn f [] {'(if)' * 60})", "3b " * 60, ")" * 60]
)
def test_fifty_are_told_and_how_many_more_there_are(text):
    with pytest.raises(LanguageError) as caught:
        compile_source(text)
    *told, note = caught.value.diagnostics
    assert len(told) == MOST
    assert (note.code, note.severity) == ("E0299", "hint")
    assert "more finding" in note.message


def test_errors_are_told_before_hints():
    hints = [Diagnostic(code="E0230", message=str(i), severity="hint") for i in range(MOST)]
    kept = bounded([*hints, Diagnostic(code="E0321", message="last")])
    assert [each.code for each in kept[-2:]] == ["E0321", "E0299"]
    assert kept[-1].message == "1 more finding not shown"
    assert bounded(hints) == hints


def test_a_runaway_macro_stops_at_once():
    text = "(defmacro twice [n] (if (= n 0) 1 `(do (twice ~(dec n)) (twice ~(dec n))))) (twice 20)"
    assert [code for code, _ in refused(text)] == ["E0211"]
