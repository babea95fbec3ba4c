"""Look-ups mean what they mean without the passes, whatever the value is; a loop asks once for a vector's length."""

from __future__ import annotations

from itertools import product

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.views import view

A, B = Keyword("a"), Keyword("b")
LARGE = Map.of([(i, i) for i in range(20)]).assoc(A, 1).assoc(B, 2).assoc("a", 3)
VALUES = (
    Map.wrap({A: 1, B: 2, "a": 3}),
    Map.wrap({B: 2.5}),
    Map.wrap({}),
    Map.wrap({A: None, B: False}),
    LARGE,
    None,
    (1, 2),
    (None,),
    "a",
    5,
)
"""Among them a map whose entries are in a trie."""
PROGRAMS = (
    "(defn g [x y] [(:a x) (:b x) (:a x)])",
    "(defn g [x y] (let [p (:a x)] (if (:b y) [p (:b x) (:a y)] [p (:b y)])))",
    '(defn g [x y] [(get x :a 7) (get x "a") (get x :b (get y :b 9))])',
    "(defn g [x y] (loop [m x n 2] (if (and (:a m) (> n 0)) (recur y (dec n)) [(:a m) (:b m) n])))",
    "(defn g [x y] (let [p (:a x) f (fn [z] [(:a z) (:b z) (:a x) (:b x)])] [p (f y) (:b x)]))",
    "(defn g [x y] (match y {:a p} [(:a x) p (:b x)] _ [(:b x) (:a y) (:b x)]))",
    "(defn g [x y] (try (let [p (:a x)] [p (:b x) (:a y) (:b y)]) (catch e [(:message e) (:kind e)])))",
    "(defn g [x y] (reduce (fn [m z] (if (:a z) (assoc m :a (:b z)) [(:a m) (:b m)])) {:a 0 :b 1} [x y]))",
    "(defn g [x : [:map [:b :int]] y] (let [p (:a x)] [p (:b x) (:a y)]))",
    "(defn g [x y] (loop [i 0 out []] (if (< i 3) (recur (inc i) (conj out [(nth x i) (:a y)])) out)))",
    "(defn g [x y] (loop [i 1 out []] (if (nth x i) (if (< i 1) [out y] (recur (dec i) (conj out (:a y)))) out)))",
    "(defn g [x y] (for [i [1 0 y 0.5]] [(nth x i) (get y :a)]))",
    "(defn g [x y] (reduce (fn [n i] (+ n (nth x i))) 0 [0 1 0 -1 y]))",
    "(defn f [x] (if (:a x) [(:a x) (:b x)] (:b x))) (defn g [x y] (mapv f [x y x]))",
)
OWN = "(defn g [x y] (loop [v x i 1] (if (int? (nth v i)) (if (> i 0) (recur y 0) v) [v i])))"
"""The vector is the loop's own, and another one in the next round."""


def outcome(text, passes, arguments):
    instance, host = Instance(compile_source(Source("p", text), passes=passes)), PureHost()
    host.finish(instance.start())
    try:
        return canonical_print(host.finish(instance.call("g", arguments)))
    except ProgramError as error:
        return error.kind, error.message, error.value.span


@pytest.mark.parametrize("text", [*PROGRAMS, OWN])
def test_look_ups_mean_the_same_with_and_without_the_passes(text):
    for arguments in product(VALUES, VALUES):
        assert outcome(text, ALL, arguments) == outcome(text, frozenset(), arguments), arguments


def test_a_loop_asks_for_the_length_of_a_vector_once():
    python = view(Source("p", "(defn g [v i] (loop [i i n 0] (recur (nth v i) (inc n))))"), surroundings()).python
    before, loop = python.split("while True:")
    assert "= len(v_1) if v_1.__class__ is tuple else 0" in before
    assert "v_1.__class__" not in loop
    assert "= len(" not in view(Source("p", OWN), surroundings()).python
