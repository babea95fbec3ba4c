"""A program stops for its host from any depth and goes on with the answer; so do errors, local runs and closing."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete, RequiresHost
from rtfs_framework.lang.errors import InternalError, ProgramError, generic_error
from rtfs_framework.lang.values import Keyword


@pytest.mark.parametrize(
    ("text", "value", "count"),
    [
        ("(map (fn [x] (call :c x)) [1 2 3])", (5, 5, 5), 3),
        ("(reduce (fn [a x] (+ a (call :c x))) 0 [1 2])", 10, 2),
        ("(sort-by (fn [x] (call :c x)) [3 1 2])", (3, 1, 2), 3),
        ("(filter (fn [x] (call :c x)) [1 2])", (1, 2), 2),
        ("(apply (fn [a b] (+ a (call :c b))) [1 2])", 6, 1),
        ("((fn [x] ((fn [y] ((fn [z] (call :c z)) y)) x)) 1)", 5, 1),
        ("(defmacro twice [x] `[~x ~x]) (twice (call :c))", (5, 5), 2),
        ("(try (call :a) (catch e 0) (finally (call :b)))", 5, 2),
        ("(try (throw 1) (catch e (call :a)) (finally (call :b)))", 5, 2),
        ("(loop [i 0] (if (< i 20) (recur (+ i (call :c))) i))", 20, 4),
        ("(for [x [1 2] y [(call :a x)] :when (call :b)] (+ x y))", (6, 7), 4),
        ("(defn deep [n] (if (= n 0) (call :bottom) (+ 1 (deep (- n 1))))) (deep 5000)", 5005, 1),
        ("(update {:a 1} :a (fn [x] (call :c x)))", None, 1),
        ('(step "s" (step-if (call :a) (call :b) 0))', 5, 2),
        ("(match (call :a) n when (call :b) (call :c))", 5, 3),
        ("(str (call :a) (and (call :b) (call :c)))", "55", 3),
    ],
)
def test_from_any_depth(start, drive, text, value, count):
    run = start(text)
    made, calls = drive(run, 5)
    asked = [name for name, _ in calls if name not in ("isolation", "step-start", "step-done", "expose-clear")]
    assert len(asked) == count
    assert value is None or made == value


def test_an_answer_may_be_an_error_which_the_program_catches(start, drive):
    text = "(try (+ 1 (call :a)) (catch HostError e [(:kind e) (getMessage e)]))"
    assert drive(start(text), generic_error("no line"))[0] == ("Generic", "Runtime error: no line")


def test_an_error_that_is_not_caught_ends_the_run(start):
    run = start("(+ 1 (call :a))")
    run.step()
    with pytest.raises(ProgramError, match="no line") as caught:
        run.throw(generic_error("no line"))
    assert caught.value.value.span == "<string>:1:6"


def test_a_delegated_function_runs_elsewhere_or_here():
    text = '(defn ^:delegation :remote "m" f [x] (+ x (call :inner))) [(f 1) (f 2)]'
    run = Instance(compile_source(text)).start()
    first = run.step()
    assert first.call.kind is CallKind.DELEGATED
    assert (first.call.capability, first.call.args) == ("model-call:m", (1,))
    second = run.resume(100)
    inner = run.resume_locally()
    assert (second.call.args, inner.call.capability) == ((2,), "inner")
    assert run.resume(40) == Complete((100, 42))


def test_one_instance_calls_its_functions_many_times():
    instance = Instance(compile_source("(def k 3) (defn f [x] (* k (call :get x)))"))
    instance.start().step()
    runs = [instance.call("f", (i,)) for i in range(5)]
    assert [run.step().call.args for run in runs] == [(i,) for i in range(5)]
    assert [run.resume(i + 1) for i, run in enumerate(reversed(runs))] == [Complete(3 * (i + 1)) for i in range(5)]
    assert instance.value("k") == 3


def test_misuse_is_told(start):
    run = start("(call :a)")
    with pytest.raises(InternalError):
        run.resume(1)
    run.step()
    with pytest.raises(InternalError):
        run.step()
    run.resume(1)
    with pytest.raises(InternalError):
        run.resume(2)


class TestClosing:
    """A run that is closed runs its `finally` blocks, but they cannot reach the host."""

    def test_finally_runs_and_cannot_call(self, start):
        run = start("(try (call :a) (finally (call :b)))")
        assert isinstance(run.step(), RequiresHost)
        assert run.close() is None
        assert run.host_calls == 1

    def test_nothing_catches_it(self, start):
        run = start("(try (call :a) (catch _ e (call :b)) (finally (try (call :c) (catch e (call :d)))))")
        run.step()
        run.close()
        assert run.host_calls == 1
        with pytest.raises(InternalError):
            run.resume(1)

    def test_a_loop_in_finally_ends(self, start):
        run = start("(try (call :a) (finally (loop [] (recur))))")
        run.step()
        assert run.close() is None

    def test_hints_and_steps_tell_nobody(self, start):
        run = start('(step "s" ^{:runtime.a 1} (call :a))')
        outcome = run.step()
        while outcome.call.kind is CallKind.EVENT:
            outcome = run.resume(None)
        before = run.host_calls
        run.close()
        assert run.host_calls == before

    def test_before_it_began_and_after_it_ended(self, start):
        run = start("1")
        run.close()
        ended = start("1")
        ended.step()
        ended.close()
        ended.close()
        assert ended.host_calls == 0

    def test_a_forgotten_run_disappears(self, start):
        run = start("(try (call :a) (finally (call :b)))")
        run.step()
        del run
        gc.collect()
        assert start("(+ 1 1)").step() == Complete(2)


def test_many_runs_are_alive_at_once(start):
    instance = Instance(compile_source("(defn f [x] (let [y (* x 2)] (+ y (call :get x))))"))
    instance.start().step()
    runs = [instance.call("f", (i,)) for i in range(500)]
    for run in runs:
        run.step()
    assert sum(run.resume(1).value for run in runs) == sum(2 * i + 1 for i in range(500))


@pytest.mark.slow
def test_ten_thousand_suspended_runs():
    instance = Instance(compile_source("(defn f [x] (reduce (fn [a y] (+ a (call :get y))) 0 [x]))"))
    instance.start().step()
    tracemalloc.start()
    runs = [instance.call("f", (i,)) for i in range(10_000)]
    for run in runs:
        run.step()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{used / 10_000:.0f} bytes of Python objects per suspended run")
    assert used / 10_000 < 20_000
    assert sum(run.resume(1).value for run in runs) == 10_000


def test_hints_of_a_call(start):
    run = start("^{:runtime.a 1} [(call :x) ^{:runtime.b 2 :runtime.a 3} (call :y) (call :z)]")
    seen, outcome = [], run.step()
    while not isinstance(outcome, Complete):
        if outcome.call.kind is CallKind.CAPABILITY:
            seen.append(dict(outcome.call.hints.items()))
        outcome = run.resume(None)
    assert seen == [{"runtime.a": 1}, {"runtime.a": 3, "runtime.b": 2}, {"runtime.a": 1}]


def test_capability_names_are_strings_or_keywords(start, drive):
    assert drive(start('[(call "a.b/c") (call :x.y)]'), 1)[1] == [("a.b/c", ()), ("x.y", ())]
    with pytest.raises(ProgramError, match="string or keyword"):
        start("(call 5)").step()
    assert Keyword("x") is Keyword("x")
