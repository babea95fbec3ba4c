"""Macros that writers from Clojure reach for (cond->, some->>, condp, doto, assert), and `reduced`, with any passes."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.printer import write

SETS = [ALL, frozenset(), *(ALL - {name} for name in sorted(ALL))]
UNTIL = "(fn [a x] (if (> x 2) (reduced a) (+ a x)))"
VALUES = {
    "(cond-> {} true (assoc :a 1) nil (assoc :b 2) :always (assoc :c 3))": "{:a 1 :c 3}",
    "(let [x 5] (cond-> x (> x 9) inc (odd? x) (- 1)))": "4",
    "(cond->> [1 2 3] false (map inc) (= 1 1) (filter odd?))": "[1 3]",
    "(some->> {:a [1 2]} :a (map inc))": "[2 3]",
    "(some->> {:a [1 2]} :b (map inc))": "nil",
    "(condp = 3 1 :one 2 :two :many)": ":many",
    "(condp (fn [a b] (< a b)) 3 5 :above 1 :below)": ":below",
    "(condp get :b {:a 1} :no {:b 41} :>> inc)": "42",
    "(condp = :>> 1 :one :>> :arrow)": ":arrow",
    "(doto [1] (conj 2) count)": "[1]",
    '(assert (= 1 1) (throw "never"))': "nil",
    f"(reduce {UNTIL} 0 [1 2 3 4])": "3",
    f"(reduce {UNTIL} [1 2 3 4])": "3",
    f"(reduce {UNTIL} 0 (filter odd? (map inc [0 1 2 3])))": "1",
    "(defn end [v] (reduced v)) (reduce (fn [a x] (if (> x 2) (end a) (conj a x))) [] [1 2 3 4])": "[1 2]",
    "(def end reduced) (reduce (fn [a x] (if (> x 2) (end [a]) (conj a x))) [] [1 2 3 4])": "[[1 2]]",
    "(reduce (fn [a x] (get x :a)) 0 [{:a 1} {:a (reduced 2)} {:a 3}])": "2",
    "(reduce get {:a (reduced 2)} [:a :b])": "2",
    "(reduce (fn [a x] (match x 3 (reduced :three) _ (+ a x))) [1 2 3 4])": ":three",
    "(reduce (fn [a x] (try (if (> x 2) (reduced a) x) (finally nil))) 0 [1 2 3])": "2",
    "(reduce (fn [a x] (reduced (reduce (fn [b y] (if (= y 2) (reduced [b]) y)) 0 x))) 0 [[1 2 3]])": "[1]",
    # what stands behind the end of a pipeline may not fail
    f"(reduce {UNTIL} 0 (map (fn [x] (if (> x 4) :unused x)) [1 3 4]))": "1",
}  # fmt: skip
ERRORS = {
    "(assert (pos? -1))": ("AssertionError", "Assert failed: (pos? -1)"),
    "(assert nil (str 1 :b))": ("AssertionError", "1:b"),
    "(assert (-> 1 (> 2)) [1])": ("AssertionError", "[1]"),
    "(condp = 3 1 :one)": ("MatchError", "Match error: No matching clause"),
    f"(reduce {UNTIL} 0 (map (fn [x] (/ 12 x)) [4 3 0]))": ("DivisionByZero", "Division by zero"),
    "(+ 1 (reduced 1))": ("TypeError", "Type error in +: expected number, got reduced"),
    "((reduced inc) 1)": ("TypeError", "Type error in call: expected function, got reduced"),
    "(serialize-json [(reduced 1)])": ("Generic", "JSON cannot hold a reduced"),
}


def run(text, passes):
    return Instance(compile_source(text, passes=passes, verified=True), limits=Limits()).start().step().value


@pytest.mark.parametrize("text", VALUES)
def test_the_value_is_the_same_with_any_passes(text):
    assert {write(run(text, passes)) for passes in SETS} == {VALUES[text]}


@pytest.mark.parametrize("text", ERRORS)
def test_the_error_is_the_same_with_any_passes(text):
    kind, message = ERRORS[text]
    for passes in SETS:
        with pytest.raises(ProgramError) as caught:
            run(text, passes)
        assert caught.value.kind == kind
        assert message in caught.value.message


MALFORMED = (
    "(cond-> 1 true) | (cond->>) | (condp =) | (condp = 1 2 :>>) | (doto) | (assert) | (assert 1 2 3) | (some->>)"
)


@pytest.mark.parametrize("text", MALFORMED.split(" | "))
def test_a_malformed_one_is_refused_with_its_form(text):
    with pytest.raises(LanguageError) as caught:
        compile_source(text)
    (found,) = caught.value.diagnostics
    name = text.strip("( )").split()[0]
    assert (found.code, found.message) == ("E0201", f"malformed {name}")
    assert found.help.startswith(f"as in ({name} ")
