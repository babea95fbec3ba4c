"""The loop that a thread borrows while it waits: what an interrupt leaves behind there."""

from __future__ import annotations

import asyncio
import threading

import anyio.to_thread
import pytest

from rtfs_framework.orchestrator.concurrency.lanes import Lanes


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
