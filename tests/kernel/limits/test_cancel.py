"""Cancelling from another thread ends a run soon, whatever it is doing; so does the host's watch."""

from __future__ import annotations

import threading

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import Cancelled, LimitError

BUSY = {
    "a tight loop": "(loop [] (recur))",
    "a counted loop": "(dotimes [i 1000000000000] i)",
    "a loop with an accumulator": "(loop [i 0 s 0] (if (< i 1000000000000) (recur (inc i) (+ s i)) s))",
    "a fused pipeline": "(loop [] (reduce + (map inc (filter even? (range 1000)))) (recur))",
    "a long fused pipeline": "(reduce + (map (fn [x] (loop [i 0] (if (< i 9) (recur (inc i)) x))) (range 9000000)))",
    "a recursion": "(defn g [n] (if (< n 0) n (do (g (- n 1)) (g (- n 1))))) (g 5000)",
    "a deep recursion at its limit": "(defn g [n] (if (< n 0) n (do (g (- n 1)) (g (- n 1))))) (g 8990)",
    "a builtin over a large collection": "(def v (range 3000000)) (loop [] (sort (reverse v)) (recur))",
    "a comparator": "(loop [] (sort (fn [a b] (compare b a)) (range 100000)) (recur))",
    "mapping with a function": "(loop [] (map str (range 100000)) (recur))",
    "a memoized function": "(def f (memoize (fn [x] (inc x)))) (loop [i 0] (f 1) (recur (inc i)))",
    "finally": "(try 1 (finally (loop [] (recur))))",
    "finally after a failure": "(try (throw {:a 1}) (finally (loop [] (recur))))",
    "catching": "(loop [] (try (throw {:a 1}) (catch e 1)) (recur))",
    "a host's silence in branches": "(pmap (fn [x] (loop [] (recur))) [1 2])",
}


@pytest.mark.parametrize("name", BUSY)
def test_another_thread_cancels(name):
    run = Instance(compile_source(BUSY[name]), limits=Limits(depth=9_000)).start()
    timer = threading.Timer(0.2, run.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        PureHost().finish(run)
    timer.join()


@pytest.mark.parametrize("name", BUSY)
def test_the_watch_ends_it(name):
    looks = []

    def watch():
        looks.append(1)
        if len(looks) > 3:
            raise LimitError("seconds", 1, "time is over")

    run = Instance(compile_source(BUSY[name]), limits=Limits(depth=9_000), watches=lambda: watch).start()
    with pytest.raises(LimitError, match="time is over"):
        PureHost().finish(run)
