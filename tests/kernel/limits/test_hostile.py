"""Programs that try to get around the limits: each ends soon, whatever it shares, copies or hides."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.measure import live
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError, LimitError
from rtfs_framework.lang.values import Keyword, Symbol


def _shared(name, first, then):
    """A value of 2^40 parts, made of forty."""
    return f"(def {name}0 {first}) " + " ".join(
        f"(def {name}{level} {then.format(f'{name}{level - 1}')})" for level in range(1, 41)
    )


VECTORS = _shared("b", "[1 2]", "[{0} {0}]") + _shared("c", "[1 2]", "[{0} {0}]")
MAPS = _shared("b", "{:a 1}", "{{:l {0} :r {0}}}") + _shared("c", "{:a 1}", "{{:l {0} :r {0}}}")
SHARED = {
    "printed": VECTORS + "(str b40)",
    "the result": VECTORS + "b40",
    "thrown": VECTORS + "(try (throw {:a b40}) (catch e 1))",
    "an error's message": VECTORS + "(ex-info b40 {})",
    "counted": VECTORS + "(count (flatten b40))",
    "compared": VECTORS + "(compare b40 c40)",
    "sorted": VECTORS + "(sort [b40 c40 b40])",
    "as JSON": MAPS + "(serialize-json b40)",
    "merged": MAPS + "(deep-merge b40 c40)",
    "walked": VECTORS + "(postwalk (fn [x] x) b40)",
    "listed": VECTORS + "(count (tree-seq vector? (fn [x] x) b40))",
}
LINEAR = {
    "equal": VECTORS + "(= b40 c40)",
    "equal maps": MAPS + "(= b40 c40)",
    "a key": VECTORS + "(get (hash-map b40 1) c40)",
    "members": MAPS + "(count #{b40 c40})",
    "checked": VECTORS + "(deftype T [:union :int [:vector T]]) (defn g [x :T] 1) (g b40)",
}
LIMITS = {"steps": 300_000, "items": 100_000, "output": 100_000, "memory": 64 << 20}


def _run(text, **limits):
    run = Instance(compile_source(text), limits=Limits(**limits)).start()
    return PureHost().finish(run)


@pytest.mark.parametrize("name", SHARED)
def test_shared_structure_is_walked_no_further_than_allowed(name):
    with pytest.raises(LimitError) as stopped:
        _run(SHARED[name], **LIMITS)
    assert stopped.value.dimension in {"steps", "items", "output", "memory"}


@pytest.mark.parametrize("name", LINEAR)
def test_shared_structure_is_walked_once_where_that_is_enough(name):
    assert _run(LINEAR[name], **LIMITS) in {True, 2}


WORK = {
    "a checked argument": "(defn f [x :[:vector :int]] 1) (f v)",
    "a checked result": "(defn f [x] :[:vector :int] x) (f v)",
    "a checked map": "(defn f [x :[:map-of :int :int]] 1) (f (zipmap v v))",
    "an item of a large vector": "(assoc v 5 1)",
    "an update in a large vector": "(update v 5 inc)",
    "a long name": "(keyword s)",
    "a difference": "(difference v v)",
    "an intersection": "(intersection v v)",
    "a type of a hundred thousand parts": "(instance? v 1)",
    "a matched rest": "(match v [a & b] b _ 1)",
    "items of an order": "(compare v v)",
}


@pytest.mark.parametrize("name", WORK)
def test_work_on_large_values_is_charged_by_their_size(name):
    texts = '(def s (repeat-string "abcdefgh" 100000))'
    text = f"(def v (range 100000)) {texts} (defn work [] (try {WORK[name]} (catch e 0)))"
    instance = Instance(compile_source(text), limits=Limits())
    PureHost().finish(instance.start())
    run = instance.call("work", ())
    PureHost().finish(run)
    assert run.steps >= 3_000


def test_names_count_by_their_length():
    long = "a" * 10_000
    assert live([Keyword(long), Symbol(long)], 1 << 40)[0] > 20_000
    assert live([Keyword("a"), Symbol("b")], 1 << 40)[0] == 64
    text = '(def s (repeat-string "a" 1000000)) (loop [v [] i 0] (recur (conj v (keyword (str s i))) (inc i)))'
    with pytest.raises(LimitError) as stopped:
        _run(text, memory=64 << 20)
    assert stopped.value.dimension == "memory"


ENDLESS = {
    "finally after finally": "(defn f [] (try (f) (finally (f)))) (f)",
    "a comparator": "(sort (fn [a b] (loop [] (recur))) [3 1 2])",
    "branches": "(defn f [n] (pmap (fn [x] (f (inc n))) [1 2])) (f 1)",
    "catch after catch": "(defn f [n] (try (throw {:n n}) (catch e (f (inc n))))) (f 1)",
    "iterate": "(iterate 1000000 (fn [x] (loop [] (recur))) 1)",
    "memoize": "(def f (memoize (fn [x] (f (inc x))))) (f 1)",
    "a branch of a match": "(defn f [x] (match x [a & b] (f (conj x 1)) _ 0)) (f [1])",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_ended(name):
    with pytest.raises(LimitError) as stopped:
        _run(ENDLESS[name], steps=20_000, depth=2_000)
    assert stopped.value.dimension in {"steps", "depth", "items"}


MACROS = {
    "without an end": "(defmacro m [] (loop [] (recur))) (m)",
    "ever deeper": "(defmacro m [n] (list 'm (+ n 1))) (m 1)",
    "ever wider": "(defmacro m [n] (list '+ (list 'm n) (list 'm n))) (m 1)",
    "ever larger": "(defmacro m [] (cons '+ (range 1000001))) (m)",
    "growing text": '(defmacro m [] (loop [s "ab"] (recur (str s s)))) (m)',
    "often": "(defmacro m [] (loop [i 0] (if (< i 1000000) (recur (inc i)) 1)))" + " (m)" * 40,
}


@pytest.mark.parametrize("name", MACROS)
def test_macros_are_bounded_when_they_expand(in_process, name):
    code = f"""
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.lang.errors import LanguageError
try:
    compile_source({MACROS[name]!r})
except LanguageError as error:
    print(error.diagnostics[0].code)
"""
    assert in_process(code, timeout=40) in {"E0210", "E0211", "E0107"}


def test_a_refusal_of_a_macro_names_the_macro():
    with pytest.raises(LanguageError, match="the macro m failed"):
        compile_source(MACROS["without an end"])
