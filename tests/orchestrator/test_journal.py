"""The causal chain: append-only, hash-chained, batched; and every way in which its file can be spoilt."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import attrs
import pytest

from rtfs_framework.api import DelegationPlan, LocalModel, PlanSource
from rtfs_framework.lang.source import Place
from rtfs_framework.orchestrator.journal import query
from rtfs_framework.orchestrator.journal.database import JournalError
from rtfs_framework.orchestrator.journal.store import BATCH, Journal
from rtfs_framework.orchestrator.journal.texts import blotter
from rtfs_framework.orchestrator.records import CallRecord, Decision
from rtfs_framework.testing import FakeClock

PLAN = DelegationPlan(
    target=LocalModel("m"), reasoning="because", source=PlanSource.HINT, context=(("excluded", "x"),), created_at=3.5
)
OTHER = Decision(attrs.evolve(PLAN, reasoning="something else"), ())
DECISION = Decision(PLAN, (("deny", "no rule"), ("hint", "m")), "l1 miss")


def record(n, **fields):
    return CallRecord(
        index=n,
        kind="delegated",
        symbol="f",
        target="local-model m",
        place=Place("a.rtfs", 1, n + 1),
        decision=DECISION,
        args_digest=f"{n:064x}",
        seconds=0.25,
        cost=0.1 * n,
        **fields,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "journal.sqlite"


def written(path, count=5, status="complete", **options):
    """Write a run of some calls; return its id."""
    journal = Journal(path, FakeClock(), **options)
    chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
    for n in range(count):
        chain.add(record(n))
    if status:
        chain.end(status)
    journal.close()
    return "run-1"


def tamper(path, *statements):
    """Change the file behind the triggers' back, as an attacker with the file would."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_what_was_written_is_listed_shown_and_verified(path):
    run = written(path)
    (row,) = query.list_runs(path)
    found, entries = query.show_run(path, run)
    shown = list(entries)
    assert (row.id, row.status, row.entries, row.source) == (run, "complete", 5, "a.rtfs")
    assert found == row
    assert [entry["call"] for entry in shown] == [0, 1, 2, 3, 4]
    assert shown[2]["decision"]["reasoning"] == "because"
    assert shown[2]["decision"]["steps"] == [["deny", "no rule"], ["hint", "m"]]
    assert (shown[2]["place"], shown[2]["micros"], shown[2]["decided_at"]) == ("a.rtfs:1:3", 250_000, 3.5)
    assert query.verify(path, run) == query.Verdict(run=run, ok=True, entries=5)


def test_decisions_that_repeat_are_stored_once(path):
    written(path, 50)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (1,)


@pytest.mark.parametrize("table", ["runs", "entries", "endings", "decisions"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET rowid = rowid", "DELETE FROM {0}"])
def test_the_database_refuses_changes(path, table, change):
    written(path)
    statement = change.format(table)
    if table in {"entries", "decisions"}:
        statement = statement.replace("rowid = rowid", {"entries": "target = ''", "decisions": "body = ''"}[table])
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


FIELDS = [
    "call", "record", "kind", "symbol", "place", "args_digest", "args", "decision", "decided_at", "target",
    "reply_digest", "micros", "input_tokens", "output_tokens", "cost", "cache", "model", "explanation", "error_kind",
    "error", "hash", "parent",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_every_changed_field_is_noticed_at_its_entry(path, field):
    run = written(path)
    tamper(path, f"UPDATE entries SET {field} = '77' WHERE seq = 2")
    verdict = query.verify(path, run)
    assert (verdict.ok, verdict.broken) == (False, 2)
    assert "entry 2" in verdict.reason


@pytest.mark.parametrize(
    ("statement", "broken", "reason"),
    [
        ("DELETE FROM entries WHERE seq = 3", 3, "entry 3 is missing"),
        ("DELETE FROM entries WHERE seq = 4", 4, "entry 4 is missing"),
        ("UPDATE decisions SET body = '{}'", 0, "the decision of entry 0 was changed"),
        ("DELETE FROM decisions", 0, "the decision of entry 0 was changed"),
        ("UPDATE runs SET program = 'other'", None, "the run's own row was changed"),
        ("UPDATE endings SET status = 'failed'", None, "the run's ending was changed"),
        ("UPDATE entries SET seq = 9 WHERE seq = 4", 4, "entry 4 is missing"),
    ],
)
def test_every_other_change_is_noticed(path, statement, broken, reason):
    run = written(path)
    tamper(path, statement)
    verdict = query.verify(path, run)
    assert (verdict.ok, verdict.broken, verdict.reason) == (False, broken, reason)


def test_a_run_that_never_ended_is_said_to_be_unfinished(path):
    run = written(path, status="")
    assert query.list_runs(path)[0].status == "unfinished"
    verdict = query.verify(path, run)
    assert (verdict.ok, verdict.finished, verdict.reason) == (True, False, "the run never ended")


def test_runs_are_found_by_prefix(path):
    journal = Journal(path, FakeClock())
    for name in ("abc1", "abd2"):
        journal.begin(name, "d", "s", "p", "v").end("complete")
    journal.close()
    assert query.find_run(path, "abc") == "abc1"
    assert query.find_run(path, "last") == "abd2"
    for prefix, problem in (("ab", "more than one run"), ("x", "no run"), ("%", "no run")):
        with pytest.raises(JournalError, match=problem):
            query.find_run(path, prefix)
    with pytest.raises(JournalError, match="no run"):
        query.verify(path, "x")


def test_entries_wait_in_batches_and_memory_stays_bounded(path):
    clock = FakeClock()
    journal = Journal(path, clock)
    chain = journal.begin("r", "d", "s", "p", "v")
    most = 0
    for n in range(3 * BATCH):
        chain.add(record(n))
        most = max(most, len(journal._entries))
    assert most < BATCH
    chain.add(record(0))
    clock.advance(2.0)
    chain.add(record(1))
    assert not journal._entries, "an old batch is written even when it is small"
    journal.close()


def interrupted_at(chain, stop):
    """Add a record; strike with Ctrl-C at the given line of the journal's code. Tell whether it came so far."""
    lines = 0

    def trace(frame, event, _arg):
        nonlocal lines
        if not frame.f_code.co_filename.endswith(("store.py", "rows.py", "texts.py")):
            return None
        lines += event == "line"
        if lines == stop:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        chain.add(attrs.evolve(record(1), decision=OTHER))
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_ctrl_c_between_any_two_steps_does_not_tear_the_chain(path):
    stops = 0
    while True:
        stops += 1
        file = path.with_name(f"{stops}.sqlite")
        journal = Journal(file, FakeClock())
        chain = journal.begin("r", "d", "s", "p", "v")
        chain.add(record(0))
        struck = interrupted_at(chain, stops)
        chain.add(attrs.evolve(record(2), decision=OTHER))
        chain.end("interrupted")
        journal.close()
        verdict = query.verify(file, "r")
        assert verdict.ok, (stops, verdict)
        calls = [entry["call"] for entry in query.entries_of(file, "r")]
        assert calls in ([0, 2], [0, 1, 2]), stops
        if not struck:
            break
    assert calls == [0, 1, 2]
    assert stops > 40, "every line of adding, and of what it calls, was interrupted once"


def test_an_unwritable_place_is_an_error_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "journal.sqlite", FakeClock())
    with pytest.raises(JournalError) as caught:
        journal.begin("r", "d", "s", "p", "v")
    assert "RTFS_HOME" in str(caught.value)
    assert "[journal] enabled = false" in str(caught.value)
    journal.close()


def test_a_file_that_is_something_else_is_left_alone(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalError, match="not a database"):
        written(path)
    assert path.read_bytes().startswith(b"this is no database")
    other = path.with_name("other.sqlite")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(JournalError, match="no journal"):
        written(other)


def test_a_journal_of_another_version_is_not_touched(path):
    written(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
        connection.commit()
    for use in (written, query.list_runs):
        with pytest.raises(JournalError, match="version 99"):
            use(path)


def test_a_missing_journal_says_so(path):
    with pytest.raises(JournalError, match="no such file"):
        query.list_runs(path)


def _add_many(chain, count):
    for n in range(count):
        chain.add(record(n))


def test_a_full_disk_is_told_once_and_closing_stays_quiet(path):
    journal = Journal(path, FakeClock())
    chain = journal.begin("r", "d", "s", "p", "v")
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(JournalError, match=r"full[\s\S]*free some space"):
        _add_many(chain, 10_000)
    chain.add(record(1))
    chain.end("failed")
    journal.close()
    verdict = query.verify(path, "r")
    assert verdict.ok
    assert not verdict.finished


def test_a_damaged_file_is_an_error_not_a_crash(path):
    written(path, 500)
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(JournalError):
        query.verify(path, "run-1")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX kill")
def test_what_was_committed_survives_a_kill(path):
    script = f"""
import os
from pathlib import Path
from rtfs_framework.orchestrator.clock import SystemClock
from rtfs_framework.orchestrator.journal.store import Journal
from rtfs_framework.orchestrator.records import CallRecord
journal = Journal(Path({str(path)!r}), SystemClock())
chain = journal.begin("r", "d", "s", "p", "v")
for n in range({BATCH} + 10):
    chain.add(CallRecord(index=n, kind="k", symbol="s", target="t"))
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script], check=False, timeout=50)
    verdict = query.verify(path, "r")
    assert verdict.ok
    assert not verdict.finished
    assert verdict.entries >= BATCH


def test_secrets_and_broken_texts_are_never_written(path):
    blot = blotter(["sk-very-secret", "", "abc"])
    journal = Journal(path, FakeClock(), True, blot)
    chain = journal.begin("r", "d", "s", "p", "v")
    spoilt = "key sk-very-secret \udc80 abc ü"
    plan = Decision(attrs.evolve(PLAN, reasoning=spoilt), (("deny", spoilt),))
    chain.add(
        attrs.evolve(record(0), args_text=spoilt, error=spoilt, error_kind="E", explanation=spoilt, decision=plan)
    )
    chain.end("failed", spoilt)
    journal.close()
    raw = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"sk-very-secret" not in raw
    assert query.verify(path, "r").ok
    (entry,) = query.entries_of(path, "r")
    assert entry["args"] == "key [secret] \\udc80 abc ü"


def test_a_key_in_an_error_or_an_argument_does_not_reach_the_journal(kit, source):
    """Neither that of a configured variable, nor that of any other that is named like one."""
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(try (f "tok-123456") (catch _ e :failed))'
    failure = ConnectionError("401 for key-abcdef with tok-123456")
    environ = {**kit.environ, "MY_KEY": "key-abcdef", "HF_TOKEN": "tok-123456"}
    with kit.open(
        kit.catalog(kit.provider("m", lambda _: failure)), "[journal]\nkeep_args = true\n", environ=environ
    ) as s:
        run = s.run(source(text)).run_id
    (entry,) = query.entries_of(kit.journal, run)
    assert entry["args"] == '["[secret]"]'
    assert "401 for [secret] with [secret]" in entry["error"]


def test_arguments_are_kept_only_when_asked_for(kit, source):
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "private")'
    for config, expected in (("", None), ("[journal]\nkeep_args = true\n", '["private"]')):
        with kit.open(kit.catalog(kit.provider("m", lambda _: "ok")), config) as session:
            run = session.run(source(text)).run_id
        (entry,) = query.entries_of(kit.journal, run)
        assert entry["args"] == expected
        assert len(entry["args_digest"]) == 64


def test_a_run_is_written_whatever_becomes_of_it(kit, source):
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "a")\n(throw "no")'
    catalog = kit.catalog(kit.provider("m", lambda _: "ok"))
    with kit.open(catalog) as session, pytest.raises(Exception, match="no"):
        session.run(source(text))
    (row,) = query.list_runs(kit.journal)
    assert (row.status, row.entries) == ("failed", 1)
    assert query.verify(kit.journal, row.id).ok


def test_a_pure_program_leaves_nothing_to_record(kit, source):
    with kit.open() as session:
        assert session.run(source("(+ 1 2)")).value == 3
    assert not kit.journal.exists()


def test_an_unwritable_journal_stops_a_run_before_it_pays(kit, source):
    (kit.home / "file").write_text("")
    catalog = kit.catalog(kit.provider("m", lambda _: "ok"))
    text = '(defn ^:delegation :local-model "m" f [x] :string "")\n(f "a")'
    with kit.open(catalog, "[journal]\npath = 'file/x.sqlite'\n") as session, pytest.raises(JournalError):
        session.run(source(text))
    assert not kit.providers["m"].requests
    with kit.open(catalog, "[journal]\npath = 'file/x.sqlite'\nenabled = false\n") as session:
        assert session.run(source(text)).value == "ok"


def test_processes_that_open_a_new_journal_at_once_all_get_it(tmp_path):
    program = """
import sys, time
from pathlib import Path
from rtfs_framework.orchestrator.journal.database import open_for_writing
print("ready", flush=True)
sys.stdin.readline()
for n in range(8):
    open_for_writing(Path(sys.argv[1]) / f"{n}.sqlite").close()
"""
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(4)
    ]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 4
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=50)[1] for process in started] == [""] * 4
