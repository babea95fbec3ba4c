"""What is found: each kind of finding with its code, severity, words, place and way out; and its innocent neighbour."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source

# Program, code, severity, a word of the message, the text that is pointed at.
FOUND = [
    ("(defn add [a b] (+ a b)) (add 1)", "E0204", "error", "add: expected 2, got 1", "(add 1)"),
    ("(defn add [a & r] [a r]) (add)", "E0204", "error", "expected at least 1, got 0", "(add)"),
    ("(let [f (fn [x] x)] (f 1 2))", "E0204", "error", "f: expected 1, got 2", "(f 1 2)"),
    ("(letfn [(f [x] x)] (f))", "E0204", "error", "expected 1, got 0", "(f)"),
    ("((fn [x] x))", "E0204", "error", "this function: expected 1, got 0", "((fn [x] x))"),
    ("((fn me [x] x) 1 2)", "E0204", "error", "me: expected 1, got 2", "((fn me [x] x) 1 2)"),
    ("(defn f [x] (if x (f) 1))", "E0204", "error", "expected 1, got 0", "(f)"),
    ("(defstruct P :x :int) (P {:x 1} 2)", "E0204", "error", "P.new: expected 1, got 2", "(P {:x 1} 2)"),
    ("((count [1]) 2)", "E0205", "error", "expected a function, got an integer", "(count [1])"),
    ('(let [n "f"] (n 1))', "E0205", "error", "got a string", "n"),
    ("(let [a 1] 2)", "E0230", "hint", "'a' is bound and never used", "a"),
    ("(let [[a b] [1 2]] b)", "E0230", "hint", "'a'", "a"),
    ("(let [{:keys [k]} {}] 1)", "E0230", "hint", "'k'", "k"),
    ("(match [1 2] [a b] a)", "E0230", "hint", "'b'", "b"),
    ("(loop [i 0 j 1] (if (< i 3) (recur (inc i) 1) i))", "E0230", "hint", "'j'", "j"),
    ("(defn f [a b] a)", "E0231", "hint", "'b' is a parameter of f", "b"),
    ("(defn inc [x] x)", "E0234", "hint", "'inc' hides the library's", "(defn inc [x] x)"),
    ("(defn f [x : number] x)", "E0324", "warning", "no type is called 'number'", "number"),
    (
        "(defn f [x] : [:vector [:union :nil strin]] [x])",
        "E0324",
        "warning",
        "'strin'",
        "strin",
    ),
    ("(defn f [x] (let [y : Bolean? x] y))", "E0324", "warning", "'Bolean?'", "Bolean?"),
    ("(defn f [k] {:a 1 k 2 :a 3})", "E0244", "warning", "the key :a stands twice", ":a"),
    ("(match [] x x 1 2)", "E0240", "warning", "fits every value", "2"),
    ("(match (str) 1 :a 1 :b _ :c)", "E0240", "warning", "the literal 1", ":b"),
    ("(defn f [v] (match v [a _] a [_ b] b))", "E0240", "warning", "fits all that it fits", "b"),
    ("(defn f [v] (match v [a & _] a [_ b] b))", "E0240", "warning", "fits all that it fits", "b"),
    ("(defn f [v] (match v [1 :a] 1 [1 :a] 2))", "E0240", "warning", "fits all that it fits", "2"),
    ("(defn f [v] (match v [1 & r] r [1 2] :two))", "E0240", "warning", "fits all that it fits", ":two"),
    ("(defn f [v] (match v {:a 1} 1 {:a 1 :b 2} 2))", "E0240", "warning", "fits all that it fits", "2"),
    ("(defn f [v] (match v {:a x} x {:a [1]} :one))", "E0240", "warning", "fits all that it fits", ":one"),
    ("(defn f [x] (case x 1 :a 2 :b 1 :c))", "E0240", "warning", "the literal 1 was tested before", "1"),
    ("(defn f [x] (case x (1 2) :a 2 :b :c))", "E0240", "warning", "the literal 2 was tested before", "2"),
    ('(defn f [x] (cond (= x "a") 1 (< 1 2) 3 (= "a" x) 2))', "E0240", "warning", 'literal "a"', '"a"'),
    ("(defn f [v] (match v (:int n) n 5 :five))", "E0240", "warning", "fits every :int", ":five"),
    ("(defn f [v] (match v (:int n) n (:int m) m))", "E0240", "warning", "the type :int", "m"),
    ("(if true 1 2)", "E0241", "warning", "always true", "2"),
    ("(when nil (str 1))", "E0241", "warning", "always false", "(str 1)"),
    ("(defn f [x] (cond (int? x) 1 :else 2 (str? x) 3))", "E0241", "warning", "always true", "(str? x)"),
    ("(try 1 (catch e 2) (catch TypeError e 3))", "E0242", "warning", "takes every error", "3"),
    ('(do (throw "a") 2)', "E0243", "warning", "throw", "2"),
    ("(defn f [x : int] x) (f :a)", "E0320", "error", "x of f: Type mismatch: expected :int, got keyword", ":a"),
    ("(defn f [& x : int] x) (f 1 nil)", "E0320", "error", "got nil", "nil"),
    ("(defn f [x : [:vector :int]] x) (f [1 (str 2)])", "E0320", "error", "at [1]", "[1 (str 2)]"),
    ('(defn f [] : int "a")', "E0320", "error", "f gives what it declares not to", '"a"'),
    ("(defn f [x] : int (if x 1 :b))", "E0320", "error", "got keyword", ":b"),
    ("(defn f [x] : int (when x 1))", "E0320", "warning", "nil when no test holds", "(when x 1)"),
    ("(let [x : int (str 1)] x)", "E0320", "error", "expected :int, got a string", "(str 1)"),
    ("(def x : [:tuple :int :int] [1])", "E0320", "error", "expected 2 items, got 1", "[1]"),
    ("(defstruct P :x :int :y :int) (P {:x 1})", "E0320", "error", "Missing required key :y", "{:x 1}"),
    ('(defstruct P :x :int) (P {:x "a"})', "E0320", "error", "at .x", '{:x "a"}'),
    ("(deftype Age [:and :int [:> 0]]) (def a : Age -1)", "E0320", "error", "[:> 0]", "-1"),
    ('(+ 1 "a")', "E0321", "error", "+ needs a number here, and this is a string", '"a"'),
    ("(< 1 :a)", "E0321", "error", "< needs", ":a"),
    ('(< 1 "2")', "E0321", "error", "needs a number", '"2"'),
    ("(defn f [s : string] (* s 2))", "E0321", "error", "this is a string", "s"),
    ("(def s (str 1)) (inc s)", "E0321", "error", "this is a string", "s"),
    ("(defn f [] (str 1)) (inc (f))", "E0321", "error", "this is a string", "(f)"),
    ("(map 5 [1])", "E0321", "error", "map needs a function", "5"),
    ("(count 5)", "E0321", "error", "count needs", "5"),
    ("(for [x 5] x)", "E0321", "error", "for needs", "5"),
    ("(dotimes [i :a] i)", "E0321", "error", "dotimes needs an integer", ":a"),
    ('(:k "s")', "E0322", "error", ":k is looked up in a map, and this is a string", '"s"'),
    ("(:k (count []))", "E0322", "error", "this is an integer", "(count [])"),
    ("(defn f [s : [:enum :a :b]] (match s :a 1 :c 2 _ 3))", "E0323", "warning", "cannot be :c", "2"),
    ("(defn f [s] (match (count s) 0 1 :none 2 _ 3))", "E0323", "warning", "cannot be :none", "2"),
]

# Programs that look alike and are fine: nothing is found.
FINE = [
    "(defn add [a & r] [a r]) (add 1 2 3)",
    "(def f (fn [x] x)) (def f (fn [x y] [x y])) (f 1 2)",
    "(defn f [g] (g 1 2 3)) (f (fn [x] x))",
    "(defn f [_x & _] 1) (f 1)",
    "(map (fn [x] 1) [1 2])",
    "(for [x [1 2]] 0)",
    "(try 1 (catch e 2))",
    "(try (throw (str 1)) (catch TypeError e 2) (catch e 3))",
    '(defn f [x] (if x (throw "a") 1))',
    "(defn f [x] (when x 1))",
    "(defn f [x] (cond (int? x) 1 true 2))",
    "(defn f [v] (match v [a] a [a b] [a b] [a b & r] [a b r] _ nil))",
    "(defn f [v] (match v x when (int? x) 1 x x))",
    "(defn f [v] (match v [1 b] b [a 2] a _ 0))",
    "(defn f [v] (match v ##NaN 1 1 2 1.0 3 true 4 _ 5))",
    "(loop [[a & r] [1 2] s 0] (if a (recur r (+ s a)) s))",
    "(defn f [v] (match v [1] 1 [2] 2 [1 & r] r))",
    "(for [x [1 2] :when true] x)",
    "(deftype Id :int) (defstruct P :id Id :next P?) (defn f [p : P i : Id? j : Int] [p i j])",
    "(defn f [x : [:map [:a Int?] [:b [:resource Foo]]]] x)",
    "(defn f [v] (match v {:a 1 :b 2} 2 {:a 1} 1 {:a _} 0))",
    "(defn f [v] (match v [1 & _] 1 [_ & r] r))",
    '(defn f [x] (case x 1 :a 1.0 :b ##NaN 3 ##NaN 4 true 5 "1" 6))',
    "(defn f [x y] (cond (= x 1) 1 (= y 1) 2 (= x 2) 3))",
    "(defn f [x] (if (= x 1) (if (= x 1) 2 3) 4))",
    "(defn f [x] : [:optional :int] (when x 1))",
    "(defn f [x : float] x) (f 1)",
    "(let [x : float 1] x)",
    '(def x : [:map [:a :int]] {"a" 1})',
    "(defn f [x] (if (string? x) (str x) (+ x 1))) (f 1)",
    '(let [x "a"] (if (int? x) (+ x 1) x))',
    '(let [x "a"] (and (int? x) (+ x 1)))',
    "(def limit nil) (if limit (+ limit 1) 0)",
    '(def mode "a") (match mode (:int n) (+ mode n) _ 0)',
    "(defn f [x : [:union :int :string]] (if (int? x) (+ x 1) x))",
    '(< "a" "b")',
    "(+ 1 (if (= 1 2) 3 nil))",
    "(+ 1 (or nil 2))",
    "((first [inc]) 1)",
    "(:k nil)",
    "(:message (ex-info (str 1) {}))",
    "((get {:f inc} :f) 1)",
    "(let [m {:a 1}] (m :a))",
    "(defn f [n] (if (= n 0) nil (f (dec n)))) (f 3)",
    "(defn a [n] (if (= n 0) 1 (b (dec n)))) (defn b [n] (if (= n 0) 2 (a (dec n)))) (+ 1 (a 3))",
    '(defn ^:delegation :remote "m" ask [q : string] : int "never") (ask "x")',
    "(defmacro unless [c b] `(if ~c nil ~b)) (unless true 2)",
    "(defmacro one [] `(let [x# 1] 2)) (one)",
]  # fmt: skip


def findings(text):
    return list(compile_source(text).diagnostics)


@pytest.mark.parametrize(("text", "code", "severity", "words", "at"), FOUND)
def test_found(text, code, severity, words, at):
    found = [each for each in findings(text) if each.code == code]
    assert len(found) == 1, found
    (one,) = found
    assert (one.severity, one.source.text[one.span.start : one.span.end]) == (severity, at)
    assert words in one.message
    assert one.help


@pytest.mark.parametrize("text", FINE)
def test_fine(text):
    assert [each.render() for each in findings(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        '(try (+ 1 "a") (catch e 2))',
        "(defn f [x] x) (try (f) (catch e 2))",
        "(try (inc 1 2) (catch ArityMismatch e 2))",
        "(try (1 2) (catch _ 2))",
        '(if false (+ 1 "a") 2)',
    ],
)
def test_where_a_failure_is_handled_or_never_reached_it_is_a_warning(text):
    found = findings(text)
    assert found
    assert {each.severity for each in found} == {"warning"}


def test_handlers_and_finally_are_not_handled_themselves():
    assert [each.severity for each in findings('(try 1 (catch e (+ 1 "a")))')] == ["error"]
    assert [each.severity for each in findings('(try (+ 1 "a") (finally 1))')] == ["error"]


def test_what_follows_a_certain_failure_is_not_judged():
    assert [each.code for each in findings('(do (+ 1 "a") (+ 1 "b"))')] == ["E0321"]


def test_findings_come_in_the_order_of_the_text():
    found = findings('(let [a 1] 2)\n(+ 1 "a")\n(if true 1 2)')
    assert [each.code for each in found] == ["E0230", "E0321", "E0241"]


def test_the_place_of_a_definition_is_told():
    (found,) = findings("(defn f [a b] [a b])\n\n(f 1)")
    assert found.help == "it takes [a b], defined at <string>:1:1"
