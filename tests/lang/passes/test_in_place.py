"""Loops whose vectors are changed in place give what they give without that: the same values, errors and places."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.testing.effort import effort

INNER = "(loop [k 0 x [i]] (if (< k 2) (recur (inc k) (conj x (peek x) (peek v))) x))"
ASKED = (
    "(peek v)", "(peek w)", "(nth v 0)", "(nth v i)", "(nth u i)", "(count v)", "(first v)", "(last u)", "(empty? u)",
    "i", "[i]", INNER, "(nth v (peek v))", "(if (empty? v) 0 (peek v))", "(count u)", "(nth v :k)",
)  # fmt: skip
NEXT = (
    "{v}", "(conj {v} {a})", "(conj {v} {a} {b})", "(pop {v})", "(pop (pop {v}))", "(conj (pop {v}) {a})",
    "(conj (pop (pop {v})) {a})", "(conj (pop (pop (pop {v}))) {a} {b})", "(assoc {v} {a} {b})", "(assoc {v} 0 {a})",
    "(assoc (pop {v}) 0 {a})", "(if (empty? {v}) {v} (pop {v}))", "(if {a} (conj {v} {b}) {v})", "w", "(pop w)",
    "(conj w {a})", "(conj (pop w) {a} {b})", "(let [x (pop {v})] (conj x {a}))",
)  # fmt: skip
NESTED = "(loop [x [9]] (if (< (count x) 9) (recur (conj x (peek v))) (peek x)))"
NIL = "[3 2 1 1 nil]"
ENDS = ("v", "[v u]", "(count u)", "(do (peek v))", "[(peek v) u]", "[v (pop u)]")


@st.composite
def rounds(draw):
    """Draw `recur` with next values of both vectors, perhaps inside a `let` that names a shorter one."""
    text = "(recur (inc i) {} {})".format(
        *(
            draw(st.sampled_from(NEXT)).format(v=name, a=draw(st.sampled_from(ASKED)), b=draw(st.sampled_from(ASKED)))
            for name in ("v", "u")
        )
    )
    return f"(let [w (pop {draw(st.sampled_from(['v', 'v', 'u', '(pop v)']))})] {text})"


@st.composite
def programs(draw):
    clauses = " ".join(f"{i} {draw(rounds())}" for i in range(draw(st.integers(1, 5))))
    inits = [draw(st.sampled_from(["[]", "[0]", "[0 1]", "[3 2 1 0]", "(vector 1 2)"])) for _ in range(2)]
    return f"(loop [i 0 v {inits[0]} u {inits[1]}] (match i {clauses} _ {draw(st.sampled_from(ENDS))}))"


def told(text: str, passes: frozenset[str]) -> str:
    instance = Instance(compile_source(Source("<loop>", text), passes=passes))
    try:
        return write(PureHost().finish(instance.start()))
    except ProgramError as error:
        return f"{error.kind} {error.message} {error.value.span}"


@settings(max_examples=effort(120), deadline=None)
@given(programs())
def test_a_loop_means_the_same_in_place(text):
    assert told(text, ALL) == told(text, ALL - {"in_place"}) == told(text, frozenset({"mutual"}))


PUT = (
    "(inc (get m i 0))", "(+ (get m 0 0) (get u i 0))", "(get u i 1.5)", "(* 2 (get m i 0.5))", "i", "(str (get u i))",
    "(get m :a)", "nil", "(= 0 (get m i 0))", "(if (get u i true) 1 2)", "(get u i (get m i 0))", "(+ 1 (get u :a 0))",
)  # fmt: skip
HELD = ("(get m 1 0)", "(+ 1 (get u 0 0))", "[m u]")


@st.composite
def tallies(draw):
    """Draw a loop that puts into two maps what it finds in them."""
    put = [draw(st.sampled_from(PUT)) for _ in range(4)]
    first = [draw(st.sampled_from(["{}", "{}", "{:a 1}", '{0 "x"}', "{1 2 3 4.0}", "{0 nil}"])) for _ in range(2)]
    rounds = " ".join(
        f"(recur (inc i) (assoc m (mod i 3) {one}) (assoc u i {other}))" for one, other in (put[:2], put[2:])
    )
    return f"(loop [i 0 m {first[0]} u {first[1]}] (if (< i 7) (if (< i 4) {rounds}) {draw(st.sampled_from(HELD))}))"


@settings(max_examples=effort(120), deadline=None)
@given(tallies())
def test_what_maps_hold_that_are_changed_in_place_is_known_only_if_it_is_sure(text):
    assert told(text, ALL) == told(text, ALL - {"in_place"}) == told(text, frozenset({"mutual"}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(loop [i 0 v []] (if (< i 3) (recur (inc i) (conj v i)) (conj v :end)))", "[0 1 2 :end]"),
        ("(loop [i 0 v [9 9] n 0] (if (< i 2) (recur (inc i) (assoc v i n) (+ n (peek v))) [v n]))", "[[0 9] 18]"),
        ("(loop [v [1 2 3] u []] (if (empty? v) u (recur (pop v) (conj u (peek v)))))", "[3 2 1]"),
        (f"(loop [v [1 7] n 0] (if (> n 5) [v n] (recur (pop v) {NESTED})))", "[[1] 7]"),
        ("(loop [v [1 2] u [3]] (if (empty? v) u (let [w (pop v)] (recur w (conj u (peek v) (peek w))))))", NIL),
    ],
)  # fmt: skip
def test_values_of_before_are_seen_by_the_whole_round(text, value):
    assert told(text, ALL) == value


def test_what_left_the_loop_is_not_changed_by_the_next_one():
    text = "(defn f [n] (loop [i 0 v [0]] (if (< i n) (recur (inc i) (assoc v 0 i)) v))) [(f 2) (f 5) (f 0)]"
    assert told(text, ALL) == "[[1] [4] [0]]"


KEYS = '[1 true 1.0 1 nil nil :a "a" \'a [1] [1.0] [1] 2000000000000000000 -0.0 0 1152921504606846977 false :a "a"]'
COUNTED = "(reduce (fn [m k] (assoc m k {})) {{}} " + KEYS + ")"


@pytest.mark.parametrize(
    "value", ["(inc (get m k 0))", "[(get m k) (get m k 7)]", "(get m k)", "(if (get m k) nil k)", "[(get m k [])]"]
)
def test_what_stands_under_a_key_is_found_whatever_the_key_is(value):
    text = COUNTED.format(value)
    assert told(text, ALL) == told(text, ALL - {"in_place"}) == told(text, frozenset({"mutual"}))
    assert told(COUNTED.format("(inc (get m k 0))"), ALL).startswith("{1 2 true 1 1.0 1 nil 2 :a 2 ")


@pytest.mark.parametrize("start", ["{:a 1}", "[1]", "{}"])
def test_a_loop_may_pass_on_what_it_holds_under_another_name(start):
    text = f"(defn f [n] (loop [i 0 v {start}] (if (< i n) (recur (inc i) (let [w v] w)) v))) [(f 0) (f 2)]"
    assert told(text, ALL) == f"[{start} {start}]"
