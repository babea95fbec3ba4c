"""Runs that take one greenlet after the other: nothing of one is left for the next, whatever becomes of it."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from greenlet import getcurrent

from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import PAUSED, Complete
from rtfs_framework.kernel.seat import Seat
from rtfs_framework.lang.errors import InternalError, LimitError, ProgramError

PROGRAM = """
(defn same [x] x)
(defn fails [] (/ 1 0))
(defn asks [] (inc (call :c)))
(defn spins [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))
(defn deep [n] (if (= n 0) 0 (inc (deep (dec n)))))
"""


@pytest.fixture
def instance():
    made = Instance(compile_source(PROGRAM), limits=Limits(steps=1_000_000, depth=100))
    assert isinstance(made.start().step(), Complete)
    return made


@pytest.fixture
def seat():
    return Seat()


def greenlet_of(seat):
    return id(seat._free)


def test_runs_take_the_same_greenlet(instance, seat):
    found = set()
    for count in range(3):
        assert instance.call("spins", (count,), seat).step() == Complete(count)
        found.add(greenlet_of(seat))
    assert len(found) == 1


def test_a_run_that_has_ended_waits_for_nothing(instance, seat):
    run = instance.call("same", (1,), seat)
    run.step()
    for again in (run.step, lambda: run.resume(2)):
        with pytest.raises(InternalError):
            again()
    run.close()
    assert instance.call("same", (3,), seat).step() == Complete(3)


def test_nothing_of_a_run_stays_behind(instance, seat):
    class Value:
        pass

    value = Value()
    gone = weakref.ref(value)
    assert instance.call("same", (value,), seat).step().value is value
    del value
    assert gone() is None


def test_each_run_has_steps_and_depth_of_its_own(instance, seat):
    runs = [instance.call("spins", (10,), seat) for _ in range(2)]
    assert [each.step().value for each in runs] == [10, 10]
    assert runs[0].steps == runs[1].steps
    for _ in range(3):
        assert instance.call("deep", (90,), seat).step() == Complete(90)
        with pytest.raises(LimitError, match="depth"):
            instance.call("deep", (110,), seat).step()


def test_an_error_ends_the_greenlet_and_the_next_run_has_another(instance, seat):
    for _ in range(2):
        with pytest.raises(ProgramError, match="zero"):
            instance.call("fails", (), seat).step()
        assert instance.call("same", (1,), seat).step() == Complete(1)


def test_a_run_that_waits_keeps_it_and_others_have_their_own(instance, seat):
    waits = instance.call("asks", (), seat)
    waits.step()
    other = instance.call("same", (5,), seat)
    assert other.step() == Complete(5)
    assert waits.resume(6) == Complete(7)


def test_one_that_is_closed_while_it_computes_is_over(instance, seat):
    run = instance.call("spins", (100_000,), seat)
    assert run.step(sliced=True) is PAUSED
    run.close()
    assert instance.call("spins", (4,), seat).step(sliced=True) == Complete(4)


def test_a_greenlet_of_another_thread_is_not_taken(instance, seat):
    found = []

    def there():
        found.append(instance.call("same", (1,), seat).step())
        found.append(greenlet_of(seat))

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    assert found[0] == Complete(1)
    assert instance.call("same", (2,), seat).step() == Complete(2)
    assert seat._free.parent is getcurrent()


def test_a_seat_that_nobody_has_any_more_is_freed(instance):
    seat = Seat()
    instance.call("same", (1,), seat).step()
    gone = weakref.ref(seat._free)
    del seat
    gc.collect()
    assert gone() is None
