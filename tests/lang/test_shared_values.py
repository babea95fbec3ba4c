"""Values, and Python's bound on recursion, in many threads at once; threads switch as often as Python lets them."""

from __future__ import annotations

import gc
import sys
import threading

import pytest

from rtfs_framework.lang import values
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.recursion import room_is_held
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.lang.values import Keyword
from rtfs_framework.lang.vectors import conj


@pytest.fixture(autouse=True)
def _switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(count, work):
    """Return what `work` gives in so many threads that begin together."""
    found, ready = [], threading.Barrier(count)

    def run():
        ready.wait(60)
        found.append(work())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == count
    return found


def test_a_name_has_one_keyword():
    for turn in range(200):
        made = at_once(4, lambda: [Keyword(f"shared-{turn}-{n}") for n in range(5)])  # noqa: B023 - called here
        assert all(a is b for row in made for a, b in zip(row, made[0], strict=True))


def test_a_version_of_a_vector_that_all_extend_stays_apart_for_each():
    for _ in range(100):
        base = conj(tuple(range(40)), 40)

        def extend(base=base):
            mine = object()
            made = base
            for _ in range(5):
                made = conj(made, mine)
            return tuple(made[41:]) == (mine,) * 5 and tuple(made[:41]) == tuple(range(41))

        assert all(at_once(4, extend))
        assert tuple(base) == tuple(range(41))


def test_a_map_that_all_extend_keeps_its_order():
    for _ in range(50):
        base = Map.of((n, n) for n in range(200))
        made = at_once(4, lambda: base.assoc("new", 1))  # noqa: B023 - called here
        assert all(list(each.keys()) == [*range(200), "new"] for each in made)


def test_room_that_others_give_back_is_not_missed():
    before = sys.getrecursionlimit()

    def deep(left):
        return left if left == 0 else deep(left - 1)

    def work():
        for _ in range(30):
            with room_for_recursion(6_000):
                assert deep(3_000) == 0
        return True

    assert all(at_once(6, work))
    assert not room_is_held()
    assert sys.getrecursionlimit() == before


def test_a_keyword_may_be_the_last_thing_that_goes(monkeypatch):
    """When Python ends, a module's names are gone before what others hold: nothing may be said of that on stderr."""
    told = []
    gc.collect()  # what other tests have left is told of their objects, not of this one
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    last = Keyword("the last keyword of all")
    monkeypatch.setattr(values, "_remove_dead_weakref", None)
    del last
    gc.collect()
    assert told == []
    assert "the last keyword of all" not in Keyword._interned
