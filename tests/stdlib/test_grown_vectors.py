"""Long vectors and lists share their items with those they were made from, and are like any other to look at."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs_framework.kernel.support import spread, spread_rest, tail
from rtfs_framework.lang.canonical import canonical_print
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.equality import equal
from rtfs_framework.lang.hashing import hash_value
from rtfs_framework.lang.printer import display
from rtfs_framework.lang.vectors import GROW_AT, PART_AT, GrownVector, List
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.testing.effort import effort

SIZES = st.sampled_from([0, 1, GROW_AT - 1, GROW_AT + 2, PART_AT - 2, PART_AT + 3, 700, 1100])
NUMBERS = st.integers(0, 1 << 16)


def call(name, *args):
    return BUILTINS[name].function(*args)


def _cut(n, length):
    return n % (length + 1)


def _put(model, number):
    if not model:
        return model
    place = number % len(model)
    return [*model[:place], number, *model[place + 1 :]]


MOVES = {
    "conj": (lambda v, n: call("conj", v, n), lambda m, n: [*m, n]),
    "cons": (lambda v, n: call("cons", n, v), lambda m, n: [n, *m]),
    "rest": (lambda v, n: call("rest", v), lambda m, n: m[1:]),
    "next": (lambda v, n: call("next", v) or (), lambda m, n: m[1:]),
    "pop": (lambda v, n: call("pop", v) if len(v) else v, lambda m, n: m[:-1]),
    "butlast": (lambda v, n: call("butlast", v), lambda m, n: m[:-1]),
    "tail": (lambda v, n: spread_rest(v, 2)[2], lambda m, n: m[2:]),
    "drop": (lambda v, n: call("drop", _cut(n, len(v)), v), lambda m, n: m[_cut(n, len(m)) :]),
    "take": (lambda v, n: call("take", _cut(n, len(v)), v), lambda m, n: m[: _cut(n, len(m))]),
    "few": (lambda v, n: call("subvec", v, min(3, len(v)), len(v)), lambda m, n: m[3:]),
    "into": (lambda v, n: call("into", v, (n, n + 1, n + 2)), lambda m, n: [*m, n, n + 1, n + 2]),
    "concat": (lambda v, n: call("concat", (n,), v, List((n, n))), lambda m, n: [n, *m, n, n]),
    "twice": (lambda v, n: call("concat", v, v) if len(v) < 1000 else v, lambda m, n: m * 2 if len(m) < 1000 else m),
    "assoc": (lambda v, n: call("assoc", v, n % len(v), n) if len(v) else v, _put),
    "update": (lambda v, n: call("update", v, n % len(v), lambda _: n) if len(v) else v, _put),
    "lines": (lambda v, n: call("vec", call("seq", v)), lambda m, n: m),
}


@given(SIZES, st.lists(st.tuples(st.sampled_from(sorted(MOVES)), NUMBERS, st.integers(0, 3)), max_size=60))
@settings(max_examples=effort(300), deadline=None)
def test_versions_are_apart(size, moves):
    versions, models = [tuple(range(size))], [list(range(size))]
    for move, number, back in moves:
        at = max(len(versions) - 1 - back, 0)  # older versions are changed as well
        made, wanted = MOVES[move]
        versions.append(made(versions[at], number))
        models.append(wanted(models[at], number))
    for version, model in zip(versions, models, strict=True):
        assert (len(version), list(version)) == (len(model), model)
        assert [version[place] for place in range(-len(model), len(model))] == model * 2
        assert version[3:-2] == tuple(model[3:-2])
        assert version[5::-2] == tuple(model[5::-2])
        assert version.__class__ is tuple or len(version) >= GROW_AT


LIST_MOVES = {
    "conj": (lambda v, n: call("conj", v, n), lambda m, n: [n, *m]),
    "pop": (lambda v, n: call("pop", v) if len(v) else v, lambda m, n: m[1:]),
    **{name: MOVES[name] for name in ("cons", "rest", "drop", "take", "butlast")},
}


@given(SIZES, st.lists(st.tuples(st.sampled_from(sorted(LIST_MOVES)), NUMBERS, st.integers(0, 3)), max_size=60))
@settings(max_examples=effort(150), deadline=None)
def test_lists_stay_lists(size, moves):
    versions, models = [List(range(size))], [list(range(size))]
    for move, number, back in moves:
        at = max(len(versions) - 1 - back, 0)
        made, wanted = LIST_MOVES[move]
        versions.append(made(versions[at], number))
        models.append(wanted(models[at], number))
    for version, model in zip(versions, models, strict=True):
        assert (version.__class__, list(version)) == (List, model)
        assert (list(version.vector()), version.vector().__class__ is List) == (model, False)


def _shared(size):
    """Return a vector that has items in all of its parts."""
    made = call("rest", tuple(range(-3, size)))
    made = call("conj", call("pop", call("conj", made, "x")), size)
    made = call("assoc", call("cons", -4, made), 1, -3, 5, "y")
    assert made.__class__ is GrownVector
    return made


@pytest.mark.parametrize("size", [PART_AT, 3_000])
@pytest.mark.parametrize("kind", [tuple, List])
def test_one_that_shares_is_like_one_that_does_not(size, kind):
    shared = _shared(size)
    plain = kind(shared)
    if kind is List:
        shared = call("conj", call("rest", call("conj", List(shared[1:]), 0)), shared[0])
    assert equal(shared, plain)
    assert not equal(shared, call("rest", plain))
    for look in (hash_value, digest, canonical_print, lambda value: display(value, None), hash):
        assert look(shared) == look(plain)
    for name in ("str", "serialize-json", "count", "first", "last", "second", "reverse", "frequencies", "type-name"):
        assert equal(call(name, shared), call(name, plain))
    assert call("compare", shared, plain) == 0
    assert spread(shared, 2) == tuple(plain)[:2]
    assert list(spread_rest(shared, 1)[1]) == list(plain)[1:]
    assert call("nth", shared, size + 9, "none") == call("nth", shared, -1, "none") == "none"


def test_a_stack_that_is_short_again_is_a_tuple():
    stack = call("pop", GrownVector(list(range(GROW_AT)), GROW_AT))
    assert stack == tuple(range(GROW_AT - 1))
    assert stack.__class__ is tuple
    assert tail(GrownVector(tuple(range(GROW_AT)), GROW_AT), 1).__class__ is tuple


def test_what_is_left_of_much_keeps_little():
    """A queue that moves on holds no more than a few times what is in it."""
    queue = tuple(range(100))
    for number in range(5_000):
        queue = call("conj", call("rest", queue), number)
        held = 0 if queue.__class__ is tuple else sum(map(len, queue._buffers)) + len(queue._changed or ())
        assert held < 1_000
    assert list(queue) == list(range(4_900, 5_000))


def test_threads_that_make_one_version_longer_do_not_meet():
    for _ in range(20):
        start = call("conj", tuple(range(PART_AT)), "first")
        made = {}

        def work(name, start=start, made=made):
            version = start
            for number in range(300):
                version = call("cons", (name, number), call("conj", version, (name, number)))
            made[name] = version

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        for name, version in made.items():
            grown = [(name, number) for number in range(300)]
            assert list(version) == [*reversed(grown), *start, *grown]
