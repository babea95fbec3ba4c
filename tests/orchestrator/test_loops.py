"""A loop in a thread of its own: what is asked of it runs in the loop that was taken, given up since or not."""

from __future__ import annotations

import asyncio

import pytest

from rtfs_framework.orchestrator.loops import HeldError, LoopThread


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
