"""`[journal] sync = "full"`: what is forced to disk when, and what waits for the next that is."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.api import CapabilityEntry, ProgramError
from rtfs_framework.orchestrator.recording.journal import append, file, forcing, writer
from rtfs_framework.orchestrator.recording.journal.anchor import Anchor
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.verify import verify_all

TEXT = """
(call :put "first")
(defn main [] (loop [i 0] (if (< i {}) (do (call :{} i) (recur (inc i))) i)))"""


@pytest.fixture
def log(monkeypatch):
    """Note commits, whether each is forced, and what is forced without one."""
    seen = []
    connect, make_up = file.connect, forcing.Forcing.make_up

    class Noted(sqlite3.Connection):
        forces = True

        def execute(self, text, *args):
            if text.startswith("PRAGMA synchronous="):
                self.forces = text.endswith("FULL")
            if text == "commit":
                seen.append("forced" if self.forces else "committed")
            return super().execute(text, *args)

    def noted(path, *, wait):
        with pytest.MonkeyPatch.context() as patch:
            plain = sqlite3.connect
            patch.setattr(sqlite3, "connect", lambda *args, **options: plain(*args, **options, factory=Noted))
            return connect(path, wait=wait)

    monkeypatch.setattr(file, "connect", noted)
    monkeypatch.setattr(forcing.Forcing, "make_up", lambda self, path: seen.append("made up") or make_up(self, path))
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 1e9)  # on a slow machine rows would be old, and written by a helper
    return seen


@pytest.fixture
def opened(kit, log):
    def handler(request):
        log.append("done")
        return request.args[0]

    entries = (
        CapabilityEntry(id="put", summary="May be done again.", handler=handler, idempotent=True),
        CapabilityEntry(id="send", summary="May not.", handler=handler),
    )
    return lambda: kit.open(
        kit.catalog(capabilities=entries), '[security]\ngrant = ["put", "send"]\n[journal]\nsync = "full"\n'
    )


def loaded(session, source, log):
    """Return a program whose first rows are in the file, as what opened it is."""
    program = session.load(source)
    settle(session.host.journal)
    log.clear()
    return program


def settle(journal):
    journal.commit()
    if journal._helper is not None:
        journal._helper.join()
    assert not journal.owes


def test_a_step_that_may_be_done_again_is_forced_once(opened, source, log, kit):
    with opened() as session:
        program = loaded(session, source(TEXT.format(10, "put")), log)
        program.call("main", ())
        assert log == ["forced", "done", "committed"] * 10 + ["made up"]
    assert verify_all(kit.journal, kit.home).ok


def test_a_step_that_must_not_be_done_twice_is_forced_before_and_behind(opened, source, log):
    with opened() as session:
        program = loaded(session, source(TEXT.format(4, "send")), log)
        program.call("main", ())
        assert log == ["forced", "done", "forced"] * 4


def test_what_is_owed_is_forced_before_another_thing_begins(opened, source, log):
    text = "(call :put 0) (defn main [] [(call :put 1) (call :send 2) (call :put 3) (checkpoint :here)])"
    with opened() as session:
        program = loaded(session, source(text), log)
        program.call("main", ())
    done = [at for at, what in enumerate(log) if what == "done"]
    assert log[done[0] : done[1]] == ["done", "committed", "forced"]
    assert log[done[1] : done[2]] == ["done", "forced", "forced"]
    assert log[done[2] : done[2] + 3] == ["done", "committed", "forced"], "a checkpoint is passed when all is on disk"


def test_each_record_of_a_stream_is_forced_before_it_is_told(opened, source, log):
    with opened() as session:
        program = loaded(session, source("(call :put 0) (defn main [n] (call :put n))"), log)
        for at, result in enumerate(session.stream(program, "main", [1, 2, 3])):
            assert result.value == at + 1
            assert log[-1] == "made up"


def test_with_normal_nothing_is_owed(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        chain.begin(desk.record(0))
        assert not journal.owes
        chain.add(desk.record(0))
        journal.commit(force=False)
        assert not journal.owes


def test_a_file_that_is_put_away_owes_nothing(desk):
    with closing(desk.journal(sync="full")) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        chain.add(desk.record(0))
        settle(journal)
        chain.add(desk.record(1))
        journal.commit(force=False)
        assert journal.owes
        for each in list(desk.path.parent.iterdir()):
            if each.name.startswith(desk.path.name):
                each.unlink()
        journal.commit()
        assert not journal.owes


def test_the_head_file_speaks_of_nothing_that_the_machine_may_lose(desk):
    with closing(desk.journal(sync="full")) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        chain.add(desk.record(0))
        settle(journal)
        heads = []
        for number, force in enumerate((False, True, True)):
            chain.add(desk.record(number + 1))
            journal.commit(force=force)
            heads.append(Anchor.of(desk.home, desk.path).raw())
        assert heads[0] == heads[1] != heads[2], "the second commit stood on one that was not forced"
    assert desk.verify_all().ok


FAILS = "(call :put 0) (defn main [n] (let [v (call :put n)] (nth [] v)))"


CALLS = {
    "call": lambda program: program.call("main", (7,)),
    "call_async": lambda program: asyncio.run(program.call_async("main", (7,))),
}


@pytest.mark.parametrize("how", [*CALLS, "stream"])
def test_an_error_is_told_when_what_it_rests_on_is_forced(opened, source, log, how):
    with opened() as session:
        program = loaded(session, source(FAILS), log)
        if how == "stream":
            assert [each.error is not None for each in session.stream(program, "main", [1, 2])] == [True, True]
        else:
            with pytest.raises(ProgramError):
                CALLS[how](program)
        assert "committed" in log
        assert log[-1] == "made up"
        assert not session.host.journal.owes


@pytest.mark.parametrize("how", CALLS)
def test_the_error_of_a_run_is_told_even_where_the_journal_fails(opened, source, log, monkeypatch, how):
    def refuse(self, path):
        raise JournalError(path, "the disk refuses")

    with opened() as session:
        program = loaded(session, source(FAILS), log)
        make_up = forcing.Forcing.make_up
        monkeypatch.setattr(forcing.Forcing, "make_up", refuse)
        with pytest.raises(ProgramError, match="out of bounds"):
            CALLS[how](program)
        monkeypatch.setattr(forcing.Forcing, "make_up", make_up)


def test_what_is_committed_is_owed_also_when_ctrl_c_comes_right_behind(desk, monkeypatch, log):
    def cut(self):
        monkeypatch.undo()
        raise KeyboardInterrupt

    with closing(desk.journal(sync="full")) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        chain.add(desk.record(0))
        settle(journal)
        chain.add(desk.record(1))
        monkeypatch.setattr(append.Appending, "settle", cut)
        with pytest.raises(KeyboardInterrupt):
            journal.commit(force=False)
        assert journal.waiting == 0
        assert journal.owes
        journal.commit()
        assert not journal.owes
    assert desk.verify_all().ok


def test_a_forced_commit_that_finds_its_rows_written_forces_them(desk, monkeypatch):
    made = []
    fsync = os.fsync
    in_transaction = append.in_transaction

    def cut(*args):
        in_transaction(*args)
        monkeypatch.setattr(append, "in_transaction", in_transaction)
        raise KeyboardInterrupt

    with closing(desk.journal(sync="full")) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        chain.add(desk.record(0))
        settle(journal)
        chain.add(desk.record(1))
        monkeypatch.setattr(append, "in_transaction", cut)
        with pytest.raises(KeyboardInterrupt):
            journal.commit(force=False)
        assert journal.waiting == 1, "nobody was told that it is written"
        monkeypatch.setattr(os, "fsync", lambda handle: made.append(handle) or fsync(handle))
        journal.commit()
        assert made, "a commit without rows forces nothing"
        assert not journal.owes
    assert desk.verify_all().ok


def test_after_ctrl_c_between_two_kinds_of_commits_the_next_is_of_the_right_kind():
    seen = []

    class Connection:
        def execute(self, text):
            seen.append(text)
            if len(seen) == 1:
                raise KeyboardInterrupt

    force = forcing.Forcing(full=True, wanted=False)
    with pytest.raises(KeyboardInterrupt):
        force.begins(Connection())
    force.wanted = True
    force.begins(Connection())
    assert seen == ["PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL"]
