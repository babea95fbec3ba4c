"""What passes must not change besides values: the stack of an error, the order of errors, who sees what when."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import InternalError, LimitError, ProgramError
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.verify import verify
from rtfs_framework.lang.passes.table import ALL, selected
from rtfs_framework.lang.source import Span


def outcome(text, passes, **limits):
    instance = Instance(compile_source(text, passes=passes, verified=True), limits=Limits(**limits))
    try:
        return canonical_print(PureHost().finish(instance.start()))
    except ProgramError as error:
        return error.kind, str(error), error.value.span, error.value.stack
    except LimitError as error:
        return "limit", error.dimension


ALIKE = [
    # an inlined function, one inside another, and a lambda, fail
    "(defn half [x] (/ 1 x))\n(defn f [x] (+ 1 (half x)))\n(f 0)",
    "(defn half [x] (/ 1 x))\n(defn twice [x] (* 2 (half x)))\n(defn f [x]\n  (let [y (twice x)] y))\n(f 0)",
    "((fn [a] (+ a 1))\n :no)",
    # the first step fails late, the second early: the first one's error comes first
    "(->> [1 2 :x]\n (map (fn [a] (+ a 1)))\n (filter (fn [b] (> b nil))))",
    "(reduce (fn [a b] (+ a b)) :no\n (map (fn [x] (* x x)) [1 nil]))",
    "(map (fn [x]\n (get x :a)) 5)",
    "(every? (fn [x] (> x 0)) [1 -1 :x])",
    "(every? (fn [x] (> x 0)) [1 :x -1])",
    # a call before the definition fails
    "(defn f [] (g 1))\n(f)\n(defn g [x] x)",
    # what is caught sees the same
    "(defn f [x] (/ 1 x)) (try (f 0) (catch e [(:kind e) (:span e) (:stack e)]))",
    "(match [1 2 3] [a] a [a b] b {:k v} v)",
    "(loop [i 0 v []] (if (< i 3) (recur (+ i 1) (conj v (/ 1 (- 1 i)))) v))",
]


@pytest.mark.parametrize("text", ALIKE)
def test_errors_are_the_same_with_and_without_passes(text):
    wanted = outcome(text, {"mutual"})
    sets = {"all": ALL, **{name: {name} for name in ALL}}
    assert {name: outcome(text, passes) for name, passes in sets.items()} == dict.fromkeys(sets, wanted)


def test_an_inlined_function_stands_in_the_stack():
    _, _, span, stack = outcome("(defn half [x] (/ 1 x))\n(defn f [x] (+ 1 (half x)))\n(f 0)", ALL)
    assert span == "<string>:1:16"
    assert [line.split(" at ")[0] for line in stack] == ["half", "f", "top level"]


def test_what_grew_in_place_is_a_value_afterwards():
    text = """
    (defn up [n] (loop [i 0 v [] m {}] (if (< i n) (recur (+ i 1) (conj v i) (assoc m i v-size)) [v m])))
    (def v-size 7)
    (let [[a m] (up 3) b (conj a :x) n (assoc m :k 1)] [a b m n (= a [0 1 2]) (vector? a)])
    """
    assert outcome(text, ALL) == outcome(text, {"mutual"})
    assert outcome(text, ALL).startswith("[[0 1 2] [0 1 2 :x] {0 7 1 7 2 7}")


def test_what_grows_in_place_is_bounded():
    text = "(loop [i 0 v []] (if (< i 100000) (recur (+ i 1) (conj v i)) v))"
    assert outcome(text, ALL, items=1_000) == ("limit", "items")
    assert outcome(text, {"mutual"}, items=1_000) == ("limit", "items")


def test_a_fused_loop_takes_steps():
    text = "(reduce + 0 (map (fn [x] (* x x)) (range 100000)))"
    assert outcome(text, ALL, steps=1_000) == ("limit", "steps")


def test_an_unknown_pass_is_refused():
    with pytest.raises(ValueError, match="no such pass: fuze"):
        selected({"fuze"})


class TestVerifier:
    span = Span(0, 0)
    frame = ir.FunctionFrame(None)

    def broken(self, *nodes):
        with pytest.raises(InternalError) as caught:
            verify(ir.Program(nodes, frozenset(), frozenset(), ()), "a test")
        return str(caught.value)

    def var(self):
        return ir.Var("x", 1, self.frame)

    def test_an_unbound_variable(self):
        assert self.broken(ir.Local(self.var(), self.span)) == "after a test: x.1 is not bound here"

    def test_a_variable_bound_twice(self):
        bind = ir.Bind(ir.PVar(self.var()), ir.Const(1, self.span), None, self.span)
        assert "bound twice" in self.broken(bind, bind)

    def test_recur_outside_a_tail(self):
        recur = ir.Recur((), None, self.span)
        assert "tail of a loop" in self.broken(
            ir.Loop((), (), ir.Do((recur, ir.Const(1, self.span)), self.span), self.span)
        )

    def test_recur_with_too_few_arguments(self):
        loop = ir.Loop((self.var(),), (ir.Const(1, self.span),), ir.Recur((), None, self.span), self.span)
        assert "another number of arguments" in self.broken(loop)

    def test_push_outside_a_loop(self):
        assert "outside of each" in self.broken(ir.Push(ir.Const(1, self.span), self.span))
