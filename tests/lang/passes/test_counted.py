"""Loops that count are Python's `for`: which ones, and that they mean what they meant."""

from __future__ import annotations

import ast
import re
from itertools import product

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import OFF, Limits
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.codegen.program import emit_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.passes.table import ALL, optimise
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view

COUNTING = (
    "(loop [i 0] (if (< i 9) (recur (inc i)) i))",
    "(loop [i 9] (if (pos? i) (recur (dec i)) i))",
    "(loop [i 0 s 0] (cond (>= i 9) s (odd? i) (recur (+ i 2) (+ s i)) :else (recur (+ i 2) s)))",
    "(loop [i 0 s 0] (if (= i 9) s (recur (+ 1 i) (+ s i))))",
    "(defn f [n] (loop [i 0 v []] (if (< i n) (recur (inc i) (conj v i)) v)))",
    "(defn f [v] (loop [i 0 s 0] (if (< i (count v)) (recur (inc i) (+ s (nth v i))) s)))",
)
NOT_COUNTING = (
    "(loop [i 0] (if (< i 9) (if (= i 3) (recur (+ i 2)) (recur (inc i))) i))",  # two ways to move
    "(loop [i 0 n 9] (if (< i n) (recur (inc i) (dec n)) i))",  # the bound moves too
    "(loop [i 0.5] (if (< i 9) (recur (inc i)) i))",
    "(loop [i 0] (if (< i 9.5) (recur (inc i)) i))",
    "(loop [i 0] (if (< i 9) (recur (dec i)) i))",  # away from its bound
    "(loop [i 0] (if (= i 9) i (recur (+ i 2))))",  # it may miss it
    "(defn g [x] (g x)) (loop [i 0] (if (< i 9) (do (g i) (recur (inc i))) i))",  # its rounds take steps of their own
    "(defn f [n] (loop [i 0] (if (< i 9) (if (= i n) :found (recur (inc i))) i)))",  # it ends early, after few rounds
    "(loop [i 0 s 0] (let [t (+ s i)] (if (< i 9) (recur (inc i) t) t)))",  # the end needs what the round computes
)


def _python(text, *, metered=True):
    around = surroundings()
    program = optimise(view(Source("test", text), around).program, around.library)
    return ast.unparse(emit_program(program, Unit(metered=metered)))


@pytest.mark.parametrize("metered", [True, False])
@pytest.mark.parametrize("text", COUNTING)
def test_python_counts(text, metered):
    assert re.search(r"for loop_\d+ in range\(", _python(text, metered=metered))


@pytest.mark.parametrize("text", NOT_COUNTING)
def test_python_does_not_count(text):
    assert "range(" not in _python(text)


def test_without_steps_a_loop_that_calls_counts_too():
    text = "(defn g [x] (g x)) (loop [i 0] (if (< i 9) (do (g i) (recur (inc i))) i))"
    assert "in range(0, 9)" in _python(text, metered=False)


def _outcome(text, passes, *, metered):
    artifact = compile_source(text, passes=passes, metered=metered)
    limits = Limits(steps=400) if metered else OFF
    try:
        outcome = Instance(artifact, limits=limits).start().step()
    except (ProgramError, LimitError) as error:
        return type(error).__name__, str(error)
    assert isinstance(outcome, Complete)
    return outcome.value


_TESTS = (
    *("(< i b)", "(<= i b)", "(> i b)", "(>= i b)", "(not (= i b))", "(> b i)", "(and (< i b) (< s 30))"),
    *("(not (or (= i b) (> s 30)))",),
)
_MOVES = ("(inc i)", "(dec i)", "(+ i 3)", "(- i 2)")


@pytest.mark.parametrize(("test", "move"), list(product(_TESTS, _MOVES)))
def test_it_means_the_same(test, move):
    for a, b in product((-2, 0, 11), (-1, 0, 10)):
        tested = test.replace("b", str(b))
        loop = f"(loop [i {a} s 0 v []] (if {tested} (recur {move} (+ s i) (conj v i)) [i s v]))"
        assert _outcome(loop, ALL, metered=True) == _outcome(loop, frozenset(), metered=True)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 63, 64, 65, 300, 20_000])
def test_stretches_meet(n):
    text = f"(defn f [n] (loop [i 0 s 0] (if (< i n) (recur (inc i) (+ s i)) [i s]))) (f {n})"
    for metered in (True, False):
        run = Instance(compile_source(text, metered=metered), limits=Limits() if metered else OFF)
        assert run.start().step() == Complete((n, n * (n - 1) // 2))


def test_a_closure_keeps_the_number_of_its_round():
    text = "(map (fn [f] (f)) (loop [i 0 v []] (if (< i 3) (recur (inc i) (conj v (fn [] i))) v)))"
    assert _outcome(text, ALL, metered=True) == (0, 1, 2)
    assert _outcome(text, ALL, metered=False) == (0, 1, 2)


def test_a_round_that_fails_is_found_with_its_place():
    text = "(defn f [n] (loop [i 0 s 0] (if (< i n) (recur (inc i) (quot 100 (- 5 i))) s))) (f 9)"
    assert _outcome(text, ALL, metered=True) == _outcome(text, frozenset(), metered=True)


def test_a_loop_without_end_is_stopped():
    text = "(loop [i 0] (if (= i -1) i (recur (inc i))))"
    assert _outcome(text, ALL, metered=True) == ("LimitError", "more than 400 steps")
