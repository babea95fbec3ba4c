"""The loop that a thread borrows while it waits: what an interrupt leaves behind there."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import suppress
from types import ModuleType

import anyio.to_thread
import pytest

from rtfs_framework.orchestrator.concurrency.lanes import Lanes, a_loop_runs_here


@pytest.fixture
def lane():
    lanes = Lanes()
    lane = lanes.borrow()
    yield lane
    lanes.give_back(lane)
    lanes.close()


@pytest.mark.parametrize("where", ["in a step of the task", "in a task of its own", "in the loop itself"])
def test_who_waits_for_an_interrupted_task_is_told(lane, where):
    """Ctrl-C may come while Python code of the task runs, or between: asyncio treats the two differently."""
    told = []

    async def interrupted():
        raise KeyboardInterrupt

    def interrupt():
        raise KeyboardInterrupt

    async def work():
        asyncio.current_task().add_done_callback(told.append)
        if where == "in a step of the task":
            raise KeyboardInterrupt
        if where == "in a task of its own":
            await asyncio.create_task(interrupted())
        asyncio.get_running_loop().call_soon(interrupt)
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        lane.wait(lane.start(work()))
    assert len(told) == 1


def test_an_interrupt_in_the_turn_that_ends_what_is_waited_for_stays_one(lane):
    """The loop is asked to stop in the next turn, which is that of the cleaning up: it must not end that."""
    cleaned = []

    async def work():
        return "done"

    async def interrupted():
        raise KeyboardInterrupt

    async def other():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("other")

    rest = lane.start(other())
    waited, stopped = lane.start(work()), lane.start(interrupted())
    with pytest.raises(KeyboardInterrupt):
        lane.wait(waited)
    with suppress(KeyboardInterrupt):
        lane.cancel([rest, waited, stopped])
    assert (cleaned, waited.result()) == (["other"], "done")


def test_no_worker_thread_outlives_an_interrupt(lane):
    """A process that ends waits for those that are no daemons: it would never end."""
    begun = []

    async def work():
        begun.append(await anyio.to_thread.run_sync(threading.current_thread))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lane.wait(lane.start(work()))
    begun[0].join(10)
    assert not begun[0].is_alive()


def test_a_running_loop_is_seen_in_its_own_thread_alone():
    async def inside():
        return a_loop_runs_here(), await asyncio.to_thread(a_loop_runs_here)

    assert asyncio.run(inside()) == (True, False)
    assert not a_loop_runs_here()


def _as_asyncio_defines_it():
    return _what_the_module_defines_further_down()  # noqa: F821 - it is not there yet


@pytest.mark.parametrize("there", [{}, {"get_running_loop": _as_asyncio_defines_it}], ids=["nothing", "a part"])
def test_no_loop_runs_while_another_thread_imports_asyncio(monkeypatch, there):
    for name in ("asyncio", "asyncio.events"):
        half = ModuleType(name)
        if name == "asyncio.events":
            vars(half).update(there)
        monkeypatch.setitem(sys.modules, name, half)
    assert a_loop_runs_here() is False
