"""Maps and nested data: every rejection, order, paths, deep values, and the laws of reading what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs_framework.lang.errors import LimitError, ProgramError
from rtfs_framework.lang.maps import Map, Set, equal
from rtfs_framework.lang.values import ErrorValue, Keyword
from rtfs_framework.lang.vectors import GrownVector, List, conj
from rtfs_framework.stdlib.library import BUILTINS

A, B, C = Keyword("a"), Keyword("b"), Keyword("c")
KEYS = st.one_of(st.integers(0, 9), st.sampled_from([A, B, C]), st.text(max_size=2), st.none(), st.booleans())
VALUES = st.integers()
MAPS = st.dictionaries(st.integers(0, 50), VALUES, max_size=30).map(lambda d: Map.of(d.items()))


def call(name, *args):
    return BUILTINS[name].function(*args)


def refusal(name, *args):
    with pytest.raises(ProgramError) as caught:
        call(name, *args)
    return f"{caught.value.kind}: {caught.value.message}"


def inc(n):
    return n + 1


def grown(n):
    vector = ()
    for i in range(n):
        vector = conj(vector, i)
    assert vector.__class__ is GrownVector
    return vector


def wants(op, what, got):
    return f"TypeError: Type error in {op}: expected {what}, got {got}"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("hash-map", A), "ArityMismatch: Arity mismatch in hash-map: expected an even number, got 1"),
        (("get", 5, A), wants("get", "map", "integer")),
        (("get", (1,), A), wants("get", "integer", "keyword")),
        (("get", "abc", 1.0), wants("get", "integer", "float")),
        (("assoc", 5, A, 1), wants("assoc", "map", "integer")),
        (("assoc", "abc", 0, "x"), wants("assoc", "map", "string")),
        (("assoc", Map.wrap({}), A, 1, B), "ArityMismatch: Arity mismatch in assoc: expected an odd number, got 4"),
        (("assoc", (1, 2), 2, 3), "IndexOutOfBounds: Index 2 out of bounds for collection of length 2"),
        (("assoc", (1,), -1, 0), "IndexOutOfBounds: Index -1 out of bounds for collection of length 1"),
        (("assoc", (1,), A, 0), wants("assoc", "integer", "keyword")),
        (("dissoc", (1, 2), 0), wants("dissoc", "map", "vector")),
        (("dissoc", "x", A), wants("dissoc", "map", "string")),
        (("merge", (1,)), wants("merge", "map", "vector")),
        (("merge", Map.wrap({}), 5), wants("merge", "map", "integer")),
        (("merge-with", 5, Map.wrap({})), wants("merge-with", "function", "integer")),
        (("merge-with", lambda a, b: a, 5), wants("merge-with", "map", "integer")),
        (("keys", "x"), wants("keys", "map", "string")),
        (("vals", (1,)), wants("vals", "map", "vector")),
        (("find", (5, 6), 1), wants("find", "map", "vector")),
        (("select-keys", (), (A,)), wants("select-keys", "map", "vector")),
        (("select-keys", Map.wrap({}), A), wants("select-keys", "collection", "keyword")),
        (("rename-keys", (), Map.wrap({})), wants("rename-keys", "map", "vector")),
        (("rename-keys", Map.wrap({}), ()), wants("rename-keys", "map", "vector")),
        (("zipmap", A, ()), wants("zipmap", "collection", "keyword")),
        (("zipmap", (), 5), wants("zipmap", "collection", "integer")),
        (("map-vals", 5, Map.wrap({})), wants("map-vals", "function", "integer")),
        (("map-vals", inc, (1,)), wants("map-vals", "map", "vector")),
        (("update-vals", (1,), inc), wants("update-vals", "map", "vector")),
        (("map-keys", 5, Map.wrap({})), wants("map-keys", "function", "integer")),
        (("update-keys", 5, inc), wants("update-keys", "map", "integer")),
        (("update", "x", A, inc), wants("update", "map", "string")),
        (("update", "abc", 0, inc), wants("update", "map", "string")),
        (("update", Map.wrap({}), A, "inc"), wants("update", "function", "string")),
        (("update", (1,), 9, inc), "IndexOutOfBounds: Index 9 out of bounds for collection of length 1"),
        (("update", (1,), A, inc), wants("update", "integer", "keyword")),
        (
            ("update", Map.wrap({}), A, inc, 5),
            "ArityMismatch: Arity mismatch in user-defined function: expected 1, got 2",
        ),
        (("get-in", Map.wrap({}), A), wants("get-in", "collection", "keyword")),
        (("get-in", Map.wrap({}), 5), wants("get-in", "collection", "integer")),
        (("assoc-in", Map.wrap({}), A, 1), wants("assoc-in", "collection", "keyword")),
        (("assoc-in", Map.wrap({A: 1}), (A, B), 1), wants("assoc-in", "map", "integer")),
        (("assoc-in", Map.wrap({A: (1,)}), (A, B), 1), wants("assoc-in", "integer", "keyword")),
        (("assoc-in", (1,), (5, A), 1), "IndexOutOfBounds: Index 5 out of bounds for collection of length 1"),
        (("update-in", Map.wrap({}), (A,), 5), wants("update-in", "function", "integer")),
        (("update-in", Map.wrap({}), 5, inc), wants("update-in", "collection", "integer")),
        (("dissoc-in", Map.wrap({}), ()), "InvalidArgument: Invalid argument: Path is empty"),
        (("dissoc-in", Map.wrap({A: (1,)}), (A, 0)), wants("dissoc-in", "map", "vector")),
        (("deep-merge", 5), wants("deep-merge", "map", "integer")),
        (("deep-merge", Map.wrap({}), (1,)), wants("deep-merge", "map", "vector")),
        (("walk", 5, inc, ()), wants("walk", "function", "integer")),
        (("walk", inc, 5, ()), wants("walk", "function", "integer")),
        (("walk", lambda e: e[0], lambda x: x, Map.wrap({A: 1})), wants("walk", "[key value] pair", "keyword")),
        (("postwalk", 5, ()), wants("postwalk", "function", "integer")),
        (
            ("postwalk", lambda x: 0 if x == (A, 1) else x, Map.wrap({A: 1})),
            wants("postwalk", "[key value] pair", "integer"),
        ),
        (("prewalk", None, ()), wants("prewalk", "function", "nil")),
        (("tree-seq", 5, inc, ()), wants("tree-seq", "function", "integer")),
        (("tree-seq", lambda x: True, lambda x: x, 5), wants("tree-seq", "collection", "integer")),
    ],
)
def test_refusals(args, message):
    assert refusal(*args) == message


def test_get_reads_all_that_has_parts():
    assert call("get", Map.wrap({A: None}), A, 9) is None
    assert call("get", None, A, 9) == 9
    assert call("get", "héllo", 1) == "é"
    assert call("get", (10, 20), -1, 9) == 9
    assert call("get", grown(40), 39) == 39
    assert call("get", List((1,)), 0) == 1
    assert call("get", Set.of([1]), 1) == 1
    assert call("get", Set.of([1]), 1.0) is None
    assert call("get", ErrorValue("K", "boom"), Keyword("message")) == "boom"
    assert call("get", Map.of([((1,), 2)]), (1,)) == 2


def test_vectors_change_by_place():
    assert call("assoc", grown(40), 39, A, 0, B)[::39] == (B, A)
    assert call("update", grown(40), 39, inc)[39] == 40


def test_names_that_swap_and_names_that_are_taken():
    source = Map.of([(A, 1), (B, 2)])
    assert call("rename-keys", source, Map.of([(A, B), (B, A)])) == Map.of([(A, 2), (B, 1)])
    assert call("rename-keys", source, Map.wrap({A: B})) == Map.wrap({B: 1})
    assert call("rename-keys", source, Map.wrap({C: A})) == source


def test_keys_that_become_equal_keep_the_last_value():
    assert call("map-keys", lambda _k: A, Map.of([(1, 1), (2, 2)])) == Map.wrap({A: 2})


@given(st.lists(st.tuples(KEYS, VALUES), max_size=40))
def test_a_map_holds_the_last_value_of_each_key_in_order_of_first_mention(pairs):
    flat = [part for pair in pairs for part in pair]
    made = call("hash-map", *flat)
    stepwise = Map.wrap({})
    for key, value in pairs:
        stepwise = call("assoc", stepwise, key, value)
    assert made.items() == stepwise.items()
    for key, _ in pairs:
        last = [v for k, v in pairs if equal(k, key)][-1]
        assert call("get", made, key) == last
        assert call("find", made, key)[1] == last
        assert call("find", call("dissoc", made, key), key) is None
    assert call("zipmap", call("keys", made), call("vals", made)).items() == made.items()


@given(MAPS, MAPS, MAPS)
def test_merging_is_associative_and_later_maps_win(a, b, c):
    assert call("merge", a, call("merge", b, c)) == call("merge", call("merge", a, b), c) == call("merge", a, b, c)
    assert call("merge-with", lambda _old, new: new, a, b) == call("merge", a, b)
    assert call("deep-merge", a, b) == call("merge", a, b)
    assert call("merge", None, a, None) == a


@given(MAPS)
def test_values_and_keys_change_apart(m):
    assert call("vals", call("map-vals", inc, m)) == tuple(v + 1 for v in call("vals", m))
    assert call("keys", call("update-keys", m, inc)) == tuple(k + 1 for k in call("keys", m))
    assert call("update-vals", m, inc) == call("map-vals", inc, m)
    assert call("select-keys", m, call("keys", m)) == m


PATHS = st.lists(st.sampled_from([A, B, C]), max_size=4).map(tuple)


@given(PATHS, PATHS, VALUES)
def test_what_is_put_at_a_path_is_found_there(first, second, value):
    made = call("assoc-in", call("assoc-in", None, (A, B, C, A, B), 1), first, value)
    assert call("get-in", made, first) == value
    if first:
        assert call("get-in", call("dissoc-in", made, first), first, "gone") == "gone"
    counted = call("update-in", Map.wrap({}), second, lambda old: 1)
    assert call("get-in", counted, second) == 1


def test_paths_go_through_vectors_and_miss_softly():
    data = Map.wrap({A: (1, Map.wrap({B: 2}))})
    assert call("get-in", data, (A, 1, B)) == 2
    assert call("get-in", data, List((A, 1, B))) == 2
    for path in [(A, 5), (A, -1), (A, B), (B, C), (A, 0, B), (C,)]:
        assert call("get-in", data, path, "miss") == "miss"
    assert call("get-in", Map.wrap({A: None}), (A,), 5) is None
    assert call("assoc-in", data, (A, 1, B), 3) == Map.wrap({A: (1, Map.wrap({B: 3}))})
    assert call("update-in", Map.wrap({A: 1}), (A,), lambda x, y: x + y, 5) == Map.wrap({A: 6})
    assert call("dissoc-in", data, (B, C)) == data


def test_deep_merge_joins_maps_below_maps():
    old = Map.of([(A, Map.of([(A, 1), (B, Map.wrap({C: 1}))])), (B, 1)])
    new = Map.of([(A, Map.wrap({B: Map.wrap({A: 2})})), (B, Map.wrap({A: 1}))])
    assert call("deep-merge", old, new) == Map.of(
        [(A, Map.of([(A, 1), (B, Map.of([(C, 1), (A, 2)]))])), (B, Map.wrap({A: 1}))]
    )


def test_a_path_may_be_long_and_a_value_deep():
    path = (A,) * 50_000
    deep = call("assoc-in", None, path, 1)
    assert call("get-in", deep, path) == 1
    assert call("get-in", call("update-in", deep, path, inc), path) == 2
    assert call("get-in", call("deep-merge", deep, deep), path) == 1
    assert call("get-in", call("postwalk", lambda x: x, deep), path) == 1
    assert call("get-in", call("prewalk", lambda x: x, deep), path) == 1


def test_walking_visits_every_part():
    seen = []

    def note(x):
        seen.append(x)
        return x

    call("postwalk", note, (1, Map.wrap({A: List((2,))})))
    assert seen == [1, A, 2, List((2,)), (A, List((2,))), Map.wrap({A: List((2,))}), (1, Map.wrap({A: List((2,))}))]
    seen.clear()
    call("prewalk", note, (1, Set.of([2])))
    assert seen == [(1, Set.of([2])), 1, Set.of([2]), 2]
    assert call("walk", inc, lambda xs: xs[0] + xs[1], (1, 2)) == 5
    assert call("walk", inc, inc, 5) == 6


def test_walking_without_end_is_stopped():
    with pytest.raises(LimitError, match="prewalk went more than"):
        call("prewalk", lambda x: (x,), 1)


def test_a_tree_gives_its_nodes_parents_first():
    tree = Map.wrap({A: (1, Map.wrap({B: 2}))})
    nodes = call("tree-seq", lambda x: x.__class__ is Map, lambda m: tuple(m.values()), tree)
    assert nodes == (tree, (1, Map.wrap({B: 2})))
    pairs = call("tree-seq", lambda x: x.__class__ is Map, lambda m: m, tree)
    assert pairs == (tree, (A, (1, Map.wrap({B: 2}))))
    assert call("tree-seq", lambda x: True, lambda x: None, 1) == (1,)


def test_an_entry_has_two_parts_and_only_a_map_has_keys():
    entry = call("find", Map.of([(A, 1)]), A)
    assert (call("key", entry), call("val", entry), call("key", List((A, 1)))) == (A, 1, A)
    for wrong in ((), (1,), (1, 2, 3), "ab", None, Map.of([(A, 1)])):
        assert refusal("key", wrong).startswith("TypeError: Type error in key: expected map entry [key value], got ")
        assert refusal("val", wrong).startswith("TypeError: Type error in val: expected map entry")
    assert call("has-key?", Map.of([(A, None)]), A)
    assert not call("has-key?", Map.of([(A, None)]), B)
    assert refusal("has-key?", (A,), 0) == "TypeError: Type error in has-key?: expected map, got vector"
