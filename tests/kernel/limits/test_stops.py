"""Limits end a run in LimitError, whatever the program tries; the process survives, and the same run ends the same."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LimitError, ProgramError, generic_error
from rtfs_framework.lang.printer import write
from rtfs_framework.testing.effort import effort

PRELUDE = """
import sys
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError

def run(text, **limits):
    try:
        outcome = Instance(compile_source(text), limits=Limits(**limits)).start().step()
        assert isinstance(outcome, Complete)
        return outcome.value
    except (LanguageError, LimitError, ProgramError) as error:
        return getattr(error, "dimension", None) or error.kind
"""
SUM = "(defn sum [n] (if (= n 0) 0 (+ n (sum (- n 1)))))"
CATCHERS = ["%s", "(try %s (catch e :caught))", "(try %s (catch _ e :caught))", "(try %s (catch Exception e :caught))"]


@pytest.mark.parametrize("catcher", CATCHERS)
@pytest.mark.parametrize(
    ("text", "limits", "dimension"),
    [
        ("((fn f [n] (+ 1 (f n))) 1)", {"depth": 800}, "depth"),
        ("(loop [] (recur))", {"steps": 100_000}, "steps"),
        ("((fn f [] (f)))", {"steps": 100_000}, "steps"),
        ("(letfn [(a [] (b)) (b [] (a))] (a))", {"steps": 100_000, "depth": 800}, None),
        ("(dotimes [i 1000000000] i)", {"steps": 100_000}, "steps"),
        ("(do (call :a) (call :b) (call :c) (call :d))", {"host_calls": 3}, "host_calls"),
        ("(loop [i 0] (call :a) (recur i))", {"host_calls": 50}, "host_calls"),
        ("(loop [x 3] (recur (* x x)))", {}, "integer-bits"),
        ("(reduce * (range 1 100000000))", {}, "items"),
        ("(pow 10 100000000)", {}, "integer-bits"),
        ("(range 1000000000)", {}, "items"),
        ('(repeat-string "abc" 100000000)', {}, "items"),
        ('(loop [s "ab"] (recur (str s s)))', {}, "items"),
        ("(loop [v [1]] (recur (concat v v)))", {}, "items"),
    ],
)
def test_a_limit_cannot_be_caught(start, drive, text, limits, dimension, catcher):
    with pytest.raises(LimitError) as stopped:
        drive(start(catcher % text, **limits), 1)
    assert dimension is None or stopped.value.dimension == dimension


COMPILE_BOMBS = {
    "junctions": ("(def x nil) (if " + "(and (nil? x) " * 60 + "(nil? (let [y 1] y))" + ")" * 60 + " 1 2)", "2"),
    "defaults": ("(let [{:keys [a] :or {a " * 45 + "7" + "}} {}] a)" * 45, "7"),
    "finally": ("(try 1 (finally " * 40 + "1" + "))" * 40, "1"),
}


def test_a_limit_runs_finally_but_is_not_replaced_by_it(start, drive):
    run = start("(try (do (call :a) (call :b)) (finally 5))", host_calls=1)
    with pytest.raises(LimitError):
        drive(run, 1)
    assert run.host_calls == 1


@pytest.mark.parametrize("name", sorted(COMPILE_BOMBS))
def test_nesting_takes_no_exponential_time_to_compile(in_process, name):
    """Each of these once took gigabytes or hours at this depth: something was emitted, or copied by Python, twice."""
    text, value = COMPILE_BOMBS[name]
    assert in_process(f"{PRELUDE}\nprint(run({text!r}))", timeout=20, memory=1 << 30) == value


def test_step_loops_have_a_bound_of_their_own(start, drive):
    with pytest.raises(ProgramError, match=r"Loop exceeded maximum iterations \(3\)"):
        drive(start("(step-loop true 1)", step_rounds=3))


def test_recursion_of_nine_thousand_by_default(in_process):
    assert in_process(f"{PRELUDE}\nprint(run('{SUM} (sum 9000)'))") == "40504500"


@pytest.mark.parametrize("depth", [2_000, 10_000, 100_000, None])
def test_endless_recursion_never_crashes_the_process(in_process, depth):
    code = f"{PRELUDE}\nprint(run('(defn f [n] (+ 1 (f n))) (f 1)', depth={depth}))"
    assert in_process(code) == "depth"


@pytest.mark.parametrize(
    "body",
    [
        "(first (map f [n]))",
        "(apply f [n])",
        "(reduce (fn [a x] (f x)) 0 [n])",
        "(first (sort-by f [n n]))",
        "(update {:a n} :a f)",
        "(try (f n) (catch e 1) (finally 2))",
        "(first (for [x [n]] (f x)))",
        '(step "s" (f n))',
    ],
)
def test_endless_recursion_through_the_library(start, drive, body):
    with pytest.raises(LimitError) as stopped:
        drive(start(f"(defn f [n] {body}) (f 1)", depth=3_000, host_calls=None))
    assert stopped.value.dimension == "depth"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 keeps calls on the C stack: 12,000 is the most")
def test_a_hundred_thousand_deep_when_the_limit_allows(in_process):
    assert in_process(f"{PRELUDE}\nprint(run('{SUM} (sum 90000)', depth=100_000))") == "4050045000"


THROUGH = [
    "(apply f [(- n 1)])",
    "(get (update {:a (- n 1)} :a f) :a)",
    "((partial f) (- n 1))",
    "((memoize f) (- n 1))",
    "((fn [& xs] (apply f xs)) (- n 1))",
    "(first (map f [(- n 1)]))",
    "(first (sort-by f [(- n 1)]))",
    "(first (pmap f [(- n 1) 1]))",
]


@pytest.mark.parametrize("body", THROUGH)
def test_deep_recursion_through_the_library_ends_or_works(in_process, body):
    """Whatever of it takes the C stack: the process survives, on every Python."""
    text = f"(defn f [n] (if (= n 0) 0 {body})) (f 150000)"
    out = in_process(f"{PRELUDE}\nprint(run({text!r}, depth=200_000, host_calls=None))")
    assert out in {"depth", "0", "149999"}


OPENINGS = ["(", "[", "(do ", "(let [x 1] ", "(fn [x] ", "(if true ", "(try 1 (finally ", "#{"]


@pytest.mark.parametrize("opening", OPENINGS)
def test_deep_source_compiles_or_is_refused(in_process, opening):
    closing = {"[": "]", "#": "}"}.get(opening[0], "))" if opening.count("(") == 2 else ")")
    each = f"print(str(run({opening!r} * depth + '1' + {closing!r} * depth))[:40])"
    out = in_process(f"{PRELUDE}\nfor depth in (50, 90, 200, 5_000): {each}")
    assert len(out.splitlines()) == 4


@pytest.mark.parametrize("prefix", ["'", "`", "~", "~@", "^:a ", "^{:runtime.a 1} ", "@", "#("])
def test_long_chains_of_prefixes(in_process, prefix):
    code = f"{PRELUDE}\nprint(str(run({prefix!r} * 20_000 + 'x'))[:40])"
    assert in_process(code)


@pytest.mark.parametrize("form", ["(-> 1 {})", "(cond {} :else 1)", "(and {})", "(do {})", "[{}]", "(let [{}] 1)"])
def test_long_flat_forms_compile_or_are_refused(in_process, form):
    parts = {"(-> 1 {})": "inc ", "(cond {} :else 1)": "false 1 ", "(let [{}] 1)": "x 1 "}.get(form, "1 ")
    code = f"{PRELUDE}\nprint(str(run({form!r}.format({parts!r} * 3_000)))[:40])"
    assert in_process(code)


def _calls(text, answers):
    """Return what a run asked and how it ended."""
    asked = []
    try:
        run = Instance(compile_source(text), limits=Limits(steps=200_000, host_calls=200)).start()
        outcome = run.step()
        while not isinstance(outcome, Complete):
            call = outcome.call
            asked.append((call.kind, call.capability, tuple(map(write, call.args)), str(call.place), call.index))
            answer = answers[len(asked) % len(answers)]
            if call.kind is CallKind.EVENT:
                outcome = run.resume(None)
            else:
                outcome = run.throw(generic_error("no")) if answer == "fail" else run.resume(answer)
        return asked, write(outcome.value)
    except ProgramError as error:
        return asked, f"{error.kind} {error} {error.value.span} {error.value.stack}"


PROGRAMS = [
    "(for [x [1 2 3]] (try (call :a x) (catch e (call :b (getMessage e)))))",
    '(step "s" (loop [i 0 acc []] (if (< i 3) (recur (inc i) (conj acc (call :c i acc))) acc)))',
    "(defn f [n] (if (= n 0) [] (conj (f (- n 1)) (call :d n)))) (f 4)",
    "^{:runtime.x 1} (map (fn [x] (+ 1 (call :e x))) #{3 1 2})",
    "[@name (context/get :k) (call :z {:b 1 :a 2})]",
]


@pytest.mark.filterwarnings("ignore:The recursion limit")  # a run may raise it
@settings(max_examples=effort(40))
@given(st.sampled_from(PROGRAMS), st.lists(st.sampled_from([None, 1, "s", (1,), "fail"]), min_size=1, max_size=5))
def test_the_same_answers_give_the_same_calls(text, answers):
    assert _calls(text, answers) == _calls(text, answers)


def test_a_smaller_limit_holds_after_a_larger_one(in_process):
    code = f"""{PRELUDE}
run('{SUM} (sum 100)', depth=50_000)
print(run('{SUM} (sum 4000)', depth=1_000))"""
    assert in_process(code) == "depth"
