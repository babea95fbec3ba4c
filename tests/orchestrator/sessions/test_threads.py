"""One session in many threads: every value right, every call in the journal once, equal calls paid once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from rtfs_framework.api import LocalModel
from rtfs_framework.lang.errors import RtfsError
from rtfs_framework.testing.effort import effort

ASK = '(defn ^:delegation :local-model "m" ask "Answer." [x :int] :string "")\n'

PROGRAM = ASK + "(defn main [n] [(ask n) (ask (+ n 1)) (reduce + 0 (range n))])"


def right(number):
    return (f"<{number}>", f"<{number + 1}>", sum(range(number)))


def check_stress(service, recorded, together, slow, *, threads, runs):
    made = []
    with service(l2=True) as session:

        def work(thread):
            for turn in range(runs):
                number = 2 * (thread * runs + turn)
                result = session.run(PROGRAM, (number,))
                assert result.value == right(number)
                assert result.summary.calls == 2
                made.append(result.run_id)

        assert together(threads, work) == []
    found = recorded()
    assert sorted(found) == sorted(made)
    for status, calls in found.values():
        assert status == "complete"
        assert [call["symbol"] for call in calls] == ["ask", "ask"]
    assert max(Counter(slow.asked).values()) == 1
    assert len(slow.loops) == len(slow.threads) == 1, "connections belong to one loop"
    assert threading.get_ident() not in slow.threads


def test_every_run_is_right_and_recorded_once(service, recorded, together, slow):
    check_stress(service, recorded, together, slow, threads=16, runs=effort(6))


@pytest.mark.slow
def test_sixty_four_threads_by_fifty_runs(service, recorded, together, slow):
    check_stress(service, recorded, together, slow, threads=64, runs=50)


def test_equal_calls_at_once_are_paid_once(service, together, slow):
    with service(l2=True, journal=False) as session:
        for turn in range(effort(20)):
            assert together(8, lambda _: session.run(ASK + f"(ask {turn})")) == []  # noqa: B023 - awaited here
    assert set(Counter(slow.asked).values()) == {1}


def test_a_run_computes_in_the_thread_that_calls(kit, capability, together):
    where = {}
    handler = capability("here", lambda request: where.setdefault(request.args[0], threading.get_ident()) and 1)
    with kit.open(kit.catalog(capabilities=[handler]), '[security]\ngrant = ["*"]\n') as session:

        def work(number):
            session.run(f"(call :here {number})")
            assert where[number] == threading.get_ident()

        assert together(6, work) == []


def test_fan_outs_share_the_bound_across_threads(kit, capability, together):
    under = most = 0

    async def handler(request):
        nonlocal under, most
        import asyncio

        under += 1
        most = max(most, under)
        await asyncio.sleep(0.005)
        under -= 1
        return request.args[0]

    config = '[delegation]\nparallel = 3\n[security]\ngrant = ["*"]\n'
    with kit.open(kit.catalog(capabilities=[capability("ask", handler)]), config) as session:

        def work(number):
            text = f"(reduce + (pmap (fn [x] (call :ask x)) (range {number} {number + 20})))"
            assert session.run(text).value == sum(range(number, number + 20))

        assert together(4, work) == []
        assert session.host.dispatcher.slots.free == 2, "every slot was given back"
    assert 2 <= most <= 4 + 2, "a run needs no slot for its first branch"


def test_a_loaded_program_is_called_by_many(service, recorded, together):
    with service() as session, session.load(PROGRAM) as program:

        def work(number):
            for turn in range(10):
                assert program.call("main", (number + turn,)).value == right(number + turn)

        assert together(8, work) == []
        assert program.summary.calls == 160
    (_, calls) = recorded()[program.run_id]
    assert len({(call["entry"], call["call"]) for call in calls}) == len(calls) == 160


def test_streams_are_read_at_once_each_by_one_thread(service, together):
    with service() as session, session.load(PROGRAM) as program:

        def work(number):
            records = range(100 * number, 100 * number + 12)
            results = list(session.stream(program, "main", records, concurrency=4))
            assert [result.value for result in results] == [right(n) for n in records]

        assert together(6, work) == []
        assert program.summary.records == 72
        stream = session.stream(program, "main", range(4), concurrency=2)
        next(stream)
        ((_, error),) = together(1, lambda _: next(stream))
        assert isinstance(error, RtfsError)
        assert "another thread reads this stream" in str(error)
        assert len(list(stream)) == 3


def test_what_was_linked_is_run_once(service, together):
    with service() as session:
        linked = session.link("(+ 1 2)")
        failed = together(4, lambda _: session.run(linked))
    assert len(failed) == 3
    assert {str(error) for _, error in failed} == {"what was linked is good for one run; link the program again"}


def test_the_engine_and_its_plans_are_shared(kit, fake_engine, together):
    engine = fake_engine(LocalModel("m"), ("ai-*",))
    catalog = kit.catalog(kit.provider("m", lambda request: f'"{request.args[0]}"'), engine=engine, l1=True)
    with kit.open(catalog) as session:
        text = '(defn ai-f [x :int] :string "")\n(map ai-f (range {0} {1}))'

        def work(number):
            value = session.run(text.format(number, number + 5)).value
            assert tuple(value) == tuple(str(n) for n in range(number, number + 5))

        assert together(8, work) == []


def test_a_bound_of_depth_holds_in_every_thread(service, together):
    """Python's bound on recursion is the process's: no thread's end may lower it for the others."""
    text = "(defn f [n] (if (= n 0) 0 (+ 1 (f (- n 1))))) (reduce + (map (fn [_] (f 900)) (range 40)))"
    with service(journal=False) as session:

        def work(_):
            for _ in range(6):
                assert session.run(text).value == 36_000
                session.run("(+ 1 2)")

        assert together(12, work) == []
