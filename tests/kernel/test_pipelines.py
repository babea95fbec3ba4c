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
