"""One session in many tasks, of several event loops: nothing holds a loop up; cancelling and timeouts end what runs."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise

import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.kernel.outcome import Paused
from rtfs_framework.kernel.run import Run
from rtfs_framework.testing.effort import effort

ASK = '(defn ^:delegation :local-model "m" ask "Answer." [x :int] :string "")\n'

PROGRAM = ASK + "(defn main [n] [(ask n) (ask (+ n 1))])"
LONG = "(loop [i 0] (if (< i {0}) (recur (inc i)) i))"


def check_stress(service, recorded, slow, *, tasks, runs):
    made = []

    async def main():
        async with service(l2=True) as session:

            async def work(task):
                for turn in range(runs):
                    number = 2 * (task * runs + turn)
                    result = await session.run_async(PROGRAM, (number,))
                    assert result.value == (f"<{number}>", f"<{number + 1}>")
                    made.append(result.run_id)

            await asyncio.gather(*(work(task) for task in range(tasks)))

    asyncio.run(main())
    found = recorded()
    assert sorted(found) == sorted(made)
    assert all(status == "complete" and len(calls) == 2 for status, calls in found.values())
    assert len(slow.asked) == len(set(slow.asked)) == 2 * tasks * runs
    assert len(slow.loops) == 1


def test_every_run_is_right_and_recorded_once(service, recorded, slow):
    check_stress(service, recorded, slow, tasks=40, runs=effort(4))


@pytest.mark.slow
def test_a_thousand_tasks_by_twenty_runs(service, recorded, slow):
    check_stress(service, recorded, slow, tasks=1000, runs=20)


def test_a_loop_turns_while_a_long_pure_program_runs(service, monkeypatch):
    """Counted: how often the caller's loop turned while the program took its slices, and in which threads they ran."""
    slices, turns, counts = [], [], []
    enter = Run._enter

    def counted(run, switch, given):
        outcome = enter(run, switch, given)
        if isinstance(outcome, Paused):
            slices.append((threading.get_ident(), len(turns)))
        return outcome

    monkeypatch.setattr(Run, "_enter", counted)

    async def main():
        async with service(journal=False) as session:
            for _ in "ab":
                before = len(slices)
                running = asyncio.ensure_future(session.run_async(LONG.format(2_000_000)))
                while not running.done():
                    turns.append(threading.get_ident())
                    await asyncio.sleep(0.001)
                assert (await running).value == 2_000_000
                counts.append(len(slices) - before)

    asyncio.run(main())
    assert counts[0] == counts[1] > 100, "where a program is sliced depends on its steps alone"
    assert {thread for thread, _ in slices}.isdisjoint(turns), "not one slice was run by the caller's thread"
    assert len(turns) > 1
    assert slices[-1][1] > slices[0][1], "it turned between the first and the last slice"


def test_slices_of_several_programs_take_turns(service, monkeypatch):
    order = []
    enter = Run._enter

    def counted(run, switch, given):
        order.append(id(run))
        return enter(run, switch, given)

    monkeypatch.setattr(Run, "_enter", counted)

    async def main():
        async with service(journal=False) as session:
            return await asyncio.gather(*(session.run_async(LONG.format(1_000_000)) for _ in range(3)))

    assert [result.value for result in asyncio.run(main())] == [1_000_000] * 3
    changes = sum(before != after for before, after in pairwise(order))
    assert changes > len(order) // 3


@pytest.mark.parametrize(
    "text",
    [
        LONG.format(300_000),
        "(count (sort-by (fn [x] (- 0 x)) (range 100000)))",
        "(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib 22)",
        "(reduce + (pmap (fn [i] (reduce + 0 (range i))) (range 1500)))",
        "(step-parallel (reduce + (range 90000)) (reduce + (range 80000)))",
        "(count (reduce (fn [m i] (assoc m i (str i))) {} (range 30000)))",
    ],
)
def test_sliced_or_not_makes_no_difference(service, monkeypatch, text):
    steps = []
    enter = Run._enter

    def noted(run, switch, given):
        outcome = enter(run, switch, given)
        if run.leaves and not isinstance(outcome, Paused):
            steps.append(run.steps)
        return outcome

    async def awaited(session):
        return (await session.run_async(text)).value

    with service(journal=False) as session:
        monkeypatch.setattr(Run, "_enter", noted)
        synchronously = session.run(text).value
        assert asyncio.run(awaited(session)) == synchronously
    assert steps[: len(steps) // 2] == steps[len(steps) // 2 :]


def test_a_limit_ends_a_sliced_run_at_the_same_step(service):
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.lang.errors import LimitError

    text = "(def n 0) (loop [i 0] (do (recur (inc i))))"
    found = []
    with service(journal=False, limits=Limits(steps=100_000)) as session:
        for way in (session.run, lambda text: asyncio.run(session.run_async(text))):
            with pytest.raises(LimitError) as stopped:
                way(text)
            found.append((stopped.value.dimension, stopped.value.limit, stopped.value.span))
    assert found[0] == found[1]


@pytest.mark.parametrize("text", [ASK + "(ask 7)", LONG.format(10**9)])
def test_a_timeout_ends_the_run_and_what_it_waits_for(service, recorded, slow, text):
    slow.hold.add(7)

    async def main():
        async with service() as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.run_async(text), 0.3)
            assert not session.portal.uses._active, "it has ended when this does"
            return (await session.run_async(ASK + "(ask 1)")).value

    assert asyncio.run(main()) == "<1>"
    if "ask" in text:
        assert slow.cancelled == 1
        assert sorted(status for status, _ in recorded().values()) == ["complete", "interrupted"]


def test_cancelling_one_of_two_equal_calls_leaves_the_other(service, slow):
    slow.pause = 0.05

    async def main():
        async with service(l2=True) as session:
            first, second = (asyncio.ensure_future(session.run_async(ASK + "(ask 3)")) for _ in "ab")
            while not slow.asked:  # noqa: ASYNC110 - it is asked in another thread
                await asyncio.sleep(0.001)
            first.cancel()
            assert (await second).value == "<3>"
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())
    assert len(slow.asked) in {1, 2}


def test_several_loops_and_threads_at_once(service, recorded, together, slow):
    with service() as session:

        async def tasks(thread):
            async def one(task):
                number = 100 * thread + task
                assert (await session.run_async(PROGRAM, (number,))).value == (f"<{number}>", f"<{number + 1}>")

            await asyncio.gather(*(one(task) for task in range(8)))

        def work(thread):
            if thread % 2:
                asyncio.run(tasks(thread))
            else:
                assert session.run(PROGRAM, (thread,)).value == (f"<{thread}>", f"<{thread + 1}>")

        assert together(8, work) == []
    assert len(slow.loops) == 1
    assert len(recorded()) == 4 * 8 + 4


def test_programs_and_loops(service):
    async def main():
        async with service() as session:
            program = await session.load_async(PROGRAM)
            calls = [program.call_async("main", (number,)) for number in range(20)]
            return [result.value[0] for result in await asyncio.gather(*calls)]

    assert asyncio.run(main()) == [f"<{number}>" for number in range(20)]


def test_threads_and_tasks_call_one_program(service, together):
    with service() as session, session.load("(defn f [n] (loop [i 0] (if (< i n) (recur (inc i)) i)))") as program:

        async def tasks():
            return await asyncio.gather(*(program.call_async("f", (40_000 + n,)) for n in range(4)))

        def work(thread):
            for turn in range(4):
                if thread % 2:
                    assert [r.value for r in asyncio.run(tasks())] == [40_000 + n for n in range(4)]
                else:
                    assert program.call("f", (30_000 + turn,)).value == 30_000 + turn

        assert together(6, work) == []


def test_synchronous_calls_work_inside_a_running_loop(service):
    async def main():
        with service() as session, session.load(PROGRAM) as program:
            return session.run("(+ 1 2)").value, session.run(PROGRAM, (1,)).value, program.call("main", (5,)).value

    assert asyncio.run(main()) == (3, ("<1>", "<2>"), ("<5>", "<6>"))


def test_capabilities_may_use_their_session(kit, capability):
    opened = []

    def plain(request):
        return opened[0].run(f"(+ 1 {request.args[0]})").value

    async def awaited(request):
        return (await opened[0].run_async(f"(+ 2 {request.args[0]})")).value

    async def wrong(_request):
        return opened[0].run("(+ 1 2)").value

    offered = [capability("a", plain), capability("b", awaited), capability("c", wrong)]
    with kit.open(kit.catalog(capabilities=offered), '[security]\ngrant = ["*"]\n') as session:
        opened.append(session)
        text = "[(call :a 1) (call :b 1)]"
        assert session.run(text).value == (2, 3)
        assert asyncio.run(session.run_async(text)).value == (2, 3)
        with pytest.raises(ProgramError, match=r"await session\.run_async"):
            session.run("(call :c)")


def test_compiling_holds_no_loop_up(service, monkeypatch):
    from rtfs_framework.orchestrator import session as sessions

    where = []
    link = sessions.link
    monkeypatch.setattr(sessions, "link", lambda *args: where.append(threading.get_ident()) or link(*args))

    async def main():
        async with service() as session:
            await session.run_async("(+ 1 2)")
            await session.load_async("(+ 1 2)")
        return threading.get_ident()

    assert asyncio.run(main()) not in where
    assert len(where) == 2
