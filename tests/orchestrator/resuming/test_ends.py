"""Runs that park, are cancelled and kept: what is under way is not cut off, and nothing is lost that is kept."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from rtfs_framework.api import Ask, CapabilityEntry, DelegationPlan, PlanSource, RemoteModel
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import ended, tell
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.recording.journal.waiting import due_runs
from rtfs_framework.orchestrator.recording.purse import RunCancelled, RunParked
from rtfs_framework.orchestrator.running.past_calls import Assumed, ResumeError
from rtfs_framework.orchestrator.running.progress import BEGINNING
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

GO = '(defn main [] (let [a (call :put "a")] (host/wait-for :go) (checkpoint :half) (call :put "b")))'
KEEP = '[journal]\nkeep = "replies"\n'


class Asks:
    """Sends what it is asked about to a model, once somebody has said yes."""

    def claims(self):
        return ("careful",)

    def decide(self, context):
        return DelegationPlan(target=Ask("boss", RemoteModel("m")), reasoning="careful", source=PlanSource.ENGINE)


def parked(world, source, text=GO):
    with world.open() as session:
        session.park()
        with pytest.raises(RunParked):
            session.run(source(text), entry="main")
    return world.run


def said(world, run, name, value=None):
    with world.open() as session:
        tell(session.host.journal, run, "signalled", {"name": name}, value_text(value))


def asked(world, run, what):
    with world.open() as session:
        tell(session.host.journal, run, "control", {"ask": what, "by": "me"})


@pytest.mark.parametrize("other", ['(careful "x")', "(host/wait-for :never)"])
def test_a_call_under_way_is_not_cut_off_when_others_wait(world, source, monkeypatch, other):
    held = threading.Event()

    def slow(request):
        held.wait(10)
        world.done("slow", request.key, request.args[0])
        return "slow"

    world.engine = Asks()
    entry = CapabilityEntry(id="slow", summary="Slow.", handler=slow, blocking=True)
    catalog = type(world).catalog
    monkeypatch.setattr(type(world), "catalog", lambda self: _with(catalog(self), entry))
    world.config = '[approvals]\ntimeout = "1h"\n'
    text = f'(defn careful [x] "own") (defn main [] (pmap (fn [i] (if (= i 0) (call :slow "a") {other})) [0 1]))'
    with world.open(clock=FakeClock()) as session:
        session.park()
        threading.Timer(0.5, held.set).start()
        with pytest.raises(RunParked):
            session.run(source(text), entry="main")
    assert [name for name, *_ in world.effects] == ["slow"], "it ended before the run was left"
    begun = [each for each in query.entries_of(world.kit.journal, world.run) if each["state"] == "begun"]
    assert [each["symbol"] for each in begun if each["symbol"] == "slow"] == []


def _with(catalog, entry):
    _, who = catalog.capabilities["put"]
    catalog.capabilities[entry.id] = (entry, who)
    return catalog


def test_a_cancel_is_heard_although_a_word_comes_at_once(world, source):
    run = parked(world, source)
    with world.open() as session:
        resumed = session.reopen(Resuming(run=run))
        asked(world, run, "cancel")
        said(world, run, "go")
        with pytest.raises(RunCancelled), resumed.program as program:
            resumed.called(program)
    assert [arg for _, _, arg in world.effects] == ["a"]
    assert query.list_runs(world.kit.journal)[0].status == "cancelled"


def test_what_is_kept_stays_when_a_run_that_was_gone_on_with_ends(world, source):
    world.config = KEEP
    run = parked(world, source)
    said(world, run, "go")
    assert world.resume(run).value == "put b"
    verdict = verify_all(world.kit.journal, world.kit.home)
    assert (verdict.ok, verdict.problems) == (True, ())
    assert [entry["reply"] is not None for entry in query.entries_of(world.kit.journal, run)] == [True] * 4


def test_what_is_cancelled_while_nobody_is_at_it_has_its_calls(world, source):
    run = parked(world, source)
    with world.open() as session:
        ended(session.host.journal, run, "cancelled by me")
    (row,) = query.list_runs(world.kit.journal)
    assert (row.status, row.entries, row.message) == ("cancelled", 1, "cancelled by me")
    assert verify_all(world.kit.journal, world.kit.home).ok


def test_one_that_was_gone_on_with_and_killed_is_due_and_shown_whole(world, source):
    run = parked(world, source)
    said(world, run, "go")
    assert not world.die_at(5, lambda: world.resume(run))
    (row,) = query.list_runs(world.kit.journal)
    assert row.status == "unfinished"
    assert due_runs(world.kit.journal, world.kit.home) == [run]
    assert len(list(query.entries_of(world.kit.journal, run))) > 1, "also what came after it was left first"
    assert world.settle(run).value == "put b"


def test_whoever_catches_that_it_waits_does_not_end_it(world, source):
    with world.open() as session:
        session.park()
        with session.load(source(GO)) as program, pytest.raises(RunParked):
            program.call("main")
    assert query.list_runs(world.kit.journal)[0].status == "waiting"


def test_a_text_that_was_changed_is_told_as_such(world, source):
    run = parked(world, source)
    with closing(sqlite3.connect(world.kit.journal)) as db:
        db.execute("DROP TRIGGER texts_no_update")
        db.execute("UPDATE texts SET body = '{' WHERE name = 'program'")
        db.commit()
    with pytest.raises(JournalError, match="was changed"):
        world.resume(run)


class TestFolds:
    TEXT = '(defn fold [state x] (do (if (= x 3) (host/wait-for :go) nil) (str (or state "") x)))'

    def fold(self, world, program, start, records):
        seen = program.fold(iter(records), start=start)
        for _ in seen:
            seen.note_progress(now=True)
        return seen.state

    @pytest.mark.parametrize(("first", "kept"), [("a", "a12"), ("tok-1234567", None)])
    def test_a_state_with_a_secret_is_no_place_to_begin_at(self, world, source, first, kept):
        environ = {**world.kit.environ, "MY_TOKEN": "tok-1234567"}
        with world.open(environ=environ) as session:
            session.park()
            program = session.load(source(self.TEXT), how={"folds": True, "records": {}})
            with pytest.raises(RunParked):
                self.fold(world, program, BEGINNING, [first, 1, 2, 3])
        said(world, world.run, "go")
        with world.open(environ=environ) as session:
            resumed = session.reopen(Resuming(run=world.run))
            with resumed.program as program:
                start = resumed.start
                assert start.done == (0 if kept is None else 3)
                rest = [first, 1, 2, 3][start.done :]
                assert self.fold(world, program, start, rest) == f"{first}123"

    def test_all_in_one_transaction_leaves_nothing(self, world, source):
        with (
            world.open() as session,
            session.load(source("(defn fold [s x] (do (call :put 1) (+ (or s 0) x)))")) as program,
        ):
            assert self.fold(world, program, BEGINNING, [1, 2]) == 3
        with query.reading(world.kit.journal) as db:
            assert db.execute("SELECT count(*) FROM texts").fetchone()[0] == 0


@pytest.mark.parametrize("stamp", ["2016-12-31T23:59:60Z"])
def test_a_time_that_no_clock_shows_is_refused(world, source, stamp):
    with world.open() as session, pytest.raises(ProgramError, match="cannot wait for"):
        session.run(source(f"(defn main [] (host/sleep {stamp}))"), entry="main")


LABELS = """
[labels.inputs]
x = ["pii"]
[labels.accepts]
"capability send" = ["pii"]
"capability host.checkpoint" = ["pii"]
"""


def test_what_is_assumed_of_a_marked_call_is_kept_no_more_than_its_answer(world, source):
    world.config = KEEP + LABELS
    text = "(defn main [x] (do (call :send x) (checkpoint :sent) 1))"

    def work():
        with world.open() as session:
            session.run(source(text), ("secret-words",))

    settled = 0
    for moment in range(3, 9):
        (world.kit.home / "effects.txt").unlink(missing_ok=True)
        world.die_at(moment, work)
        row = query.list_runs(world.kit.journal)[0] if world.kit.journal.exists() else None
        if row is None or row.status != "unfinished" or not world.effects:
            continue
        with world.open() as session, pytest.raises(ResumeError) as refused:
            session.reopen(Resuming(run=row.id)).args  # noqa: B018 - its marks forbid that it is kept
        assert refused.value.code == "E0723"
        with world.open() as session:
            resumed = session.reopen(Resuming(run=row.id, assumed=Assumed({"1:0": "send secret-words"})))
            with resumed.program as program:
                assert program.call("main", ("secret-words",)).value == 1
        settled += 1
    assert settled
    with query.reading(world.kit.journal) as db:
        kept = [row["body"] for row in db.execute("SELECT body FROM texts WHERE name != 'program'")]
    assert not any("secret-words" in each for each in kept)
