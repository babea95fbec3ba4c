"""Steps: the numbers below hold on every Python version; a limit of that many lets the run end, one less does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.meter import CHUNK
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import InternalError, LimitError, ProgramError
from rtfs_framework.testing.effort import effort

FIB = "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))"
COUNTS = {
    "(+ 1 2)": 0,
    "(loop [i 0] (if (< i 10) (recur (inc i)) i))": 11,
    "(loop [i 0] (if (< i 100000) (recur (inc i)) i))": 100_001,
    "((fn f [n] (if (= n 0) 0 (f (- n 1)))) 50000)": 50_001,
    "(letfn [(a [n] (if (= n 0) 0 (b (- n 1)))) (b [n] (a n))] (a 30000))": 60_001,
    "(defn sum [n] (if (= n 0) 0 (+ n (sum (- n 1))))) (sum 5000)": 5000,
    "(dotimes [i 20000] i)": 20_001,
    "(defn f [x] (g x)) (defn g [x] (h x)) (defn h [x] x) (f 1)": 2,
    "(map (fn [x] (map inc [x])) (range 10))": 10,
    "(loop [i 0] (if (< i 3) (do (loop [j 0] (if (< j 4) (recur (inc j)) j)) (recur (inc i))) i))": 7,
    "(loop [i 0] (if (< i 3) (do (loop [j 0] (if (< j 9) (recur (inc j)) j)) (recur (inc i))) i))": 34,
    "(loop [i 0] (if (< i 8) (recur (inc i)) i))": 1,
    "(loop [i 9] (if (>= i 0) (recur (- i 2)) i))": 1,
    "(loop [i 50 s 0] (cond (zero? i) s (> s 600) s :else (recur (dec i) (+ s i))))": 15,
    "(defn f [n] (loop [i 0] (if (< i n) (recur (inc i)) i))) (f 100)": 101,
    "(defn f [n] (loop [i (g n)] (if (< i n) (recur (inc i)) i))) (defn g [n] (if (= n 0) 0 (g (dec n)))) (f 9)": 21,
    "(defn f [x] (let [y (g x)] (if y (g 1) 2))) (defn g [x] x) (f 1)": 1,
    "(defn f [x] (cond (= x 1) 1 (= x 2) (g x) :else (+ 1 (g x)))) (defn g [x] x) (f 1) (f 2) (f 3)": 2,
    "(defn f [x] (match x 1 :one n (g n))) (defn g [x] x) (f 1) (f 5)": 1,
}
LIBRARY = {
    "(reduce + (map inc (filter even? (range 1000))))": 250,
    "(count (sort (fn [a b] (compare b a)) (range 1000)))": 1500,
    "(count (sort-by - (range 3000)))": 1125,
    "(count (str (range 10000)))": 2690,
    '(count (re-seq "[0-9]" (repeat-string "a1" 5000)))': 1289,
    "(count (parse-json (serialize-json (range 5000))))": 4329,
    "(defn f [x :[:vector :int]] (count x)) (f (range 5000))": 1250,
    "(loop [[a & b] (range 200)] (if (nil? b) a (if (empty? b) a (recur b))))": 200,
    "(defn w [n] (if (= n 0) 0 (+ 1 (w (- n 1))))) (loop [i 0] (if (< i 20) (do (w 900) (recur (inc i))) i))": 18021,
    "(count (pmap (fn [x] (loop [i 0] (if (< i 50) (recur (inc i)) i))) (range 20)))": 1020,
    "(loop [i 0 m {}] (if (< i 3000) (recur (inc i) (assoc m i i)) (count m)))": 3001,
    "(count (str (pow 7 20000)))": 1065,
    "(= (range 5000) (map inc (range -1 4999)))": 2500,
    "(loop [i 0] (if (< i 300) (recur (try (throw {:a i}) (catch e (inc i)))) i))": 301,
    "(count (postwalk (fn [x] x) (repeat 50 (range 50))))": 256,
    "(count (group-by even? (range 4000)))": 1000,
    "(compare (range 3000) (range 3000))": 2012,
    "(count (assoc (range 9000) 5 1))": 1125,
}
"""What library functions, checks and patterns are charged with."""
ALL_COUNTS = {**COUNTS, **LIBRARY}


def _steps(text, **limits):
    run = Instance(compile_source(text), limits=Limits(**limits)).start()
    PureHost().finish(run)
    return run.steps


@pytest.mark.parametrize("text", ALL_COUNTS)
def test_the_same_count_on_every_python(text):
    assert _steps(text) == ALL_COUNTS[text]


@pytest.mark.parametrize("text", [text for text, count in ALL_COUNTS.items() if count > 1])
def test_a_run_stops_exactly_at_its_limit(text):
    count = ALL_COUNTS[text]
    assert _steps(text, steps=count) == count
    with pytest.raises(LimitError) as stopped:
        _steps(text, steps=count - 1)
    assert (stopped.value.dimension, stopped.value.limit) == ("steps", count - 1)


def test_the_place_at_which_a_run_stopped_is_known():
    with pytest.raises(LimitError) as stopped:
        _steps("(defn go [n]\n  (if (< n 0) n (go (+ n 1))))\n(go 1)", steps=100)
    assert stopped.value.span is not None
    assert stopped.value.span.startswith("<string>:")
    assert stopped.value.stack[0].startswith("go at")


def test_a_base_case_pays_nothing_and_long_code_pays_more():
    assert _steps(f"{FIB} (fib 1)") == 0
    long = "(+ " * 40 + "x" + " x)" * 40
    assert _steps(f"(loop [i 0 x 1] (if (< i 10) (recur (inc i) (do {long} 1)) i))") == 11 + 11 * 2


def test_runs_of_one_instance_count_apart():
    text = "(defn f [n] (loop [i 0] (if (< i n) (do (if (= 0 (mod i 10)) (call :a) nil) (recur (inc i))) i)))"
    instance = Instance(compile_source(text))
    instance.start().step()
    alone = instance.call("f", (100,))
    outcome = alone.step()
    while not isinstance(outcome, Complete):
        outcome = alone.resume(None)
    first, second = instance.call("f", (100,)), instance.call("f", (100,))
    ends = {}
    waiting = {first: first.step(), second: second.step()}
    while waiting:
        for run in list(waiting):
            outcome = run.resume(None)
            if isinstance(outcome, Complete):
                ends[run] = run.steps
                del waiting[run]
            else:
                waiting[run] = outcome
    assert ends == {first: alone.steps, second: alone.steps}


def test_branches_take_what_is_left_and_are_joined():
    run = Instance(compile_source("(loop [i 0] (if (< i 99) (recur (inc i)) i))"), limits=Limits(steps=1000)).start()
    run.step()
    parent = run._meter
    one, two = parent.fork(), parent.fork()
    assert (one.most, two.most) == (900, 900)
    one.spend(500)
    two.spend(400)
    parent.join([one, two])
    assert parent.used == 1000
    with pytest.raises(LimitError):
        parent.join([one])


def test_code_without_steps_runs_only_without_limits_that_need_them():
    artifact = compile_source("(loop [i 0] (if (< i 100000) (recur (inc i)) i))", metered=False)
    run = Instance(artifact).start()
    assert run.step() == Complete(100_000)
    assert run.steps == 0
    assert not OFF.metered
    assert "rt_steps" not in artifact.helpers
    with pytest.raises(InternalError):
        Instance(artifact, limits=Limits())


_NAMES = st.sampled_from(["x", "y"])
_TREES = st.recursive(
    st.one_of(st.integers(-3, 20).map(str), _NAMES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "max"]), inner, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"(if (< {t[0]} 5) {t[1]} {t[2]})"),
        inner.map(lambda t: f"(f {t})"),
        st.tuples(inner, inner).map(lambda t: f"(reduce + 0 (map (fn [x] {t[0]}) (range (mod {t[1]} 90))))"),
        inner.map(lambda t: f"(loop [y 0] (if (< y 7) (recur (inc y)) {t}))"),
        inner.map(lambda t: f"(try {t} (catch e 0))"),
    ),
    max_leaves=8,
)


@settings(max_examples=effort(60), deadline=None)
@given(_TREES)
def test_the_same_program_takes_the_same_steps(tree):
    text = f"(defn f [x] (if (< x 1) 0 (let [y (f (quot x 2))] (+ x y)))) (let [x 1 y 2] {tree})"
    counts = []
    for _ in range(2):
        run = Instance(compile_source(text), limits=Limits(steps=5 * CHUNK)).start()
        try:
            run.step()
            counts.append(run.steps)
        except (LimitError, ProgramError) as error:
            counts.append((str(error), run.steps))
    assert counts[0] == counts[1]


def test_of_the_branches_of_long_code_the_longest_counts():
    branch = "(+ " * 20 + "x" + " x)" * 20
    text = f"(loop [i 0 x 1] (if (< i 10) (recur (inc i) (do (match x 1 {branch} 2 {branch} 3 {branch} _ 4) 1)) [i]))"
    assert _steps(text) == 11 + 11 * 1
    assert _steps("(try (match 1) (catch e 0))") == 0
