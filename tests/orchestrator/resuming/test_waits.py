"""Runs that wait: for a time, for a word, for a person; in their process, and beyond its end."""

from __future__ import annotations

import gc
import threading
import time
from contextlib import suppress

import pytest

from rtfs_framework.api import Ask, CapabilityError, DelegationPlan, FailureKind, PlanSource, RemoteModel
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.boundary.handover import as_value
from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.waiting import due_runs, waits_of, waits_of_rows
from rtfs_framework.orchestrator.recording.purse import RunParked, RunStopped
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.testing.clock import FakeClock

SLEEPS = '(defn main [] (let [a (call :put "before") b (host/sleep "2h") c (call :put "after")] [a b c]))'
WAITS = '(defn main [] [(host/wait-for :go) (host/wait-for :go) (host/wait-for :never "1h" :late)])'


def opened(world, clock, park=None):
    session = world.open(clock=clock)
    session.host.dispatcher.approvals.waits.park = park
    return session


def begun(world):
    """Tell whether the journal has a run by now."""
    with suppress(JournalError):
        return bool(query.list_runs(world.kit.journal))


def listed(world):
    """Return what the waiting run waits for as lists say it: its end says the same as all its rows."""
    waits = waits_of_rows(world.kit.journal, query.list_runs(world.kit.journal))
    assert {run: list(each) for run, each in waits.items()} == waits_of(world.kit.journal, list(waits))
    return [(each.get("for"), each.get("until")) for each in waits.get(world.run, ())]


def signal(world, run, name, value):
    with world.open() as session:
        tell(session.host.journal, run, "signalled", {"name": name}, value_text(as_value(value)))


def test_a_sleep_outlives_its_process_and_waits_for_the_rest_alone(world, source):
    clock = FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked, match="rtfs runs resume"):
        session.run(source(SLEEPS), entry="main")
    assert query.list_runs(world.kit.journal)[0].status == "waiting"
    ((_, until),) = before = listed(world)
    assert until == clock.now() + 7200
    clock.advance(3600)
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.resume(Resuming(run=world.run))
    assert listed(world) == before, "a wait of a process before is one of the run's"
    clock.advance(3601)
    with opened(world, clock, park=0.0) as session:
        assert session.resume(Resuming(run=world.run)).value == ("put before", None, "put after")
    assert [arg for _, _, arg in world.effects] == ["before", "after"]
    assert query.list_runs(world.kit.journal)[0].status == "complete"


def test_words_from_outside_come_in_their_order_once_each(world, source):
    clock = FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked, match="waits for :go"):
        session.run(source(WAITS), entry="main")
    run = world.run
    signal(world, run, "go", 1)
    signal(world, run, "other", "x")
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.resume(Resuming(run=run))
    assert listed(world) == [("go", None)], "the first of them is over"
    signal(world, run, "go", {"a": 2})
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked, match="waits for :never"):
        session.resume(Resuming(run=run))
    assert listed(world) == [("never", clock.now() + 3600)]
    clock.advance(3601)
    with opened(world, clock, park=0.0) as session:
        value = session.resume(Resuming(run=run)).value
    assert write(value) == '[1 {"a" 2} :late]'
    assert b'"a"' not in world.kit.journal.read_bytes()


def test_what_is_due(world, source):
    clock, here = FakeClock(), (world.kit.journal, world.kit.home)
    text = '(defn main [] (let [a (call :put "a")] (host/sleep "1h") a))'
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(source(text), entry="main")
    waits = world.run
    assert due_runs(*here, now=clock.now()) == []
    assert due_runs(*here, now=clock.now() + 3601) == [waits]
    clock.advance(1)
    world.die_at(4, lambda: opened(world, clock).run(source(text), entry="main"))
    killed = world.run
    assert killed != waits
    assert due_runs(*here, now=clock.now()) == [killed], "a process that died, whatever it waited for"
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.resume(Resuming(run=killed))
    assert due_runs(*here, now=clock.now()) == []


def test_in_its_process_a_run_waits_until_the_word_comes(world, source):
    found = []

    def work():
        with world.open() as session:
            found.append(session.run(source("(defn main [] (host/wait-for :go))"), entry="main").value)

    thread = threading.Thread(target=work)
    thread.start()
    while not begun(world):
        time.sleep(0.01)
    signal(world, world.run, "go", "now")
    thread.join()
    assert found == ["now"]


def test_what_is_waited_does_not_count_against_the_bound_on_time(world, source):
    clock = FakeClock()
    with world.open(clock=clock, limits=Limits(seconds=10)) as session:
        threading.Timer(0.2, clock.advance, (1001,)).start()
        text = "(defn main [] (pmap (fn [n] (host/sleep 1000)) [1 2]))"
        assert session.run(source(text), entry="main").value == (None, None)


@pytest.mark.parametrize(
    "call",
    ["(host/sleep -1)", '(host/sleep "soon")', "(host/sleep)", "(host/wait-for)", "(host/wait-for 1)", "(checkpoint)"],
)
def test_a_wait_that_is_none_is_refused(world, source, call):
    with world.open() as session, pytest.raises(ProgramError, match="write \\("):
        session.run(source(f"(defn main [] {call})"), entry="main")


def test_a_run_that_waits_is_cancelled(world, source):
    clock = FakeClock()
    text = '(defn main [] (call :put "a") (host/wait-for :x) (call :put "b"))'
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(source(text), entry="main")
    run = world.run

    def cancel():
        with world.open() as session:
            tell(session.host.journal, run, "control", {"ask": "cancel", "by": "me"})

    threading.Timer(0.2, cancel).start()
    with opened(world, clock) as session, pytest.raises(RunStopped, match="cancelled by me"):
        session.resume(Resuming(run=run))
    assert query.list_runs(world.kit.journal)[0].message == "cancelled by me"


def test_a_pause_is_heard_at_a_checkpoint_and_over_when_it_goes_on(world, source):
    text = """
(defn main [] (call :put "a") (host/sleep 1) (checkpoint :half) (call :put "b"))"""
    clock = FakeClock()
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(source(text), entry="main")
    run = world.run
    with world.open() as session:
        tell(session.host.journal, run, "control", {"ask": "pause", "by": "me"})
    clock.advance(2)
    with opened(world, clock) as session:
        assert session.resume(Resuming(run=run)).value == "put b", "what was asked of a process before is over"


class Asks:
    """Sends what it is asked about to a model, once somebody has said yes."""

    def claims(self):
        return ("careful",)

    def decide(self, context):
        return DelegationPlan(target=Ask("boss", RemoteModel("m")), reasoning="careful", source=PlanSource.ENGINE)


class TestApprovals:
    TEXT = '(defn careful [x] "own") (defn main [] [(call :put "a") (careful "x") (call :put "b")])'
    DAY = 86_400

    @pytest.fixture
    def asked(self, world, source):
        """A run that waits for a person, whose process has ended; the clock, and what opens a session."""
        clock, world.engine = FakeClock(), Asks()
        world.config = f"[approvals]\ntimeout = {2 * self.DAY}\n"
        with opened(world, clock, park=0.0) as session, pytest.raises(RunParked, match="waits for a person"):
            session.run(source(self.TEXT), entry="main")
        return clock

    def test_a_yes_a_day_later_counts(self, world, asked):
        asked.advance(self.DAY)
        store = ApprovalStore(world.kit.home, asked)
        (row,) = store.listed()
        store.answer(row.id, yes=True, by="ann")
        with opened(world, asked, park=0.0) as session:
            assert session.resume(Resuming(run=world.run)).value == ("put a", "said x", "put b")
        assert [name for name, *_ in world.effects] == ["put", "model", "put"]
        assert len(store.listed(every=True)) == 1, "nobody was asked twice"

    def test_it_is_due_once_somebody_has_answered(self, world, asked):
        store, here = ApprovalStore(world.kit.home, asked), (world.kit.journal, world.kit.home)

        def answered(id_):
            return store.get(id_).state != "waiting"

        assert due_runs(*here, answered, asked.now()) == []
        store.answer(store.listed()[0].id, yes=True, by="ann")
        assert due_runs(*here, answered, asked.now()) == [world.run]

    def test_a_no_ends_it(self, world, asked):
        store = ApprovalStore(world.kit.home, asked)
        store.answer(store.listed()[0].id, yes=False, by="ann")
        with opened(world, asked, park=0.0) as session, pytest.raises(ProgramError, match="no by ann"):
            session.resume(Resuming(run=world.run))

    def test_it_waits_on_while_nobody_answers_and_then_that_means_no(self, world, asked):
        asked.advance(self.DAY)
        with opened(world, asked, park=0.0) as session, pytest.raises(RunParked):
            session.resume(Resuming(run=world.run))
        asked.advance(self.DAY + 1)
        with opened(world, asked, park=0.0) as session, pytest.raises(ProgramError, match="no answer within"):
            session.resume(Resuming(run=world.run))
        assert [name for name, *_ in world.effects] == ["put"]


def test_no_moment_beyond_a_year_is_waited_for_and_one_that_is_over_is_not_waited_for(world, source):
    with opened(world, FakeClock()) as session:
        for moment in ("9999-01-01T00:00:00Z", "2900-01-01T00:00:00Z"):
            with pytest.raises(ProgramError, match="more than a year"):
                session.run(source(f'(defn main [] (host/sleep #timestamp("{moment}")))'), entry="main")
        assert (
            session.run(source('(defn main [] (host/sleep #timestamp("1960-01-01T00:00:00Z")))'), entry="main").value
            is None
        )


def test_the_words_of_a_run_are_forgotten_with_it(world, source):
    with opened(world, FakeClock()) as session:
        for _ in range(3):
            session.run(source("(defn main [] (host/wait-for :never 0 :late))"), entry="main")
        gc.collect()
        assert len(session.host.dispatcher.approvals.waits._taken) <= 1


@pytest.mark.parametrize("kept", ["", '"journal" = ["pii"]\n'], ids=["made again", "from the journal"])
def test_the_marks_of_an_error_count_after_the_run_was_gone_on_with(world, source, kept, monkeypatch):
    asked = []

    def fails(_world, name, _key, _arg):
        asked.append(name)
        raise CapabilityError("m is more than 4000", failure=FailureKind.FINAL, marks=frozenset({"pii"}))

    monkeypatch.setattr(type(world), "done", fails)
    clock = FakeClock()
    world.config = '[journal]\nkeep = "replies"\n[labels.inputs]\nx = ["pii"]\n[labels.accepts]\n'
    world.config += f'"capability host.sleep" = ["pii"]\n{kept}'
    text = '(defn main [] (let [e (try (call :put 1) (catch e (str e))) _ (host/sleep "2h")] (call :send e)))'
    with opened(world, clock, park=0.0) as session, pytest.raises(RunParked):
        session.run(source(text), entry="main")
    clock.advance(7201)
    with opened(world, clock, park=0.0) as session:
        resumed = session.reopen(Resuming(run=world.run))
        with resumed.program as program, pytest.raises(ProgramError, match="it carries :pii"):
            program.call("main", ())
    assert len(asked) == (1 if kept else 2)
