"""Checks of declared types are left out where the value surely fits, and only there; a program means the same."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import ProgramError


def checked(text):
    """Return how many types a compiled program checks."""
    return len(compile_source(text).checked)


@pytest.mark.parametrize(
    "text",
    [
        "(let [x : int 5] x)",
        "(let [x : int 5 y : int (* (+ x 1) (- x))] y)",
        "(def x : string (str 1 2))",
        "(let [v : [:vector :int] [1 (count [1])]] v)",
        "(let [v : [:tuple :int [:optional :string]] [1 nil]] v)",
        "(let [n : [:enum 1 2] 2] n)",
        "(let [f : float (+ 1 2.5)] f)",
        "(defn f [a b] : bool (and (= a b) (not= a 1))) (f 1 2)",
        "(defn f [a] : [:union :int :string] (if a 1 (str a))) (f 1)",
        "(defn f [n] : int (if (= n 0) 7 (recur (dec n)))) (f 5)",
        "(defn f [a] : [:optional :string] (match a 1 (str a) _ nil)) (f 1)",
        "(let [y : int (/ 4 2)] y)",
        "(deftype Id :int) (let [x : Id 5] x)",
        "(defn g [] 1) (defn f [] : int (if (g) (g) 1))",
    ],
)
def test_a_proved_check_is_left_out(text):
    assert checked(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "(let [x : int (call :host)] x)",
        "(defn f [] : int (call :host))",
        "(let [x 1.5 y : int (+ 1 x)] y)",
        "(let [y : int (/ 5 2)] y)",
        "(let [v : [:vector :int] [1 (call :host)]] v)",
        "(defn f [x] : int x)",
        "(defn f [x : int] 1)",
        "(defn f [x] (let [y : string (get x :a)] y))",
        "(let [x : int @name] x)",
        "(deftype Id :int) (let [x : Id 5.5] x)",
        "(defn g [x] x) (defn f [x] : int (if (g x) (g x) 1))",
        '(defn f [x] : int (try (count x) (catch e "no")))',
        "(defn f [c x] (if c (def x 1)) (let [y : int x] y))",
        "(loop [i 0 s 1] (if (< i 2) (recur (inc i) (str s)) (let [t : int s] t)))",
        '(defn ^:delegation :remote "m" f [x] : int x)',
        '(defn ^:delegation :remote "m" f [x] : int 5) (let [y : int (f 1)] y)',
        "(let [n : [:and :int [:> 3]] (+ 1 1)] n)",
    ],
)
def test_what_is_not_proved_is_checked(text):
    assert checked(text) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "(let [x : int @name] x)",
        "(defn id [x] x) (defn f [x] : int (id x)) (f (str 1))",
        "(defn id [x] x) (let [v : [:vector :int] [1 (id nil)]] v)",
        "(loop [i 0 s 1] (if (< i 2) (recur (inc i) (str s)) (let [t : int s] t)))",
        "(let [n : [:and :int [:> 3]] (+ 1 1)] n)",
        "(deftype Int :string) (let [x : Int 5] x)",
    ],
)
def test_what_does_not_fit_still_fails(text):
    class Host(PureHost):
        def answer(self, run, call):
            return run.resume("text")

    with pytest.raises(ProgramError) as caught:
        Host().finish(Instance(compile_source(text)).start())
    assert caught.value.kind == "TypeValidationError"
