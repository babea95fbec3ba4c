"""The log: what is written, when, and in which order it is shown."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from rtfs_framework.api import DelegationPlan, LocalModel, PlanSource
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.verify import Verdict
from rtfs_framework.orchestrator.recording.journal.writer import BATCH
from rtfs_framework.orchestrator.recording.records import CallRecord, Decision
from rtfs_framework.testing import FakeClock

PLAN = DelegationPlan(target=LocalModel("m"), reasoning="something else", source=PlanSource.HINT)
OTHER = Decision(PLAN, ())


def test_what_was_written_is_listed_shown_and_verified(desk):
    run = desk.run()
    (row,) = query.list_runs(desk.path)
    found, entries = query.show_run(desk.path, run)
    shown = list(entries)
    assert (row.id, row.status, row.entries, row.source) == (run, "complete", 5, "a.rtfs")
    assert found == row
    assert [entry["path"] for entry in shown] == ["0", "1", "2", "3", "4"]
    assert shown[2]["decision"]["reasoning"] == "because"
    assert shown[2]["decision"]["steps"] == [["deny", "no rule"], ["hint", "m"]]
    assert (shown[2]["place"], shown[2]["micros"], shown[2]["decided_at"]) == ("a.rtfs:1:3", 250_000, 3.5)
    assert desk.verify(run) == Verdict(run=run, ok=True, entries=5)
    assert (desk.verify_all().ok, desk.verify_all().runs, desk.verify_all().unfinished) == (True, 1, 0)


def test_decisions_that_repeat_are_stored_once(desk):
    desk.run(calls=50)
    assert desk.rows("SELECT count(*) FROM plans") == [(1,)]


@pytest.mark.parametrize("table", ["log", "plans"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET body = ''", "DELETE FROM {0}"])
def test_the_database_refuses_changes(desk, table, change):
    desk.run()
    with closing(sqlite3.connect(desk.path)) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(change.format(table))


def test_calls_are_shown_in_the_order_of_their_ids_whatever_ended_first(desk):
    ids = [(0, None, (), 10), (0, None, (), 9), (1, 10, (), 0), (1, 9, (2, 10), 0), (1, 9, (2, 9), 1), (1, 9, (), 3)]
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        for entry, record, branch, index in ids:
            chain.add(desk.record(index, entry=entry, record=record, branch=branch))
        chain.add(desk.record(3, entry=1, record=9, kind="consultation", part=1))
        chain.end("complete")
    shown = [(e["entry"], e["record"], e["path"]) for e in query.entries_of(desk.path, "run-1")]
    assert shown == [
        (0, None, "9"), (0, None, "10"), (1, 9, "2.9.1"), (1, 9, "2.10.0"), (1, 9, "3?1"), (1, 9, "3"), (1, 10, "0"),
    ]  # fmt: skip
    assert desk.verify().entries == 6, "a consultation belongs to a call"


def test_a_call_that_began_is_on_disk_before_it_is_made_and_shown_until_its_end_is(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        assert chain.begin(desk.record(0))
        (entry,) = query.entries_of(desk.path, "run-1")
        assert (entry["state"], entry["symbol"], entry["decision"]["reasoning"]) == ("begun", "f", "because")
        assert entry["cost"] is None, "nobody knows yet"
        chain.add(desk.record(0))
        chain.end("complete")
    (entry,) = query.entries_of(desk.path, "run-1")
    assert (entry["state"], entry["outcome"]) == ("ended", "value")
    assert desk.verify().entries == 1


def test_what_costs_nothing_goes_to_disk_with_the_next_row_that_must(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0))  # the first row finds out whether the file can be written
        for n in range(1, 9):
            chain.add(desk.record(n))
        assert len(desk.rows("SELECT 1 FROM log WHERE what = 'ended'")) == 1
        chain.begin(desk.record(9))
        assert len(desk.rows("SELECT 1 FROM log WHERE what = 'ended'")) == 9
        assert desk.rows("SELECT what FROM log ORDER BY position DESC LIMIT 1") == [("begun",)]


def test_queued_rows_are_written_by_number_and_age(desk):
    clock = FakeClock()
    with closing(desk.journal(clock=clock)) as journal:
        chain = journal.begin("r", "d", "s", "p", "v")
        most = 0
        for n in range(3 * BATCH + 2):
            chain.add(desk.record(n))
            most = max(most, journal.waiting)
        assert most < BATCH
        assert journal.waiting
        clock.advance(2.0)
        chain.add(desk.record(0))
        assert not journal.waiting, "an old batch is written even when it is small"


def test_who_writes_alone_does_not_read_the_end_of_the_file_again(desk):
    with closing(desk.journal()) as one, closing(desk.journal()) as other:
        reads = []

        def write(journal, name, count=1):
            """Write as many transactions; note how often the end of the file was read in each."""
            for number in range(count):
                chain = journal.begin(f"{name} {number}", "digest", "a.rtfs", "policy", "0.1")
                chain.note("checkpoint", {"name": "a"})
                reads.append(0)
                journal.commit()
                seen = lambda text: reads.append(reads.pop() + ("ORDER BY position DESC" in text))  # noqa: E731
                journal._file.connection.set_trace_callback(seen)

        write(one, "first", 4)
        write(other, "second", 2)
        write(one, "third", 3)
        write(other, "fourth")
        assert reads[1:4] == [0, 0, 0]
        assert reads[5] == 0
        assert reads[6:9] == [1, 0, 0], "another has written in between"
        assert reads[9] == 1
    assert desk.verify_all().ok
    assert desk.rows("SELECT count(*) FROM log WHERE what = 'checkpoint'") == [(10,)]


def test_any_number_of_threads_and_tasks_may_append(desk):
    """Every row is there once, in one chain."""
    with closing(desk.journal()) as journal:
        chains = [journal.begin(f"run-{n}", "d", "s", "p", "v") for n in range(8)]

        def work(chain):
            for n in range(40):
                chain.begin(desk.record(n))
                journal.commit()
                chain.add(desk.record(n))
            chain.end("complete")

        async def tasks(chain):
            async def one(n):
                if not chain.begin(desk.record(n)):
                    await journal.written()
                chain.add(desk.record(n))

            await asyncio.gather(*(one(n) for n in range(40)))
            chain.end("complete")

        threads = [threading.Thread(target=work, args=(chain,)) for chain in chains[:4]]
        threads += [threading.Thread(target=lambda c=chain: asyncio.run(tasks(c))) for chain in chains[4:]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for n in range(8):
        entries = list(query.entries_of(desk.path, f"run-{n}"))
        assert [(e["path"], e["state"]) for e in entries] == [(str(i), "ended") for i in range(40)]
    found = desk.verify_all()
    assert (found.ok, found.runs, found.unfinished, found.rows) == (True, 8, 0, 1 + 8 * 82)


def interrupted_at(chain, record, stop):
    """Add a record; strike with Ctrl-C at the given line of the journal's code. Tell whether it came so far."""
    lines = 0
    files = ("writer.py", "append.py", "run.py", "rows.py", "texts.py")

    def trace(frame, event, _arg):
        nonlocal lines
        if not frame.f_code.co_filename.endswith(files):
            return None
        if frame.f_code.co_name == "_write_now":  # Python looks for signals in its body, not on the way to the release
            return trace
        lines += event == "line"
        if lines == stop:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        chain.begin(record)
        chain.add(record)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_ctrl_c_between_any_two_steps_does_not_tear_the_chain(desk):
    stops = 0
    while True:
        stops += 1
        desk.path = desk.path.with_name(f"{stops}.sqlite")
        with closing(desk.journal()) as journal:
            chain = journal.begin("run-1", "d", "s", "p", "v")
            chain.add(desk.record(0))
            struck = interrupted_at(chain, desk.record(1, decision=OTHER), stops)
            chain.add(desk.record(2, decision=OTHER))
            chain.end("interrupted")
        assert desk.verify_all().ok, stops
        assert desk.verify().finished, stops
        whats = [what for (what,) in desk.rows("SELECT what FROM log WHERE id = '1' ORDER BY position")]
        assert whats in ([], ["begun"], ["begun", "ended"]), stops
        assert [e["path"] for e in query.entries_of(desk.path, "run-1") if e["path"] != "1"] == ["0", "2"]
        if not struck:
            break
    assert whats == ["begun", "ended"]
    assert stops > 60, "every line of adding, and of what it calls, was interrupted once"


def test_runs_are_found_by_prefix(desk):
    for name in ("abc1", "abd2"):
        desk.run(name, 0)
    assert query.find_run(desk.path, "abc") == "abc1"
    assert query.find_run(desk.path, "last") == "abd2"
    for prefix, problem in (("ab", "more than one run"), ("x", "no run"), ("%", "no run")):
        with pytest.raises(JournalError, match=problem):
            query.find_run(desk.path, prefix)
    with pytest.raises(JournalError, match="no run"):
        desk.verify("x")


def test_a_run_that_never_ended_is_said_to_be_unfinished(desk):
    desk.run(status="")
    assert query.list_runs(desk.path)[0].status == "unfinished"
    verdict = desk.verify()
    assert (verdict.ok, verdict.finished, verdict.reason) == (True, False, "the run never ended")
    assert desk.verify_all().unfinished == 1


def test_numbers_that_no_column_holds(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.add(desk.record(0, input_tokens=2**70, output_tokens=2**63, cost=float("nan")))
        chain.end("complete")
    (entry,) = query.entries_of(desk.path, "run-1")
    assert (entry["input_tokens"], entry["output_tokens"], entry["cost"]) == (2**70, 2**63, None)
    assert desk.verify().ok


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_is_forked_off_writes_its_own_rows_only(desk):
    script = f"""
import os
from pathlib import Path
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.recording.records import CallRecord
journal = Journal(Path({str(desk.path)!r}), Path({str(desk.home)!r}), SystemClock())
chain = journal.begin("parent", "d", "s", "p", "v")
for n in range(5):
    chain.add(CallRecord(index=n, kind="k", symbol="s", target="t"))
child = os.fork()
if not child:
    mine = journal.begin("child", "d", "s", "p", "v")
    mine.add(CallRecord(index=0, kind="k", symbol="s", target="t"))
    mine.end("complete")
    journal.close()
    os._exit(0)
os.waitpid(child, 0)
chain.end("complete")
journal.close()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=50)
    assert (desk.verify("parent").entries, desk.verify("child").entries) == (5, 1)
    assert desk.verify_all().ok


def test_processes_that_open_a_new_journal_at_once_all_get_it(tmp_path):
    program = """
import sys
from pathlib import Path
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.recording.journal.writer import Journal
print("ready", flush=True)
sys.stdin.readline()
for n in range(8):
    journal = Journal(Path(sys.argv[1]) / f"{n}.sqlite", Path(sys.argv[1]), SystemClock())
    journal.begin(sys.argv[2], "d", "s", "p", "v").end("complete")
    journal.close()
"""
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path, f"run-{n}"], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        for n in range(4)
    ]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 4
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=50)[1] for process in started] == [""] * 4
    for n in range(8):
        assert len(query.list_runs(tmp_path / f"{n}.sqlite")) == 4


def test_a_pure_program_leaves_nothing_to_record(kit, source):
    with kit.open() as session:
        assert session.run(source("(+ 1 2)")).value == 3
    assert not kit.journal.exists()


def test_a_run_is_written_whatever_becomes_of_it(kit, source):
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "a")\n(throw "no")'
    with kit.open(kit.catalog(kit.provider("m", lambda _: "ok"))) as session, pytest.raises(Exception, match="no"):
        session.run(source(text))
    (row,) = query.list_runs(kit.journal)
    assert (row.status, row.entries) == ("failed", 1)


def test_a_record_says_where_it_belongs():
    record = CallRecord(2, "consultation", "f", branch=(3, 0), part=1)
    assert (record.path, CallRecord(2, "k", "f").path, CallRecord(2, "k", "f", branch=(3, 0)).path) == (
        "3.0.2?1", "2", "3.0.2",
    )  # fmt: skip
