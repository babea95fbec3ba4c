"""Memory: what a program's values take is bounded, however they grow; and the process does not take much more."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.measure import live
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.maps import Map

LIMIT = 16 << 20
GROWING = {
    "texts": '(loop [v [] s (repeat-string "abc" 10000)] (recur (conj v (str s (count v))) s))',
    "a vector": "(loop [v []] (recur (conj v 1)))",
    "maps in a vector": "(loop [v []] (recur (conj v {:a {} :b [1 2 3]})))",
    "maps in maps": "(loop [m {}] (recur {:a m :b m}))",
    "a map": "(loop [m {} i 0] (recur (assoc m i i) (inc i)))",
    "integers": "(loop [v [] x (pow 2 900000)] (recur (conj v (+ x (count v))) x))",
    "closures": "(loop [f (fn [] 1)] (recur (let [g f] (fn [] (g)))))",
    "results of map": "(map (fn [x] (range 100000)) (range 10000))",
    "a literal": "[" + "(range 100000) " * 60 + "]",
    "a large repetition": "(map (fn [x] (repeat 1000000 x)) (range 100))",
    "what a function remembers": "(let [f (memoize (fn [x] (range 1000)))] (loop [i 0] (f i) (recur (inc i))))",
    "what deep calls hold": "(defn f [n] (let [v (range 500)] (+ (f (inc n)) (count v)))) (f 1)",
    "globals": " ".join(f"(def x{i} (range 100000))" for i in range(60)),
}


@pytest.mark.parametrize("name", GROWING)
def test_growing_values_stop(name):
    run = Instance(compile_source(GROWING[name]), limits=Limits(memory=LIMIT, depth=9_000)).start()
    with pytest.raises(LimitError) as stopped:
        run.step()
    assert (stopped.value.dimension, stopped.value.limit) == ("memory", LIMIT)


@pytest.mark.parametrize(
    "text",
    [
        "(loop [i 0] (if (< i 300) (do (range 20000) (recur (inc i))) :done))",
        '(loop [i 0] (if (< i 300000) (do (str "abc" i) (recur (inc i))) :done))',
        "(loop [i 0 m {:a 1}] (if (< i 300000) (recur (inc i) (assoc m :a i)) :done))",
        "(do (reduce + (range 100000)) (reduce + (range 100000)) :done)",
        "(loop [i 0 v (repeat 200 (repeat 5000 1))] (if (< i 100) (recur (inc i) (conj v (first v))) :done))",
    ],
)
def test_what_is_thrown_away_does_not_count(text):
    run = Instance(compile_source(text), limits=Limits(memory=LIMIT)).start()
    assert run.step().value.name == "done"


def test_a_run_stops_at_the_same_step_whenever_it_runs():
    steps = set()
    for _ in range(2):
        run = Instance(compile_source(GROWING["maps in maps"]), limits=Limits(memory=LIMIT)).start()
        with pytest.raises(LimitError):
            run.step()
        steps.add(run.steps)
    assert len(steps) == 1


def test_shared_parts_count_once_and_the_measure_is_ours():
    one = tuple(range(1000))
    assert live([one], 1 << 40)[0] == 56 + 8 * 1000 + 32 * 1000
    assert live([(one, one), one], 1 << 40)[0] == live([one], 1 << 40)[0] + 56 + 2 * 8
    assert live(["a" * 1000, "é" * 10], 1 << 40)[0] == 56 + 1000 + 56 + 40
    older = Map.wrap({i: i for i in range(1000)})
    newer = older.assoc("k", 1)
    both = live([older, newer], 1 << 40)[0]
    assert both < 1.7 * live([newer], 1 << 40)[0] + live([Map.wrap(dict(older.items()))], 1 << 40)[0]


def test_a_value_that_stands_in_many_places_is_met_once():
    one, looks = (1, 2), []
    vector = [one] * 1_000_000  # the watch is asked whenever 65,536 values were met
    assert live([vector], 1 << 40, lambda: looks.append(1)) == (56 + 8 * len(vector) + 56 + 2 * 8 + 2 * 32, 2)
    assert looks == []
    apart = [(n, 2) for n in range(1_000_000)]
    assert live([apart], 1 << 40, lambda: looks.append(1))[1] == len(apart) + 1
    assert looks


HOSTILE = {
    "doubling text": '(loop [s "ab"] (recur (str s s)))',
    "repeat of repeat": "(map (fn [x] (repeat 9000000 x)) (repeat 9000000 (repeat 9000000 1)))",
    "text of everything": "(str (repeat 5000000 (repeat 5000000 1)))",
    "ranges": "(map (fn [x] (range 5000000)) (range 1000))",
    "product": "(reduce * (range 1 100000000))",
    "huge integers": "(loop [x 3] (recur (* x x)))",
    "deep recursion": "(defn f [n] (cons n (f (inc n)))) (f 1)",
    "nested maps": "(loop [m {}] (recur {:a m :b m}))",
    "json": "(serialize-json (repeat 5000000 (repeat 5000000 1)))",
    "joins": '(join "," (repeat 9000000 "abcdefgh"))',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_process_takes_no_more_than_a_few_times_the_limit(in_process, name):
    code = f"""
import resource
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.errors import LimitError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    run_pure({HOSTILE[name]!r}, limits=Limits(memory=64 << 20, steps=50_000_000))
except LimitError as error:
    took = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    print("stopped" if took < 4 * 64 else f"took {{took}} MB")
"""
    assert in_process(code, timeout=60) == "stopped"
