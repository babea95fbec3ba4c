"""Streams in a host: programs that pause, die and are gone on with by another process, and lose and double nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import pytest

from rtfs_capability_streams.store import Store
from rtfs_framework import Session
from rtfs_framework.api import ProgramError, write
from rtfs_framework.orchestrator.config.folders import journal_path
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.registry import load_catalog

QUICK = (5, 8)
"""Right after a transaction, and right before one."""
SLOW = pytest.mark.slow
CONFIG = """
[security]
grant = ["mcp.stream.*", "marketplace.stream.*", "stream.*"]
[capabilities.streams]
path = "streams.sqlite"
roots = ["data"]
endpoints = { orders = { jsonl = "data/orders.jsonl", of = "[:map [:n :int]]" } }
[journal]
keep = "all"
"""
SUM = """
(defn step [sum n m] {:state (+ sum n) :output (if (= 0 (mod n 100)) n)})
(let [s (stream-source {:range [0 SIZE]} {:of :int :name "numbers" :state 0 :batch BATCH :sink "out" :capacity 100000})]
  [(stream-run s step) (stream-next (stream-source "out" {:name "reader"}) {:max 4096})])
"""
PAUSING = """
(defn step [sum n m] {:state (+ sum n) :action (if (= n STOP) :pause :continue)})
(def s (stream-source {:range [0 SIZE]} {:of :int :name "numbers" :state 0 :batch BATCH}))
(call :mcp.stream.resume s)
(stream-run s step)
"""


@pytest.fixture
def opened(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "delegation.toml"
    path.write_text(CONFIG.replace('\n[journal]\nkeep = "all"', ""), encoding="utf-8")

    def session(journal=True):
        environ = {"RTFS_HOME": str(tmp_path / "home"), "RTFS_PLUGINS": "streams"}
        return Session.open(config_path=path, environ=environ, catalog=load_catalog(environ), journal=journal)

    return session


def sized(text, size, batch=250, stop=-1):
    return text.replace("SIZE", str(size)).replace("BATCH", str(batch)).replace("STOP", str(stop))


def ended(status, seq):
    return f'{{:stream "numbers" :status {status} :seq {seq} :state {sum(range(seq))}}}'


def test_what_is_paused_by_one_host_is_gone_on_with_by_another(opened):
    with opened() as session:
        first = session.run(sized(PAUSING, 10_000, stop=3_333)).value
    with opened() as session:
        second = session.run(sized(PAUSING, 10_000)).value
    assert write(first) == ended(":paused", 3_334)
    assert write(second) == ended(":completed", 10_000)


def test_memory_does_not_grow_with_the_stream(opened):
    peaks = []
    with opened(journal=False) as session:
        for size in (500, 1_000, 4_000):
            text = (
                sized(SUM, size, batch=100)
                .replace("numbers", f"n{size}")
                .replace('"out"', f'"o{size}"')
                .replace("reader", f"r{size}")
            )
            tracemalloc.start()
            session.run(text)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[2] < 2 * peaks[1]


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
@pytest.mark.parametrize("again", ["resume", "anew"])
@pytest.mark.parametrize("moment", [each if each in QUICK else pytest.param(each, marks=SLOW) for each in range(2, 14)])
def test_a_run_that_dies_at_any_step_is_gone_on_with(opened, tmp_path, moment, again):
    child = os.fork()
    if child == 0:  # pragma: no cover - it is killed
        try:
            _dies(moment)
            with opened() as session:
                session.run(sized(SUM, 1_000))
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -9
    with opened() as session:
        if again == "resume":
            run = query.list_runs(journal_path({"RTFS_HOME": str(tmp_path / "home")}, None))[0].id
            value = session.resume(Resuming(run=run)).value
        else:
            value = session.run(sized(SUM, 1_000)).value
    ended, outputs = value
    assert write(ended) == '{:stream "numbers" :status :completed :seq 1000 :state 499500}'
    assert write(outputs).startswith("{:items [0 100 200 300 400 500 600 700 800 900] ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("gap_is_taken", [False, True], ids=["refused", "gap taken"])
def test_a_run_over_what_cannot_be_replayed_is_refused_until_somebody_takes_the_gap(opened, tmp_path, gap_is_taken):
    program = """(stream-run (stream-source {:pipe "data/pipe"} {:name "p" :state 0 :batch 2})
                             (fn [n line m] {:state (inc n)}))"""
    path = tmp_path / "data" / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(writer, b"1\n2\n3\n4\n")
        child = os.fork()
        if child == 0:  # pragma: no cover - it is killed
            try:
                _dies(6)
                with opened() as session:
                    session.run(program)
            finally:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
        with opened() as session:
            run = query.list_runs(journal_path({"RTFS_HOME": str(tmp_path / "home")}, None))[0].id
            if gap_is_taken:
                session.run('(call :mcp.stream.resume "p")')
                assert write(session.resume(Resuming(run=run)).value).endswith(":status :waiting :seq 4 :state 4}")
            else:
                with pytest.raises(ProgramError, match="cannot be replayed"):
                    session.resume(Resuming(run=run))
    finally:
        os.close(writer)


def _dies(moment):
    change, left = Store._change, [moment]

    def changing(self, work):
        _count(left)
        made = change(self, work)
        _count(left)
        return made

    Store._change = changing


def _count(left):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)


def test_named_endpoints_files_and_callbacks(opened, tmp_path):
    (tmp_path / "data" / "orders.jsonl").write_text('{"n": 1}\n\n{"n": 2}\n')
    program = """
    (defn total [state order m] {:state (update state :sum (fn [s] (+ s (:n order))))})
    (def seen (stream-source "copies" {:name "seen"}))
    [(stream-run (mcp-stream "orders" total {:sum 0}) total)
     (stream-consume (stream-source {:lines "data/orders.jsonl"} {:of :string})
                     {:on-item (fn [line] (stream-produce "copies" (str line "!")))})
     (stream-next seen {:max 9})]
    """
    with opened() as session:
        total, consumed, copies = session.run(program).value
    assert write(total) == '{:stream "orders/total" :status :completed :seq 2 :state {:sum 3}}'
    assert write(consumed).endswith(":status :completed :seq 3 :state 3}")
    assert write(copies).startswith('{:items ["{\\"n\\": 1}!" "!" "{\\"n\\": 2}!"] ')


@pytest.mark.parametrize(("state", "kept"), [("", "{}"), ("{:sum 4}", "{:sum 4}"), ("5", "7"), ("nil", "2")], ids=str)
def test_consuming_counts_unless_the_state_is_something_else(opened, state, kept):
    program = f"""
    (defn total [state order m] {{:state state}})
    (stream-produce "pair" [1 2] {{:all true}})
    (call :stream.close "pair")
    (stream-consume (mcp-stream "pair" total {state}) {{:on-item (fn [n] n)}})
    """
    with opened() as session:
        assert write(session.run(program).value).endswith(f":status :completed :seq 2 :state {kept}}}")


def test_a_producer_and_a_consumer_run_side_by_side_over_a_small_queue(opened):
    program = """
    (def feed (stream-source "feed" {:name "reader" :wait 20 :batch 4 :capacity 4}))
    (defn produce [n] (if (< n 40) (do (stream-produce "feed" n) (produce (inc n))) (call :stream.close "feed")))
    (second (step-parallel (produce 0) (stream-run feed (fn [sum n m] {:state (+ (or sum 0) n)}))))
    """
    with opened() as session:
        assert write(session.run(program).value).endswith(":status :completed :seq 40 :state 780}")


def test_a_two_way_stream_takes_and_gives_items_of_its_types(opened):
    program = """
    (defn serve [s : [:stream-bi :int :string]]
      (stream-run s (fn [n question m] {:state (inc n) :output (if (> question 8) question (str "no. " question))})))
    (def questions (stream-sink "questions" {:of :int}))
    (stream-produce questions [7 8] {:all true})
    (def desk (stream-source {:in "questions" :out "replies"} {:of :int :takes :string :name "desk" :state 0}))
    (def served (serve desk))
    (stream-produce desk "a word of its own")
    [(:seq served) (stream-next (stream-source "replies" {:of :string}) {:max 9})]
    """
    with opened() as session:
        assert write(session.run(program).value).startswith('[2 {:items ["no. 7" "no. 8" "a word of its own"] ')
        with pytest.raises(ProgramError, match="expected :string, got integer"):
            session.run(program.replace("[7 8]", "[9]"))


def test_types_of_streams_are_checked(opened):
    program = "(defn f [s : [:stream :int]] (stream-next s)) [(f (stream-source {:range [0 3]} {:of OF}))]"
    with opened() as session:
        assert write(session.run(program.replace("OF", ":int")).value) == "[{:value 0 :seq 0}]"
        with pytest.raises(ProgramError, match="expected :int, got :any"):
            session.run(program.replace("OF", ":any"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('(stream-next (stream-source {:lines "delegation.toml"}))', "SecurityViolation"),
        ('(stream-next (stream-source {:lines "data/none"}))', "IoError"),
        ('(stream-consume "q" {:on-end (fn [e] e)})', "InvalidArgument"),
        ('(stream-run "q" (fn [s i m] {:state (fn [] 1)}))', "InvalidArgument"),
    ],
)
def test_refusals_are_errors_of_the_program(opened, text, kind):
    with opened() as session:
        session.run('(stream-produce "q" 1)')
        with pytest.raises(ProgramError) as found:
            session.run(text)
        assert found.value.kind == kind


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of a process from /proc")
def test_a_million_items_in_constant_memory_paused_in_one_process_and_gone_on_with_in_another(opened, tmp_path):
    script = """
import sys
from pathlib import Path
from rtfs_framework import Session
from rtfs_framework.api import write
from rtfs_framework.registry import load_catalog
path, home, program = sys.argv[1:]
environ = {"RTFS_HOME": home, "RTFS_PLUGINS": "streams"}
with Session.open(config_path=path, environ=environ, catalog=load_catalog(environ)) as session:
    value = session.run(program).value
(peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(write(value), peak)
"""
    shown = []
    for size, stop, name in ((20_000, -1, "small"), (1_000_000, 400_000, "numbers"), (1_000_000, -1, "numbers")):
        program = sized(PAUSING, size, batch=4096, stop=stop).replace("numbers", name)
        command = [sys.executable, "-c", script, str(tmp_path / "delegation.toml"), str(tmp_path / "home"), program]
        opened().close()
        shown.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.rsplit(" ", 1))
    values, memory = [value for value, _ in shown], [int(kilobytes) for _, kilobytes in shown]
    assert values[1] == ended(":paused", 400_001)
    assert values[2] == ended(":completed", 1_000_000)
    assert max(memory[1:]) < memory[0] + 8_000, memory
