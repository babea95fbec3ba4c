"""What programs do in loops takes steps in proportion to the rounds, and the memory of what they hold is counted."""

from __future__ import annotations

import tracemalloc

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.measure import live
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Set
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS

FEW, MANY = 2_000, 20_000
WALKS = {
    "rest": "(loop [v V s 0] (if (empty? v) s (recur (rest v) (+ s (first v)))))",
    "next": "(loop [v V s 0] (if (nil? v) s (recur (next v) (+ s (first v)))))",
    "seq": "(loop [v V s 0] (if-let [q (seq v)] (recur (rest q) (+ s (first q))) s))",
    "destructuring": "(loop [[x & xs] V s 0] (if (nil? x) s (recur xs (+ s x))))",
    "a function's parameter": "(defn f [[x & xs] s] (if (nil? x) s (f xs (+ s x)))) (f V 0)",
    "match": "(loop [v V s 0] (match v [] s [x & xs] (recur xs (+ s x))))",
    "pop": "(loop [v V s 0] (if (empty? v) s (recur (pop v) (+ s (peek v)))))",
    "butlast": "(loop [v V s 0] (if (empty? v) s (recur (butlast v) (+ s (last v)))))",
    "subvec": "(loop [v V s 0] (if (empty? v) s (recur (subvec v 1) (+ s (nth v 0)))))",
    "drop and take": "(loop [v V s 0] (if (empty? v) s (recur (drop 1 v) (+ s (first (take 1 v))))))",
    "a list": "(loop [v (apply list V) s 0] (if (empty? v) s (recur (rest v) (+ s (first v)))))",
    "a set": "(loop [v (set V) s 0] (if (empty? v) s (let [x (first v)] (recur (disj v x) (+ s x)))))",
}
BUILDS = {
    "conj": "(count (reduce (fn [a x] (conj a x)) [] V))",
    "conj in a function": "(defn f [a i] (if (= i N) (count a) (f (conj a i) (inc i)))) (f [] 0)",
    "into": "(count (reduce (fn [a x] (into a [x])) [] V))",
    "concat": "(count (reduce (fn [a x] (concat a [x])) [] V))",
    "concat before": "(count (reduce (fn [a x] (concat [x] a)) [] V))",
    "cons": "(count (reduce (fn [a x] (cons x a)) [] V))",
    "a list": "(count (reduce conj (list) V))",
    "assoc": "(count (reduce (fn [a x] (assoc a x 0)) V V))",
    "update": "(count (reduce (fn [a x] (update a x inc)) V V))",
    "assoc-in": "(count (:a (reduce (fn [a x] (assoc-in a [:a x] 0)) {:a V} V)))",
    "conj of pop": "(count (reduce (fn [a x] (conj (pop a) x)) V V))",
    "a queue": "(count (reduce (fn [a x] (conj (rest a) x)) V V))",
    "set": "(count (reduce (fn [a x] (into a #{x})) #{} V))",
    "union": "(count (reduce (fn [a x] (union a #{x})) #{} V))",
    "merge": "(count (reduce (fn [a x] (merge a {:a 1 :b 2 :c 3 :d 4 x x})) {} V))",
}
EMPTIES = {
    "dissoc": "(count (reduce (fn [a x] (dissoc a x)) (zipmap V V) V))",
    "dissoc of nothing": "(count (reduce (fn [a x] (dissoc a -1)) (zipmap V V) V))",
    "difference": "(count (reduce (fn [a x] (difference a #{x})) (set V) V))",
}
PASSES = (ALL, frozenset({"mutual"}), ALL - {"in_place", "fuse", "shortcuts"})


def run(text, size, passes=ALL, **limits):
    program = text.replace("V", f"(range {size})").replace("N", str(size))
    started = Instance(compile_source(program, passes=passes), limits=Limits(**limits)).start()
    return PureHost().finish(started), started.steps


@pytest.mark.parametrize("passes", PASSES, ids=["all", "none", "some"])
@pytest.mark.parametrize("text", [*WALKS.values(), *BUILDS.values(), *EMPTIES.values()])
def test_ten_times_as_many_rounds_take_ten_times_as_many_steps(text, passes):
    value, steps = run(text, FEW, passes)
    large, many = run(text, MANY, passes)
    assert many <= 11 * max(steps, FEW)
    assert many <= 3 * MANY  # no round takes more than a few: in a short one nothing is hidden
    if text in WALKS.values():
        assert (value, large) == (sum(range(FEW)), sum(range(MANY)))


def call(name, *args):
    return BUILTINS[name].function(*args)


def changed(start, rounds, change):
    """Return all versions of what is changed again and again."""
    versions = [start]
    for number in range(rounds):
        versions.append(change(versions[-1], number))
    return versions


HELD = {
    "conj": lambda: changed((), 20_000, lambda v, i: call("conj", v, i)),
    "cons": lambda: changed((), 20_000, lambda v, i: call("cons", i, v)),
    "rest": lambda: changed(tuple(range(20_000)), 15_000, lambda v, i: call("rest", v)),
    "assoc": lambda: changed(tuple(range(20_000)), 10_000, lambda v, i: call("assoc", v, i, 0)),
    "conj of pop": lambda: changed(tuple(range(20_000)), 10_000, lambda v, i: call("conj", call("pop", v), i)),
    "a list": lambda: changed(List(), 20_000, lambda v, i: call("conj", v, i)),
    "a map": lambda: changed(call("zipmap", range_(9_000), range_(9_000)), 5_000, lambda m, i: call("dissoc", m, i)),
    "a set": lambda: changed(Set.of(range(9_000)), 5_000, lambda s, i: call("disj", s, call("first", s))),
    "parts": lambda: [call("subvec", call("conj", range_(30_000), 0), 0, 10_000) for _ in range(30)],
}


def range_(size):
    return tuple(range(size))


@pytest.mark.parametrize("name", HELD)
def test_what_versions_hold_is_measured(name):
    """Nobody gets around the bound on memory by sharing, and what is shared counts once."""
    HELD[name]()  # what is loaded and interned once is no part of it
    tracemalloc.start()
    try:
        held = HELD[name]()
        real = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    measured, _ = live([held], 1 << 40)
    assert real / 2 < measured < 3 * real


def test_small_parts_of_large_vectors_do_not_hide_them():
    text = "(count (map (fn [i] (subvec (conj (vec (range 100000)) i) 0 40000)) (range 100)))"
    with pytest.raises(LimitError) as caught:
        run(text, 0, memory=100_000_000)
    assert caught.value.dimension == "memory"
    few = "(count (map (fn [i] (subvec (conj (vec (range 100000)) i) 0 400)) (range 100)))"
    assert run(few, 0, memory=100_000_000)[0] == 100


@pytest.mark.parametrize("passes", PASSES, ids=["all", "none", "some"])
@pytest.mark.parametrize("item", ["(conj a i)", "(cons i a)", "(concat a [i])", "(concat [i] a)", "(into a [i])"])
def test_a_vector_that_grows_meets_its_bound(item, passes):
    text = f"(loop [i 0 a []] (if (< i 60000) (recur (inc i) {item}) (count a)))"
    with pytest.raises(LimitError) as caught:
        run(text, 0, passes, items=30_000)
    assert caught.value.dimension == "items"
