"""A crew of threads: who waits is told, what is left behind is counted; no thread is no loss."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rtfs_framework.orchestrator.concurrency.threads import Crew
from rtfs_framework.registry.faults import Part
from rtfs_framework.registry.problems import Provenance


@pytest.fixture
def crew():
    """Return a crew of one thread."""
    return Crew(Part("provider", "x", Provenance("acme", "1", "acme")), 1)


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_waiter_that_is_cancelled_takes_nobodys_turn(crew):
    async def work():
        go = threading.Event()
        first = asyncio.create_task(crew.run("f", go.wait))
        await turns()
        cancelled, other = (asyncio.create_task(crew.run("f", lambda n=n: n)) for n in "ab")
        await turns()
        cancelled.cancel()
        await turns()
        go.set()
        await first
        return await asyncio.wait_for(other, 30)

    assert asyncio.run(work()) == "b"
    assert (crew.busy, crew.left) == (0, 0)


def test_a_waiter_that_is_cancelled_after_it_was_told_tells_the_next(crew):
    async def work():
        go = threading.Event()
        first = asyncio.create_task(crew.run("f", go.wait))
        await turns()
        told, other = (asyncio.create_task(crew.run("f", lambda n=n: n)) for n in "ab")
        await turns()
        go.set()
        while crew.busy or len(crew._wanting) > 1:  # this loop does not turn: the first waiter is told meanwhile
            pass
        told.cancel()
        await first
        return await asyncio.wait_for(other, 30)

    assert asyncio.run(work()) == "b"
    assert (crew.busy, crew.left) == (0, 0)


def test_a_call_that_is_cancelled_when_its_thread_has_finished_is_not_left_behind(crew):
    async def work():
        task = asyncio.create_task(crew.run("f", lambda: None))
        await asyncio.sleep(0)
        while crew.busy:  # this loop does not turn: the call has finished, and its task does not know it
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return crew.left, await crew.run("f", lambda: "fine")

    assert asyncio.run(work()) == (0, "fine")


def test_a_call_that_is_left_behind_counts_until_it_ends(crew):
    async def work():
        go = threading.Event()
        task = asyncio.create_task(crew.run("f", go.wait))
        await turns()
        task.cancel()
        await turns()
        left = crew.left
        go.set()
        return left, await crew.run("f", lambda: "fine")

    assert asyncio.run(work()) == (1, "fine")
    assert (crew.busy, crew.left) == (0, 0)


def test_a_thread_that_cannot_start_takes_no_place(crew, monkeypatch):
    async def work():
        with monkeypatch.context() as system:
            system.setattr(threading.Thread, "start", no_thread)
            for _ in range(3):
                with pytest.raises(RuntimeError, match="can't start new thread"):
                    await crew.run("f", lambda: None)
        return await asyncio.wait_for(crew.run("f", lambda: "fine"), 30)

    assert asyncio.run(work()) == "fine"
    assert (crew.busy, crew.left) == (0, 0)


def no_thread(_):
    raise RuntimeError("can't start new thread")
