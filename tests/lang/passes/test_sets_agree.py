"""Programs that once meant something else with a pass than without: the same with every set of passes."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.table import ALL

SETS = [ALL, frozenset[str](), *(ALL - {name} for name in sorted(ALL))]

PROGRAMS = [
    # a default that reads another parameter, in what is inlined or fused
    ("(defn f [{:keys [a b] :or {b (+ a 1)}}] [a b]) (map (fn [q] (f {:a q})) [1])", "[[1 2]]"),
    ("(let [c 9] ((fn [c {b :b :or {b c}}] b) 3 {}))", "3"),
    ("(defn f [c {b :b :or {b c}}] [b c]) (map (fn [q] (f q {})) [1 2])", "[[1 1] [2 2]]"),
    ("(reduce (fn [acc {b :b :or {b acc}}] (+ acc b)) 1 [{} {:b 5} {}])", "14"),
    ("(defn f [[{a :a b :b :or {b (inc a)}} c]] [a b c]) (map (fn [q] (f [{:a q} 0])) [1 2])", "[[1 2 0] [2 3 0]]"),
    ("(defn f [c {b :b :or {b (fn [] c)}}] ((fn [g] (g)) b)) (map (fn [q] (f q {})) [1 2])", "[1 2]"),
    # loops that count from beyond any number of iterations
    ("(loop [i 4611686018427387905 a 0] (if (= i 0) [:done a] (recur (inc i) (/ a 0))))", "DivisionByZero"),
    ("(loop [i -4611686018427387905 a 0] (if (= i 0) [:done a] (recur (dec i) (/ a 0))))", "DivisionByZero"),
    ("(loop [i 9223372036854775808 a 0] (if (zero? i) a (recur (inc i) (/ a 0))))", "DivisionByZero"),
    (
        "(defn f [i : :int] (loop [i i a 0] (if (= i 5) a (recur (+ i 1) (nth [1 2] i))))) (f 4611686018427387904)",
        "IndexOutOfBounds",
    ),
    ("(loop [i 3 a 0] (if (= i 5) a (recur (inc i) (+ a i))))", "7"),
    # a map is changed in place after all that the iteration passes on has looked into it
    ("(loop [i 0 m {} u {}] (if (< i 3) (recur (inc i) (assoc m i 5) (assoc u i (get m i 0))) u))", "{0 0 1 0 2 0}"),
    ("(loop [i 0 m {} n 0] (if (< i 3) (recur (inc i) (assoc m 1 i 2 n) (+ n (count m))) [m n]))", "[{1 2 2 2} 4]"),
    (
        "(loop [i 0 m {} k 1] (if (< i 3) (recur (inc i) (assoc m k (inc (get m k 0))) (get m k 7)) [m k]))",
        "[{1 1 7 2} 1]",
    ),
    # a divisor of zero is told before an integer that no float holds
    ("(let [q (bit-shift-left 1 2000)] (/ (do q) (do 0.0)))", "DivisionByZero"),
    ("(let [q (bit-shift-left 1 2000)] (/ (do q) (do -0.0)))", "DivisionByZero"),
    ("(let [q (bit-shift-left 1 2000)] (/ (do q) (do 2.0)))", "InvalidArgument"),
    ("(let [q (bit-shift-left 1 20)] (/ (do q) (do 2.0)))", "524288.0"),
]


def outcome(text, passes):
    try:
        return canonical_print(PureHost().finish(Instance(compile_source(text, passes=passes, verified=True)).start()))
    except ProgramError as error:
        return error.kind


@pytest.mark.parametrize(("text", "expected"), PROGRAMS)
def test_every_set_of_passes_gives_the_same(text, expected):
    assert [outcome(text, passes) for passes in SETS] == [expected] * len(SETS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("(let [a 5 {b :b a :a :or {b a}} {}] [a b])", "a"),
        ("(let [{b :b a :a :or {b (+ a 1)}} {:a 1}] [a b])", "a"),
        ("(let [{b? :b a? :a :or {b? (not a?)}} {:a 1}] [a? b?])", "a?"),
    ],
)
def test_a_name_that_is_not_bound_yet_is_told_by_its_name(text, name):
    with pytest.raises(ProgramError) as raised:
        PureHost().finish(Instance(compile_source(text)).start())
    assert (raised.value.kind, raised.value.message) == ("UndefinedSymbol", f"Undefined symbol: {name}")
