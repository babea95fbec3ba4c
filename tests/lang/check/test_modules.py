"""What is unused between modules, and that findings in modules show the module's own text."""

from __future__ import annotations

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.source import Source


def findings(text, **modules):
    sources = {name: Source(f"{name}.rtfs", module) for name, module in modules.items()}
    return [
        (each.code, each.source.name, each.source.text[each.span.start : each.span.end])
        for each in compile_source(Source("main.rtfs", text), find_module=sources.get).diagnostics
    ]


USED = "(module m (:exports [f]) (defn helper [x] x) (defn f [x] (helper x)))"


def test_nothing_is_found_where_all_is_used():
    assert findings("(import m) (m/f 1)", m=USED) == []
    assert findings("(import m :as n) (n/f 1)", m=USED) == []
    assert findings("(import m :only [f]) (f 1)", m=USED) == []


def test_an_unused_import():
    assert findings("(import m) 1", m=USED) == [("E0233", "main.rtfs", "(import m)")]


def test_an_unused_definition_that_is_not_exported():
    module = "(module m (:exports [f]) (defn helper [x] x) (defn _kept [x] x) (defn f [x] x))"
    assert findings("(import m) (m/f 1)", m=module) == [("E0232", "m.rtfs", "(defn helper [x] x)")]


def test_what_macros_and_types_may_use_is_left_alone():
    macros = "(module m (:exports [twice]) (defn helper [x] x) (defmacro twice [x] `(helper ~x)))"
    assert findings("(import m) 1", m=macros) == []
    types = "(module m (:exports [P]) (defstruct P :x :int))"
    assert findings("(import m) (defn f [p : P] p) (f {:x 1})", m=types) == []


def test_a_mistake_in_a_module_is_shown_there():
    module = '(module m (:exports [f]) (defn f [x] (+ x "a")))'
    assert findings("(import m) (m/f 1)", m=module) == [("E0321", "m.rtfs", '"a"')]


def test_a_call_of_a_module_s_function_is_checked():
    assert findings("(import m) (m/f 1 2)", m=USED) == [("E0204", "main.rtfs", "(m/f 1 2)")]
