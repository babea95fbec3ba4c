"""The loop between kernel and host, with a scripted run: every answer reaches it, and it is always closed."""

from __future__ import annotations

import asyncio

import pytest

from rtfs_framework.api import CallKind, HostCall, ProgramError
from rtfs_framework.kernel.outcome import Complete, RequiresHost
from rtfs_framework.orchestrator.boundary.answers import Locally, Reply, Throw, Waiting
from rtfs_framework.orchestrator.concurrency.loops import LoopThread
from rtfs_framework.orchestrator.concurrency.program_lock import ProgramLock
from rtfs_framework.orchestrator.running.driver import advance, drive
from rtfs_framework.orchestrator.running.portal import Portal
from rtfs_framework.orchestrator.running.uses import Use

ERROR = ProgramError("Generic", "no")


class ScriptedRun:
    """Asks for the calls of its script, and completes with what it was told."""

    def __init__(self, count):
        self.left = count
        self.told = []
        self.closed = False
        self.watch = None

    def step(self):
        if self.left == 0:
            return Complete(tuple(self.told))
        self.left -= 1
        return RequiresHost(HostCall(CallKind.CAPABILITY, f"c{self.left}"))

    def resume(self, value):
        self.told.append(value)
        return self.step()

    def throw(self, error):
        self.told.append(error.kind)
        return self.step()

    def resume_locally(self):
        self.told.append("locally")
        return self.step()

    def close(self):
        self.closed = True


class ScriptedHost:
    def __init__(self, *answers):
        self.answers = iter(answers)

        self.lock = ProgramLock(0)

    def answer(self, _call):
        return next(self.answers)


def later(answer):
    async def finish():
        await asyncio.sleep(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return Waiting(finish)


def test_what_needs_no_waiting_is_answered_without_an_event_loop():
    run = ScriptedRun(3)
    state = advance(run, run.step(), ScriptedHost(Reply(1), Throw(ERROR), Locally()))
    assert state == Complete((1, "Generic", "locally"))


def test_what_must_be_waited_for_is_awaited_and_the_rest_is_not():
    run, host = ScriptedRun(4), ScriptedHost(Reply(1), later(Reply(2)), Reply(3), later(Throw(ERROR)))
    portal = Portal(LoopThread("io"))
    try:
        state = advance(run, run.step(), host)
        assert isinstance(state, Waiting)
        assert portal.run(drive(run, state, host), Use()) == (1, 2, 3, "Generic")
    finally:
        portal.close()
    assert not run.closed


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ZeroDivisionError])
def test_a_run_that_is_abandoned_is_closed(failure):
    run, host = ScriptedRun(1), ScriptedHost(later(failure()))
    portal = Portal(LoopThread("io"))
    with pytest.raises(failure):
        portal.run(drive(run, advance(run, run.step(), host), host), Use())
    portal.close()
    assert run.closed


def test_inside_a_running_loop_both_ways_work(kit, source):
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "a")'

    async def synchronously():
        with kit.open(kit.catalog(kit.provider("m", lambda _: "ok"))) as session:
            return session.run(source(text)).value

    async def awaited():
        async with kit.open(kit.catalog(kit.provider("m", lambda _: "ok"))) as session:
            return (await session.run_async(source(text))).value

    for way in (synchronously, awaited):
        assert asyncio.run(way()) == "ok"
        assert kit.providers["m"].closed
