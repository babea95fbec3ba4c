"""What functions give is known to their callers, and what that spares changes no result."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.numbers import Numbers
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view

BUILD = "(defn build [n] (loop [i 0 v []] (if (< i n) (recur (inc i) (conj v (* i 3))) v)))"
SUM = "(loop [i 0 t 0] (if (< i (count v)) (recur (inc i) (+ t (nth v i))) t))"
COUNTS = "(defn g [x] (reduce (fn [m k] (assoc m k (inc (get m k 0)))) {} x))"
TWO_MAPS = """
(defn g [x]
  (loop [i 0 m {} n {}]
    (if (< i 9) (recur (inc i) (assoc m (mod i 3) (get n i i)) (assoc n i (get m i))) [m n])))"""
LISTED = "(defn f [v x] (if (empty? v) [x] (conj (f (rest v) x) x)))"
MUTUAL = '(defn f [n] (if (> n 0) (h (dec n)) [1])) (defn h [n] (if (> n 0) (f (dec n)) ["a"]))'
CHECKSUM = "(defn g [x] (reduce (fn [s y] (mod (+ (* s 31) y) 1000003)) 0 x))"


def outcome(text, passes, *arguments):
    instance, host = Instance(compile_source(Source("p", text), passes=passes)), PureHost()
    host.finish(instance.start())
    try:
        return canonical_print(host.finish(instance.call("g", arguments)))
    except ProgramError as error:
        return error.kind, error.message, error.value.span


def python_of(text):
    return view(Source("p", text), surroundings()).python


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (f"{BUILD} (defn g [n] (let [v (build n)] {SUM}))", [0, 5, 2.5, -1, "a", None]),
        (f"(defn g [v] {SUM})", [(1, 2), (1, 2.5), "ab", None, (), 5]),
        (f"{LISTED} (defn g [x] (let [v (f [1 2] x)] {SUM}))", [1, 2.5, "a"]),
        (f"{MUTUAL} (defn g [n] (+ 1 (nth (f n) 0)))", [0, 1, 2]),
        ('(defn f [n] (if (> n 0) (f (dec n)) (throw "end"))) (defn g [n] (+ 1 (nth (f n) 0)))', [0, 3]),
        ("(defn f [n] (for [i (range n)] (* i 2))) (defn g [n] (reduce + 0.5 (f n)))", [0, 3, "a"]),
        ("(defn g [v] (map (fn [i] (nth v i)) (range (count v))))", [(1, "a"), "ab", None, ()]),
        ("(defn g [v] (map (fn [i] (nth v i)) (range -1 (count v))))", [(1, "a")]),
        (f"(defn g [n] (let [v [1 2 3]] {SUM.replace('<', '<=')}))", [1]),
        (CHECKSUM, [(1, 2), (1, 2.5, 3), (1 << 700, 5), ("a",), (True,)]),
        ("(defn g [x] (reduce (fn [s y] (if (int? y) (* s 31) y)) 1 x))", [(1,) * 300, (1.5, 2), (1 << 600, 1)]),
        ("(defn g [x] (loop [i 0 a 1 b x] (if (< i 500) (recur (inc i) (* b 3) (* a 5)) [a b])))", [1, 2.5, 1 << 500]),
        (COUNTS, [(1, 1.0, 1, True, "a", 1 << 70, 1 << 70, (1,))]),
        (TWO_MAPS, [1]),
    ],
)
def test_what_is_known_of_results_changes_none(text, arguments):
    for argument in arguments:
        wanted = outcome(text, frozenset({"mutual"}), argument)
        assert outcome(text, ALL, argument) == wanted, argument
        assert outcome(text, ALL - {"inline", "fuse"}, argument) == wanted, argument


def test_items_of_a_vector_that_a_function_built_are_not_tested():
    walk = python_of(f"{BUILD} (defn g [n] (let [v (build n)] {SUM}))").split("G__build(")[1]
    assert "+ v_" in walk
    assert "__class__" not in walk.partition("return")[0]


def test_a_place_below_a_count_is_not_tested():
    python = python_of("(defn g [n] (let [v (vec (range n))] (map (fn [i] (nth v i)) (range (count v)))))")
    assert "append(v_" in python
    assert "B__nth" not in python
    assert "B__nth" in python_of("(defn g [n] (let [v (vec (range n))] (map (fn [i] (nth v i)) (range n))))")


def test_a_bounded_product_is_not_measured():
    assert "op_mul" in python_of(CHECKSUM)
    assert str(1 << 512) not in python_of(CHECKSUM)
    assert str(1 << 512) in python_of("(defn g [x] (reduce (fn [s y] (* s 31)) 1 x))")


def test_a_loop_finds_the_method_of_its_map_once():
    python = python_of(COUNTS)
    assert python.count(".get") == 1
    assert ".get" not in python.partition("for item")[2]


@pytest.mark.parametrize("outer", ["(nth X 0)", "(+ 1 (first X))", "(:a X)"])
def test_what_nests_is_looked_at_once(monkeypatch, outer):
    def looks(levels):
        looked = 0
        kind = Numbers._kind

        def counted(self, node):
            nonlocal looked
            looked += 1
            return kind(self, node)

        text = "x"
        for _ in range(levels):
            text = outer.replace("X", f"(f {text})")
        with monkeypatch.context() as patched:
            patched.setattr(Numbers, "_kind", counted)
            compile_source(f"(defn f [v] (if (empty? v) [v] (f (rest v)))) (defn g [x] {text})")
        return looked

    assert looks(24) < 3 * looks(12)
