"""Operations that programs repeat on what they have just made copy none of it: bytes are counted, time is not."""

from __future__ import annotations

import tracemalloc

import pytest

from rtfs_framework.kernel.support import spread_rest, tail
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.vectors import List
from rtfs_framework.stdlib.library import BUILTINS

SIZE = 40_000
COPY = 8 * SIZE
"""Bytes that a copy takes at least."""
ROUNDS = 64


def call(name, *args):
    return BUILTINS[name].function(*args)


def a_map():
    return Map.of([(i, i) for i in range(SIZE)])


def a_set():
    return Set.of(range(SIZE))


def pairs(count, start):
    return Map.of([(f"{start}-{i}", i) for i in range(count)])


def a_vector():
    return tuple(range(SIZE))


def a_list():
    return List(range(SIZE))


REPEATED = {
    "dissoc of what is there": (a_map, lambda m, i: call("dissoc", m, i)),
    "dissoc of what is not": (a_map, lambda m, i: call("dissoc", m, "none")),
    "assoc": (a_map, lambda m, i: call("assoc", m, -i, i)),
    "update": (a_map, lambda m, i: call("update", m, i, lambda old: old + 1)),
    "assoc-in": (a_map, lambda m, i: call("assoc-in", m, (f"{i}", "a"), i)),
    "merge with one entry": (a_map, lambda m, i: call("merge", m, pairs(1, i))),
    "merge with many": (a_map, lambda m, i: call("merge", m, pairs(7, i))),
    "into a map": (a_map, lambda m, i: call("into", m, ((-i, i),))),
    "conj to a map": (a_map, lambda m, i: call("conj", m, (-i, i))),
    "conj to a set": (a_set, lambda s, i: call("conj", s, -i)),
    "into a set": (a_set, lambda s, i: call("into", s, Set.of([-i, i]))),
    "union": (a_set, lambda s, i: call("union", s, Set.of([-i]), (i, "x"))),
    "difference": (a_set, lambda s, i: call("difference", s, Set.of([i]))),
    "disj of the first": (a_set, lambda s, i: call("disj", s, call("first", s))),
    "disj of the first, conj of another": (a_set, lambda s, i: call("conj", call("disj", s, call("first", s)), -i)),
    "conj": (a_vector, lambda v, i: call("conj", v, i)),
    "cons": (a_vector, lambda v, i: call("cons", i, v)),
    "into a vector": (a_vector, lambda v, i: call("into", v, (i, i))),
    "concat behind": (a_vector, lambda v, i: call("concat", v, (i,))),
    "concat before": (a_vector, lambda v, i: call("concat", (i,), List((i,)), v)),
    "concat on both sides": (a_vector, lambda v, i: call("concat", (i,), v, "ab")),
    "rest": (a_vector, lambda v, i: call("rest", v)),
    "next": (a_vector, lambda v, i: call("next", v)),
    "[x & xs]": (a_vector, lambda v, i: spread_rest(v, 1)[1]),
    "[x & xs] in match": (a_vector, lambda v, i: tail(v, 1)),
    "seq and rest": (a_vector, lambda v, i: call("rest", call("seq", v))),
    "not-empty and vec": (a_vector, lambda v, i: call("rest", call("vec", call("not-empty", v)))),
    "drop": (a_vector, lambda v, i: call("drop", 1, v)),
    "nthrest": (a_vector, lambda v, i: call("nthrest", v, 1)),
    "take": (a_vector, lambda v, i: call("take", len(v) - 1, v)),
    "split-at": (a_vector, lambda v, i: call("split-at", 1, v)[1]),
    "drop-last": (a_vector, lambda v, i: call("drop-last", v)),
    "take-last": (a_vector, lambda v, i: call("take-last", len(v) - 1, v)),
    "subvec": (a_vector, lambda v, i: call("subvec", v, 1, len(v) - 1)),
    "butlast": (a_vector, lambda v, i: call("butlast", v)),
    "pop": (a_vector, lambda v, i: call("pop", v)),
    "conj of pop": (a_vector, lambda v, i: call("conj", call("pop", v), i)),
    "conj of rest": (a_vector, lambda v, i: call("conj", call("rest", v), i)),
    "conj to one version": (a_vector, lambda v, i: (call("conj", v, i), v)[1]),
    "assoc at a place": (a_vector, lambda v, i: call("assoc", v, i, 0, i + 1, 1)),
    "update at a place": (a_vector, lambda v, i: call("update", v, i, lambda old: -old)),
    "assoc-in at a place": (a_vector, lambda v, i: call("assoc-in", v, (i,), 0)),
    "conj to a list": (a_list, lambda v, i: call("conj", v, i)),
    "cons to a list": (a_list, lambda v, i: call("cons", i, v)),
    "rest of a list": (a_list, lambda v, i: call("rest", v)),
    "pop of a list": (a_list, lambda v, i: call("pop", v)),
    "[x & xs] of a list": (a_list, lambda v, i: (spread_rest(v, 1), call("rest", v))[1]),
}


@pytest.mark.parametrize("name", REPEATED)
def test_nothing_is_copied_each_time(name):
    make, change = REPEATED[name]
    value = change(change(make(), 1), 2)  # what is large is turned into what can be changed once
    taken = []
    tracemalloc.start()
    try:
        for i in range(3, ROUNDS + 3):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            value = change(value, i)
            taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert sorted(taken)[ROUNDS // 2] < COPY // 16
    assert sum(taken) < 3 * COPY  # a buffer may become larger on the way


@pytest.mark.parametrize("name", REPEATED)
def test_older_versions_stay_what_they_were(name):
    make, change = REPEATED[name]
    value, wanted = make(), list(make())
    change(change(value, 1), 2)
    first = change(value, 3)
    shown = list(first)
    change(first, 4)
    assert (list(value), list(first)) == (wanted, shown)
