"""A journal that cannot be written: what is paid is refused before, what was queued is caught up with, no silence."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import sys
import threading
from contextlib import closing

import pytest

from rtfs_framework.api import InferenceReply, Usage
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.recording.journal.writer import MOST
from rtfs_framework.testing import FakeClock

PAID = '(defn ^:delegation :local-model "m" f [x] :string "") (defn main [x] (f x))'
OWN = "(defn g [x] x) (defn main [x] (g x))"
CONTINUE = '[journal]\non_failure = "continue"\n'


@pytest.fixture
def paid(kit):
    """A catalog with a provider that costs something; `kit.providers["m"].requests` has what was asked."""
    reply = InferenceReply(text="ok", model="fake", usage=Usage(1, 1))
    return kit.catalog(kit.provider("m", lambda _: reply, remote=False, deterministic=False))


@pytest.fixture
def quick(monkeypatch):
    """Shorten the time for which others are waited for."""
    monkeypatch.setattr("rtfs_framework.orchestrator.recording.journal.writer.WAIT", 0.05)

    def opened(session):
        session.host.journal.wait = 0.05
        return session

    return opened


def locked(path):
    lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    return lock


def counted(kit):
    """Return the calls in the journal, all runs together; the whole must verify."""
    assert verify_all(kit.journal, kit.home).ok
    return sum(len(list(query.entries_of(kit.journal, row.id))) for row in query.list_runs(kit.journal, 999))


def test_a_lock_that_another_process_holds_refuses_what_is_paid_and_loses_nothing(kit, source, paid, quick):
    with kit.open(paid) as session:
        program = quick(session).load(source(PAID))
        assert program.call("main", ("1",)).value == "ok"
        with closing(locked(kit.journal)):
            for _ in range(3):
                with pytest.raises(JournalError, match="locked") as caught:
                    program.call("main", ("2",))
            assert "on_failure" in str(caught.value)
            assert len(kit.providers["m"].requests) == 1, "nothing was paid meanwhile"
        for n in "345":
            assert program.call("main", (n,)).value == "ok"
    assert len(kit.providers["m"].requests) == 4
    states = [e["error_kind"] for e in query.entries_of(kit.journal, program.run_id)]
    assert states == ["", *["JournalError"] * 3, "", "", ""]
    assert counted(kit) == 7


def test_calls_that_cost_nothing_wait_for_the_file(kit, source, fake_engine):
    with kit.open(kit.catalog(engine=fake_engine(claimed=("g",)))) as session:
        session.host.journal.wait = 600.0
        session.run(source(OWN), (0,))
        with closing(locked(kit.journal)):
            for n in range(5):
                assert session.run(source(OWN), (n,)).value == n
        for n in range(5):
            assert session.run(source(OWN), (n,)).value == n
    assert counted(kit) == 11
    assert all(row.status == "complete" for row in query.list_runs(kit.journal))


def test_a_lock_that_is_never_released_is_an_error_at_the_latest_when_closing(kit, source, quick, fake_engine):
    session = quick(kit.open(kit.catalog(engine=fake_engine(claimed=("g",)))))
    session.run(source(OWN), (0,))

    def go_on():
        session.run(source(OWN), (1,))
        session.close()

    with closing(locked(kit.journal)), pytest.raises(JournalError, match="locked"):
        go_on()
    session.close()


def test_going_on_is_told_once_and_catches_up(kit, source, paid, quick):
    clock = FakeClock()
    with kit.open(paid, CONTINUE, clock=clock) as session:
        program = quick(session).load(source(PAID))
        program.call("main", ("1",))
        with closing(locked(kit.journal)):
            for n in "234":
                clock.advance(2.0)
                assert program.call("main", (n,)).value == "ok"
            problems = program.summary.problems
            assert [(each.code, "goes on" in each.message or "go on" in each.message) for each in problems] == [
                ("E0720", True)
            ]
        clock.advance(2.0)
        program.call("main", ("5",))
        assert session.host.journal.waiting == 0
    assert len(kit.providers["m"].requests) == 5
    assert counted(kit) == 5


def test_what_is_queued_while_it_goes_on_is_bounded_and_what_was_lost_is_said(desk):
    told = []
    desk.run("run-0", 1)
    journal = desk.journal(on_failure="continue", report=told.append, wait=0.01)
    with closing(journal):
        chain = journal.begin("run-1", "d", "s", "p", "v")
        with closing(locked(desk.path)):
            for n in range(MOST + 100):
                chain.begin(desk.record(n))
                if not n:
                    journal.commit()  # as `written` does, in another thread
            assert journal.waiting == MOST
        journal.clock.advance(5.0)
        chain.add(desk.record(0))
    assert len(told) == 1
    verdict = desk.verify_all()
    assert verdict.ok
    assert "101 rows could not be written" in verdict.notes[0]


def test_a_failure_that_is_over_does_not_make_mere_contention_one(desk):
    """Another process that writes for a moment is waited for, after a failure as before it."""
    desk.run("run-0", 1)
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        away = desk.path.with_name("away")
        desk.path.rename(away)
        desk.path.mkdir()
        with pytest.raises(JournalError):
            chain.begin(desk.record(0))
        desk.path.rmdir()
        away.rename(desk.path)
        lock = locked(desk.path)
        assert not chain.begin(desk.record(1)), "it must be waited for, and is not refused"
        threading.Timer(0.05, lock.close).start()
        journal.commit()
    assert desk.verify_all().ok


def test_an_event_loop_is_not_held_up_by_a_locked_file_and_a_thread_that_may_wait_does(desk):
    desk.run("run-0", 1)
    with closing(desk.journal(wait=5.0)) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        lock = locked(desk.path)

        async def add():
            for n in range(MOST // 2 + 8):
                journal.queue("ended", chain, desk.record(n))
            chain.add(desk.record(n + 1))
            lock.close()  # what was added before waited for nobody, or it would have failed

        asyncio.run(add())
        journal._helper.join()
        assert not journal.waiting, "another thread has waited, and written all"
        lock = locked(desk.path)
        for n in range(MOST // 2 + 8):
            journal.queue("ended", chain, desk.record(n))
        journal.clock.advance(2.0)
        threading.Timer(0.05, lock.close).start()
        chain.add(desk.record(n + 1))
        assert not journal.waiting
    assert desk.verify_all().ok


@pytest.mark.parametrize("sync", ["normal", "full"])
def test_a_call_is_not_made_when_there_was_no_room_for_its_row(desk, sync):
    """The rows that wait fill the memory that they may have; then the file can be written again, or not."""
    desk.run("run-0", 1)
    with closing(desk.journal(wait=0.01, sync=sync)) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        lock = locked(desk.path)
        for n in range(MOST):
            journal.queue("ended", chain, desk.record(n))
        for n in range(2):
            with pytest.raises(JournalError, match="no room for more"):
                chain.begin(desk.record(MOST + n))
        journal._helper.join()
        lock.close()
        if not chain.begin(desk.record(MOST + 2)):
            journal.commit()  # as `written` does, in another thread
        assert desk.rows("SELECT id FROM log WHERE what = 'begun'") == [(str(MOST + 2),)]
    verdict = desk.verify_all()
    assert (verdict.ok, "2 rows could not be written" in verdict.notes[0]) == (True, True)


def until_refused(call):
    """Call until the disk is full; return how often it went well."""
    for made in range(1000):
        with contextlib.suppress(JournalError):
            call()
            continue
        return made
    raise AssertionError


def full(session):
    connection = session.host.journal._file.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")


def test_a_full_disk(kit, source, paid):
    """SQLite's bound on pages says what a full disk says."""
    with kit.open(paid) as session:
        program = session.load(source(PAID))
        program.call("main", ("1",))
        full(session)
        made = until_refused(lambda: program.call("main", ("2",)))
        assert made <= len(kit.providers["m"].requests) - 1 <= made + 1, "at most the last was paid, and not written"
        assert program.call("main", ("3",)).value == "ok", "the file was opened anew, and is not full any more"
    assert counted(kit) >= made + 3


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed")
@pytest.mark.parametrize("what", ["deleted", "with its log", "only its log", "replaced", "folder removed", "emptied"])
def test_a_file_that_goes_away_under_way(kit, source, paid, what, tmp_path):
    folder = kit.home / "deep"
    config = "[journal]\npath = 'deep/j.sqlite'\n"
    path = folder / "j.sqlite"
    with kit.open(paid, config) as session:
        program = session.load(source(PAID))
        program.call("main", ("1",))
        if what == "folder removed":
            shutil.rmtree(folder)
        elif what == "replaced":
            path.rename(tmp_path / "away")
            shutil.copy(tmp_path / "away", path)
        elif what == "emptied":
            os.truncate(path, 0)
        else:
            names = {"deleted": [""], "with its log": ["", "-wal", "-shm"], "only its log": ["-wal"]}[what]
            for suffix in names:
                (folder / f"j.sqlite{suffix}").unlink()
        answered = []
        for n in "2345":
            with contextlib.suppress(JournalError):
                answered.append(program.call("main", (n,)).value)
        assert set(answered) <= {"ok"}
        refused = 4 - len(answered)
    asked = {request.args[0] for request in kit.providers["m"].requests}
    assert len(asked) == 5 - refused
    try:
        found = [e["path"] for e in query.entries_of(path, program.run_id) if not e["error_kind"]]
    except JournalError:
        assert refused == 4, "a file that cannot be read refuses every call"
        return
    assert len(found) >= 4 - refused, "every call that was made since is in the file that is there"
    verdict = verify_all(path, kit.home)
    assert verdict.problems if len(found) < 5 - refused else verdict.ok, "what is missing is said"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written(kit, source, paid):
    kit.journal.touch()
    kit.journal.chmod(0o400)
    with kit.open(paid) as session, pytest.raises(JournalError, match="readonly"):
        session.run(source(PAID), ("1",))
    assert not kit.providers["m"].requests


def test_an_unwritable_place_stops_a_run_before_it_pays(kit, source, paid):
    (kit.home / "file").write_text("")
    with kit.open(paid, "[journal]\npath = 'file/x.sqlite'\n") as session:
        with pytest.raises(JournalError) as caught:
            session.run(source(PAID), ("a",))
        assert "RTFS_HOME" in str(caught.value)
        with pytest.raises(JournalError):
            session.run(source(PAID), ("a",))
        assert not kit.providers["m"].requests
        (kit.home / "file").unlink()
        assert session.run(source(PAID), ("a",)).value == "ok", "it recovers by itself"
    with kit.open(paid, "[journal]\npath = 'file/x.sqlite'\nenabled = false\n") as session:
        assert session.run(source(PAID), ("a",)).value == "ok"


def test_an_unwritable_place_and_going_on(kit, source, paid):
    (kit.home / "file").write_text("")
    with kit.open(paid, CONTINUE + "path = 'file/x.sqlite'\n") as session:
        result = session.run(source(PAID), ("a",))
    assert result.value == "ok"
    assert [problem.code for problem in result.summary.problems] == ["E0720"]


def test_capabilities_are_refused_before_they_act(kit, source, capability, quick):
    acted = []
    entry = capability("act", lambda request: acted.append(request.args[0]))
    with kit.open(kit.catalog(capabilities=[entry]), '[security]\ngrant = ["*"]\n') as session:
        program = quick(session).load(source("(defn main [x] (call :act x))"))
        program.call("main", (1,))
        with closing(locked(kit.journal)), pytest.raises(JournalError):
            program.call("main", (2,))
        program.call("main", (3,))
    assert acted == [1, 3]


def test_a_stream_stops_at_a_journal_that_cannot_be_written(kit, source, paid, quick):
    with kit.open(paid) as session:
        program = quick(session).load(source(PAID))
        stream = session.stream(program, "main", [str(n) for n in range(6)], concurrency=2)
        assert next(stream).value == "ok"
        with closing(locked(kit.journal)), pytest.raises(JournalError):
            list(stream)
    assert len(kit.providers["m"].requests) <= 3


def test_a_file_that_is_something_else_is_left_alone(desk):
    desk.path.parent.mkdir()
    desk.path.write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalError, match="not a database"):
        desk.run()
    assert desk.path.read_bytes().startswith(b"this is no database")
    desk.path = desk.path.with_name("other.sqlite")
    with closing(sqlite3.connect(desk.path)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(JournalError, match="no journal"):
        desk.run()
    with pytest.raises(JournalError, match="no journal"):
        query.list_runs(desk.path)


def test_a_missing_journal_says_so(desk):
    with pytest.raises(JournalError, match="no such file"):
        query.list_runs(desk.path)


def test_full_sync_is_asked_for_in_every_transaction(kit, source, paid):
    with kit.open(paid, '[journal]\nsync = "full"\n') as session:
        program = session.load(source(PAID))
        assert program.call("main", ("1",)).value == "ok"
        assert session.host.journal._file.connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert [what for (what,) in rows(kit)] == ["journal", "run", "begun", "ended"], "on disk when the call returns"
    assert counted(kit) == 1


def rows(kit):
    with closing(sqlite3.connect(kit.journal)) as db:
        return db.execute("SELECT what FROM log ORDER BY position").fetchall()


@pytest.mark.parametrize("key", ["sync = 'always'", "on_failure = 'ignore'"])
def test_settings_that_there_are_not(kit, key):
    with pytest.raises(Exception, match=r"sync|on_failure"):
        kit.open(kit.catalog(), f"[journal]\n{key}\n")
