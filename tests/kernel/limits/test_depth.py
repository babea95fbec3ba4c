"""Depth: how deep calls nest is counted exactly, in calls of the program's functions, on every Python version."""

from __future__ import annotations

import sys

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LimitError
from rtfs_framework.lang.passes.table import ALL

RECURSIONS = {
    "plain": "(defn f [n] (if (= n 0) 0 (+ 1 (f (- n 1))))) (f %d)",
    "anonymous": "((fn f [n] (if (= n 0) 0 (+ 1 (f (- n 1))))) %d)",
    "mutual": "(defn e [n] (if (= n 0) 0 (+ 1 (o (- n 1))))) (defn o [n] (if (= n 0) 0 (+ 1 (e (- n 1))))) (e %d)",
    "local": "(letfn [(a [n] (if (= n 0) 0 (inc (b (- n 1))))) (b [n] (if (= n 0) 0 (inc (a (- n 1)))))] (a %d))",
    "typed": "(defn f [n :int] :int (if (= n 0) 0 (+ 1 (f (- n 1))))) (f %d)",
    "floats": "(defn f [n] (if (<= n 0.5) 0 (+ 1 (f (- n 1.0))))) (f %d.0)",
    "variadic": "(defn f [n & r] (if (= n 0) 0 (+ 1 (f (- n 1) 1 2)))) (f %d)",
    "match": "(defn f [n] (match n 0 0 m (+ 1 (f (- m 1))))) (f %d)",
    "in a loop": "(defn f [n] (if (= n 0) 0 (loop [i 0 s 0] (if (< i 1) (recur 1 (inc (f (- n 1)))) s)))) (f %d)",
    "in try": "(defn f [n] (if (= n 0) 0 (try (inc (f (- n 1))) (finally 1)))) (f %d)",
    "with a helper": "(defn g [x] (+ x 1)) (defn f [n] (if (= n 0) 0 (g (f (- n 1))))) (f %d)",
    "through map": "(defn f [n] (if (= n 0) 0 (inc (first (map f [(- n 1)]))))) (f %d)",
    "through sort-by": "(defn f [n] (if (= n 0) 0 (inc (first (sort-by f [(- n 1)]))))) (f %d)",
    "through pmap": "(defn f [n] (if (= n 0) 0 (inc (first (pmap f [(- n 1) 0]))))) (f %d)",
}
SETS = [None, (), *((name,) for name in sorted(ALL))]
SUM = "(defn sum [n] (if (= n 0) 0 (+ n (sum (- n 1)))))"


def _run(text, passes=None, **limits):
    made = compile_source(text) if passes is None else compile_source(text, passes=passes)
    return PureHost().finish(Instance(made, limits=Limits(host_calls=None, **limits)).start())


@pytest.mark.parametrize("passes", SETS, ids=str)
@pytest.mark.parametrize("name", RECURSIONS)
def test_a_recursion_stops_exactly_at_its_limit(name, passes):
    """The innermost call, which calls nothing, needs no level; with it there is one call more than the limit."""
    assert _run(RECURSIONS[name] % 200, passes, depth=200) in {199, 200}  # sort-by gives its item
    with pytest.raises(LimitError) as stopped:
        _run(RECURSIONS[name] % 201, passes, depth=200)
    assert (stopped.value.dimension, stopped.value.limit) == ("depth", 200)
    assert str(stopped.value) == "Maximum recursion depth (200) exceeded"
    assert stopped.value.span is not None


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 8, 63, 64, 65, 1_000, 4_096, 10_000])
def test_every_limit_is_exact(depth):
    assert _run(f"{SUM} (sum {depth})", depth=depth) == depth * (depth + 1) // 2
    with pytest.raises(LimitError):
        _run(f"{SUM} (sum {depth + 1})", depth=depth)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 keeps calls on the C stack: 12,000 is the most")
def test_a_limit_of_a_hundred_thousand_is_exact(in_process):
    code = f"""
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import run_pure
from rtfs_framework.lang.errors import LimitError
print(run_pure("{SUM} (sum 100000)", limits=Limits(depth=100_000)))
try:
    run_pure("{SUM} (sum 100001)", limits=Limits(depth=100_000))
except LimitError as error:
    print(error)
"""
    assert in_process(code).splitlines() == ["5000050000", "Maximum recursion depth (100000) exceeded"]


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="later Pythons keep calls on the heap")
def test_where_python_holds_fewer_calls_it_says_so():
    with pytest.raises(LimitError, match=r"calls nest deeper than the stack of Python 3\.10 allows") as stopped:
        _run(f"{SUM} (sum 100000)", depth=100_000)
    assert (stopped.value.dimension, stopped.value.limit) == ("depth", 100_000)


@pytest.mark.parametrize("levels", [10, 150, 198])
def test_work_at_any_depth_takes_the_same_steps_and_is_not_stopped(levels):
    """Near the limit the stack is looked at more often; nothing else changes."""
    work = (
        f"(defn w [n] (if (= n 0) 0 (+ 1 (w (- n 1))))) (defn g [] (loop [i 0] (if (< i 500) (recur (inc i)) (w 2)))) \
(defn f [n] (if (= n 0) (g) (inc (f (- n 1))))) (f {levels})"
    )
    counts = set()
    for depth in (203, 10_000):
        run = Instance(compile_source(work), limits=Limits(depth=depth)).start()
        PureHost().finish(run)
        counts.add(run.steps)
    assert len(counts) == 1


def test_a_branch_goes_as_deep_as_its_run_still_could():
    text = f"{SUM} (defn go [n] (if (= n 0) (pmap sum [50 50]) (first [(go (- n 1))]))) (go %d)"
    assert _run(text % 49, depth=100) == (1275, 1275)
    with pytest.raises(LimitError, match=r"depth \(100\)"):
        _run(text % 50, depth=100)
    for levels in (49, 50):
        run = Instance(compile_source(text % levels), limits=Limits(depth=100)).start()
        branch = run.step(concurrent=True).branches.start_next()
        if levels == 49:
            assert branch.step() == Complete(1275)  # the second goes on in the same one
            assert run.resume(None) == Complete((1275, 1275))
            continue
        with pytest.raises(LimitError, match=r"depth \(100\)"):
            branch.step()
