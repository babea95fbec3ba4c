"""Functions compiled again for known kinds: who gets a version, who must not, and that no result depends on it."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, surroundings
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.forms import ListForm
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.passes import kinds
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.table import ALL, optimise
from rtfs_framework.lang.passes.versions import Versions
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.views import view
from rtfs_framework.stdlib.library import BUILTINS


def versions(text):
    """Return the versions of a program's functions, by name, as lists of kinds."""
    around = surroundings()
    program = optimise(view(Source("p", text), around).program, around.library, ALL - {"inline", "fuse"})
    made = Versions(program, program.functions)
    return {name: [tuple(each.kinds) for each in made.of(name)] for name in program.functions}


def results(text):
    around = surroundings()
    program = optimise(view(Source("p", text), around).program, around.library, ALL - {"inline", "fuse"})
    made = Versions(program, program.functions)
    return {special.fn.name: special.returns for special in made.all()}


INT, FLOAT, VECTOR = Kind.INT, Kind.FLOAT, Kind.VECTOR


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        # integers are the first guess, and what calls pass is a second
        ("(defn f [x] (* x x)) (defn g [xs] (map f xs))", "f", [(INT,)]),
        ("(defn f [x] (* x x)) (defn g [n] (f (float n)))", "f", [(INT,), (FLOAT,)]),
        ("(defn f [x y] (+ x y)) (defn g [n] (f (inc n) 0.5))", "f", [(INT, INT), (INT, FLOAT)]),
        # a version that knows more stands for the one for integers
        ("(defn f [v i] (nth v (+ i 1))) (defn g [n] (f [1 2] (inc n)))", "f", [(VECTOR, INT)]),
        # a call from a function that stands before
        ("(defn g [n] (f (float n))) (defn f [x] (* x x))", "f", [(INT,), (FLOAT,)]),
        # compared with numbers, or with what is one
        ("(defn f [x y] (if (= x y) 1 (+ y 1))) [f]", "f", [(INT, INT)]),
        # what nobody here calls, but repeats something or calls something else
        ("(defn f [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))", "f", [(INT,)]),
        ("(defn f [n] (if (> n 0) (recur (dec n)) n))", "f", [(INT,)]),
        # -- and what only a host can call, and runs straight through
        ("(defn f [x] (* x x))", "f", []),
        # -- none of these
        ("(defn f [x] (= x :add))", "f", []),
        ("(defn f [x] (str x))", "f", []),
        ("(defn f [& xs] (+ xs 1))", "f", []),
        ("(defn f [[a b]] (+ a b))", "f", []),
        ("(defn f [x : int] (+ x 1))", "f", []),
        ('(defn ^:delegation :remote "m" f [x] (+ x 1))', "f", []),
        # a call that knows too little, and one at top level, ask for nothing
        ("(defn f [x y] (+ x y)) (defn g [n k] (f (float n) (get k 1)))", "f", [(INT, INT)]),
        ("(defn f [x] (* x x)) (f 1.5)", "f", [(INT,)]),
        # not more than two beside the first
        (
            "(defn f [x y z] (+ x y z)) (defn g [k] (let [n (inc k)] [(f n n 0.5) (f n 0.5 n) (f 0.5 n n)]))",
            "f",
            [(INT, INT, INT), (INT, INT, FLOAT), (INT, FLOAT, INT)],
        ),
        # what the function makes of it when it goes round
        ("(defn f [n x] (if (> n x) (recur (- n 1) (/ x 2)) n))", "f", [(INT, None)]),
        ('(defn f [n] (if (> n 0) (recur "x") n))', "f", []),
    ],
)
def test_who_gets_which_versions(text, name, wanted):
    assert sorted(versions(text)[name], key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("(defn f [n] (if (< n 2) n (+ (f (- n 1)) (f (- n 2)))))", "f", INT),
        ("(defn f [n] (if (< n 2) n (let [a (f (- n 1))] (+ a 1))))", "f", INT),
        ("(defn f [n] (if (< n 2) n (+ 1 (g (- n 1))))) (defn g [n] (if (< n 2) 0 (* 2 (f (- n 1)))))", "f", INT),
        ("(defn f [n] (if (< n 2) n (+ 1 (g (- n 1))))) (defn g [n] (if (< n 2) nil (* 2 (f (- n 1)))))", "g", None),
        ("(defn f [n] (loop [i 0 s 0] (if (< i n) (recur (inc i) (+ s (f i))) s)))", "f", INT),
        ('(defn f [n] (if (< n 2) "one" (f (- n 1))))', "f", Kind.STRING),
        ('(defn f [n] (if (< n 2) "one" (if (< n 9) n (f (- n 1)))))', "f", None),
        ("(defn f [n] (if (< n 2) 1 (h (- n 1)))) (defn h [n] (call :host n))", "f", None),
    ],
)
def test_results_are_known_over_the_whole_program(text, name, wanted):
    assert results(text)[name] is wanted


def outcome(text, passes):
    try:
        return canonical_print(PureHost().finish(Instance(compile_source(text, passes=passes, verified=True)).start()))
    except ProgramError as error:
        return error.kind, str(error), error.value.span, error.value.stack


RUN = """
(defn run [code start]
  (loop [pc start] (match (nth code pc) [:skip] (recur (inc pc)) [:to target] (recur target) [:stop] (* pc pc))))"""

TYPED = "(defn f [s] (match s [:a (:int n)] (* n n) [:b (:string t)] (count t) [:c (:as w (:int n))] (+ w n) _ 0))"
SHOW = """
(defn show [x]
  (cond (int? x) (+ x 1) (float? x) (* x 2.0) (string? x) [(count x) (str x x)] (vector? x) [(count x) (nth x 1)]
        (map? x) (get x :a) :else nil))"""


@pytest.mark.parametrize(
    "text",
    [
        # code runs between a definition and the one that it needs
        "(defn f [n] (+ n (g n)))\n(f 1)\n(defn g [n] (* n 2))",
        "(defn f [n] (+ n (g n)))\n(def x (f 1))\n(defn g [n] (* n 2))",
        "(defn f [n] (+ n (g n)))\n(def x 5)\n(defn g [n] (* n 2))\n(f x)",
        # the same functions, with values of other kinds
        '(defn f [v i] (+ (nth v i) i)) (defn g [n] (f [1 2.5 3] n)) [(g 0) (g 1) (f (list 1 2) 1) (f "ab" 0)]',
        "(defn f [v n] (if (< n 1) (count v) (f (conj v n) (- n 1)))) [(f [] 100) (f [] 3) (f nil 4) (f '(1) 2)]",
        "(defn f [v i] (if (< i (count v)) (+ (nth v i) (f v (+ i 1))) 0)) (f (conj (vec (range 40)) 1) 0)",
        "(defn f [v] (first (rest v))) (defn g [n] (f (conj (vec (range 40)) n))) (g 1)",
        "(defn f [x y] (+ x y)) (defn g [n] [(f n 0.5) (f n n) (f 0.5 n)]) [(g 1) (g 2.5) (f 1 true)]",
        "(defn f [a] (let [x (nth a 0)] (if (< x 3) (- x 1) (+ x x)))) [(f [1]) (f [5]) (f [0.5]) (f [nil])]",
        "(defn f [a] (let [x (nth a 0) y (nth a 1)] (if (< x y) (- y x) (* x y)))) [(f [1 2]) (f [2.5 1]) (f [3 :a])]",
        "(defn f [m] (let [x (:n m)] (if (= x 0) :none (+ x x)))) [(f {:n 0}) (f {:n 0.0}) (f {:n 2}) (f {})]",
        # what `nth` took was an integer
        f"{RUN} [(run [[:skip] [:to 2] [:stop]] 0) (run [[:skip] [:skip] [:stop]] 1)]",
        f"{RUN} (run [[:skip] [:to 1.5]] 0)",
        f"{RUN} (run [[:skip] [:to nil]] 0)",
        "(defn f [p v] (let [i (get p :at) x (nth v i :none)] [x (- i 1) (* i i)])) [(f {:at 0} [1]) (f {:at 9} [])]",
        "(defn f [p v] (let [i (get p :at) x (nth v i)] [x (- i 1)])) (f {:at 0.5} [1])",
        "(defn f [p v] (let [i (get p :at) x (if v (nth v i) 0)] [x (- i 1)])) [(f {:at 0.5} nil) (f {:at 0} [1])]",
        # a test or a pattern has asked
        f'{SHOW} (map show [1 2.5 "abc" nil true [1 2] {{:a 1}} \'(1 2) (conj (vec (range 40)) 1)])',
        "(defn f [x] (and (int? x) (< x 10) (> (- x 1) 0))) (map f [1 5 11 2.5 nil])",
        "(defn f [x y] (if (int? x) (- y 1) (- x 1))) [(f 1 2.5) (f 2.5 nil) (f 0 7)]",
        "(defn f [x y] (if (or (int? x) (int? y)) (- x y) 0)) [(f 1 2.5) (f 2.5 1) (f nil nil) (f 1 nil)]",
        f'{TYPED} (map f [[:a 3] [:a 2.5] [:b "xy"] [:c 4] [:c nil] 5])',
        "(defn f [n x] (if (and (int? x) (> n 0)) (recur (- n 1) (/ x 2)) [x (str x)])) [(f 5 12) (f 2 8) (f 1 :k)]",
        "(defn f [x] (loop [x x i 0] (if (and (int? x) (< i 4)) (recur (/ (+ x 1) 2) (inc i)) (str x)))) (f 7)",
        "(defn f [x] (let [g (if (int? x) (fn [y] (+ x y)) (fn [y] [x y]))] (g 1))) (map f [1 2.5 nil])",
        "(defn f [m i] (assoc m i (+ i 1))) (defn g [n] (f {:a 1} n)) [(g 1) (f [1 2] 1) (f nil 1)]",
        '(defn f [n s] (str s n (if (even? n) "e" "o") (* n n) (str n s))) [(f 3 "x") (f 10 2.5) (f -1 nil)]',
        '(defn f [n] (str "a" (* n n n) n)) [(f 99999999999999999999999) (f -5) (f 1180591620717411303424)]',
    ],
)
def test_no_result_depends_on_versions(text):
    wanted = outcome(text, {"mutual"})
    assert {name: outcome(text, made) for name, made in SETS.items()} == dict.fromkeys(SETS, wanted)


SETS = {
    "all": ALL,
    "numbers": {"numbers"},
    "without inlining": ALL - {"inline"},
    "with shortcuts": {"numbers", "shortcuts"},
}


def test_what_is_known_of_results_agrees_with_the_library():
    seen = set()
    for record in [record for record in dict.fromkeys(BUILTINS.values()) if record.effect is None]:
        for program, shown in record.examples:
            form = read_program(Source("<example>", program))[-1]
            if isinstance(form, ListForm) and getattr(form.items[0], "name", "") == record.name and shown[0] != "!":
                function = ir.Builtin.of(BUILTINS, record.name, form.span)
                known = kinds.result(function, [None] * (len(form.items) - 1))
                value = PureHost().finish(Instance(compile_source(program, passes={"mutual"})).start())
                assert known in (None, kinds.of_value(value)), program
                seen.add((record.name, known))
    assert {kind for _, kind in seen} == {None, *Kind} - {Kind.NEVER}
    assert len([name for name, kind in seen if kind is not None]) > 100
    assert {("float", Kind.FLOAT), ("count", Kind.INT), ("=", Kind.BOOL), ("str", Kind.STRING)} <= seen
    assert {("split", Kind.VECTOR), ("merge", Kind.MAP), ("get", None), ("+", None)} <= seen
