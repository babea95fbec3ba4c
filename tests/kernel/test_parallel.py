"""Fan-outs: whatever order a host completes branches in, the program gives the same and asks the same."""

from __future__ import annotations

import gc
import random
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete, RequiresHost, RequiresHosts
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import InternalError, LimitError, ProgramError, generic_error
from rtfs_framework.lang.printer import write
from rtfs_framework.testing.effort import effort

PROGRAMS = [
    "(pmap (fn [x] (+ x (call :a x))) [1 2 3 4])",
    "(pmap (fn [x] (pmap (fn [y] (* (call :a x y) (call :b y))) (range x))) [3 0 2])",
    "[(call :before) (pmap (fn [x] [(call :a x) (call :b x)]) [1 2 3]) (call :after)]",
    "(try (pmap (fn [x] (if (= x 2) (throw (call :a x)) (call :b x))) [1 2 3 2]) (catch e (call :c)))",
    "(pmap (fn [x] (try (/ (call :a x) x) (catch e :zero) (finally (call :done x)))) [1 0 2])",
    "(step-parallel (call :a) (+ (call :b) (call :c)) (step-parallel (call :d) (call :e)))",
    "(defn f [x] (call :a x)) (map f [1 2 3])",
    "(map-indexed (fn [i x] (call :a i x)) [7 8 9])",
    "(try (pmap (fn [x] (if (= x 5) (throw x) (if (even? x) (call :a x) x))) (range 9)) (catch e (str e)))",
    "(map (fn [x] (if (< 2 x 7) (call :a x) (count (pmap inc (range x))))) (range 10))",
    "(mapcat (fn [x] [(call :a x) x]) [1 2])",
    "(map (fn [x y] (call :a x y)) [1 2] [3 4])",
    "(pmap-settled (fn [x] (if (= x 1) (throw (call :a)) (call :b x))) [0 1 2])",
    "(def k (gensym)) (= 5 (count (set (conj (pmap (fn [x] (gensym)) [1 2 3]) k (gensym)))))",
    "(loop [i 0 out []] (if (= i 3) out (recur (inc i) (conj out (pmap (fn [x] (call :a i x)) [1 2])))))",
]


def reply(call):
    """Answer by what is asked alone, so that no order shows in an answer."""
    return sum(arg for arg in call.args if isinstance(arg, int)) + len(call.capability)


def in_order(text, **limits):
    """Drive a program with a host that knows no branches; return its value and calls."""
    run, calls = Instance(compile_source(text), limits=Limits(**limits)).start(), {}
    outcome = run.step()
    while isinstance(outcome, RequiresHost):
        if outcome.call.kind.value == "capability":
            calls[outcome.call.path] = (outcome.call.capability, outcome.call.args, str(outcome.call.place))
        outcome = run.resume(reply(outcome.call))
    return outcome.value, calls, run


class AtRandom:
    """Drives a run and its branches, answering any of the calls that wait, as `choose` says."""

    def __init__(self, choose, calls, wide=4):
        self.choose, self.calls, self.wide = choose, calls, wide
        self.waiting = []

    def drive(self, run):
        self.go(run, lambda: run.step(concurrent=True), lambda: None)
        while self.waiting:
            who, call, then = self.waiting.pop(self.choose(len(self.waiting)))
            if call.kind.value == "capability":
                self.calls[call.path] = (call.capability, call.args, str(call.place))
            self.go(who, lambda who=who, call=call: who.resume(reply(call)), then)

    def go(self, run, step, then):
        """Go on with a run; `then` is called when it has ended."""
        try:
            outcome = step()
        except (ProgramError, LimitError):
            then()
            return
        if isinstance(outcome, Complete):
            then()
        elif isinstance(outcome, RequiresHosts):
            self.fork(run, outcome.branches, then)
        else:
            self.waiting.append((run, outcome.call, then))

    def fork(self, parent, branches, then):
        """Have some branches under way until all have ended; then go on with their run."""
        under = [0]

        def more():
            while under[0] < self.wide and (branch := branches.start_next()) is not None:
                under[0] += 1
                self.go(branch, lambda branch=branch: branch.step(concurrent=True), ended)
            if under[0] == 0:
                under[0] = -1
                self.go(parent, lambda: parent.resume(None), then)

        def ended():
            under[0] -= 1
            if under[0] >= 0:
                more()

        more()


def outcome_of(text, choose, **limits):
    """Return what a program gives when branches overlap: its value or error as text, its calls, and the run."""
    source = f"(defn main [] (do {text}))" if not text.startswith("(def") else text
    instance = Instance(compile_source(source), limits=Limits(**limits))
    if source is not text:
        PureHost().finish(instance.start())
    run = instance.call("main", ()) if source is not text else instance.start()
    calls, ended = {}, []
    enter = run._enter

    def noted(switch, *given_):
        try:
            outcome = enter(switch, *given_)
        except (ProgramError, LimitError) as error:
            ended.append(str(error))
            raise
        if isinstance(outcome, Complete):
            ended.append(write(outcome.value))
        return outcome

    run._enter = noted
    AtRandom(choose, calls).drive(run)
    return ended[-1], calls, run


@pytest.mark.parametrize("text", PROGRAMS)
@settings(max_examples=effort(25), deadline=None)
@given(seed=st.integers(0, 10**6))
def test_any_order_of_completion_gives_the_same_value_and_calls(text, seed):
    """Branches that come after a failure may ask for less or more; all others ask for the same with the same ids."""
    value, calls, _ = in_order(text)
    found, asked, _ = outcome_of(text, random.Random(seed).randrange)
    assert found == write(value)
    common = {path: what[:2] for path, what in calls.items()}
    assert {path: what[:2] for path, what in asked.items() if path in common} == common
    if "throw" not in text:
        assert set(asked) == set(calls)


def test_ids_are_paths_in_the_order_of_the_program():
    _, calls, run = in_order("[(call :a) (pmap (fn [x] [(call :b x) (call :c)]) [1 2]) (call :d)]")
    assert list(calls) == [(0,), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1), (2,)]
    assert list(calls) == sorted(calls)
    assert run.host_calls == 6


def test_branches_are_made_when_they_are_started():
    run = Instance(compile_source("(pmap (fn [x] (call :a x)) (range 10000))")).start()
    branches = run.step(concurrent=True).branches
    first = [branches.start_next() for _ in range(3)]
    assert (len(branches), len(branches._open), branches.ordered) == (10_000, 3, False)
    assert [branch.step(concurrent=True).call.args for branch in first] == [(0,), (1,), (2,)]
    run.close()
    assert branches._open == {}
    assert branches.start_next() is None


def test_a_map_says_that_its_branches_are_ordered():
    run = Instance(compile_source("(map (fn [x] (call :a x)) [1 2])")).start()
    assert run.step(concurrent=True).branches.ordered


@pytest.mark.parametrize("text", ["(map inc [1 2])", "(map (fn [x] (* x x)) [1 2])", "(pmap inc [])", "(pmap inc [1])"])
def test_what_asks_for_nothing_is_no_fan_out(text):
    assert isinstance(Instance(compile_source(text)).start().step(concurrent=True), Complete)


def forked(text, count, **limits):
    run = Instance(compile_source(text), limits=Limits(**limits)).start()
    branches = run.step(concurrent=True).branches
    return run, branches, [branches.start_next() for _ in range(count)]


def test_the_first_failure_in_order_wins_and_the_rest_is_closed():
    text = "(try (pmap (fn [x] (try (call :a x) (finally (call :f)))) [0 1 2]) (catch e (getMessage e)))"
    run, _, made = forked(text, 3)
    for branch in made:
        branch.step(concurrent=True)
    for number in (2, 1):
        made[number].throw(generic_error(f"no {number}"))
        with pytest.raises(ProgramError):
            made[number].resume(None)
    made[0].resume(5)
    made[0].resume(None)
    assert run.resume(None) == Complete("Runtime error: no 1")


def test_a_branch_may_be_told_an_error_that_it_catches():
    run, _, made = forked("(pmap (fn [x] (try (call :a x) (catch e :no))) [0 1])", 2)
    for branch in made:
        branch.step(concurrent=True)
        branch.throw(generic_error("down"))
    assert write(run.resume(None).value) == "[:no :no]"


def test_runs_and_branches_that_have_ended_are_not_left_to_the_collector():
    run = Instance(compile_source("(pmap (fn [x] (call :a x)) [1 2])")).start()
    gc.disable()
    try:
        branches = run.step(concurrent=True).branches
        seen = [weakref.ref(run)]
        for _ in range(2):
            branch = branches.start_next()
            branch.step(concurrent=True)
            assert isinstance(branch.resume(1), Complete)
            seen.append(weakref.ref(branch))
        del branch, branches
        assert run.resume(None).value == (1, 1)
        del run
        assert [each() for each in seen] == [None, None, None]
    finally:
        gc.enable()


def test_items_that_ask_for_nothing_need_no_branch_of_their_own():
    """One branch goes through them; the ids of calls are those that every item has anyway."""
    text = "(map (fn [x] (if (= 0 (mod x 40)) (call :a x) x)) (range 1 100))"
    run = Instance(compile_source(text)).start()
    branches, made = run.step(concurrent=True).branches, []
    while (branch := branches.start_next()) is not None:
        made.append(branch)
        outcome = branch.step(concurrent=True)
        if isinstance(outcome, RequiresHost):
            assert outcome.call.path == (0, branch.number, 0)
    assert [branch.number for branch in made] == [39, 79, 98]
    made[1].resume(1)
    made[0].resume(2)
    assert run.resume(None).value == (*range(1, 40), 2, *range(41, 80), 1, *range(81, 100))


@pytest.mark.parametrize("how", ["close", "throw"])
def test_closing_runs_finally_blocks_that_reach_no_host(how):
    text = "(pmap (fn [x] (try (call :a x) (finally (call :f)))) [0 1])"
    run, branches, made = forked(text, 2)
    for branch in made:
        branch.step(concurrent=True)
    if how == "close":
        run.close()
    else:
        with pytest.raises(ProgramError, match="stop"):
            run.throw(generic_error("stop"))
    assert [branch.host_calls for branch in made] == [1, 1]
    assert branches.start_next() is None
    with pytest.raises(InternalError):
        made[0].resume(1)


def test_a_host_that_resumes_too_early_is_told():
    run, _, made = forked("(pmap (fn [x] (call :a x)) [0 1])", 1)
    made[0].step(concurrent=True)
    with pytest.raises(InternalError, match="have not ended"):
        run.resume(None)


class TestLimits:
    """A branch has what is left; the sum over the branches, in order, is what the run has used."""

    def test_calls(self):
        text = "[(call :a) (pmap (fn [x] [(call :b) (call :c)]) [1 2])]"
        for most, fits in ((5, True), (4, False)):
            value, _, run = outcome_of(text, lambda n: n - 1, host_calls=most)
            assert (value == "[1 [[1 1] [1 1]]]") is fits
            assert fits or value == "more than 4 host calls"
            assert run.host_calls <= 5

    @settings(max_examples=effort(25), deadline=None)
    @given(seed=st.integers(0, 10**6), most=st.integers(1, 12))
    def test_calls_are_as_many_whatever_the_order(self, seed, most):
        text = "(pmap (fn [x] (loop [i 0] (if (< i x) (do (call :a) (recur (inc i))) i))) [3 1 4 1])"
        found, _, _ = outcome_of(text, random.Random(seed).randrange, host_calls=most)
        assert found == ("[3 1 4 1]" if most >= 9 else f"more than {most} host calls")

    def test_steps(self):
        text = "(pmap (fn [x] (loop [i (call :a)] (if (< i 10000) (recur (inc i)) i))) [1 2 3])"
        value, _, run = outcome_of(text, lambda n: n - 1)
        assert value == "[10000 10000 10000]"
        alone = in_order(text)[2].steps
        assert abs(run.steps - alone) <= 3
        assert "steps" in outcome_of(text, lambda n: n - 1, steps=alone - 5_000)[0]
        assert "steps" in outcome_of(text, lambda _: 0, steps=5_000)[0]

    def test_depth_goes_on_in_a_branch(self):
        text = "(defn down [n] (if (= n 0) 0 (+ 1 (first (pmap (fn [m] (down m)) [(- n 1) 0]))))) (down 30)"
        assert outcome_of(text, lambda _: 0)[0] == "30"
        assert "depth" in outcome_of(text.replace("30)", "500)"), lambda _: 0, depth=400)[0]

    def test_fan_outs_inside_each_other_may_be_deep(self):
        text = "(defn down [n] (if (= n 0) (call :a) (first (pmap down [(- n 1)])))) (down 300)"
        value, calls, _ = in_order(text)
        assert value == 1
        assert [len(path) for path in calls] == [2 * 64 + 1]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("(map call [:a :b])", True),
        ("(map (partial call :a) [1 2])", True),
        ("(map (fn [x] (unknown x)) [1 2])", True),
        ('(map (fn [x] (step "s" x)) [1 2])', True),
        ("(defn g [x] (call :a x)) (defn f [x] (g x)) (map (fn [x] (f x)) [1 2])", True),
        ("(let [g (fn [x] (call :a x))] (map (fn [x] (g x)) [1 2]))", True),
        ('(defn ^:delegation :remote "m" f [x] x) (map f [1 2])', True),
        ("(defn even [n] (if (= n 0) true (odd (- n 1)))) (defn odd [n] (not (even n))) (map even [1 2])", False),
        ("(map {1 2} [1 2])", False),
    ],
)
def test_what_a_map_foresees(text, asks):
    outcome = Instance(compile_source(text)).start().step(concurrent=True)
    assert isinstance(outcome, RequiresHosts) is asks
