"""Pipelines that became loops fail, are stopped and show their stacks like the calls that they were."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.lang.errors import LimitError, ProgramError


def test_a_reduce_without_a_first_value_starts_from_the_first_item_that_gets_there():
    text = "(defn f [xs] (->> xs (filter odd?) (map (fn [x] (* x x))) (reduce -)))"
    assert run_pure(f"{text} (f [2 5 4 3 1])") == 15
    assert run_pure(f"{text} (f [2 7])") == 49
    with pytest.raises(ProgramError, match="empty collection needs an initial value"):
        run_pure(f"{text} (f [2])")


def test_a_first_item_that_is_nil_or_false_has_begun():
    assert run_pure("(reduce (fn [a b] [a b]) [nil false 1])") == ((None, False), 1)


def test_text_is_reduced_without_being_added():
    with pytest.raises(ProgramError):
        run_pure('(defn f [xs] (reduce + xs)) (f ["a" "b"])')
    assert run_pure('(defn f [xs] (reduce + xs)) (f ["a"])') == "a"
    assert str(run_pure("(defn f [xs] (reduce + (map (fn [x] x) xs))) (f [-0.0])")) == "-0.0"


def test_a_range_that_is_not_built_is_bounded_like_one_that_is():
    for text in ("(map (fn [i] i) (range 20000000))", "(reduce + (range 20000000))"):
        with pytest.raises(LimitError, match="range would have more than"):
            run_pure(text)
    with pytest.raises(ProgramError, match="must not be zero"):
        run_pure("(map (fn [i] i) (range 1 5 0))")
    with pytest.raises(ProgramError, match="range"):
        run_pure("(map (fn [i] i) (range :a))")


def test_steps_that_fail_in_another_order_find_the_first_error():
    text = "(reduce + (map (fn [x] (/ 1 x)) (filter (fn [x] (> x :a)) (range 0 3))))"
    with pytest.raises(ProgramError) as failed:
        run_pure(text)
    assert failed.value.kind == "TypeError"


@pytest.mark.parametrize("source", ["(range 3)", "[0 1 2]"])
def test_the_stack_of_an_error_in_a_collected_item(source):
    with pytest.raises(ProgramError) as failed:
        run_pure(f"(defn half [x] (/ 6 (- x 1)))\n(defn f [] (map half {source}))\n(f)")
    assert [entry.split(" at ")[0] for entry in failed.value.value.stack] == ["half", "f", "top level"]


def test_a_named_function_is_found_when_it_is_defined_later():
    with pytest.raises(ProgramError, match="later"):
        run_pure("(defn f [xs] (map later xs)) (f [1]) (defn later [x] x)")
    assert run_pure("(defn f [xs] (map later xs)) (defn later [x] (+ x 1)) (f [1])") == (2,)


def test_a_tree_is_walked_by_a_function_that_maps_itself():
    text = "(defn size [t] (+ 1 (reduce + 0 (map size (:parts t)))))"
    assert run_pure(text + "(size {:parts [{:parts []} {:parts [{:parts []}]}]})") == 4


def test_walking_takes_steps():
    run = Instance(compile_source("(reduce + (map inc (range 80000)))"), limits=Limits()).start()
    assert isinstance(run.step(), Complete)
    assert run.steps == 20_000  # eight items for a step: the range, and the walk
    with pytest.raises(LimitError):
        Instance(compile_source("(reduce + (map inc (range 80000)))"), limits=Limits(steps=19_000)).start().step()


def test_for_and_dotimes_are_loops_that_mean_the_same():
    assert run_pure("(for [x [1 2 3] :when (odd? x) :let [y (* x x)]] [x y])") == ((1, 1), (3, 9))
    assert run_pure("(for [x [1 2]] 7)") == (7, 7)
    assert run_pure("(for [x (range 3) y (range x)] [x y])") == ((1, 0), (2, 0), (2, 1))
    assert run_pure("(for [x (range 9) :while (< x 2)] x)") == (0, 1)
    assert run_pure("(doseq [x [1 2]] x)") is None
    assert run_pure("(dotimes [i 12] (* i i))") == 121
    assert run_pure("(dotimes [i 0] i)") is None
    assert run_pure("(dotimes [i -3] i)") is None
    assert run_pure("(map (fn [g] (g)) (for [i (range 3)] (fn [] i)))") == (0, 1, 2)


def test_for_and_dotimes_refuse_what_has_no_items_and_no_count():
    for text in ("(defn f [x] (for [c x] c)) (f 5)", "(defn f [x] (for [c x] c)) (f :a)"):
        with pytest.raises(ProgramError, match="for: expected collection"):
            run_pure(text)
    with pytest.raises(ProgramError, match="dotimes: expected integer, got float"):
        run_pure("(defn f [x] (dotimes [i x] i)) (f 1.5)")
    with pytest.raises(ProgramError, match="keep: expected collection"):
        run_pure("(defn f [x] (keep (fn [y] y) x)) (f 1)")


def test_items_that_are_nil_are_not_kept():
    assert run_pure("(keep (fn [x] (if (odd? x) (* x x) nil)) (range 6))") == (1, 9, 25)
    assert run_pure("(reduce + (keep :n [{:n 1} {} {:n 4}]))") == 5
    assert run_pure("(keep (fn [x] false) [1])") == (False,)


def test_the_stack_of_an_error_in_a_function_that_was_inlined_where_an_item_is_made():
    with pytest.raises(ProgramError) as failed:
        run_pure("(defn half [x] (/ 6 (- x 1)))\n(defn f [] (map (fn [x] (half x)) [1]))\n[(f)]")
    assert [entry.split(" at ")[0] for entry in failed.value.value.stack] == ["half", "fn", "f", "top level"]


def test_a_search_that_ends_early_hides_no_error_of_a_step_before_it():
    text = "(defn f [xs] (not-any? odd? (filter (fn [x] (mod x 3)) xs)))"
    with pytest.raises(ProgramError, match="mod"):
        run_pure(f"{text} (f [1 :a])")
    assert run_pure(f"{text} (f [2 4])") is True
    assert run_pure("(some (fn [x] (if (> x 9) x nil)) (map (fn [x] (* x x)) (range 9)))") == 16


def test_what_a_pattern_refuses_is_told_at_its_function():
    with pytest.raises(ProgramError) as failed:
        run_pure("(map (fn [[a b]] a) [1])")
    assert failed.value.value.span == "<string>:1:6"
