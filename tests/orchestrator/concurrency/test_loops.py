"""A loop in a thread of its own: what is asked of it runs in the loop that was taken, given up since or not."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rtfs_framework.orchestrator.concurrency import loops
from rtfs_framework.orchestrator.concurrency.loops import HeldError, LoopThread


class Replaced(LoopThread):
    """A loop that is replaced as soon as it was taken for the first time; `end` says whether it has ended by then."""

    end = False
    taken = 0

    def _started(self):
        loop = super()._started()
        Replaced.taken += 1
        if Replaced.taken == 1:
            thread, own = self._thread, self._end
            self._loop = None
            super()._started()
            self.let_end = lambda: (loop.call_soon_threadsafe(own.set), thread.join(30))
            if self.end:
                self.let_end()
        return loop


class Ended(Replaced):
    """The same, and it has ended."""

    end = True


@pytest.fixture
def replaced(monkeypatch):
    """Count anew."""
    monkeypatch.setattr(Replaced, "taken", 0)


async def where():
    return asyncio.get_running_loop()


@pytest.mark.usefixtures("replaced")
def test_what_is_asked_runs_in_the_loop_that_was_taken():
    io = Replaced("io")
    found = asyncio.run(io.reach(where))
    assert Replaced.taken == 1
    assert found is not io._loop
    assert not found.is_closed()
    io.let_end()
    io.close()


@pytest.mark.usefixtures("replaced")
def test_a_loop_that_has_ended_since_it_was_taken_was_given_up():
    io = Ended("io")
    with pytest.raises(HeldError):
        asyncio.run(io.reach(where))
    assert asyncio.run(io.reach(where)) is io._loop
    io.close()


def test_what_one_turn_submits_is_handed_over_with_one_wake(monkeypatch):
    """Each wake lets go of Python's lock, which a thread that computes then keeps for milliseconds."""
    runs, wakes = LoopThread("runs"), []
    loop = runs._started()
    monkeypatch.setattr(
        loop, "call_soon_threadsafe", lambda *args, real=loop.call_soon_threadsafe: (wakes.append(args), real(*args))
    )

    async def answer(n):
        return n

    async def one(n):
        return await asyncio.wrap_future(runs.submit(answer(n)))

    async def all_of_them():
        return await asyncio.gather(*map(one, range(100)))

    try:
        assert asyncio.run(all_of_them()) == list(range(100))
        assert len(wakes) == 1
        assert asyncio.run(all_of_them()) == list(range(100)), "from another loop, later"
    finally:
        monkeypatch.undo()
        runs.close()


def test_what_is_submitted_fails_and_is_cancelled_as_it_would_be_here():
    runs = LoopThread("runs")

    async def failing():
        raise LookupError("no")

    async def cancelled():
        raise asyncio.CancelledError

    async def leaving():
        raise SystemExit(3)

    async def ends_of(function):
        future = runs.submit(function())
        waited = asyncio.wrap_future(future)
        await asyncio.wait([waited])
        return "cancelled" if waited.cancelled() else waited.exception()

    try:
        assert isinstance(asyncio.run(ends_of(failing)), LookupError)
        assert asyncio.run(ends_of(cancelled)) == "cancelled"
        assert isinstance(asyncio.run(ends_of(leaving)), SystemExit)
        assert asyncio.run(ends_of(failing)), "the loop goes on"
    finally:
        runs.close()


def test_a_loop_that_ends_before_the_turn_of_the_caller_does_is_told_of():
    runs = LoopThread("runs")

    async def nothing():
        pass

    async def too_late():
        future = runs.submit(nothing())
        runs.close()
        while runs._thread.is_alive():  # its turn has not ended: nothing was handed over
            pass
        waited = asyncio.wrap_future(future)
        await asyncio.wait([waited])
        return waited.exception()

    assert isinstance(asyncio.run(too_late()), RuntimeError)


def test_a_thread_that_computes_and_lets_go_now_and_then_lets_others_have_the_lock(monkeypatch):
    """What it lets go of for a moment it has again before others are awake: it must wait, but not each time."""
    now, slept = [100.0], []
    monkeypatch.setattr(loops, "monotonic", lambda: now[0])
    monkeypatch.setattr(loops, "sleep", slept.append)
    monkeypatch.setattr(loops, "_breath", threading.local())
    for _ in range(1000):
        loops.let_other_threads()
        now[0] += 0.001
    assert 150 < len(slept) <= 200
    assert all(0 < seconds < 0.001 for seconds in slept)


def test_what_is_cancelled_in_the_turn_that_begins_it_never_begins():
    io, begun, free = LoopThread("io"), [], threading.Event()

    async def hang():
        begun.append(True)
        await asyncio.sleep(60)

    async def hold():
        free.wait(30)  # one turn of the loop, in which both the beginning and the end arrive

    async def main():
        holding = asyncio.ensure_future(io.reach(hold))
        await asyncio.sleep(0.05)
        asked = asyncio.ensure_future(io.reach(hang))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.sleep(0.05)
        free.set()
        await asyncio.wait([asked], timeout=30)
        await holding
        return asked.cancelled()

    try:
        assert asyncio.run(main())
    finally:
        io.close()
    assert begun == []
