"""Calls that go to a version, and small functions put where they run often: they mean what calls mean."""

from __future__ import annotations

from itertools import product

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.views import view

VALUES = (3, -1, 0, 2.5, 1 << 70, float("nan"), True, None, "a", (), (3,), Keyword("k"))
LARGE = "(defn f [x y] (if (= x :none) y (+ (* x x) (mod (+ x y 7) 5) (mod (* y 3) 7) (* x y) (quot (* y y) 3))))"
"""Too large to be put where it is called, and twice compiled."""


def outcome(text, passes, arguments):
    instance, host = Instance(compile_source(Source("p", text), passes=passes)), PureHost()
    host.finish(instance.start())
    try:
        return canonical_print(host.finish(instance.call("g", arguments)))
    except ProgramError as error:
        return error.kind, error.message


def python_of(text):
    return view(Source("p", text), surroundings()).python


def test_arguments_are_computed_in_order():
    text = f"{LARGE} (defn g [x y] [(f (nth [x] y) (throw {{:y y}}))])"
    for arguments in ((1, 0), (1, 5), ("a", 0)):
        assert outcome(text, ALL, arguments) == outcome(text, frozenset(), arguments)


def test_a_version_does_not_stand_in_for_a_function_that_is_not_defined_yet():
    text = (
        f"(defn h [x] [(f (first [x]) 1)]) (def at-once (try (h 1) (catch e 0))) {LARGE} (defn g [x] [at-once (h x)])"
    )
    assert outcome(text, ALL, (2,)) == outcome(text, frozenset(), (2,))


@pytest.mark.parametrize(
    "call", ["(<= x y 3)", "(< 0 x y)", "(> x 1.5 y)", "(>= (first [x]) (first [y]) x y)", "(< x :a y)"]
)
def test_an_order_of_several_values_is_the_call(call):
    text = f"(defn g [x y] {call})"
    for arguments in product(VALUES, VALUES):
        assert outcome(text, ALL, arguments) == outcome(text, frozenset(), arguments), arguments


MIDDLE = "(defn f [m n] (let [left (- (:a m) n)] (if (< left (- (:b m))) m (assoc m :a left))))"


def test_a_middling_function_is_put_into_loops_and_not_elsewhere():
    looped = f"{MIDDLE} (defn g [x y] (map (fn [m] (f m y)) [{{:a x :b 1}} {{:a y :b 2}}]))"
    once = f"{MIDDLE} (defn g [x y] (f {{:a x :b 1}} y))"
    assert python_of(looped).count("G__f") + 1 == python_of(once).count("G__f")
    for text, arguments in product((looped, once), product(VALUES, VALUES)):
        assert outcome(text, ALL, arguments) == outcome(text, frozenset(), arguments), arguments


def test_a_length_that_is_asked_for_again_is_named():
    text = "(defn g [v] (match v [a b] 2 [a b c] 3 [a & r] r _ :other))"
    assert python_of(text).count("len(v") == 1 + 1  # the tail is measured, too
    for value in (*VALUES, (1, 2), (1, 2, 3), (1, 2, 3, 4)):
        assert outcome(text, ALL, (value,)) == outcome(text, frozenset(), (value,))
