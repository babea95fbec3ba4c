"""Streams: order, overlap, constant memory, errors that are counted, Ctrl-C."""

from __future__ import annotations

import gc
import os
import signal
import threading
import warnings

import anyio
import pytest

from rtfs_framework.api import ProgramError
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.verify import verify
from rtfs_framework.orchestrator.recording.records import CallRecord

PROGRAM = """
(defn ^:delegation :local-model "m" ask [x] :string "")
(defn main [x] (if (= x "bad") (throw "refused") (str (ask x) "!")))
"""


def slow(seconds, log=None):
    """Return an answer that takes time, longer for earlier records."""

    async def answer(request):
        if log is not None:
            log.append(request.args[0])
        await anyio.sleep(seconds)
        return str(request.args[0])

    return answer


def test_results_come_in_order_and_slow_answers_overlap(kit, source):
    running = most = 0

    async def answer(request):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.02 / (1 + int(request.args[0])))
        running -= 1
        return request.args[0]

    with kit.open(kit.catalog(kit.provider("m", answer))) as session:
        program = session.load(source(PROGRAM))
        results = list(session.stream(program, "main", [str(n) for n in range(12)], concurrency=4))
        summary = program.summary
    assert [result.value for result in results] == [f"{n}!" for n in range(12)]
    assert most == 4
    assert (summary.records, summary.calls) == (12, 12)


def test_the_journal_has_the_order_of_the_records_whatever_ended_first(kit, source):
    async def answer(request):
        await anyio.sleep(0.01 / (1 + int(request.args[0])))
        return request.args[0]

    with kit.open(kit.catalog(kit.provider("m", answer))) as session:
        program = session.load(source(PROGRAM))
        list(session.stream(program, "main", [str(n) for n in range(6)], concurrency=6))
    assert [entry["record"] for entry in query.entries_of(kit.journal, program.run_id)] == list(range(6))
    assert verify(kit.journal, program.run_id, kit.home).ok


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_failing_record_is_reported_and_the_stream_goes_on(kit, source, concurrency):
    with kit.open(kit.catalog(kit.provider("m", slow(0.001)))) as session:
        program = session.load(source(PROGRAM))
        results = list(session.stream(program, "main", ["a", "bad", "c"], concurrency=concurrency))
    assert [result.value for result in results] == ["a!", None, "c!"]
    assert results[1].error.message == "refused"
    assert not results[1].ok
    assert (program.summary.records, program.summary.record_errors) == (3, 1)


def test_equal_requests_under_way_are_asked_once(kit, source):
    log = []
    with kit.open(kit.catalog(kit.provider("m", slow(0.01, log), deterministic=True))) as session:
        program = session.load(source(PROGRAM))
        results = list(session.stream(program, "main", ["a"] * 5, concurrency=5))
    assert [result.value for result in results] == ["a!"] * 5
    assert log == ["a"]
    assert program.summary.cache_hits == {"in flight": 4}


def test_a_failure_under_way_is_shared_and_the_next_request_asks_again(kit, source):
    async def fails(_request):
        await anyio.sleep(0.005)
        raise ConnectionError("down")

    with kit.open(kit.catalog(kit.provider("m", fails, deterministic=True))) as session:
        program = session.load(source(PROGRAM))
        results = list(session.stream(program, "main", ["a"] * 3, concurrency=3))
        list(session.stream(program, "main", ["a"], concurrency=3))
    assert all("down" in result.error.message for result in results)
    assert len(kit.providers["m"].requests) == 2


def test_records_are_read_no_further_ahead_than_the_bound(kit, source):
    taken = 0

    def records():
        nonlocal taken
        for n in range(100):
            taken = n + 1
            yield str(n)

    with kit.open(kit.catalog(kit.provider("m", slow(0.0)))) as session:
        stream = session.stream(session.load(source(PROGRAM)), "main", records(), concurrency=4)
        next(stream)
        assert taken == 4
        next(stream)
        assert taken == 5


def test_memory_stays_constant(kit, source):
    """Call records of past records are not kept, but for the latest thousand."""

    def alive():
        gc.collect()
        return sum(isinstance(each, CallRecord) for each in gc.get_objects())

    before = alive()  # what other tests of this process have left
    with kit.open(kit.catalog(kit.provider("m", lambda _: "x"))) as session:
        program = session.load(source(PROGRAM))
        for result in session.stream(program, "main", (str(n) for n in range(1200))):
            assert result.ok
        kept = alive() - before
    assert len(program.ledger.latest) == 1000
    assert kept <= 1020


def interrupt_after(seconds):
    """Send Ctrl-C to this process a little later."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


@pytest.mark.parametrize("concurrency", [1, 4])
def test_ctrl_c_while_waiting_flushes_the_journal_and_keeps_the_summary(kit, source, concurrency):
    async def answer(request):
        await anyio.sleep(0.001 if int(request.args[0]) < 3 else 60)
        return request.args[0]

    with warnings.catch_warnings(), kit.open(kit.catalog(kit.provider("m", answer))) as session:
        warnings.simplefilter("error")
        program = session.load(source(PROGRAM))
        stream = session.stream(program, "main", (str(n) for n in range(100)), concurrency=concurrency)
        timer = interrupt_after(0.3)
        results = list(stream)
        timer.join()
        summary = stream.summary
    assert [result.value for result in results] == ["0!", "1!", "2!"]
    assert summary.interrupted
    assert summary.records == 3
    row = query.list_runs(kit.journal)[0]
    assert row.status == "interrupted"
    entries = list(query.entries_of(kit.journal, row.id))
    assert [entry["error_kind"] for entry in entries] == ["", "", "", *["Cancelled"] * concurrency]
    assert verify(kit.journal, row.id, kit.home).ok


def test_ctrl_c_while_computing_stops_a_tight_loop(kit, source):
    with kit.open() as session:
        program = session.load(source("(defn main [x] (loop [n 0] (recur (+ n 1))))"))
        timer = interrupt_after(0.2)
        stream = session.stream(program, "main", ["x"])
        assert list(stream) == []
        timer.join()
    assert stream.summary.interrupted


def test_the_caller_may_interrupt_too(kit, source):
    with kit.open(kit.catalog(kit.provider("m", slow(0.0)))) as session:
        stream = session.stream(session.load(source(PROGRAM)), "main", ["a", "b"], concurrency=2)
        next(stream)
        assert stream.interrupt().interrupted
        assert list(stream) == []


def test_a_source_of_records_that_fails_ends_the_stream(kit, source):
    def records():
        yield "a"
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")

    with kit.open(kit.catalog(kit.provider("m", slow(0.0)))) as session:
        stream = session.stream(session.load(source(PROGRAM)), "main", records())
        assert next(stream).value == "a!"
        with pytest.raises(UnicodeDecodeError):
            next(stream)


def test_a_name_that_the_program_does_not_define_is_an_error_at_once(kit, source):
    with kit.open(kit.catalog(kit.provider("m", slow(0.0)))) as session:
        program = session.load(source(PROGRAM))
        with pytest.raises(ProgramError, match="Undefined symbol: mian"):
            session.stream(program, "mian", ["a"])


def test_records_do_not_see_each_others_context(kit, source):
    text = "(context/set :n 1)\n(defn main [x] (let [before (context/get :n)] (context/set :n x) before))"
    with kit.open() as session:
        results = list(session.stream(session.load(source(text)), "main", [5, 6]))
    assert [result.value for result in results] == [1, 1]


@pytest.mark.parametrize(
    ("remote", "configured", "expected"), [(True, "", 8), (False, "", 1), (True, "concurrency = 3", 3)]
)
def test_streams_overlap_by_default_only_where_answers_come_from_afar(kit, remote, configured, expected):
    catalog = kit.catalog(kit.provider("m", slow(0.0), remote=remote))
    with kit.open(catalog, f"[delegation]\n{configured}\n") as session:
        assert session.host.concurrency == expected
