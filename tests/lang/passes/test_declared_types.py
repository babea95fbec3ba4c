"""Declared types: a program gives the same, or fails with the same words at the same place, with any set of passes."""

from __future__ import annotations

import re

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view

SETS = [frozenset[str](), *(ALL - {name} for name in sorted(ALL)), *(frozenset({name}) for name in sorted(ALL))]


def outcome(text, passes=ALL):
    """Return the value, or all that is told of the error."""
    try:
        made = PureHost().finish(Instance(compile_source(text, passes=passes, verified=True)).start())
    except ProgramError as error:
        return error.kind, error.message, error.value.span
    return canonical_print(made)


TYPES = """
(defstruct Account :id :int :balance :int :open :bool)
(deftype Mode [:enum :add :scale])
(deftype Step [:or [:tuple [:enum :add] :int] [:tuple [:enum :scale] :int :int] [:tuple [:enum :clear]]])
(deftype Row [:map ["id" :int] ["tags" [:vector :string]]])
(deftype Tree [:map [:v :int] [:next [:optional Tree]]])
(defn any [x] x)
(defn withdraw [a : Account n : :int] : Account
  (if (< (:balance a) n) a (assoc a :balance (- (:balance a) n))))
(defn worth [a : Account] : :int (if (:open a) (:balance a) 0))
(defn run [state : :int step : Step] : :int
  (match step [:add n] (+ state n) [:scale n m] (mod (* state n) m) [:clear] 0))
(defn total [rows : [:vector Row]] : :int (reduce + 0 (map (fn [r : Row] (count (get r "tags"))) rows)))
(defn depth [t : Tree] : :int (if (:next t) (+ 1 (depth (:next t))) 1))
(defn down [n : :int acc : [:vector :int]] : [:vector :int] (if (= n 0) acc (down (- n 1) (conj acc n))))
(defn half [n : :float] : :float (if (< n 1.0) n (half (/ n 2))))
(defn even [n : :int] : :bool (if (= n 0) true (odd (- n 1))))
(defn odd [n : :int] : :bool (if (= n 0) false (even (- n 1))))
(defn pick [m : Mode n : :int?] : :string (str m n))
(defn one [x : [:val 1]] : :any x)
(defn yes [x : [:val true]] : :any x)
(deftype Few [:and :int [:>= 0] [:< 100]])
(defn next [n : Few] : Few (+ n 1))
(defn sum [v : [:vector Few]] : :int (reduce + 0 v))
(defn upto [n : Few] : Few (loop [i 0 s 0] (if (< i n) (recur (inc i) (+ s i)) s)))
"""

CALLS = [
    "(withdraw {:id 1 :balance 10 :open true} 3)",
    "(withdraw {:id 1 :balance 10 :open 5} 3)",
    '(withdraw {:id 1 :balance 10 :open true} "3")',
    "(withdraw {:id 1 :balance 10} 3)",
    '(withdraw {"id" 1 :balance 10 :open true} 3)',
    '(withdraw {:id 1 "balance" 10 :open true} 3)',
    "(withdraw (withdraw {:id 1 :balance 10 :open true} 3) (any 2.5))",
    "(map (fn [a : Account] (withdraw (withdraw a 1) (:id a))) [{:id 1 :balance 10 :open true}])",
    "(map (fn [a : Account] (withdraw a 1)) [{:id 1 :balance 10 :open true} {:id 1}])",
    "(->> (any [{:id 1 :balance 10 :open true}]) (map worth) (reduce + 0))",
    "(->> (any [{:id 1 :balance 10 :open true} 5]) (map worth) (reduce + 0))",
    "(run 1 [:add 2])",
    "(run 1 [:add 2.0])",
    "(run 1 [:scale 5 0])",
    "(run 1.5 [:clear])",
    "(run 1 [:clear 1])",
    "(reduce run 1 [[:add 2] [:scale 3 7] [:clear] [:add 4]])",
    "(reduce (fn [s i] (inc (run s i))) 1 (any [[:add 2] [:scale 3 7] [:adding]]))",
    '(total [{"id" 1 "tags" ["a" "b"]} {"id" 2 "tags" []}])',
    '(total [{"id" 1 "tags" ["a" 5]}])',
    '(total [{"id" 1 "tags" ["a"]} {"tags" []}])',
    "(total 5)",
    "(depth {:v 1 :next {:v 2 :next nil}})",
    "(depth {:v 1 :next {:v 2.5 :next nil}})",
    "(down 3 [])",
    "(down (any nil) [])",
    '(down 2 ["a"])',
    "(half 5)",
    "(half (any :x))",
    "(even 7)",
    "(even (any 1.0))",
    "[(pick :add 1) (pick :scale nil)]",
    "(pick :sub 1)",
    '(pick :add "1")',
    "[(one 1) (yes true)]",
    "(one true)",
    "(yes 1)",
    "(one 1.0)",
    "(letfn [(f [n] : [:val 1] (if (= n 0) 1 (g (- n 1)))) (g [n] : [:val true] (if (= n 0) (any 1) (f n)))] (f 1))",
    "(letfn [(f [n] : [:val 1] (if (= n 0) (any true) (f (- n 1)))) (g [n] : [:val true] (f n))] (g 2))",
    "(let [f (fn [c] : [:val true] (if c (one 1) (any true)))] [(f false) (f true)])",
    "(letfn [(f [] : [:val 1] (any 1)) (g [] : [:val true] (any true)) (h [c] : [:val 1] (if c (f) (g)))] (h false))",
    '(let [x : :int (any "a")] x)',
    "(let [x : Mode (any :scale) y : [:vector Mode] [x x]] y)",
    "(let [f (fn [x : :int] : :string (any x))] (f 1))",
    "(let [f (fn [x : :int] : :int (loop [i x] (if (> i 5) (any i) (recur (inc i)))))] (f 1))",
    "(let [f (fn [x : :int] : :int (try (any :no) (catch e 1)))] (f 1))",
    "(match (any 5) (:string s) s (:int n) (+ n 1))",
    "(match (any nil) (:int? n) :none _ :some)",
    "(match (any true) (:int n) n (:bool b) b)",
    "(def g : :int (any 1.5))",
    "((fn [x : :int & more : :int] : :int (+ x (count more))) 1 2 :x)",
    "(letfn [(f [n : :int] : :int (if (= n 0) (any nil) (g (- n 1)))) (g [n : :int] : :int (f n))] (f 3))",
    # a type with a predicate is of its kind, and checked all the same
    "[(next 1) (next (any 5)) (sum [1 2]) (upto 5)]",
    "(next 99)",
    "(next (any 99))",
    "(next -1)",
    "(next (any true))",
    "(next (any 1.0))",
    "(sum [1 2 -1])",
    "(sum (any [1 2.0]))",
    "(upto 50)",
]


@pytest.mark.parametrize("call", CALLS)
def test_every_set_of_passes_gives_the_same(call):
    text = f"{TYPES}\n{call}"
    found = {outcome(text, passes) for passes in SETS}
    assert found == {outcome(text)}


def test_the_calls_are_worth_comparing():
    outcomes = [outcome(f"{TYPES}\n{call}") for call in CALLS]
    assert 20 < sum(isinstance(each, tuple) for each in outcomes) < len(CALLS) - 15
    kinds = {each[0] for each in outcomes if isinstance(each, tuple)}
    assert kinds == {"TypeValidationError", "DivisionByZero", "TypeError"}


def test_literals_that_python_takes_for_one_are_two_types():
    assert outcome(f"{TYPES}[(one 1) (yes true)]") == "[1 true]"
    assert outcome(f"{TYPES}(yes (any 1))")[0] == outcome(f"{TYPES}(one (any 1.0))")[0] == "TypeValidationError"


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        # only where a value comes in
        ("(defn f [n : :int] : :int (if (< n 2) n (+ (f (- n 1)) (f (- n 2)))))", 1),
        # what a function declares of its result feeds its callers
        ("(defn f [s : :string] : :int (count s)) (defn g [s : :string] : :int (+ 1 (f (str s s))))", 2),
        # what a look-up gives is an integer where it can be counted with
        ("(defn f [a : Account] : :int (+ (:balance a) 1))", 1),
        ('(defn f [r : Row] : :int (get r "id"))', 1),
        # a record that is changed keeps its type
        ("(defn f [a : Account] : Account (assoc a :balance 5 :other nil))", 1),
        ("(defn f [n : :int] : Account {:id n :balance (* n 2) :open (= n 0)})", 1),
        # items of a vector, and vectors of what a function gives
        ("(defn f [v : [:vector Account]] : [:vector :int] (map worth v))", 2),  # once in what `worth` gives
        ('(defn f [v : [:vector Row]] : [:vector Row] (filter (fn [r] (get r "id")) v))', 1),
        ("(defn f [s : Step] : :int (match s [:add n] n [:scale n m] (+ n m) [:clear] 0))", 1),
        # and what is not known is checked
        ("(defn f [a : Account] : :int (:balance a))", 2),
        ("(defn f [a : Account] : Account (assoc a :balance 5.5))", 2),
        ("(defn f [a : Account] : Account (assoc a (any :balance) 5))", 2),
        ("(defn f [a : Account] : Account (dissoc a :balance))", 2),
        ("(defn f [s : Step] : :int (match s [_ n] n _ 0))", 1),
        ("(defn f [s : [:or Step [:tuple :keyword :string]]] : :int (match s [_ n] n _ 0))", 2),
        ("(defn f [t : Tree] : Tree {:v 1 :next t})", 2),
    ],
)
def test_what_is_proved_is_not_checked(text, checks):
    definitions = (
        TYPES[: TYPES.index("(defn withdraw")] + "(defn worth [a : Account] : :int (if (:open a) (:balance a) 0))"
    )
    python = view(Source("p", f"{definitions}\n{text}"), surroundings()).python
    counted = len(re.findall(r"K__\d+\(", python)) - 2  # those of `worth`
    assert counted == checks, python
