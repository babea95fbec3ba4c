"""Memoised functions: what is refused and where, and what makes another key."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.diagnostics import refusals
from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.source import Source


def told(text):
    """Return what is refused of a program: (what stands at its place, message, way out)."""
    try:
        found = refusals(compile_source(text).diagnostics)
    except LanguageError as error:
        found = error.diagnostics
    assert {each.code for each in found} <= {"E0247"}
    return [(text[each.span.start : each.span.end], each.message, each.help) for each in found]


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("(defn ^:memo f [x] (call :a.b x))", "call", "it asks the host for a capability"),
        (
            "(defn g [x] (call :a.b x)) (defn ^:memo f [x] (g x))",
            "call",
            "it uses g, which asks the host for a cap",
        ),
        ("(defn ^:memo f [x] (context/get :a))", "context/get", "it reads or writes the host's context"),
        ('(defn ^:memo f [x] (step "a" x))', '(step "a" x)', "it tells the host of a step"),
        ("(defn ^:memo f [x] ^{:runtime.timeout-ms 5} (inc x))", None, "it tells the host hints"),
        ("(defn ^:memo f [x] (gensym))", "gensym", "it makes a symbol that no other call makes"),
        ("(defn ^:memo f [x] (pmap-settled inc [x]))", "pmap-settled", "it gives errors, which know where"),
        ("(def r (call :a.b)) (defn ^:memo f [x] (+ r x))", "call", "it uses r, which asks the host for a capability"),
        (
            "(defn g [x] (call :a.b x)) (def h (comp inc g)) (defn ^:memo f [x] (h x))",
            "call",
            "it uses g, which asks the host for a cap",
        ),
        (
            '(defn ^:delegation :remote "m" g [x] x) (defn ^:memo f [x] (g x))',
            None,
            "it uses g, which calls g, whose calls may go elsewhere",
        ),
        ("(def a 1) (def a 2) (defn ^:memo f [x] a)", None, "it uses a, which is set more than once"),
        ("(when true (def a 1)) (defn ^:memo f [x] a)", None, "it uses a, which is defined inside another form"),
        ("(defn ^:memo f [x] (try (/ 1 x) (catch e (:stack e))))", "e", "it looks at a caught error beyond its"),
        ("(defn ^:memo f [x k] (try (/ 1 x) (catch e (get e k))))", "e", "it looks at a caught error beyond its"),
        ("(let [k 1] (defn ^:memo f [x] (+ k x)))", None, "only functions of the top level are"),
        ("(map (fn ^:memo [x] x) [1])", None, "only functions of the top level are"),
        ("(def ^:memo f 1)", None, "it is no function of the top level"),
        ("(def ^:memo f (comp inc dec))", None, "it is no function of the top level"),
        ('(defn ^:delegation :remote "m" ^:memo f [x] x)', None, "its calls may go elsewhere"),
    ],
)
def test_what_is_not_proved_pure_is_refused_at_its_place_with_a_way_out(text, place, why):
    found = told(text)
    assert len(found) == 1
    at, message, way_out = found[0]
    assert place is None or at.startswith((place, f"({place}"))
    assert "cannot be memoised: " in message
    assert why in message
    assert way_out


@pytest.mark.parametrize(
    "text",
    [
        "(defn ^:memo f [x] (if (= x 0) 1 (* x (f (dec x)))))",
        "(def ^:memo f (fn [x] x))",
        "(defn ^{:memo true} f ([x] (f x 1)) ([x y] (+ x y)))",
        "(def k 3) (defn g [x] (* x k)) (defn ^:memo f [xs] (map g xs))",
        "(defn ^:memo f [x] (try (/ 1 x) (catch e [(:kind e) (:message e) (:data e)])))",
        "(defn ^:memo f [x] (try (/ 1 x) (catch DivisionByZero e (throw e))))",
        "(defn ^:delegation :local ^:memo f [x] x)",
        "(defn ^:memo f [g x] (g x))",
    ],
)
def test_what_is_pure_is_not(text):
    assert told(text) == []
    assert set(compile_source(text).memos) == {"f"}


def test_what_others_may_claim_does_not_keep_a_function_from_being_memoised_but_what_it_calls_does():
    def claimed(text):
        artifact = compile_source(text, delegatable=lambda _name: True)
        return [each.message for each in refusals(artifact.diagnostics)]

    assert claimed("(defn ^:memo f [x] (inc x))") == []
    found = claimed("(defn g [x] x) (defn ^:memo f [x] (g x))")
    assert found == ["f cannot be memoised: it uses g, which calls g, whose calls may go elsewhere"]


def key(text, **options):
    return compile_source(text, **options).memos["f"].digest


BASE = """(deftype Age [:and :int [:>= 0]])
(def limit 10)
(def table {:a 1 :b 2})
(defn other [x] x)
(defn double [x] (* 2 x))
(defn ^:memo f [x : Age] (+ limit (double x) (get table :a)))"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(+ limit (double", "(- limit (double"),
        ("(* 2 x)", "(* 3 x)"),
        ("(def limit 10)", "(def limit 11)"),
        ("(def limit 10)", "(def limit 10.0)"),
        ("{:a 1 :b 2}", "{:b 2 :a 1}"),
        ("[:>= 0]", "[:>= 1]"),
        ("[x : Age]", "[x : :int]"),
        ("(def limit 10)\n", "(def limit (double 5))\n"),
        ("(get table :a)", "(get table :b)"),
        ("^:memo f [x", "^:memo f [x y & more] [x] (defn ^:memo g [x"),
    ],
)
def test_whatever_a_value_rests_on_makes_another_key(before, after):
    changed = BASE.replace(before, after)
    if "defn ^:memo g" in changed:  # the arity
        changed = BASE.replace("[x : Age]", "[x : Age & more]")
    assert changed != BASE
    assert key(changed) != key(BASE)


@pytest.mark.parametrize(
    "changed",
    [
        BASE.replace("(defn other [x] x)", "(defn other [x] (inc x))"),
        BASE.replace("(defn other [x] x)\n", ""),
        f"; a comment\n\n{BASE}\n(f 1)",
        BASE.replace("(+ limit", "(+   limit"),
    ],
)
def test_what_it_does_not_rest_on_does_not(changed):
    assert key(changed) == key(BASE)


def test_the_order_in_which_values_are_made_counts():
    one, other = "(def b (try a (catch _ 0)))", "(def a 1)"
    function = "(defn ^:memo f [x] (+ b x))"
    assert key(f"{one}\n{other}\n{function}") != key(f"{other}\n{one}\n{function}")


def test_a_function_of_a_module_counts_as_the_program_s_own():
    def of(body):
        text = f"(module m (:exports [g]) (defn g [x] {body}))"
        found = lambda name: Source("m.rtfs", text) if name == "m" else None  # noqa: E731
        return key("(import m) (defn ^:memo f [x] (m/g x))", find_module=found)

    assert of("(inc x)") == of("(inc  x)") != of("(dec x)")


def test_kept_programs_know_their_keys():
    artifact = compile_source(BASE)
    assert load_artifact(dump_artifact(artifact)).memos == artifact.memos != {}
