"""The gate: what a check holds is settled exactly once, also when whoever waits for it is stopped meanwhile."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest

from rtfs_framework.orchestrator.boundary.failures import RefusedError
from rtfs_framework.orchestrator.performing.gate import Asking, Check, Gate, Held, Outcome


class Slow(Check, Held):
    """A check that takes hold in a thread, when it is let."""

    name = "slow"
    waits = True

    def __init__(self, refuses=False):
        self.entered, self.go = threading.Event(), threading.Event()
        self.refuses, self.settled = refuses, []

    def concerns(self, _):
        return True

    def enter(self, _):
        self.entered.set()
        assert self.go.wait(30)
        if self.refuses:
            raise RefusedError("slow", "no", "ask later")
        return self

    def settle(self, outcome):
        self.settled.append(outcome.sent)


ASKING = Asking(opened=None, instance=object(), request=None)


@pytest.mark.parametrize("way", ["task", "scope"])
@pytest.mark.parametrize("refuses", [False, True])
def test_who_is_stopped_while_a_check_takes_hold_gives_it_back(way, refuses):
    check = Slow(refuses)

    async def stopped():
        scope = anyio.CancelScope()

        async def enter():
            with scope:
                await Gate((check,)).enter_there(ASKING)

        task = asyncio.ensure_future(enter())
        await anyio.to_thread.run_sync(check.entered.wait)
        task.cancel() if way == "task" else scope.cancel()
        await anyio.sleep(0.02)
        check.go.set()
        await asyncio.wait((task,))

    asyncio.run(stopped())
    assert check.settled == ([] if refuses else [False])


def test_a_permit_is_settled_once_whoever_is_stopped():
    check = Slow()
    check.go.set()

    async def stopped():
        permit = await Gate((check,)).enter_there(ASKING)
        tasks = [asyncio.ensure_future(permit.settle_there(Outcome())) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.wait(tasks)

    asyncio.run(stopped())
    assert check.settled == [True]
