"""One sequence abstraction: whatever kind of collection holds items, a function gives what it gives for a vector."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.loader import compile_source, run_pure
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.effort import effort

CALLS = """
(first X) (second X) (rest X) (next X) (butlast X) (nthrest X 1) (count X) (length X) (empty? X)
(nil? (not-empty X)) (seq X) (vec X) (set X) (cons 0 X) (concat X) (concat [0] X X) (concat X [0]) (into [] X)
(into [0] X) (into '(0) X) (into #{0} X) (take 2 X) (drop 1 X) (take-last 2 X) (drop-last X) (drop-last 2 X)
(take-nth 2 X) (split-at 1 X) (reverse X) (distinct X) (dedupe X) (sort X) (sort (fn [a b] 0) X) (cycle 5 X)
(partition 2 X) (partition 2 1 X) (partition-all 2 X) (partition-all 2 1 X) (interleave X [7 8 9])
(interleave [7 8 9] X) (interpose 0 X) (flatten X) (zip X [7 8]) (zip [7 8] X) (union X #{0}) (union #{0} X)
(intersection X X) (intersection #{0} X) (difference X #{0}) (difference #{0} X) (subset? X X) (superset? X X)
(subset? X #{0}) (superset? #{0} X) (index-of X "a") (last-index-of X "a") (ffirst [X])
(map str X) (map str X [7 8 9]) (map str [7 8 9] X) (mapv str X) (mapcat (fn [x] [x x]) X) (mapcat (fn [x] X) [1 2])
(mapcat vector X X) (pmap str X) (pmap-settled str X) (map-indexed vector X) (filter string? X)
(filterv string? X) (remove string? X) (keep identity X) (keep-indexed vector X) (partition-by string? X)
(split-with string? X) (take-while string? X) (drop-while string? X) (distinct-by str X) (every? string? X)
(not-every? string? X) (some? string? X) (not-any? string? X) (some string? X) (reduce str "" X) (reduce str X)
(reduce + X) (reduce max X) (reduce (fn [a b] b) X) (reduce conj [] X) (reductions str X) (reductions str "" X)
(sort-by str X) (sort-by str (fn [a b] 0) X) (group-by str X) (index-by str X) (count-by str X) (frequencies X)
(join "," X) (zipmap X [7 8 9]) (zipmap [7 8 9] X) (select-keys {0 1} X) (get-in {} X :none) (assoc-in {} X 1)
(update-in {} X str) (dissoc-in {0 {1 2}} X) (tree-seq keyword? (fn [_] X) :a)
(->> X (map str) (filter string?) (map count)) (->> X (keep identity) (every? nil?)) (->> X (filter int?) (reduce +))
(for [x X] [x x]) (for [x X y X] [x y]) (for [x X :when (string? x)] x) (doseq [x X] x)
(loop [left X out []] (if (empty? left) out (recur (rest left) (conj out (first left)))))
"""
APART = {
    "nth": "places", "subvec": "places", "peek": "ends", "pop": "ends", "apply": "flat maps", "get": "keys",
    "contains?": "keys", "empty": "kinds", "sum": "numbers", "average": "numbers", "median": "numbers",
    "reduce-kv": "keys", "last": "text",
}  # fmt: skip
"""Functions that treat kinds of collections differently, and by what; the tests below the table look at them."""


def calls():
    depth, start = 0, 0
    text = CALLS.strip()
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and letter in ")]":
            yield text[start : place + 1].strip()
            start = place + 1


def of_kind(kind, items):
    """Return items as a collection of another kind, or nothing if it cannot hold them; and what they are in order."""
    match kind:
        case "list":
            return List(items), items
        case "set":
            made = Set.of(items)
            return made, tuple(made)
        case "string":
            return "".join(map(str, items)), tuple("".join(map(str, items)))
        case "map":
            made = Map.of([(item, place) for place, item in enumerate(items)])
            return made, tuple(made.items())
        case _:
            return None, ()


@cache
def function(call, passes):
    artifact = compile_source(f"(fn [X] {call})", passes=passes, metered=False)
    return PureHost().finish(Instance(artifact).start())


def outcome(call, collection, passes=ALL):
    """Return the value of a call, parts of text and of lists as vectors; or the kind of its error."""
    try:
        return canonical_print(plain(function(call, passes)(collection)))
    except ProgramError as error:
        return f"error {error.kind}"


def plain(value):
    """Return a value with its lists as vectors, and vectors of characters as texts: parts keep their source's kind."""
    if value.__class__ in (tuple, List):
        parts = tuple(map(plain, value))
        return "".join(parts) if all(part.__class__ is str and len(part) == 1 for part in parts) else parts
    return Map.of([(key, plain(item)) for key, item in value.items()]) if value.__class__ is Map else value


ITEMS = st.lists(st.sampled_from([0, 1, 2, "a", "b", None]), max_size=4).map(tuple)


@pytest.mark.parametrize("passes", [ALL, frozenset()], ids=["all", "none"])
@pytest.mark.parametrize("call", list(calls()))
@settings(max_examples=effort(10), deadline=None)
@given(items=ITEMS)
def test_every_kind_gives_what_a_vector_gives(call, passes, items):
    for kind in ("list", "set", "string", "map", "nil"):
        collection, same = of_kind(kind, items)
        assert outcome(call, collection, passes) == outcome(call, same, passes), kind


def test_every_function_that_takes_a_sequence_is_looked_at():
    records = BUILTINS.values()
    takes = {each.name for each in records if any(re.search(r"\b(sequence|placed)\b", way) for way in each.ways)}
    assert takes - set(re.findall(r"\(([^\s()]+)", CALLS)) <= set(APART)


@pytest.mark.parametrize("call", list(calls()))
@pytest.mark.parametrize("scalar", ["5", "1.5", "true", ":a", "inc", "(fn [x] x)"])
def test_what_holds_no_items_is_refused(call, scalar):
    if not call.startswith(("(empty? ", "(last ", "(ffirst ")):
        with pytest.raises(ProgramError) as caught:
            run_pure(f"(def g (fn [X] {call})) (g {scalar})")
        assert caught.value.kind == "TypeError"


KNOWN = {
    "(nth #{:a :b} 1)": ":b",
    '(nth "ab" 1)': '"b"',
    "(nth '(1 2) 1)": "2",
    "(nth nil 0 :none)": ":none",
    "(nth nil 0)": "error IndexOutOfBounds",
    "(nth {:a 1} 0)": "error TypeError",
    "(nth {:a 1} 0 :none)": "error TypeError",
    '(subvec "abc" 1)': '["b" "c"]',
    "(subvec nil 0)": "[]",
    "(subvec {:a 1} 0)": "error TypeError",
    "[(peek [1 2]) (peek '(1 2)) (peek {:a 1 :b 2}) (peek nil)]": "[2 1 [:b 2] nil]",
    "[(pop [1 2]) (pop '(1 2)) (pop {:a 1 :b 2}) (pop #{1 2})]": "[[1] (2) [[:a 1]] [1]]",
    "(pop nil)": "error IndexOutOfBounds",
    "[(apply str nil) (apply str #{1 2}) (apply vector {:a 1})]": '["" "12" [:a 1]]',
    "[(get nil 0) (get #{1} 1) (get '(5) 0)]": "[nil 1 5]",
    "[(contains? nil 1) (contains? '(1) 1) (contains? {:a 1} :a)]": "[false true true]",
    '[(empty {:a 1}) (empty nil) (empty "ab") (empty \'(1)) (empty #{1})]': '[{} nil "" () #{}]',
    '[(last "") (last []) (last nil) (last {:a 1})]': '["" nil nil [:a 1]]',
    "[(sum nil) (sum #{1 2}) (sum '(1 2)) (average '(1 2)) (median #{1 2 3})]": "[0 3 3 1.5 2]",
    "(sum {:a 1})": "error TypeError",
    "(reduce-kv (fn [a k v] (conj a k v)) [] {:a 1})": "[:a 1]",
    '[(reduce-kv (fn [a k v] (conj a k v)) [] "xy") (reduce-kv conj [] nil)]': '[[0 "x" 1 "y"] []]',
    "[(keys nil) (vals nil) (select-keys nil [:a]) (dissoc nil :a) (merge nil nil)]": "[[] [] {} {} {}]",
    "(find nil :a)": "nil",
    "[(update nil :a nil?) (map-vals inc nil) (update-keys nil inc) (rename-keys nil nil)]": "[{:a true} {} {} {}]",
    "(keys [[:a 1]])": "error TypeError",
    "(let [[a b c] '(1 2)] [a b c])": "[1 2 nil]",
    "(let [[a & more] #{1 2 3}] [a more])": "[1 [2 3]]",
    "(let [[a & more :as all] nil] [a more all])": "[nil [] nil]",
    '(let [[a] "x"] a)': "error TypeError",
    "(let [[a] {:k 1}] a)": "error TypeError",
    "(match '(1 2 3) [a] 1 [a & more] [a more])": "[1 [2 3]]",
    "(match #{1} [a] :vector _ :other)": ":other",
    **{
        f"(defmacro m [xs] `[0 ~@xs]) (m {xs})": f"[0{items}]"
        for xs, items in {
            "[1 2]": " 1 2",
            "(1 2)": " 1 2",
            "#{1 2}": " 1 2",
            '"ab"': ' "a" "b"',
            "{:a 1}": " [:a 1]",
            "nil": "",
        }.items()
    },
    "(defmacro m [xs] `[0 ~@xs]) (m 5)": "error TypeError",
    "(defmacro m [a b] `{~@a ~@b}) (m {:a 1 :b 2} [:c 3])": "{:a 1 :b 2 :c 3}",
    '[(reduce + nil) (reduce * {}) (reduce str "") (reduce vector \'()) (reduce + #{})]': '[0 1 "" [] 0]',
    "(reduce (fn [& all] (count all)) [])": "0",
    "(reduce (fn [a b] a) nil)": "error Generic",
    "(reduce (fn ([] :none) ([a b] a)) nil)": ":none",
    "(reduce (fn ([a] :one) ([a b] a)) nil)": "error Generic",
    "(reduce max [])": "error Generic",
    "(reduce :a [])": "error Generic",
    "(defn f [& all] :none) (reduce f {})": ":none",
    "(defn f [a b] a) (reduce f {})": "error Generic",
    "(+ 0.5 (reduce + (map (fn [x] (* x 0.5)) [])))": "0.5",
    "(str (reduce + (map float [])) (reduce str (map str [])) (reduce + (filter odd? [2])))": '"00"',
}


@pytest.mark.parametrize("text", KNOWN)
@pytest.mark.parametrize("passes", [ALL, frozenset(), ALL - {"fuse"}, frozenset({"fuse"})], ids=lambda p: str(len(p)))
def test_known_values(text, passes):
    try:
        found = canonical_print(PureHost().finish(Instance(compile_source(text, passes=passes, verified=True)).start()))
    except (LanguageError, ProgramError) as error:
        found = f"error {error.kind}"
    assert found == KNOWN[text]
